//! `/config_dump`: the resources in use, in the shape of Envoy's dump.
//!
//! What is shown is encoded from the model that was compiled, not from what was received: it is what is in use.
//! Secrets are shown by name only.

use http::StatusCode;
use serde_json::{Value, json};
use xds::file::{FileError, Schema};
use xds::model::SecretKind;

use super::answer::{Answer, parameter};
use super::state::State;
use crate::snapshot::Snapshot;

const DUMP: &str = "type.googleapis.com/envoy.admin.v3.";

/// Everything, or one section by `resource=` (`static_listeners`, `dynamic_active_clusters` …).
pub(super) fn config_dump(state: &State, query: &str) -> Answer {
    if parameter(query, "mask").is_some() {
        return Answer::refuse(StatusCode::BAD_REQUEST, "mask is not supported; resource is");
    }
    let snapshot = state.live.load();
    let configs = match configs(state, &snapshot) {
        Ok(configs) => configs,
        Err(error) => return Answer::refuse(StatusCode::INTERNAL_SERVER_ERROR, error),
    };
    let Some(resource) = parameter(query, "resource") else {
        return Answer::json(&json!({ "configs": configs }));
    };
    let section = configs.iter().find_map(|config| config.get(&resource));
    match section {
        Some(section) => Answer::json(&json!({ "configs": section })),
        None => {
            let known: Vec<_> = configs
                .iter()
                .filter_map(Value::as_object)
                .flat_map(|config| config.keys())
                .filter(|key| *key != "@type")
                .map(String::as_str)
                .collect();
            Answer::refuse(
                StatusCode::NOT_FOUND,
                format!("no section {resource}; there are: {}", known.join(", ")),
            )
        }
    }
}

fn configs(state: &State, snapshot: &Snapshot) -> Result<Vec<Value>, FileError> {
    let schema = Schema::load();
    let resources = &snapshot.resources;
    let mut clusters = Vec::new();
    for (_, cluster) in snapshot.clusters.iter() {
        let message = xds::encode::cluster(cluster.model());
        clusters.push(json!({ "cluster": schema.to_json("envoy.config.cluster.v3.Cluster", &message)? }));
    }
    let mut listeners = Vec::new();
    for (name, listener) in &snapshot.listeners {
        let message = xds::encode::listener(&listener.model);
        let shown = schema.to_json("envoy.config.listener.v3.Listener", &message)?;
        listeners.push(json!({ "name": name.as_str(), "active_state": { "listener": shown } }));
    }
    if let Some(listener) = &resources.api_listener {
        let shown =
            schema.to_json("envoy.config.listener.v3.Listener", &xds::encode::api_listener(listener))?;
        listeners.push(json!({ "name": listener.name.as_str(), "active_state": { "listener": shown } }));
    }
    let mut routes = Vec::new();
    for table in resources.routes.values() {
        let message = xds::encode::route_configuration(table);
        let shown = schema.to_json("envoy.config.route.v3.RouteConfiguration", &message)?;
        routes.push(json!({ "route_config": shown }));
    }
    let mut endpoints = Vec::new();
    for assignment in resources.assignments.values() {
        let message = xds::encode::load_assignment(assignment);
        let shown = schema.to_json("envoy.config.endpoint.v3.ClusterLoadAssignment", &message)?;
        endpoints.push(json!({ "endpoint_config": shown }));
    }
    Ok(vec![
        json!({ "@type": format!("{DUMP}ClustersConfigDump"), "dynamic_active_clusters": clusters }),
        json!({ "@type": format!("{DUMP}ListenersConfigDump"), "dynamic_listeners": listeners }),
        json!({ "@type": format!("{DUMP}RoutesConfigDump"), "dynamic_route_configs": routes }),
        json!({ "@type": format!("{DUMP}EndpointsConfigDump"), "dynamic_endpoint_configs": endpoints }),
        json!({ "@type": format!("{DUMP}SecretsConfigDump"), "dynamic_active_secrets": secrets(state) }),
    ])
}

fn secrets(state: &State) -> Vec<Value> {
    let kind = |kind: &SecretKind| match kind {
        SecretKind::TlsCertificate { .. } => "tls_certificate",
        SecretKind::ValidationContext(_) => "validation_context",
    };
    let all = state.secrets.all();
    all.iter()
        .map(|(_, secret)| json!({ "name": secret.name.as_str(), "kind": kind(&secret.kind) }))
        .collect()
}
