//! Waits until everything answers; a child that ended is named instead of waited for.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use control_api::resource::kind::Kind;
use http_body_util::Empty;
use hyper_util::client::legacy::Client as Http;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use super::child::Children;
use super::layout::{Layout, SitePlan};
use crate::client::Client;
use crate::failure::Failure;
use crate::get;

/// Between looks.
const INTERVAL: Duration = Duration::from_millis(50);

/// How long one probe may take.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// Waits for the control API.
pub(super) async fn control(
    layout: &Layout,
    limit: Duration,
    children: &mut Children,
) -> Result<(), Failure> {
    let health = format!("{}/healthz", layout.control_url());
    wait(limit, children, &health, async || status(&health).await == Some(200)).await
}

/// Waits for every proxy, and gives for each site the URLs that answer 200.
pub(super) async fn mesh(
    client: &Client,
    sites: &[SitePlan],
    limit: Duration,
    children: &mut Children,
) -> Result<Vec<Vec<String>>, Failure> {
    for site in sites {
        let ready = format!("http://{}/ready", site.admin);
        wait(limit, children, &ready, async || status(&ready).await == Some(200)).await?;
    }
    let current = async || match client.get("/status").await {
        Ok(status) => status["sites"].as_array().into_iter().flatten().all(|site| site["current"] == true),
        Err(_) => false,
    };
    wait(limit, children, "every proxy to acknowledge its configuration", current).await?;
    let paths = paths(client).await?;
    let mut tries = Vec::new();
    for site in sites {
        let mut answering = Vec::new();
        for path in &paths {
            let url = format!("http://{}{path}", of_a_client(site.gateway));
            // A service that has just been started needs its first health check.
            let patience = Duration::from_secs(5).min(limit);
            if wait(patience, children, &url, async || status(&url).await == Some(200)).await.is_ok() {
                answering.push(url);
            }
        }
        tries.push(answering);
    }
    Ok(tries)
}

/// Where a client of this machine reaches a gateway.
fn of_a_client(gateway: SocketAddr) -> SocketAddr {
    match gateway.ip().is_unspecified() {
        true => SocketAddr::from(([127, 0, 0, 1], gateway.port())),
        false => gateway,
    }
}

/// Paths that routes take for any host by path alone.
async fn paths(client: &Client) -> Result<Vec<String>, Failure> {
    let mut paths = Vec::new();
    for route in get::list(client, Kind::HttpRoute).await? {
        let spec = &route["spec"];
        if spec["hostnames"].as_array().is_some_and(|hosts| !hosts.is_empty()) {
            continue;
        }
        let rules = spec["rules"].as_array().into_iter().flatten();
        let matches = rules.flat_map(|rule| rule["matches"].as_array().into_iter().flatten());
        paths.extend(matches.filter_map(by_path_alone));
    }
    paths.sort();
    paths.dedup();
    Ok(paths)
}

fn by_path_alone(matched: &Value) -> Option<String> {
    let alone =
        ["headers", "queryParams", "method"].iter().all(|key| matched.get(key).is_none_or(Value::is_null));
    let path = matched.get("path")?;
    let kind = path["type"].as_str().unwrap_or("PathPrefix");
    (alone && kind != "RegularExpression").then(|| path["value"].as_str().unwrap_or("/").to_owned())
}

async fn wait(
    limit: Duration,
    children: &mut Children,
    what: &str,
    is_so: impl AsyncFn() -> bool,
) -> Result<(), Failure> {
    let end = Instant::now() + limit;
    while !is_so().await {
        if let Some(ended) = children.first_ended() {
            return Err(ended);
        }
        if Instant::now() >= end {
            return Err(Failure::Failed(format!("waited {limit:?} for {what} in vain")));
        }
        tokio::time::sleep(INTERVAL).await;
    }
    Ok(())
}

async fn status(url: &str) -> Option<u16> {
    let client: Http<_, Empty<Bytes>> = Http::builder(TokioExecutor::new()).build_http();
    let asked = tokio::time::timeout(PROBE_TIMEOUT, client.get(url.parse().ok()?)).await;
    Some(asked.ok()?.ok()?.status().as_u16())
}
