//! What the filter is told: routes, modes, metadata, attributes, levels.

use bytes::Bytes;
use harness::message::Request;

use super::ask::{HOST, case, echo, get, post, trailing};
use crate::case::{Action, Case, Listener};

pub fn cases() -> Vec<Case> {
    [routes(), modes(), noted(), levels(), forms()].concat()
}

fn routes() -> Vec<Case> {
    let mut cases = Vec::new();
    for path in ["/heads", "/clear", "/retain", "/keep"] {
        for wish in [
            r#"{"qh": {"set": [["x-to", "b"]], "reroute": 1}}"#,
            r#"{"qh": {"set": [["x-to", "b"]]}}"#,
            r#"{"qh": {"set": [["x-to", "nowhere"]], "reroute": 1}}"#,
            r#"{"qh": {"set": [[":path", "/streamed/x"]], "reroute": 1}}"#,
            r#"{"qh": {"set": [[":path", "/unknown"]], "reroute": 1}}"#,
            r#"{"qh": {"reroute": 1}}"#,
            r#"{"sh": {"set": [["x-to", "b"]], "reroute": 1}}"#,
        ] {
            cases.push(case(format!("{path} {wish}"), get(path, wish)));
        }
    }
    let body = r#"{"qb": {"set": [["x-to", "b"]], "reroute": 1}}"#;
    cases.push(case(format!("/whole {body}"), post("/whole", body).body("some bytes")));
    cases
}

fn modes() -> Vec<Case> {
    let modes = [
        r#"{"response_header_mode": 2}"#,
        r#"{"request_body_mode": 2}"#,
        r#"{"request_body_mode": 1, "response_header_mode": 2}"#,
        r#"{"request_body_mode": 3}"#,
        r#"{"response_body_mode": 2}"#,
        r#"{"response_body_mode": 1, "response_trailer_mode": 1}"#,
        r#"{"request_trailer_mode": 1}"#,
        r#"{"request_trailer_mode": 2}"#,
        r#"{"request_header_mode": 2, "response_body_mode": 2}"#,
        "{}",
    ];
    let mut cases = Vec::new();
    for path in ["/heads", "/overridable", "/overridable-some", "/whole"] {
        for mode in modes {
            let wish = format!(r#"{{"qh": {{"mode": {mode}}}}}"#);
            cases.push(case(format!("{path} {wish}"), trailing(path, &wish)));
            cases.push(case(format!("{path} length {wish}"), echo(path, &wish).body("some bytes")));
            let wish = format!(r#"{{"sh": {{"mode": {mode}}}}}"#);
            cases.push(case(format!("{path} {wish}"), trailing(path, &wish)));
        }
    }
    cases
}

fn noted() -> Vec<Case> {
    let mut cases = Vec::new();
    for path in ["/notes", "/heads", "/notes-here", "/notes-not-here"] {
        for part in ["qh", "qb", "sh"] {
            for meta in [
                r#"{"told": {"who": "bob", "more": {"times": 3}}}"#,
                r#"{"told": {"a": 1}, "other": {"b": [1, 2]}, "unknown": {"c": true}}"#,
                r#"{"told": "text"}"#,
            ] {
                let wish = format!(r#"{{"{part}": {{"meta": {meta}}}}}"#);
                cases.push(case(format!("{path} {wish}"), post(path, &wish).body("some bytes")));
            }
        }
    }
    let known = get("/attributes/p?q=1&r=2", "").header("referer", "there").header("user-agent", "me");
    cases.push(case("/attributes all".to_owned(), known));
    cases.push(case("/attributes few".to_owned(), post("/attributes", "").body("some bytes")));
    for path in ["/watch", "/watch-whole"] {
        let wish = r#"{"qh": {"set": [["x-new", "1"]]}}"#;
        cases.push(case(format!("{path} GET"), get(path, wish)));
        cases.push(case(format!("{path} POST"), echo(path, wish).body("some bytes")));
        cases.push(case(format!("{path} trailers"), trailing(path, wish)));
    }
    cases
}

fn levels() -> Vec<Case> {
    let mut cases = Vec::new();
    for path in ["/other-mode", "/more-metadata", "/off-here", "/metadata"] {
        cases.push(case(format!("{path} POST"), echo(path, "").body("some bytes")));
    }
    for (host, path) in [
        ("host.example", "/"),
        ("host.example", "/off"),
        ("host.example", "/more"),
        ("off.example", "/"),
        ("off.example", "/on"),
    ] {
        let request = Request::new("POST", host, path).header("x-cluster", "trailers").body("some bytes");
        cases.push(case(format!("{host}{path}"), request));
    }
    cases.push(case("no route".to_owned(), Request::new("GET", "unknown.example", "/")));
    cases
}

/// Over HTTP/2.
fn forms() -> Vec<Case> {
    let mut cases = Vec::new();
    for path in ["/heads", "/whole", "/streamed", "/partial"] {
        for (method, body) in [("GET", ""), ("POST", "some bytes")] {
            let request = http::Request::builder()
                .method(method)
                .uri(format!("http://{HOST}{path}"))
                .header("x-cluster", "trailers")
                .header("x-do", r#"{"qh": {"set": [["x-new", "1"]]}, "sh": {"set": [["x-new", "2"]]}}"#)
                .body(Bytes::from_static(body.as_bytes()))
                .expect("a request");
            let name = format!("processor: HTTP/2 {method} {path}");
            cases.push(Case::new(name, Listener::Processing, Action::Http2(request)));
        }
    }
    cases
}
