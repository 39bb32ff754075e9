//! REST: what the operator's tools and joining proxies speak.
//!
//! Two routers: the operator's, on loopback, where everything but joining needs the admin token;
//! and the proxies', over TLS, which holds discovery, joining and the trust bundle only.
//!
//! One rule: a path that stands in no router answers 404, and without the token 401 before that.

pub mod reply;
pub mod state;

pub mod strict;

pub mod read;
pub mod resource;

pub mod failover;
pub mod http_route;
pub mod join_token;
pub mod service;
pub mod site;
pub mod tcp_route;
pub mod trust_domain;

pub mod kinds;

pub mod status;
pub mod watch;

pub mod batch;
pub mod crud;

pub mod sign;

pub mod openapi;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use envoy_types::pb::envoy::service::discovery::v3::aggregated_discovery_service_server::AggregatedDiscoveryServiceServer;
use xds::wire::server::stream::Discovery;

use self::kinds::RESOURCES;
use self::reply::Failure;
use self::state::App;
use crate::limits;

/// What the operator's tools reach.
pub fn operator_router(app: App) -> Router {
    let mut guarded = Router::new()
        .route("/v1/apply", post(batch::apply))
        .route("/v1/delete", post(batch::delete))
        .route("/v1/bundle", get(bundle))
        .route("/status", get(status::get))
        .route("/openapi.json", get(openapi::get));
    for resource in RESOURCES {
        guarded = guarded.merge(crud::router(resource.kind));
    }
    let guarded = guarded
        .fallback(unknown_path)
        .method_not_allowed_fallback(unknown_method)
        .layer(DefaultBodyLimit::max(limits::REQUEST_BODY_BYTES_MAX))
        .layer(from_fn_with_state(app.clone(), authenticate));
    guarded.merge(open_router()).layer(from_fn(bounded)).with_state(app)
}

/// What proxies reach.
pub fn proxy_router(app: App, discovery: AggregatedDiscoveryServiceServer<Discovery>) -> Router {
    let prefix = "/envoy.service.discovery.v3.AggregatedDiscoveryService/{*method}";
    let router = open_router().route("/v1/bundle", get(bundle)).fallback(unknown_path);
    let router = router.method_not_allowed_fallback(unknown_method);
    router.layer(from_fn(bounded)).with_state(app).route_service(prefix, discovery)
}

/// What needs no admin token: one that joins has a token of its own.
fn open_router() -> Router<App> {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/v1/sign", post(sign::post).layer(DefaultBodyLimit::max(limits::SIGN_BODY_BYTES_MAX)))
}

/// `GET /v1/bundle`: the mesh's own trust bundle.
async fn bundle(State(app): State<App>) -> Response {
    let authority = &app.authority;
    let body = serde_json::json!({"trustDomain": authority.trust_domain(), "bundle": authority.bundle()});
    Json(body).into_response()
}

async fn authenticate(State(app): State<App>, request: Request, next: Next) -> Response {
    if app.admin.is_presented_by(request.headers().get(http::header::AUTHORIZATION)) {
        return next.run(request).await;
    }
    let message = "this needs Authorization: Bearer with the token in the data directory's admin-token file";
    Failure::new("unauthenticated", message).into_response()
}

/// No answer takes longer to begin than the limit; a watch's lines come after its beginning.
async fn bounded(request: Request, next: Next) -> Response {
    match tokio::time::timeout(limits::REQUEST_TIMEOUT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Failure::new("timeout", "the request took too long").into_response(),
    }
}

async fn unknown_path(request: Request) -> Failure {
    Failure::new("notFound", format!("there is nothing at {}", request.uri().path()))
}

async fn unknown_method(request: Request) -> Failure {
    let message = format!("{} is not something {} does", request.method(), request.uri().path());
    Failure::new("methodNotAllowed", message)
}

#[cfg(test)]
mod tests;
