//! Changes of one kind as they happen: a line of JSON each.
//!
//! One rule: a watch that missed something says so and ends; it never goes on with a gap.

use std::convert::Infallible;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use serde_json::{Value, json};

use super::reply::Failure;
use super::state::App;
use crate::resource::kind::Kind;
use crate::store::watch::Told;

/// The changes of a kind after revision `from`, or from now on:
/// `{"type": "ADDED" | "MODIFIED" | "DELETED", "revision", "object"}`, and at the end perhaps
/// `{"type": "ERROR", "object": {code, message}}`.
pub async fn changes(app: App, kind: Kind, from: Option<u64>) -> Result<Response, Failure> {
    let permit = std::sync::Arc::clone(&app.watches)
        .try_acquire_owned()
        .map_err(|_| Failure::new("tooMany", "too many watches are open"))?;
    let watch = app.blocking(move |app| app.store.watch(from)).await?;
    let lines = stream::unfold(Some((watch, permit)), move |state| async move {
        let (mut watch, permit) = state?;
        loop {
            match watch.next().await? {
                Told::Event(event) if event.object.kind() != kind => {}
                Told::Event(event) => {
                    let line = json!({"type": event.change.name(), "revision": event.revision,
                        "object": event.object.to_json()});
                    return Some((line_of(&line), Some((watch, permit))));
                }
                Told::Resync => {
                    let message = "changes were missed: list again and watch from that list's revision";
                    let line = json!({"type": "ERROR", "object": {"code": "gone", "message": message}});
                    return Some((line_of(&line), None));
                }
            }
        }
    });
    let mut response = Response::new(Body::from_stream(lines));
    let ndjson = http::HeaderValue::from_static("application/x-ndjson");
    response.headers_mut().insert(http::header::CONTENT_TYPE, ndjson);
    Ok(response)
}

fn line_of(value: &Value) -> Result<Bytes, Infallible> {
    Ok(Bytes::from(format!("{value}\n")))
}
