//! `/clusters`: every endpoint with its health, load and counters.

use std::fmt::Write as _;
use std::sync::Arc;

use http::StatusCode;
use serde_json::{Value, json};

use super::answer::{Answer, parameter};
use super::state::State;
use crate::snapshot::{Cluster, Host, Snapshot};

/// Envoy's text form, or JSON.
pub(super) fn clusters(state: &State, query: &str) -> Answer {
    let snapshot = state.live.load();
    match parameter(query, "format").as_deref() {
        None | Some("text") => Answer::text(text(&snapshot)),
        Some("json") => Answer::json(&all_json(&snapshot)),
        Some(other) => {
            Answer::refuse(StatusCode::BAD_REQUEST, format!("format {other} is not known; text and json are"))
        }
    }
}

fn sorted(snapshot: &Snapshot) -> Vec<&Arc<Cluster>> {
    let mut clusters: Vec<_> = snapshot.clusters.iter().map(|(_, cluster)| cluster).collect();
    clusters.sort_by(|a, b| a.name().cmp(b.name()));
    clusters
}

fn text(snapshot: &Snapshot) -> String {
    let mut out = String::new();
    for cluster in sorted(snapshot) {
        let name = cluster.name();
        let limits = &cluster.model().circuit_breakers;
        for (priority, limits) in [("default", &limits.default), ("high", &limits.high)] {
            for (limit, value) in [
                ("max_connections", limits.max_connections),
                ("max_pending_requests", limits.max_pending_requests),
                ("max_requests", limits.max_requests),
                ("max_retries", limits.max_retries),
            ] {
                // Writing to a String does not fail.
                let _ = writeln!(out, "{name}::{priority}_priority::{limit}::{value}");
            }
        }
        for host in cluster.endpoints().hosts() {
            let place = format!("{name}::{}", address(host));
            for (key, value) in facts(host) {
                let _ = writeln!(out, "{place}::{key}::{value}");
            }
            host.state().stats().visit(|metric, value| {
                let _ = writeln!(out, "{place}::{}::{value}", metric.name);
            });
        }
    }
    out
}

/// The resolved address, else the configured one.
fn address(host: &Host) -> String {
    host.socket_address().map_or_else(|| host.address().to_string(), |resolved| resolved.to_string())
}

fn facts(host: &Host) -> Vec<(&'static str, String)> {
    let locality = host.locality();
    let flags: Vec<_> = host.state().flags().collect();
    let health = if flags.is_empty() { "healthy".to_owned() } else { format!("/{}", flags.join("/")) };
    vec![
        ("hostname", host.hostname().to_owned()),
        ("health_flags", health),
        ("weight", host.weight().to_string()),
        ("region", locality.region.clone()),
        ("zone", locality.zone.clone()),
        ("sub_zone", locality.sub_zone.clone()),
        ("priority", host.priority().to_string()),
    ]
}

fn all_json(snapshot: &Snapshot) -> Value {
    let clusters: Vec<_> = sorted(snapshot).into_iter().map(|cluster| cluster_json(cluster)).collect();
    let warming: Vec<_> = snapshot.warming.iter().map(|cluster| cluster.name().to_owned()).collect();
    json!({ "cluster_statuses": clusters, "warming": warming })
}

fn cluster_json(cluster: &Cluster) -> Value {
    let set = cluster.endpoints();
    let hosts: Vec<_> = set.hosts().iter().map(|host| host_json(host)).collect();
    json!({ "name": cluster.name(), "host_statuses": hosts })
}

fn host_json(host: &Host) -> Value {
    let mut stats = Vec::new();
    host.state().stats().visit(|metric, value| stats.push(json!({"name": metric.name, "value": value})));
    let flags: Vec<_> = host.state().flags().collect();
    let locality = host.locality();
    json!({
        "address": address(host),
        "hostname": host.hostname(),
        "weight": host.weight(),
        "priority": host.priority(),
        "locality": {
            "region": locality.region, "zone": locality.zone, "sub_zone": locality.sub_zone,
        },
        "health_flags": flags,
        "stats": stats,
    })
}
