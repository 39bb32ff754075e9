//! Listeners without sockets: one of the bootstrap is kept and shown, one of LDS is left out, and both are no
//! hindrance to those that listen.

use std::process::Command;
use std::time::Duration;

use harness::ports::free_addr;
use harness::process::Process;
use harness::{binaries, client, workspace};
use serde_json::{Value, json};

const START_DEADLINE: Duration = Duration::from_secs(30);

fn manager() -> Value {
    let router = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";
    let route = json!({"match": {"prefix": "/"}, "direct_response": {"status": 200}});
    json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "s",
        "http_filters": [{"name": "router", "typed_config": {"@type": router}}],
        "route_config": {"virtual_hosts": [{"name": "v", "domains": ["*"], "routes": [route]}]},
    })
}

fn api_listener(name: &str) -> Value {
    json!({"name": name, "api_listener": {"api_listener": manager()}})
}

fn of_lds(mut listener: Value) -> Value {
    listener["@type"] = json!("type.googleapis.com/envoy.config.listener.v3.Listener");
    listener
}

#[test]
fn a_listener_without_sockets_is_kept_beside_those_with() {
    let [admin, served] = [(); 2].map(|()| free_addr());
    let dir = workspace::temp_dir();
    let socket = json!({"address": "127.0.0.1", "port_value": served.port()});
    let filter = json!({"name": "http", "typed_config": manager()});
    let bound = json!({
        "name": "bound",
        "address": {"socket_address": socket},
        "filter_chains": [{"filters": [filter]}],
    });
    let answer = json!({"version_info": "1", "resources": [of_lds(api_listener("fetched")), of_lds(bound)]});
    let lds = workspace::write(dir.path(), "lds.json", &answer.to_string());
    let admin_at = json!({"address": "127.0.0.1", "port_value": admin.port()});
    let bootstrap = json!({
        "node": {"id": "n", "cluster": "c"},
        "admin": {"address": {"socket_address": admin_at}},
        "static_resources": {"listeners": [api_listener("kept")]},
        "dynamic_resources": {"lds_config": {"path_config_source": {"path": lds}}},
    });
    let config = workspace::write(dir.path(), "bootstrap.json", &bootstrap.to_string());
    let mut command = Command::new(binaries::binary("tombolo-proxy"));
    command.arg("-c").arg(config).args(["--concurrency", "1", "-l", "warn"]);
    let mut proxy = Process::spawn("tombolo-proxy", &mut command);
    proxy.wait_accepts(served, START_DEADLINE);
    assert_eq!(client::get(served, "a", "/").expect("it answers").status, 200);

    let dump = client::get(admin, "a", "/config_dump?resource=dynamic_listeners").expect("admin answers");
    let dump = dump.json();
    let listeners = dump["configs"].as_array().expect("a section is a list");
    let mut names: Vec<_> = listeners.iter().filter_map(|listener| listener["name"].as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["bound", "kept"], "{dump:#}");
    let kept = listeners.iter().find(|listener| listener["name"] == "kept").expect("it is there");
    let shown = &kept["active_state"]["listener"]["api_listener"]["api_listener"];
    assert_eq!(shown["route_config"]["virtual_hosts"][0]["name"], "v", "{kept:#}");
    let told = client::get(admin, "a", "/listeners").expect("admin answers").text();
    assert_eq!(told, format!("bound::{served}\n"), "a listener without sockets listens");
    assert!(proxy.log().contains("fetched"), "nothing was said of the one left out: {}", proxy.log());
}
