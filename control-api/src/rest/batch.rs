//! Many resources at once: all of them or none.
//!
//! One rule: the order of documents does not matter; only the whole must hold.

use std::collections::BTreeSet;
use std::time::SystemTime;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::crud::{in_use, intent, named};
use super::join_token;
use super::read::{self, Asked, Body, ChangeQuery};
use super::reply::Failure;
use super::state::App;
use crate::limits;
use crate::resource::invalid::Invalid;
use crate::resource::kind::{Kind, ObjectRef};
use crate::resource::object::Object;
use crate::store::{Intent, Outcome, Request};

/// `POST /v1/apply`: `{"items": [document, …]}` to
/// `{"revision", "items": [{"outcome", "object"}, …]}`.
pub async fn apply(
    State(app): State<App>,
    query: Asked<ChangeQuery>,
    body: Body,
) -> Result<Json<Value>, Failure> {
    let intent = intent(&read::query(query)?);
    let now = SystemTime::now();
    let world = app.store.world();
    let (mut requests, mut secrets) = (Vec::new(), Vec::new());
    let mut seen = BTreeSet::new();
    for (i, document) in items(read::json(body)?)?.iter().enumerate() {
        let object = Object::parse(document).map_err(|invalid| match named(invalid.clone(), document) {
            Failure { object: None, .. } => Failure::from(invalid.within(&format!("items[{i}]"))),
            named => named,
        })?;
        if !seen.insert(object.object_ref()) {
            let message = format!("document {} of the request is the second of this name", i + 1);
            return Err(Failure::from(Invalid::new("metadata.name", message)).about(&object.object_ref()));
        }
        let (request, secret) = join_token::request(&world, object, now)?;
        requests.push(request);
        secrets.push(secret.filter(|_| intent == Intent::Commit));
    }
    let outcomes = app.blocking(move |app| app.store.commit(requests, now, intent)).await?;
    let items: Vec<_> = outcomes
        .into_iter()
        .zip(secrets)
        .map(|((outcome, object), secret)| {
            let mut document = object.to_json();
            join_token::show_secret(&mut document, secret);
            json!({"outcome": name(outcome), "object": document})
        })
        .collect();
    Ok(Json(json!({"revision": app.store.world().revision, "items": items})))
}

/// `POST /v1/delete`: `{"items": [{"kind", "name"}, …]}` to the same answer as apply.
pub async fn delete(
    State(app): State<App>,
    query: Asked<ChangeQuery>,
    body: Body,
) -> Result<Json<Value>, Failure> {
    let intent = intent(&read::query(query)?);
    let mut requests = Vec::new();
    let mut seen = BTreeSet::new();
    for (i, item) in items(read::json(body)?)?.into_iter().enumerate() {
        let reference = reference(item).map_err(|e| e.within(&format!("items[{i}]")))?;
        if !seen.insert(reference.clone()) {
            return Err(Invalid::new(format!("items[{i}]"), format!("{reference} stands twice")).into());
        }
        requests.push(Request::Delete(reference));
    }
    let outcomes = app
        .blocking(move |app| app.store.commit(requests, SystemTime::now(), intent).map_err(in_use))
        .await?;
    let items: Vec<_> = outcomes
        .into_iter()
        .map(|(outcome, object)| json!({"outcome": name(outcome), "object": object.to_json()}))
        .collect();
    Ok(Json(json!({"revision": app.store.world().revision, "items": items})))
}

fn items(body: Value) -> Result<Vec<Value>, Failure> {
    let Value::Object(mut body) = body else {
        return Err(Invalid::new("", "the body is a map with items").into());
    };
    let items = body.remove("items");
    if let Some(unknown) = body.keys().next() {
        return Err(Invalid::new(unknown.clone(), "unknown field: accepted is items").into());
    }
    match items {
        Some(Value::Array(items)) if items.len() <= limits::APPLY_DOCUMENTS_MAX => Ok(items),
        Some(Value::Array(items)) => {
            let message = format!("{}: accepted are at most {}", items.len(), limits::APPLY_DOCUMENTS_MAX);
            Err(Failure { field: Some("items".into()), ..Failure::new("tooLarge", message) })
        }
        _ => Err(Invalid::new("items", "missing, or not a list").into()),
    }
}

fn reference(item: Value) -> Result<ObjectRef, Invalid> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Item {
        kind: String,
        name: String,
    }
    let item: Item = serde_json::from_value(item).map_err(|e| Invalid::new("", e.to_string()))?;
    let kind = Kind::from_name(&item.kind)
        .ok_or_else(|| Invalid::new("kind", format!("{:?} is not known", item.kind)))?;
    Ok(ObjectRef::new(kind, item.name))
}

fn name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Created => "created",
        Outcome::Configured => "configured",
        Outcome::Unchanged => "unchanged",
        Outcome::Deleted => "deleted",
    }
}
