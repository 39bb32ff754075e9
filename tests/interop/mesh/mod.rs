//! Real Envoy as the gateway of a site: our control API configures it as it configures our own proxy.
//!
//! One rule: Envoy gets nothing but an SVID, the trust bundle and the address of the control API.

mod control;

mod gateway;

use std::time::Duration;

use harness::backend::Backend;
use harness::peers::peer;
use harness::ports::free_addr;

use control::{Control, Site};
use gateway::Gateway;

/// A gateway's first listener waits for the control API; debug builds on busy machines are slow.
const PATIENCE: Duration = Duration::from_secs(30);

/// A change must reach a gateway that is connected.
const CHANGE: Duration = Duration::from_secs(10);

#[test]
fn envoy_is_the_gateway_of_a_site_over_delta_ads() {
    envoy_beside_tombolo("DELTA_GRPC", "delta");
}

#[test]
fn envoy_is_the_gateway_of_a_site_over_state_of_the_world_ads() {
    envoy_beside_tombolo("GRPC", "sotw");
}

/// Envoy in the north, `tombolo-proxy` in the south, and requests both ways through both.
fn envoy_beside_tombolo(api_type: &str, mode: &str) {
    let Some(envoy) = peer("envoy") else { return };
    let [in_north, in_south] = ["in-north", "in-south"].map(Backend::start);
    let [mut both_north, mut both_south] = ["both-north", "both-south"].map(Backend::start);
    let [north, south] = ["north", "south"].map(Site::new);
    let mut control = Control::start();
    let of_north_at =
        |path: &str| mesh(path, [&north, &south], [&in_north, &in_south, &both_north, &both_south]);
    let (before, after) = (of_north_at("/north"), of_north_at("/moved"));
    control.apply(&before);
    let mut envoy = Gateway::envoy(&envoy, &control, &north, api_type);
    let mut tombolo = Gateway::tombolo(&control, &south, api_type);

    for gateway in [&mut envoy, &mut tombolo] {
        gateway.wait_answer("/south", "in-south", PATIENCE);
        gateway.wait_answer("/north", "in-north", PATIENCE);
        gateway.wait_status("/none", 404, PATIENCE);
    }
    let crossing = |backend: &Backend| backend.requests().iter().filter(|one| one.path == "/south").count();
    assert!(crossing(&in_south) >= 2, "asked at both gateways");

    control.apply(&after);
    for gateway in [&mut envoy, &mut tombolo] {
        gateway.wait_answer("/moved", "in-north", CHANGE);
        gateway.wait_status("/north", 404, CHANGE);
        gateway.wait_answer("/south", "in-south", CHANGE);
    }
    envoy.wait_answer("/both", "both-north", CHANGE);
    tombolo.wait_answer("/both", "both-south", CHANGE);
    both_north.stop();
    envoy.wait_answer("/both", "both-south", CHANGE);
    both_south.stop();
    both_north = Backend::start_at("both-north", both_north.addr());
    tombolo.wait_answer("/both", "both-north", CHANGE);
    envoy.wait_answer("/both", "both-north", CHANGE);
    drop((both_north, both_south));

    let status = control.wait_current(2, CHANGE);
    for proxy in status["proxies"].as_array().into_iter().flatten() {
        assert_eq!(proxy["mode"], mode, "{status}");
        let refused = proxy["types"].as_array().into_iter().flatten().filter(|of| !of["refusal"].is_null());
        assert_eq!(refused.count(), 0, "{status}");
    }
}

fn mesh(north_path: &str, sites: [&Site; 2], backends: [&Backend; 4]) -> String {
    let [north, south] = sites;
    let [in_north, in_south, both_north, both_south] = backends;
    let text = include_str!("mesh.yaml").replace("@NORTH_PATH@", north_path);
    [
        ("@NORTH@", north.gateway.port()),
        ("@NORTH_MESH@", north.mesh.port()),
        ("@SOUTH@", south.gateway.port()),
        ("@SOUTH_MESH@", south.mesh.port()),
        ("@IN_NORTH@", in_north.port()),
        ("@IN_SOUTH@", in_south.port()),
        ("@BOTH_NORTH@", both_north.port()),
        ("@BOTH_SOUTH@", both_south.port()),
    ]
    .into_iter()
    .fold(text, |text, (word, port)| text.replace(word, &port.to_string()))
}

impl Site {
    fn new(name: &'static str) -> Self {
        Self { name, gateway: free_addr(), mesh: free_addr() }
    }
}
