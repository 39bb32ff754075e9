//! The listener behind one trusted proxy: it believes the proxy before it and passes on more than usual.

use harness::message::{Framing, Request};

use crate::case::{Action, Case, Listener};

pub fn cases() -> Vec<Case> {
    let to = || Request::new("GET", "all.example", "/");
    let fields = [
        ("x-forwarded-for", "192.0.2.1"),
        ("x-forwarded-for", "192.0.2.1, 198.51.100.2"),
        ("x-forwarded-proto", "https"),
        ("x-request-id", "mine"),
        ("x-envoy-internal", "true"),
        ("x-envoy-retry-on", "5xx"),
        ("x-envoy-upstream-rq-timeout-ms", "3000"),
        ("x_under", "1"),
    ];
    let mut cases: Vec<Case> = fields
        .iter()
        .map(|(name, value)| case(&format!("{name}: {value}"), to().header(name, value)))
        .collect();
    for host in ["only.example", "only.example:99", "only.example.", "only.example.:99", "Only.Example"] {
        cases.push(case(&format!("host {host}"), Request::new("GET", host, "/")));
    }
    for target in ["/a%2Fb", "/a%5cb", "/a/../b", "//a"] {
        cases.push(case(&format!("GET {target}"), Request::new("GET", "all.example", target)));
    }
    cases.push(case("plain", to()));
    cases.push(case("answer with a server", to().header("x-backend-set", "server=backend/1")));
    cases
        .push(case("answer with trailers", to().header("x-backend-do", "trailers").header("te", "trailers")));
    let mut trailing = Request::new("POST", "all.example", "/").header("trailer", "x-sum");
    trailing.body = Framing::Chunked(vec![b"abc".to_vec()], vec![("x-sum".to_owned(), "1".to_owned())]);
    cases.push(case("request with trailers", trailing));
    let expect = Request::new("POST", "all.example", "/").header("expect", "100-continue").body("late");
    cases.push(Case::new(
        "inner: expect is passed on",
        Listener::Inner,
        Action::Expect(expect, b"late".to_vec()),
    ));
    cases
}

fn case(name: &str, request: Request) -> Case {
    Case::send(format!("inner: {name}"), request).at(Listener::Inner)
}
