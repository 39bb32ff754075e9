//! One proxy in front of one server: what a client of the server meets when it is given the proxy's address instead.
//!
//! One rule: it decides nothing; all that comes in by either listener goes to that server.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use harness::ports::free_addr;
use harness::process::Process;
use harness::{binaries, client, workspace};
use serde_json::{Value, json};

const START_DEADLINE: Duration = Duration::from_secs(30);

/// The server.
#[derive(Debug, Clone, Copy)]
pub struct Server {
    /// Where it is in the clear; takes all that comes in the clear.
    pub plain: SocketAddr,
    /// Where it is over TLS, as `localhost`; takes what comes over TLS, which else goes to `plain`.
    pub tls: Option<SocketAddr>,
    /// Whether it speaks gRPC, and no request that is none of gRPC's is for it.
    pub grpc: bool,
}

/// The proxy.
pub struct Front {
    /// Where it takes clients in the clear.
    pub plain: SocketAddr,
    /// Where it takes clients over TLS, as `localhost`.
    pub tls: SocketAddr,
    admin: SocketAddr,
    _process: Process,
}

impl Front {
    /// Starts it with `localhost.crt`, `localhost.key` and `root.crt` of the folder.
    pub fn start(server: Server, dir: &Path) -> Self {
        let [plain, tls, admin] = [(); 3].map(|()| free_addr());
        let over_tls = server.tls.map_or("plain", |_| "tls");
        let mut clusters = vec![cluster("plain", server.plain, server.grpc)];
        clusters.extend(server.tls.map(|addr| {
            let mut cluster = cluster("tls", addr, server.grpc);
            cluster["transport_socket"] = towards_server(dir);
            cluster
        }));
        let config = json!({
            "admin": {"address": address(admin)},
            "static_resources": {
                "listeners": [
                    listener(plain, "plain", server.grpc, None),
                    listener(tls, over_tls, server.grpc, Some(towards_clients(dir, server.grpc))),
                ],
                "clusters": clusters,
            },
        });
        let path = workspace::write(dir, "front.json", &config.to_string());
        let command = &mut Command::new(binaries::binary("tombolo-proxy"));
        let mut process =
            Process::spawn("front", command.arg("-c").arg(path).args(["--concurrency", "1", "-l", "warn"]));
        process.wait_accepts(plain, START_DEADLINE);
        process.wait_accepts(tls, START_DEADLINE);
        Self { plain, tls, admin, _process: process }
    }

    /// Requests that it has taken so far.
    pub fn requests(&self) -> u64 {
        let stats = client::get(self.admin, "admin", "/stats").expect("admin answers").text();
        let values = stats.lines().filter_map(|line| line.split_once(".downstream_rq_total: "));
        values
            .filter(|(prefix, _)| prefix.starts_with("http.front"))
            .filter_map(|(_, count)| count.parse::<u64>().ok())
            .sum()
    }
}

fn address(addr: SocketAddr) -> Value {
    json!({"socket_address": {"address": addr.ip().to_string(), "port_value": addr.port()}})
}

fn listener(addr: SocketAddr, cluster: &str, grpc: bool, tls: Option<Value>) -> Value {
    let router = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";
    let mut matched = json!({"prefix": "/"});
    if grpc {
        matched["grpc"] = json!({});
    }
    let manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": format!("front-{}", addr.port()),
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {"@type": router}}],
        "route_config": {"virtual_hosts": [{
            "name": "all",
            "domains": ["*"],
            "routes": [{"match": matched, "route": {"cluster": cluster, "timeout": "0s"}}],
        }]},
    });
    let filter = json!({"name": "envoy.filters.network.http_connection_manager", "typed_config": manager});
    let mut chain = json!({"filters": [filter]});
    if let Some(tls) = tls {
        chain["transport_socket"] = tls;
    }
    json!({"name": format!("front-{}", addr.port()), "address": address(addr), "filter_chains": [chain]})
}

fn cluster(name: &str, addr: SocketAddr, grpc: bool) -> Value {
    let options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
    let protocol = if grpc { "http2_protocol_options" } else { "http_protocol_options" };
    let config =
        json!({"@type": format!("type.googleapis.com/{options}"), "explicit_http_config": {protocol: {}}});
    json!({
        "name": name,
        "type": "STATIC",
        "typed_extension_protocol_options": {options: config},
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address(addr)}}]}],
        },
    })
}

fn tls(context: &str, config: Value) -> Value {
    let mut typed =
        json!({"@type": format!("type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.{context}")});
    let fields = config.as_object().expect("it is written as one").clone();
    typed.as_object_mut().expect("it was just made").extend(fields);
    json!({"name": "envoy.transport_sockets.tls", "typed_config": typed})
}

fn towards_clients(dir: &Path, grpc: bool) -> Value {
    let file = |name: &str| json!({"filename": dir.join(name)});
    let certificate =
        json!({"certificate_chain": file("localhost.crt"), "private_key": file("localhost.key")});
    let alpn = if grpc { "h2" } else { "http/1.1" };
    let common = json!({"alpn_protocols": [alpn], "tls_certificates": [certificate]});
    tls("DownstreamTlsContext", json!({"common_tls_context": common}))
}

fn towards_server(dir: &Path) -> Value {
    let believed = json!({
        "trusted_ca": {"filename": dir.join("root.crt")},
        "match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": "localhost"}}],
    });
    tls(
        "UpstreamTlsContext",
        json!({"sni": "localhost", "common_tls_context": {"validation_context": believed}}),
    )
}
