//! What `local_reply_config` makes of answers that the proxy makes itself.

use bytes::Bytes;
use harness::message::Request;

use crate::case::{Action, Case, Listener};

const HOST: &str = "replies.example";

const MAPS: [&str; 13] = [
    "none",
    "json",
    "status",
    "body",
    "body-only",
    "empty",
    "missing",
    "problem",
    "fields",
    "at-least",
    "flags",
    "grpc",
    "share",
];

const TARGETS: [&str; 9] = [
    "/direct",
    "/typed",
    "/bodiless",
    "/redirect/x?y=1",
    "/dead",
    "/no-cluster",
    "/nowhere",
    "/up",
    "/rewritten/x",
];

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for map in MAPS {
        for target in TARGETS {
            let request = Request::new("GET", HOST, target).header("x-map", map);
            cases.push(Case::send(format!("replies: {target} as {map}"), request));
            let grpc = Request::new("POST", HOST, target)
                .header("content-type", "application/grpc")
                .header("x-map", map);
            cases.push(Case::send(format!("replies: gRPC {target} as {map}"), grpc));
        }
        let head = Request::new("HEAD", HOST, "/direct").header("x-map", map);
        cases.push(Case::send(format!("replies: HEAD as {map}"), head));
        let tls = Request::new("GET", "tls.example", "/").header("x-map", map);
        cases.push(Case::send(format!("replies: require_tls as {map}"), tls));
        cases.push(over_http2(map));
    }
    cases.extend(bad());
    let late = Request::new("GET", HOST, "/timeout").header("x-map", "json");
    cases.push(Case::send("replies: a timeout as json", late));
    let mut cases: Vec<Case> = cases.into_iter().map(|case| case.at(Listener::Replies)).collect();
    cases.extend(by_runtime());
    cases
}

fn over_http2(map: &str) -> Case {
    let request = http::Request::get(format!("http://{HOST}/nowhere")).header("x-map", map);
    let request = request.body(Bytes::new()).expect("a request of plain words");
    Case::new(format!("replies: HTTP/2 as {map}"), Listener::Replies, Action::Http2(request))
}

/// Requests that are refused before there is anything to route.
fn bad() -> Vec<Case> {
    let raw = |name: &str, bytes: &str| {
        Case::new(format!("replies, raw: {name}"), Listener::Replies, Action::Raw(bytes.as_bytes().to_vec()))
    };
    vec![
        raw("no request", "RUBBISH\r\n\r\n"),
        raw("a bad length", "GET / HTTP/1.1\r\nhost: a\r\nx-map: json\r\ncontent-length: x\r\n\r\n"),
        raw("a control byte", "GET /\u{1} HTTP/1.1\r\nhost: a\r\n\r\n"),
    ]
}

/// Filters whose numbers a runtime value stands in for.
fn by_runtime() -> Vec<Case> {
    let set = |changes: &str, map: &str, target: &str| {
        let request = Request::new("GET", HOST, target).header("x-map", map);
        let action = Action::Runtime { changes: changes.to_owned(), request, times: 2 };
        let name = format!("replies: {target} as {map} with {changes}");
        Case::new(name, Listener::Replies, action)
    };
    vec![
        set("replies.status=404", "at-least", "/nowhere"),
        set("replies.status=600", "at-least", "/dead"),
        set("replies.share=100", "share", "/nowhere"),
        set("replies.share=0", "share", "/nowhere"),
        set("replies.not-found=301", "none", "/redirect"),
    ]
}
