//! Limits of the proxy's own. Buckets fill once an hour, so that each request finds what those before it left.

use harness::message::Request;

use super::at::case;
use crate::case::Case;

pub fn cases() -> Vec<Case> {
    [plain(), descriptors()].concat()
}

fn to(path: &str) -> Request {
    Request::new("GET", "limit.example", path)
}

fn plain() -> Vec<Case> {
    let paths = ["/", "/plain", "/headers", "/marked", "/unsaid", "/status", "/low-status", "/direct"];
    let mut cases = Vec::new();
    for path in paths {
        for turn in 1..=4 {
            cases.push(case(format!("limit: GET {path}, {turn}"), to(path)));
        }
        let grpc = Request::new("POST", "limit.example", path).header("content-type", "application/grpc");
        cases.push(case(format!("limit: gRPC {path}"), grpc));
        cases.push(case(format!("limit: HEAD {path}"), Request::new("HEAD", "limit.example", path)));
        cases.push(case(
            format!("limit: POST {path}"),
            Request::new("POST", "limit.example", path).body("body"),
        ));
    }
    for turn in 1..=3 {
        let grpc =
            Request::new("POST", "limit.example", "/exhausted").header("content-type", "application/grpc");
        cases.push(case(format!("limit: gRPC /exhausted, {turn}"), grpc));
    }
    cases
}

/// Requests that have a descriptor's limit, and others on the same route.
fn descriptors() -> Vec<Case> {
    let paths = [
        "/gold",
        "/only-gold",
        "/not-gold",
        "/user",
        "/skip",
        "/query",
        "/page",
        "/remote",
        "/masked",
        "/cluster",
        "/host",
        "/own-and-host",
        "/ignore-host",
        "/stage",
        "/filter-rules",
    ];
    let kinds = [
        ("plain", "", ("x-none", "")),
        ("gold", "", ("x-plan", "gold")),
        ("ann", "", ("x-user", "ann")),
        ("bob", "", ("x-user", "bob")),
        ("asked", "?q=1", ("x-none", "")),
        ("paged", "?page=one", ("x-none", "")),
    ];
    let mut cases = Vec::new();
    for path in paths {
        for (kind, query, (name, value)) in kinds {
            for turn in 1..=2 {
                let request = to(&format!("{path}{query}")).header(name, value);
                cases.push(case(format!("limit: {path} {kind}, {turn}"), request));
            }
        }
    }
    cases
}
