//! Which endpoint answers what.

use http::{Method, StatusCode};

use super::answer::{Answer, parameter};
use super::state::{Commands, State};
use super::{certs, clusters, config_dump, listeners, prometheus, runtime, server_info, stats};

/// Endpoint, method, one line about it.
const ENDPOINTS: &[(&str, Method, &str)] = &[
    ("/certs", Method::GET, "certificates and trust bundles in use, with their expiry"),
    ("/clusters", Method::GET, "clusters, their endpoints, health and counters (format=json)"),
    (
        "/config_dump",
        Method::GET,
        "the configuration in use, secrets redacted (resource=, mask= not supported)",
    ),
    ("/drain_listeners", Method::POST, "stop accepting and drain connections (graceful)"),
    ("/healthcheck/fail", Method::POST, "report not ready"),
    ("/healthcheck/ok", Method::POST, "report ready again"),
    ("/help", Method::GET, "this page"),
    ("/listeners", Method::GET, "listeners and their addresses (format=json)"),
    ("/logging", Method::POST, "show or set log levels: level=debug, paths=module:level"),
    ("/quitquitquit", Method::POST, "end the process"),
    ("/ready", Method::GET, "200 LIVE when serving, else 503"),
    ("/runtime", Method::GET, "runtime values and the layers they come from"),
    (
        "/runtime_modify",
        Method::POST,
        "set runtime values: key1=value1&key2=value2; an empty value takes one out",
    ),
    ("/server_info", Method::GET, "version, state, uptime, node, command line"),
    ("/stats", Method::GET, "metrics (filter=REGEX, usedonly, format=text|json|prometheus)"),
    ("/stats/prometheus", Method::GET, "metrics for Prometheus"),
];

/// The answer to one request.
pub(super) async fn answer(state: &State, method: &Method, path: &str, query: &str) -> Answer {
    let path = if path == "/" { "/help" } else { path.trim_end_matches('/') };
    let Some((endpoint, needs, _)) = ENDPOINTS.iter().find(|(known, ..)| *known == path) else {
        return Answer::refuse(StatusCode::NOT_FOUND, format!("no endpoint {path}; GET /help lists them"));
    };
    if *needs == Method::POST && method != Method::POST {
        return Answer::refuse(StatusCode::METHOD_NOT_ALLOWED, format!("{endpoint} takes POST"));
    }
    match *endpoint {
        "/certs" => certs::certs(state),
        "/clusters" => clusters::clusters(state, query),
        "/config_dump" => config_dump::config_dump(state, query),
        "/listeners" => listeners::listeners(state, query),
        "/runtime" => runtime::show(state),
        "/runtime_modify" => runtime::modify(state, query),
        "/ready" => server_info::ready(state),
        "/server_info" => server_info::server_info(state),
        "/stats" => metrics(state, query),
        "/stats/prometheus" => scrape(state),
        "/logging" => logging(state, query),
        "/healthcheck/fail" => failing(state, true),
        "/healthcheck/ok" => failing(state, false),
        "/drain_listeners" => drain(state, query).await,
        "/quitquitquit" => command(state, Commands::Quit).await,
        _ => help(),
    }
}

fn help() -> Answer {
    let lines: String =
        ENDPOINTS.iter().map(|(path, method, about)| format!("  {method:<5}{path}: {about}\n")).collect();
    Answer::text(format!("admin commands are:\n{lines}"))
}

fn metrics(state: &State, query: &str) -> Answer {
    let filter = match parameter(query, "filter").map(|filter| regex::Regex::new(&filter)).transpose() {
        Ok(filter) => filter,
        Err(error) => return Answer::refuse(StatusCode::BAD_REQUEST, format!("filter: {error}")),
    };
    let selection = stats::Selection { filter, used_only: parameter(query, "usedonly").is_some() };
    match parameter(query, "format").as_deref() {
        None | Some("text") => Answer::text(stats::text(&state.registry, &selection)),
        Some("json") => Answer::json(&stats::json(&state.registry, &selection)),
        Some("prometheus") => scrape(state),
        Some(other) => Answer::refuse(
            StatusCode::BAD_REQUEST,
            format!("format {other} is not known; text, json and prometheus are"),
        ),
    }
}

fn scrape(state: &State) -> Answer {
    match prometheus::scrape(&state.registry) {
        Ok(body) => Answer { content_type: "text/plain; version=0.0.4; charset=utf-8", ..Answer::text(body) },
        Err(error) => Answer::refuse(StatusCode::INTERNAL_SERVER_ERROR, error),
    }
}

fn logging(state: &State, query: &str) -> Answer {
    let paths = parameter(query, "paths").map(|paths| paths.replace(':', "="));
    let level = parameter(query, "level").map(|level| match level.as_str() {
        "warning" => "warn".to_owned(),
        "critical" => "error".to_owned(),
        _ => level,
    });
    let filter = match (level, paths) {
        (None, None) => return Answer::text(format!("{}\n", state.logging.current())),
        (Some(level), None) => level,
        (Some(level), Some(paths)) => format!("{level},{paths}"),
        (None, Some(paths)) => format!("{},{paths}", state.logging.current()),
    };
    match state.logging.set(&filter) {
        Ok(()) => Answer::text(format!("{}\n", state.logging.current())),
        Err(why) => Answer::refuse(StatusCode::BAD_REQUEST, why),
    }
}

fn failing(state: &State, failing: bool) -> Answer {
    state.lifecycle.standing().set_failing(failing);
    Answer::text("OK\n")
}

async fn drain(state: &State, query: &str) -> Answer {
    let graceful = parameter(query, "graceful").is_some();
    if parameter(query, "inboundonly").is_some() {
        return Answer::refuse(StatusCode::BAD_REQUEST, "inboundonly is not supported: all listeners drain");
    }
    command(state, Commands::DrainListeners { graceful }).await
}

async fn command(state: &State, command: Commands) -> Answer {
    match state.commands.send(command).await {
        Ok(()) => Answer::text("OK\n"),
        Err(_) => Answer::refuse(StatusCode::SERVICE_UNAVAILABLE, "the process is ending"),
    }
}
