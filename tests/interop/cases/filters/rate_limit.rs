//! Limits that a service keeps: it answers as the request's field `x-answer` asks, and tells in `x-asked` what it was
//! asked.

use harness::message::Request;

use crate::case::{Case, Listener};

pub fn cases() -> Vec<Case> {
    [filters(), rules(), forms()].concat()
}

const ANSWERS: &[&str] = &[
    "ok",
    "over",
    "unknown",
    "beyond",
    "fields",
    "over+fields",
    "body",
    "over+body",
    "notes",
    "over+notes",
    "quota",
    "quotas",
    "over+quotas",
    "error",
];

fn case(name: String, request: Request) -> Case {
    Case::send(name, request).at(Listener::Services)
}

fn asked(host: &str, path: &str, answer: &str) -> Request {
    Request::new("GET", host, path).header("x-answer", answer)
}

fn filters() -> Vec<Case> {
    let paths = [
        "/limits",
        "/strict",
        "/quiet",
        "/staged",
        "/internal",
        "/external",
        "/own-rules",
        "/never",
        "/looks-only",
        "/dead",
        "/dead-deny",
        "/dead-share",
        "/off",
    ];
    let mut cases = Vec::new();
    for path in paths {
        for answer in ANSWERS {
            cases.push(case(format!("rls: {path} {answer}"), asked("limits.example", path, answer)));
        }
        cases.push(case(format!("rls: {path} without"), Request::new("GET", "limits.example", path)));
    }
    cases.push(case("rls: /limits raw".to_owned(), asked("limits.example", "/limits", "raw")));
    cases.push(case("rls: no gRPC".to_owned(), asked("limits.example", "/no-service", "ok")));
    for path in ["/limits", "/strict", "/quiet"] {
        cases.push(case(format!("rls: {path} slow"), asked("limits.example", path, "slow")));
    }
    cases
}

/// Which rules are read.
fn rules() -> Vec<Case> {
    let of_route = [
        "/two-rules",
        "/other-stage",
        "/of-stage",
        "/own-domain",
        "/here",
        "/here-before-filter",
        "/direct",
        "/no-rules",
    ];
    let of_host =
        ["/own", "/included", "/ignored", "/ignored-own", "/override", "/old", "/old-ignored", "/none"];
    let paths = of_route.map(|path| ("limits.example", path));
    let paths = paths.into_iter().chain(of_host.map(|path| ("host.example", path)));
    let mut cases = Vec::new();
    for (host, path) in paths {
        for answer in ["ok", "over"] {
            cases.push(case(format!("rls: {host}{path} {answer}"), asked(host, path, answer)));
        }
        cases.push(case(format!("rls: {host}{path} without"), Request::new("GET", host, path)));
    }
    cases.push(case("rls: no route".to_owned(), asked("unknown.example", "/", "over")));
    cases
}

/// Other kinds of requests.
fn forms() -> Vec<Case> {
    let mut cases = Vec::new();
    for path in ["/limits", "/strict", "/dead-deny"] {
        for answer in ["ok", "over+body", "error"] {
            let request =
                |method: &str| Request::new(method, "limits.example", path).header("x-answer", answer);
            cases.push(case(format!("rls: HEAD {path} {answer}"), request("HEAD")));
            cases.push(case(format!("rls: POST {path} {answer}"), request("POST").body("some bytes")));
            cases.push(case(
                format!("rls: chunked {path} {answer}"),
                request("POST").chunks(&["some", "bytes"]),
            ));
            let grpc = request("POST").header("content-type", "application/grpc").body("12345");
            cases.push(case(format!("rls: gRPC {path} {answer}"), grpc));
        }
        let internal = asked("limits.example", path, "ok").header("x-envoy-internal", "true");
        cases.push(case(format!("rls: internal {path}"), internal));
    }
    cases
}
