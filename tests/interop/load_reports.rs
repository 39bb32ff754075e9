//! Load reports: the same requests through us and through Envoy, and what a load reporting service that is not ours
//! is told of them.
//!
//! One rule: what is told is added up over all reports, so that it does not matter when each was due.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use harness::backend::Backend;
use harness::message::Request;
use harness::peers::peer;
use harness::ports::free_addr;
use harness::process::Process;
use harness::{binaries, client, workspace};
use serde_json::{Value, json};

use crate::service::service;

const DEADLINE: Duration = Duration::from_secs(30);

/// Sums by cluster and locality: issued, successful, failed.
type Sums = BTreeMap<String, [u64; 3]>;

fn server(python: &Path, addr: SocketAddr, clusters: &str) -> Process {
    service(python, "lrs_server.py", &[&addr.to_string(), clusters])
}

/// The requests that the service has received, as JSON.
fn received(server: &Process) -> Vec<Value> {
    server.log().lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn sums(server: &Process) -> Sums {
    let mut sums = Sums::new();
    for request in received(server) {
        let clusters = request["clusters"].as_object().cloned().unwrap_or_default();
        for (cluster, stats) in &clusters {
            let localities = stats["localities"].as_object().cloned().unwrap_or_default();
            for (locality, counts) in &localities {
                let sum = sums.entry(format!("{cluster} {locality}")).or_default();
                for (sum, count) in sum.iter_mut().zip(counts.as_array().into_iter().flatten()) {
                    *sum += count.as_u64().unwrap_or_default();
                }
            }
        }
    }
    sums
}

fn socket(addr: SocketAddr) -> Value {
    json!({"socket_address": {"address": "127.0.0.1", "port_value": addr.port()}})
}

fn cluster(name: &str, endpoints: &[(&str, u32, SocketAddr)], more: &Value) -> Value {
    let localities = endpoints.iter().map(|(region, priority, addr)| {
        let endpoint = json!({"endpoint": {"address": socket(*addr)}});
        json!({"locality": {"region": region}, "priority": priority, "lb_endpoints": [endpoint]})
    });
    let localities: Vec<_> = localities.collect();
    let mut cluster = json!({
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": name, "endpoints": localities},
    });
    for (field, value) in more.as_object().expect("fields are an object") {
        cluster[field] = value.clone();
    }
    cluster
}

fn listener(addr: SocketAddr) -> Value {
    let router = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";
    let to =
        |prefix: &str, cluster: &str| json!({"match": {"prefix": prefix}, "route": {"cluster": cluster}});
    let manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "s",
        "http_filters": [{"name": "router", "typed_config": {"@type": router}}],
        "route_config": {"virtual_hosts": [
            {"name": "v", "domains": ["*"], "routes": [to("/other", "other"), to("/", "shop")]},
        ]},
    });
    json!({"name": "l", "address": socket(addr), "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}]})
}

fn start(name: &str, binary: &Path, dir: &Path, bootstrap: &Value) -> Process {
    let config = workspace::write(dir, "bootstrap.json", &bootstrap.to_string());
    Process::spawn(name, &mut binaries::proxy(binary, &config))
}

fn proxies() -> Vec<(&'static str, PathBuf)> {
    let ours = ("tombolo-proxy", binaries::binary("tombolo-proxy"));
    std::iter::once(ours).chain(peer("envoy").map(|path| ("envoy", path))).collect()
}

/// Three requests to `shop`, of which one fails, and one to `other`.
fn traffic(addr: SocketAddr) {
    for (target, status) in [("/", 200), ("/", 404), ("/", 503), ("/other", 200)] {
        let wish = format!("status/{status}");
        let request = Request::new("GET", "a", target).header("x-backend-do", &wish);
        let answer = client::send(addr, &request).expect("the proxy answers");
        assert_eq!(answer.status, status);
    }
}

/// Waits until the service was told so much, and then until it was told twice more: nothing is told again.
fn expect(server: &mut Process, name: &str, expected: &[(&str, [u64; 3])]) {
    let expected: Sums = expected.iter().map(|(key, counts)| ((*key).to_owned(), *counts)).collect();
    server.wait_until(&format!("the load of {name}"), DEADLINE, |server| {
        let sums = sums(server);
        if sums == expected { Ok(()) } else { Err(format!("{sums:?}, {expected:?} is wanted")) }
    });
    let told = received(server).len();
    server.wait_until("two more reports", DEADLINE, |server| {
        if received(server).len() >= told + 2 { Ok(()) } else { Err("not yet".to_owned()) }
    });
    assert_eq!(sums(server), expected, "{name}: something was told twice");
}

/// Waits until the service was told of these clusters, whatever they did.
fn wait_told(server: &mut Process, clusters: &[&str]) {
    server.wait_until("a first report", DEADLINE, |server| {
        let told = received(server);
        let last = told.last().and_then(|report| report["clusters"].as_object().cloned()).unwrap_or_default();
        let names: Vec<_> = last.keys().map(String::as_str).collect();
        if names == clusters { Ok(()) } else { Err(format!("{names:?}")) }
    });
}

#[test]
fn a_service_that_asks_for_load_is_told_what_envoy_tells_it() {
    let Some(python) = peer("python") else { return };
    for (name, binary) in proxies() {
        let [addr, lrs] = [(); 2].map(|()| free_addr());
        let (dir, near, far) = (workspace::temp_dir(), Backend::start("near"), Backend::start("far"));
        let mut server = server(&python, lrs, "shop,no-such");
        let grpc = json!({"envoy_grpc": {"cluster_name": "lrs"}});
        let endpoints = [("eu", 0, near.addr()), ("us", 1, far.addr())];
        let bootstrap = json!({
            "node": {"id": "n", "cluster": "c"},
            "cluster_manager": {"load_stats_config":
                {"api_type": "GRPC", "transport_api_version": "V3", "grpc_services": [grpc]}},
            "static_resources": {
                "listeners": [listener(addr)],
                "clusters": [
                    cluster("shop", &endpoints, &json!({})),
                    cluster("other", &endpoints, &json!({})),
                    cluster("lrs", &[("", 0, lrs)], &json!({"http2_protocol_options": {}})),
                ],
            },
        });
        let mut proxy = start(name, &binary, dir.path(), &bootstrap);
        proxy.wait_accepts(addr, DEADLINE);
        wait_told(&mut server, &["shop"]);
        traffic(addr);
        expect(&mut server, name, &[("shop eu 0", [3, 2, 1])]);
        let hello = &received(&server)[0];
        assert_eq!((&hello["node"], &hello["clusters"]), (&json!("n"), &json!({})), "{name}");
        let features = hello["features"].as_array().expect("a list");
        assert!(features.contains(&json!("envoy.lrs.supports_send_all_clusters")), "{name}: {hello}");
        let millis =
            received(&server).iter().filter_map(|report| report["clusters"]["shop"]["millis"].as_u64()).max();
        assert!(millis.is_some_and(|millis| millis > 0), "{name}: no report says how long it took");
    }
}

/// `lrs_server` is gRPC's; Envoy has only the bootstrap's.
#[test]
fn a_cluster_can_have_its_load_reported_to_the_control_plane() {
    let Some(python) = peer("python") else { return };
    let [addr, lrs] = [(); 2].map(|()| free_addr());
    let (dir, backend) = (workspace::temp_dir(), Backend::start("a"));
    let mut server = server(&python, lrs, "*");
    let grpc = json!({"envoy_grpc": {"cluster_name": "lrs"}});
    let endpoints = [("eu", 0, backend.addr())];
    let bootstrap = json!({
        "node": {"id": "n", "cluster": "c"},
        "dynamic_resources": {"ads_config":
            {"api_type": "GRPC", "transport_api_version": "V3", "grpc_services": [grpc]}},
        "static_resources": {
            "listeners": [listener(addr)],
            "clusters": [
                cluster("shop", &endpoints, &json!({})),
                cluster("other", &endpoints, &json!({"lrs_server": {"self": {}}})),
                cluster("lrs", &[("", 0, lrs)], &json!({"http2_protocol_options": {}})),
            ],
        },
    });
    let binary = binaries::binary("tombolo-proxy");
    let mut proxy = start("tombolo-proxy", &binary, dir.path(), &bootstrap);
    proxy.wait_accepts(addr, DEADLINE);
    wait_told(&mut server, &["other"]);
    traffic(addr);
    expect(&mut server, "tombolo-proxy", &[("other eu 0", [1, 1, 0])]);
}
