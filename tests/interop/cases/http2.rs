//! HTTP/2 with prior knowledge on the same port.

use bytes::Bytes;

use crate::case::{Action, Case, Listener};

pub fn cases() -> Vec<Case> {
    [plain(), bodies(), fields()].concat()
}

fn case(name: &str, request: http::Request<Bytes>) -> Case {
    Case::new(format!("h2: {name}"), Listener::Main, Action::Http2(request))
}

fn request(method: &str, url: &str, headers: &[(&str, &str)], body: &[u8]) -> http::Request<Bytes> {
    let builder = http::Request::builder().method(method).uri(url).version(http::Version::HTTP_2);
    let builder = headers.iter().fold(builder, |builder, (name, value)| builder.header(*name, *value));
    builder.body(Bytes::copy_from_slice(body)).expect("the table holds valid requests")
}

fn plain() -> Vec<Case> {
    let urls = [
        "http://exact.example/x?y=1",
        "http://exact.example:8080/",
        "http://x.long.suffix.example/",
        "http://unknown.example/",
        "http://match.example/regex/12",
        "http://match.example/nothing",
        "http://rewrite.example/prefix/x?a=1",
        "http://local.example/direct/200",
        "http://local.example/direct/204",
        "http://local.example/redirect/https/x?a=1",
        "http://local.example/redirect/308/a",
        "http://tls.example/",
        "http://headers.example/append",
        "http://headers.example/format?x=1",
        "http://choose.example/never-b",
        "http://fail.example/refused",
        "http://fail.example/empty",
        "https://exact.example/",
    ];
    let mut cases: Vec<Case> =
        urls.iter().map(|url| case(&format!("GET {url}"), request("GET", url, &[], b""))).collect();
    for method in ["HEAD", "POST", "OPTIONS", "DELETE", "PURGE"] {
        cases.push(case(method, request(method, "http://match.example/method/x", &[], b"")));
    }
    cases
}

fn bodies() -> Vec<Case> {
    let wish = |path: &str, wish: &str| {
        request("GET", &format!("http://body.example{path}"), &[("x-backend-do", wish)], b"")
    };
    let post = |path: &str, bytes: usize| {
        request("POST", &format!("http://body.example{path}"), &[], &vec![b'u'; bytes])
    };
    let mut cases = Vec::new();
    for path in ["/", "/h2"] {
        for bytes in [1, 1000, 300_000] {
            cases.push(case(&format!("POST {path} {bytes}"), post(path, bytes)));
        }
        for answer in ["bytes/0", "bytes/100000", "stream/200000", "trailers", "status/404", "status/204"] {
            cases.push(case(&format!("GET {path} {answer}"), wish(path, answer)));
        }
    }
    cases.push(case("closed before the answer", wish("/", "close")));
    let timeout = request("GET", "http://fail.example/timeout", &[("x-backend-do", "delay/1500")], b"");
    cases.push(case("route timeout", timeout));
    let flaky =
        request("POST", "http://fail.example/retry/5xx", &[("x-backend-do", "flaky/two/2")], b"again");
    cases.push(case("retried with a body", flaky));
    let with_length = request("POST", "http://body.example/", &[("content-length", "5")], b"hello");
    cases.push(case("content-length", with_length));
    cases
}

fn fields() -> Vec<Case> {
    let with = |headers: &[(&str, &str)]| request("GET", "http://headers.example/plain", headers, b"");
    vec![
        case("te trailers", with(&[("te", "trailers")])),
        case("host beside authority", with(&[("host", "other.example")])),
        case("cookies in crumbs", with(&[("cookie", "a=1"), ("cookie", "b=2"), ("cookie", "c=3")])),
        case("x-forwarded-for", with(&[("x-forwarded-for", "192.0.2.1")])),
        case("x-request-id", with(&[("x-request-id", "mine")])),
        case(
            "removed at two levels",
            with(&[("x-remove-host", "1"), ("x-remove-config", "1"), ("x-kept", "1")]),
        ),
        case("expect", with(&[("expect", "100-continue")])),
        case("many fields", {
            let names: Vec<String> = (0..60).map(|n| format!("x-n{n}")).collect();
            with(&names.iter().map(|name| (name.as_str(), "v")).collect::<Vec<_>>())
        }),
        case("a large field", with(&[("x-big", &"b".repeat(12_000))])),
        case("grpc to a dead backend", grpc("http://fail.example/refused")),
        case("grpc to no route", grpc("http://unknown.example/a.B/C")),
        case("grpc to a direct response", grpc("http://local.example/direct/403")),
        case("grpc timeout", grpc("http://fail.example/timeout")),
        case("grpc over h2 upstream", grpc("http://body.example/h2")),
    ]
}

fn grpc(url: &str) -> http::Request<Bytes> {
    let headers = [("content-type", "application/grpc"), ("te", "trailers"), ("x-backend-do", "delay/600")];
    request("POST", url, &headers, b"\0\0\0\0\0")
}
