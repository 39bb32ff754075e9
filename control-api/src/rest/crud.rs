//! One collection: list, watch, create, read, apply, delete.
//!
//! One rule: it knows no kind; what a kind has of its own stands in the kind's file.

use std::time::SystemTime;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;
use serde_json::{Value, json};

use super::join_token;
use super::read::{self, Asked, Body, ChangeQuery, ListQuery};
use super::reply::Failure;
use super::state::App;
use super::status::{decorated, reports};
use super::watch;
use crate::limits;
use crate::resource::invalid::Invalid;
use crate::resource::kind::{Kind, ObjectRef};
use crate::resource::object::Object;
use crate::store::error::StoreError;
use crate::store::{Intent, Outcome, Request};

/// The paths of a kind.
pub fn router(kind: Kind) -> Router<App> {
    let collection = format!("/v1/{}", kind.plural());
    let item = format!("{collection}/{{name}}");
    let on_collection = get(move |State(app), query| list(app, kind, query))
        .post(move |State(app), query, body| create(app, kind, query, body));
    let on_item = get(move |State(app), Path(name)| read_one(app, kind, name))
        .put(move |State(app), Path(name), query, body| apply(app, kind, name, query, body))
        .delete(move |State(app), Path(name), query| delete(app, kind, name, query));
    Router::new().route(&collection, on_collection).route(&item, on_item)
}

async fn list(app: App, kind: Kind, query: Asked<ListQuery>) -> Result<Response, Failure> {
    let ListQuery { limit, r#continue, watch, resource_version } = read::query(query)?;
    if watch {
        return watch::changes(app, kind, resource_version).await;
    }
    let limit = limit.unwrap_or(limits::LIST_PAGE_MAX).clamp(1, limits::LIST_PAGE_MAX);
    let world = app.store.world();
    let after = r#continue.unwrap_or_default();
    let mut rest = world.all(kind).filter(|o| o.metadata().name.as_str() > after.as_str());
    let reports = reports(&app);
    let page: Vec<&Object> = rest.by_ref().take(limit).collect();
    let mut metadata = json!({"resourceVersion": world.revision.to_string()});
    if rest.next().is_some()
        && let Some(last) = page.last()
    {
        metadata["continue"] = last.metadata().name.clone().into();
    }
    let items: Vec<_> = page.iter().map(|object| decorated(object, &reports)).collect();
    let list = json!({"apiVersion": kind.api_version(), "kind": format!("{kind}List"),
        "metadata": metadata, "items": items});
    Ok(Json(list).into_response())
}

async fn read_one(app: App, kind: Kind, name: String) -> Result<Json<Value>, Failure> {
    let reference = ObjectRef::new(kind, name);
    let world = app.store.world();
    let object = world.find(&reference).ok_or(StoreError::NotFound(reference))?;
    Ok(Json(decorated(object, &reports(&app))))
}

async fn create(
    app: App,
    kind: Kind,
    query: Asked<ChangeQuery>,
    body: Body,
) -> Result<(StatusCode, Json<Value>), Failure> {
    let intent = intent(&read::query(query)?);
    let object = parse(kind, &read::json(body)?)?;
    if app.store.world().find(&object.object_ref()).is_some() {
        return Err(Failure::new("conflict", "exists already").about(&object.object_ref()));
    }
    let now = SystemTime::now();
    let (request, secret) = match join_token::request(&app.store.world(), object, now)? {
        (Request::Apply(object), secret) => (Request::Create(object), secret),
        other => other,
    };
    put(app, request, secret, intent).await
}

async fn apply(
    app: App,
    kind: Kind,
    name: String,
    query: Asked<ChangeQuery>,
    body: Body,
) -> Result<(StatusCode, Json<Value>), Failure> {
    let intent = intent(&read::query(query)?);
    let object = parse(kind, &read::json(body)?)?;
    if object.metadata().name != name {
        let message = format!("{:?} is not the name in the path, {name:?}", object.metadata().name);
        return Err(Invalid::new("metadata.name", message).into());
    }
    let (request, secret) = join_token::request(&app.store.world(), object, SystemTime::now())?;
    put(app, request, secret, intent).await
}

async fn put(
    app: App,
    request: Request,
    secret: Option<String>,
    intent: Intent,
) -> Result<(StatusCode, Json<Value>), Failure> {
    let outcomes =
        app.blocking(move |app| app.store.commit(vec![request], SystemTime::now(), intent)).await?;
    let (outcome, object) = outcomes.into_iter().next().expect("one request has one outcome");
    let mut document = decorated(&object, &reports(&app));
    join_token::show_secret(&mut document, secret.filter(|_| intent == Intent::Commit));
    let status = if outcome == Outcome::Created { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(document)))
}

async fn delete(
    app: App,
    kind: Kind,
    name: String,
    query: Asked<ChangeQuery>,
) -> Result<Json<Value>, Failure> {
    let intent = intent(&read::query(query)?);
    let reference = ObjectRef::new(kind, name);
    let request = vec![Request::Delete(reference.clone())];
    let outcomes = app
        .blocking(move |app| {
            app.store
                .commit(request, SystemTime::now(), intent)
                .map_err(|error| in_use(error).about(&reference))
        })
        .await?;
    let (_, object) = outcomes.into_iter().next().expect("one request has one outcome");
    Ok(Json(object.to_json()))
}

/// What a refused deletion means: somebody still needs it.
pub fn in_use(error: StoreError) -> Failure {
    match error {
        StoreError::Misfit(misfit) => {
            let message = format!("is still in use by {} ({})", misfit.object, misfit.invalid.field);
            Failure::new("conflict", message)
        }
        other => other.into(),
    }
}

/// Whether a change is meant.
pub fn intent(query: &ChangeQuery) -> Intent {
    if query.dry_run { Intent::DryRun } else { Intent::Commit }
}

fn parse(kind: Kind, document: &Value) -> Result<Object, Failure> {
    let object = Object::parse(document).map_err(|invalid| named(invalid, document))?;
    if object.kind() != kind {
        let message = format!("{:?} is not what this path holds: accepted is {kind}", object.kind().name());
        return Err(Invalid::new("kind", message).into());
    }
    Ok(object)
}

/// A refusal with the name of the document, as far as it has one.
pub fn named(invalid: Invalid, document: &Value) -> Failure {
    let text = |value: &Value| value.as_str().map(String::from);
    let (kind, name) = (text(&document["kind"]), text(&document["metadata"]["name"]));
    let mut failure = Failure::from(invalid);
    if let (Some(kind), Some(name)) = (kind, name) {
        failure.object = Some(format!("{kind}/{name}"));
    }
    failure
}
