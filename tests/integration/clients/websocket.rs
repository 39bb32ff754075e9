//! Python's `websockets` on both sides: handshakes, fragments, pings, ways to close, frames that are wrong, large messages.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use harness::ports::free_addr;
use serde_json::{Value, json};

use super::script::{differences, script, serve, told};
use crate::gateways::Gateways;

fn websocket(role: &str, addr: SocketAddr) -> Option<Command> {
    let mut command = script("python", "websocket.py")?;
    command.arg(role).arg(addr.to_string()).arg("ws.test");
    Some(command)
}

fn talk(addr: SocketAddr, root: Option<&Path>) -> Value {
    let mut command = websocket("talk", addr).expect("python is there");
    if let Some(root) = root {
        command.env("WEBSOCKET_ROOT", root);
    }
    told(&mut command)
}

#[test]
fn a_websocket_client_sees_the_same_direct_and_through_the_gateways() {
    let addr = free_addr();
    let Some(mut server) = websocket("serve", addr) else { return };
    let _server = serve("websocket server", &mut server);
    let direct = talk(addr, None);
    is_as_asked(&direct);
    let gateways = Gateways::start(addr);
    let root = gateways.dir.path().join("root.crt");
    for (entry, root) in [(gateways.plain, None), (gateways.tls, Some(root.as_path()))] {
        let found = differences(&direct, &talk(entry, root));
        assert!(found.is_empty(), "over TLS: {}\n{}", root.is_some(), found.join("\n"));
    }
}

/// What is the same on both ways is also what was asked for.
fn is_as_asked(direct: &Value) {
    assert_eq!(direct["handshakes"]["chat"], "chat");
    assert_eq!(direct["handshakes"]["forbidden"], json!([403, "not you\n"]));
    assert_eq!(direct["echoes"]["16000000"], 16_000_000);
    assert_eq!(direct["echoes"]["same"], true);
    assert_eq!((&direct["many_messages"], &direct["many_connections"]), (&json!(500), &json!(30)));
    // `websockets` ends a message of fragments with an empty one.
    let fragments = json!([1, 0, 126, 65_536, 3, 200_000, 0]);
    assert_eq!((&direct["fragments_sent"], &direct["fragments_received"]), (&fragments, &fragments));
    assert_eq!(direct["pings_between_fragments"], json!([[10, 20, 30, 0], [true, true, true]]));
    assert_eq!(direct["pings"], json!([true, true, true, "your pong came"]));
    assert_eq!(direct["closed_by_client"].as_array().map(Vec::len), Some(13));
    assert_eq!(direct["closed_by_client"][12][1][0], 4999);
    assert_eq!(direct["closed_by_server"][3][1], json!([4002, "as asked: %"]));
    assert_eq!(direct["closed_by_server"][4][1], "no close frame");
    assert_eq!(direct["frames_that_are_wrong"].as_array().map(Vec::len), Some(4));
    assert_eq!(direct["too_big"], 1009);
}
