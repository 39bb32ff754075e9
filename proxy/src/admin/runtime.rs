//! `/runtime` and `/runtime_modify`: values that overrule defaults of the configuration.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::answer::{Answer, parameters};
use super::state::State;
use crate::runtime::{LayerValues, ModifyError};

/// Envoy's words.
const USAGE: &str = "usage: /runtime_modify?key1=value1&key2=value2&keyN=valueN
       or send the parameters as form values
use an empty value to remove a previously added override";

/// Every key with what it says, and with what each layer says of it.
pub(super) fn show(state: &State) -> Answer {
    let runtime = state.runtime.load();
    let entries = runtime.texts().into_iter().map(|(key, text)| {
        let layers: Vec<_> =
            runtime.layers().iter().map(|layer| layer.text(key).unwrap_or_default()).collect();
        (key.to_owned(), json!({ "layer_values": layers, "final_value": text }))
    });
    let entries: Map<String, Value> = entries.collect();
    let layers: Vec<_> = runtime.layers().iter().map(|LayerValues { name, .. }| &**name).collect();
    Answer::json(&json!({ "layers": layers, "entries": entries }))
}

/// Sets keys of the admin layer.
pub(super) fn modify(state: &State, query: &str) -> Answer {
    let changes = parameters(query);
    if changes.is_empty() {
        return Answer::refuse(StatusCode::BAD_REQUEST, USAGE);
    }
    match state.runtime.modify(&changes) {
        Ok(()) => Answer::text("OK\n"),
        // Envoy's status for all of them.
        Err(why @ (ModifyError::NoAdminLayer | ModifyError::Malformed(_) | ModifyError::TooMany)) => {
            Answer::refuse(StatusCode::SERVICE_UNAVAILABLE, why)
        }
    }
}
