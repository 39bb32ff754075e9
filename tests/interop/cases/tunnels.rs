//! CONNECT requests that end here: what they carry goes to the cluster as bytes.

use bytes::Bytes;
use harness::message::Request;

use crate::case::{Action, Case, Listener};

const INNER: &str = "GET /inner HTTP/1.1\r\nhost: inner.example\r\nconnection: close\r\n\r\n";

pub fn cases() -> Vec<Case> {
    let raw = |name: &str, target: &str, fields: &str| {
        let bytes = format!("CONNECT {target} HTTP/1.1\r\nhost: tunnel.example\r\n{fields}\r\n{INNER}");
        Case::new(format!("tunnel: {name}"), Listener::Routes, Action::Raw(bytes.into_bytes()))
    };
    let h2 = |name: &str, fields: &[(&str, &str)]| {
        let mut request = http::Request::connect("tunnel.example:443");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        let request = request.body(Bytes::from_static(INNER.as_bytes())).expect("the request is well-formed");
        Case::new(format!("tunnel: http2, {name}"), Listener::Routes, Action::Http2(request))
    };
    let post = |target: &str, method: &str| {
        let request = Request::new(method, "tunnel.example", target).body(INNER);
        Case::send(format!("tunnel: {method} {target}"), request).at(Listener::Routes)
    };
    let mut cases = vec![
        raw("to the port", "tunnel.example:443", ""),
        raw("to another port", "tunnel.example:80", ""),
        raw("to another host", "elsewhere.example:443", ""),
        post("/post", "POST"),
        post("/post", "PUT"),
        post("/plain", "POST"),
    ];
    for to in ["dead", "empty", "barred", "again"] {
        cases.push(raw(to, "tunnel.example:443", &format!("x-to: {to}\r\n")));
        cases.push(h2(to, &[("x-to", to)]));
    }
    cases.push(h2("to the port", &[]));
    cases
}
