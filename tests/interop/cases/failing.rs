//! What the client sees when a backend refuses, hangs, breaks off or fails, and what is tried again.

use harness::message::Request;

use crate::case::{Action, Case, Listener};

const HOST: &str = "fail.example";

pub fn cases() -> Vec<Case> {
    [broken(), slow(), retried()].concat()
}

fn case(name: &str, request: Request) -> Case {
    Case::send(format!("fail: {name}"), request)
}

fn asking(target: &str, wish: &str) -> Request {
    Request::new("GET", HOST, target).header("x-backend-do", wish)
}

fn broken() -> Vec<Case> {
    vec![
        case("connection refused", Request::new("GET", HOST, "/refused")),
        case("connection refused, HEAD", Request::new("HEAD", HOST, "/refused")),
        case("connection refused, with a body", Request::new("POST", HOST, "/refused").body("x")),
        case("no endpoint", Request::new("GET", HOST, "/empty")),
        case("closed before the answer", asking("/x", "close")),
        case(
            "closed before the answer to a POST",
            Request::new("POST", HOST, "/x").header("x-backend-do", "close").body("x"),
        ),
        case("broken off in the body", asking("/x", "truncate/100")),
    ]
}

fn slow() -> Vec<Case> {
    vec![
        case("route timeout", asking("/timeout", "delay/1500")),
        case("within the route timeout", asking("/timeout", "delay/50")),
        case(
            "timeout of a POST",
            Request::new("POST", HOST, "/timeout").header("x-backend-do", "delay/1500").body("x"),
        ),
        case("no timeout", asking("/no-timeout", "delay/300")),
        case(
            "timeout shortened by the client",
            asking("/x", "delay/1500").header("x-envoy-upstream-rq-timeout-ms", "200"),
        ),
        case("one try times out", asking("/retry/try-timeout", "hang")),
    ]
}

fn retried() -> Vec<Case> {
    let mut cases = vec![
        case("5xx, twice flaky", asking("/retry/5xx", "flaky/five/2")),
        case("5xx, too flaky", asking("/retry/once", "flaky/once/2")),
        case("5xx, always", asking("/retry/once", "status/500")),
        case("5xx, never", asking("/retry/5xx", "status/404")),
        case("5xx, closed", asking("/retry/once", "close")),
        case("gateway-error on 500", asking("/retry/gateway", "status/500")),
        case("gateway-error on 502", asking("/retry/gateway", "status/502")),
        case("gateway-error on 503", asking("/retry/gateway", "flaky/gateway/1")),
        case("named codes on 418", asking("/retry/codes", "status/418")),
        case("named codes on 503", asking("/retry/codes", "status/503")),
        case("retriable-4xx on 409", asking("/retry/4xx", "status/409")),
        case("retriable-4xx on 404", asking("/retry/4xx", "status/404")),
        case("reset", asking("/retry/reset", "close")),
        case("reset does not retry 503", asking("/retry/reset", "status/503")),
        case("no policy", asking("/x", "flaky/none/1")),
        case("policy from the client", asking("/x", "flaky/client/1").header("x-envoy-retry-on", "5xx")),
        case(
            "more retries from the client",
            asking("/retry/once", "flaky/more/3")
                .header("x-envoy-retry-on", "5xx")
                .header("x-envoy-max-retries", "5"),
        ),
        case(
            "5xx, POST with a body",
            Request::new("POST", HOST, "/retry/5xx")
                .header("x-backend-do", "flaky/post/2")
                .body("to be sent thrice"),
        ),
        case(
            "5xx, chunked POST",
            Request::new("POST", HOST, "/retry/5xx")
                .header("x-backend-do", "flaky/chunked/1")
                .chunks(&["to be ", "sent twice"]),
        ),
    ];
    let elsewhere = Action::Spread(Request::new("GET", HOST, "/retry/connect"), 10);
    cases.push(Case::new("fail: connect-failure goes to another host", Listener::Main, elsewhere));
    cases
}
