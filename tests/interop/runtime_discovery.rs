//! Runtime discovery: a service that is not ours sends layers, and we and Envoy answer requests by them alike.
//!
//! One rule: what is waited for is an answer of the proxy, never a time.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use harness::peers::peer;
use harness::ports::free_addr;
use harness::process::Process;
use harness::{binaries, client, workspace};
use serde_json::{Value, json};

const DEADLINE: Duration = Duration::from_secs(30);

/// Waits until something holds.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    harness::wait::until(what, DEADLINE, || if holds() { Ok(()) } else { Err("not yet".to_owned()) });
}

/// A service, the file that it sends, and a proxy that follows it.
struct Pair {
    service: Process,
    _proxy: Process,
    file: PathBuf,
    listener: SocketAddr,
    admin: SocketAddr,
    _dir: tempfile::TempDir,
}

fn socket(addr: SocketAddr) -> Value {
    json!({"socket_address": {"address": "127.0.0.1", "port_value": addr.port()}})
}

fn bootstrap(listener: SocketAddr, admin: SocketAddr, service: SocketAddr) -> Value {
    let router = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";
    let share = json!({"default_value": {"numerator": 0}, "runtime_key": "share"});
    let manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "s",
        "http_filters": [{"name": "router", "typed_config": {"@type": router}}],
        "route_config": {"virtual_hosts": [{"name": "v", "domains": ["*"], "routes": [
            {"match": {"prefix": "/", "runtime_fraction": share}, "direct_response": {"status": 201}},
            {"match": {"prefix": "/"}, "direct_response": {"status": 202}},
        ]}]},
    });
    let endpoint = json!({"endpoint": {"address": socket(service)}});
    let http2 = json!({
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http2_protocol_options": {}},
    });
    let grpc = json!({"envoy_grpc": {"cluster_name": "service"}});
    let source = json!({
        "resource_api_version": "V3",
        "api_config_source": {"api_type": "GRPC", "transport_api_version": "V3", "grpc_services": [grpc]},
    });
    json!({
        "node": {"id": "n", "cluster": "c"},
        "admin": {"address": socket(admin)},
        "layered_runtime": {"layers": [
            {"name": "static", "static_layer": {"share": 0, "other": 1}},
            {"name": "fetched", "rtds_layer": {"name": "wanted", "rtds_config": source}},
            {"name": "admin", "admin_layer": {}},
        ]},
        "static_resources": {
            "listeners": [{
                "name": "in",
                "address": socket(listener),
                "filter_chains": [{"filters": [
                    {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager},
                ]}],
            }],
            "clusters": [{
                "name": "service",
                "type": "STATIC",
                "connect_timeout": "1s",
                "typed_extension_protocol_options": {
                    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": http2,
                },
                "load_assignment": {"cluster_name": "service", "endpoints": [{"lb_endpoints": [endpoint]}]},
            }],
        },
    })
}

impl Pair {
    fn start(python: &Path, binary: &Path, layer: &Value) -> Self {
        let [listener, admin, service] = [(); 3].map(|()| free_addr());
        let dir = workspace::temp_dir();
        let file = workspace::write(dir.path(), "layer.json", &layer.to_string());
        let layers = file.to_str().expect("paths of tests are UTF-8");
        let server = crate::service::service(python, "rtds_server.py", &[&service.to_string(), layers]);
        let config = bootstrap(listener, admin, service).to_string();
        let config = workspace::write(dir.path(), "bootstrap.json", &config);
        let mut proxy = Process::spawn("proxy", &mut binaries::proxy(binary, &config));
        proxy.wait_accepts(listener, DEADLINE);
        Self { service: server, _proxy: proxy, file, listener, admin, _dir: dir }
    }

    /// Sends another layer: the file is replaced at once, so that half of it is never read.
    fn send(&self, layer: &Value) {
        let next = self.file.with_extension("next");
        std::fs::write(&next, layer.to_string()).expect("the folder is ours");
        std::fs::rename(&next, &self.file).expect("the folder is ours");
    }

    fn status(&self) -> u16 {
        client::get(self.listener, "h", "/").map_or(0, |answer| answer.status)
    }

    fn wait_status(&self, wanted: u16) {
        until(&format!("status {wanted}"), || self.status() == wanted);
    }

    /// What the service was told, without repetitions of what it knew.
    fn told(&self) -> Vec<Value> {
        self.service.log().lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    fn shown(&self) -> Value {
        client::get(self.admin, "a", "/runtime").expect("admin answers").json()
    }
}

/// What one proxy does while the service sends layer after layer.
fn story(python: &Path, binary: &Path) -> Vec<String> {
    let pair = Pair::start(python, binary, &json!({"share": 100, "folder": {"key": "text"}}));
    let mut story = vec![format!("at start {}", pair.status()), pair.shown().to_string()];
    pair.send(&json!({"share": {"numerator": 0, "denominator": "MILLION"}}));
    pair.wait_status(202);
    story.push(format!("{}", pair.shown()["entries"]["folder.key"]));
    pair.send(&json!({"share": 100, "other": [1]}));
    until("a refusal", || pair.told().iter().any(|told| told["refused"] == true));
    story.push(format!("after a layer that is refused {}", pair.status()));
    pair.send(&json!({"share": 100}));
    pair.wait_status(201);
    story.push(format!("{}", pair.shown()["entries"]["other"]));
    pair.send(&json!({}));
    pair.wait_status(202);
    until("the last acknowledgement", || pair.told().last().is_some_and(|told| told["version"] == "5"));
    story.extend(pair.told().iter().map(Value::to_string));
    story
}

#[test]
fn layers_are_followed_refused_and_shown_as_envoy_does() {
    let (Some(python), Some(envoy)) = (peer("python"), peer("envoy")) else { return };
    let theirs = story(&python, &envoy);
    let ours = story(&python, &binaries::binary("tombolo-proxy"));
    assert_eq!(theirs[0], "at start 201", "Envoy waits for the first layer");
    let canonical = |story: &[String]| story.join("\n");
    assert_eq!(canonical(&ours), canonical(&theirs));
}
