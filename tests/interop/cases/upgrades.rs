//! WebSocket and other upgrades: granted, refused, switched off, and the bytes that follow.

use harness::message::Request;

use crate::case::{Action, Case, Listener};

const HOST: &str = "upgrade.example";

pub fn cases() -> Vec<Case> {
    let frame = vec![0x81, 0x85, 1, 2, 3, 4, b'h' ^ 1, b'e' ^ 2, b'l' ^ 3, b'l' ^ 4, b'o' ^ 1];
    let upgrade = |name: &str, request: Request, payload: &[u8]| {
        Case::new(format!("upgrade: {name}"), Listener::Main, Action::Upgrade(request, payload.to_vec()))
    };
    let refused = websocket("/ws").header("x-backend-do", "plain");
    vec![
        upgrade("websocket", websocket("/ws"), &frame),
        upgrade("websocket in capitals", asking("/ws", "WebSocket", "Upgrade"), &frame),
        upgrade("keep-alive beside it", asking("/ws", "websocket", "keep-alive, Upgrade"), &frame),
        upgrade("refused by the backend", refused, &frame),
        upgrade("switched off on the route", websocket("/off"), &frame),
        upgrade("a type of the route only", asking("/raw", "raw", "upgrade"), b"any bytes at all"),
        upgrade("the listener's type on a route with another", websocket("/raw"), &frame),
        upgrade("an unknown type", asking("/ws", "unknown", "upgrade"), b"x"),
        upgrade(
            "h2c",
            asking("/ws", "h2c", "upgrade, http2-settings").header("http2-settings", "AAMAAABkAAQAAP__"),
            b"x",
        ),
        upgrade("two types", asking("/ws", "websocket, raw", "upgrade"), &frame),
        upgrade(
            "without connection: upgrade",
            Request::new("GET", HOST, "/ws").header("upgrade", "websocket"),
            &frame,
        ),
        upgrade(
            "connection without upgrade",
            Request::new("GET", HOST, "/x").header("connection", "upgrade"),
            &frame,
        ),
        upgrade("to no route", asking_at("unknown.example", "/ws", "websocket", "upgrade"), &frame),
        upgrade(
            "to a direct response",
            asking_at("local.example", "/direct/200", "websocket", "upgrade"),
            &frame,
        ),
        upgrade("to a dead backend", asking_at("fail.example", "/refused", "websocket", "upgrade"), &frame),
        upgrade("with POST", post_upgrade(), &frame),
    ]
}

fn asking_at(host: &str, target: &str, kind: &str, connection: &str) -> Request {
    Request::new("GET", host, target)
        .header("connection", connection)
        .header("upgrade", kind)
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
}

fn asking(target: &str, kind: &str, connection: &str) -> Request {
    asking_at(HOST, target, kind, connection)
}

fn websocket(target: &str) -> Request {
    asking(target, "websocket", "upgrade")
}

fn post_upgrade() -> Request {
    let mut request = websocket("/ws");
    "POST".clone_into(&mut request.method);
    request.header("content-length", "0")
}
