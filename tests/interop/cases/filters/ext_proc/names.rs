//! Fields that not every service may change, and those that it is not sent.

use super::ask::{case, get, post};
use crate::case::Case;

pub fn cases() -> Vec<Case> {
    [names(), odd()].concat()
}

/// What sets a field of a request.
fn set(name: &str, value: &str) -> String {
    format!(r#"{{"qh": {{"set": [["{name}", "{value}"]]}}}}"#)
}

const SET: [(&str, &str); 17] = [
    ("host", "other.example"),
    (":authority", "other.example"),
    (":method", "PUT"),
    (":scheme", "https"),
    (":scheme", "ftp"),
    (":path", "/changed"),
    (":status", "200"),
    (":unknown", "1"),
    ("x-envoy-max-retries", "3"),
    ("x-ok-yes", "1"),
    ("x-ok-not", "1"),
    ("X-Upper", "1"),
    ("bad name", "1"),
    ("x-nul", "a\\u0000b"),
    ("x-line", "a\\nb"),
    ("content-type", "text/x"),
    ("user-agent", "me"),
];

const REMOVED: [&str; 9] =
    ["host", ":authority", ":path", ":method", "x-old", "x-envoy-x", "x-ok-a", "bad name", "content-length"];

fn names() -> Vec<Case> {
    let mut wishes: Vec<String> = SET.map(|(name, value)| set(name, value)).into();
    wishes.extend(REMOVED.map(|name| format!(r#"{{"qh": {{"remove": ["{name}"]}}}}"#)));
    wishes.push(r#"{"qh": {"set": [["x-ok-1", "1"], ["x-no", "1"], ["x-ok-2", "1"]]}}"#.to_owned());
    wishes.push(r#"{"qh": {"set": [[":path", "/a", "append"], ["x-last", "1"]]}}"#.to_owned());
    wishes.push(r#"{"sh": {"set": [["x-ok-1", "1"], ["x-no", "1"], [":status", "201"]]}}"#.to_owned());
    let mut cases = Vec::new();
    let paths = [
        "/heads",
        "/rules-routing",
        "/rules-envoy",
        "/rules-no-system",
        "/rules-none",
        "/rules-some",
        "/rules-error",
    ];
    for path in paths {
        for wish in &wishes {
            let request = post(path, wish).header("x-old", "1").header("x-envoy-x", "1").body("12345");
            cases.push(case(format!("{path} {wish}"), request));
        }
    }
    for path in ["/forward-some", "/forward-not"] {
        let request = get(path, "").header("x-secret", "1").header("x-open", "1").header("accept", "*/*");
        cases.push(case(format!("{path} fields"), request));
    }
    cases
}

/// Names and values that framing, or the protocol, has for itself.
fn odd() -> Vec<Case> {
    let fields = [
        (":path", ""),
        ("", "1"),
        ("content-length", "7"),
        ("transfer-encoding", "chunked"),
        ("connection", "close"),
    ];
    let mut cases = Vec::new();
    for (name, value) in fields {
        for path in ["/heads", "/rules-none", "/rules-error"] {
            let wish = set(name, value);
            cases.push(case(format!("{path} {wish}"), post(path, &wish).body("12345")));
        }
    }
    cases
}
