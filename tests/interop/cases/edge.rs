//! The listener at the edge: it believes nobody, normalizes paths, accepts HTTP/1.0, and has low limits.

use bytes::Bytes;
use harness::message::Request;

use crate::case::{Action, Case, Listener};

pub fn cases() -> Vec<Case> {
    [paths(), believing(), limits(), old()].concat()
}

fn case(name: &str, request: Request) -> Case {
    Case::send(format!("edge: {name}"), request).at(Listener::Edge)
}

fn paths() -> Vec<Case> {
    let targets = [
        "/",
        "/a/../b",
        "/a/./b",
        "/../a",
        "/a/..",
        "//a//b",
        "/a//../b",
        "/%2e%2e/a",
        "/a/%2e/b",
        "/%61",
        "/a%20b",
        "/a%2Fb",
        "/a%2fb?x=%2F",
        "/a%5Cb",
        "/a\\b",
        "/a?b=/../c",
        "/a#b",
        "/%",
        "/%zz",
        "/a%00",
        "/\u{e9}",
        "/a;b/../c",
    ];
    targets
        .iter()
        .map(|target| case(&format!("GET {target}"), Request::new("GET", "all.example", target)))
        .collect()
}

fn believing() -> Vec<Case> {
    let to = || Request::new("GET", "all.example", "/");
    let fields = [
        ("x-forwarded-for", "192.0.2.1"),
        ("x-forwarded-for", "192.0.2.1, 10.0.0.1"),
        ("x-forwarded-for", "nonsense"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-port", "1"),
        ("x-forwarded-host", "h.example"),
        ("x-forwarded-client-cert", "By=x"),
        ("x-envoy-internal", "true"),
        ("x-envoy-external-address", "192.0.2.9"),
        ("x-envoy-retry-on", "5xx"),
        ("x-envoy-max-retries", "3"),
        ("x-envoy-upstream-rq-timeout-ms", "1"),
        ("x-envoy-original-path", "/p"),
        ("x-envoy-expected-rq-timeout-ms", "1"),
        ("x-envoy-downstream-service-node", "n"),
        ("x-request-id", "mine"),
        ("via", "1.1 before"),
    ];
    let mut cases: Vec<Case> = fields
        .iter()
        .map(|(name, value)| case(&format!("{name}: {value}"), to().header(name, value)))
        .collect();
    for host in ["only.example", "only.example:1234", "ONLY.example", "other.example:80"] {
        cases.push(case(&format!("host {host}"), Request::new("GET", host, "/")));
    }
    cases.push(case(
        "answer with a server",
        to().header("x-backend-set", "server=b/1; via=1.1 b; x-request-id=theirs"),
    ));
    let http2 = http::Request::get("http://all.example/a/../b%2Fc").body(Bytes::new()).expect("valid");
    cases.push(Case::new("edge: h2 GET /a/../b%2Fc", Listener::Edge, Action::Http2(http2)));
    cases
}

fn limits() -> Vec<Case> {
    let to = || Request::new("GET", "all.example", "/");
    vec![
        case("underscore in a name", to().header("x_a", "1")),
        case("7 KB", to().header("x-big", &"b".repeat(7 * 1024))),
        case("9 KB", to().header("x-big", &"b".repeat(9 * 1024))),
        case("15 fields", (0..14).fold(to(), |request, n| request.header(&format!("x-{n}"), "v"))),
        case("25 fields", (0..24).fold(to(), |request, n| request.header(&format!("x-{n}"), "v"))),
    ]
}

fn old() -> Vec<Case> {
    let old = |name: &str, bytes: &str| Case::raw(&format!("edge, {name}"), bytes).at(Listener::Edge);
    vec![
        old("HTTP/1.0", "GET / HTTP/1.0\r\nhost: only.example\r\n\r\n"),
        old("HTTP/1.0 without host", "GET / HTTP/1.0\r\n\r\n"),
        old("HTTP/1.0 keep-alive", "GET / HTTP/1.0\r\nhost: only.example\r\nconnection: keep-alive\r\n\r\n"),
        old(
            "HTTP/1.0 streamed answer",
            "GET / HTTP/1.0\r\nhost: all.example\r\nx-backend-do: stream/1000\r\n\r\n",
        ),
        old("HTTP/1.0 with a body", "POST / HTTP/1.0\r\nhost: all.example\r\ncontent-length: 3\r\n\r\nabc"),
        old("HTTP/1.1 without host", "GET / HTTP/1.1\r\n\r\n"),
    ]
}
