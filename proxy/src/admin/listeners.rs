//! `/listeners`: what listens where.

use http::StatusCode;
use serde_json::json;

use super::answer::{Answer, parameter};
use super::state::State;

/// One line per address, or JSON.
pub(super) fn listeners(state: &State, query: &str) -> Answer {
    let snapshot = state.live.load();
    let bound: Vec<(String, String)> = snapshot
        .listeners
        .iter()
        .flat_map(|(name, listener)| {
            listener.sockets.iter().map(move |sockets| (name.to_string(), sockets.bound.to_string()))
        })
        .collect();
    match parameter(query, "format").as_deref() {
        None | Some("text") => Answer::text(
            bound.iter().map(|(name, address)| format!("{name}::{address}\n")).collect::<String>(),
        ),
        Some("json") => {
            let statuses: Vec<_> =
                bound.iter().map(|(name, address)| json!({"name": name, "local_address": address})).collect();
            Answer::json(&json!({ "listener_statuses": statuses }))
        }
        Some(other) => {
            Answer::refuse(StatusCode::BAD_REQUEST, format!("format {other} is not known; text and json are"))
        }
    }
}
