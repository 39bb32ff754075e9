//! Counts of gRPC calls: what is compared here are the answers; `counted` compares the counters.

use bytes::Bytes;
use harness::message::{Framing, Request};

use super::at::case;
use crate::case::{Action, Case, Listener};

const HOSTS: [&str; 4] =
    ["calls.example", "calls-all.example", "calls-dotless.example", "calls-listed.example"];

pub fn cases() -> Vec<Case> {
    HOSTS
        .into_iter()
        .flat_map(|host| [methods(host), answers(host), messages(host), http2(host)].concat())
        .collect()
}

fn message(bytes: usize) -> Vec<u8> {
    let mut message = vec![0];
    message.extend_from_slice(&u32::try_from(bytes).unwrap_or(0).to_be_bytes());
    message.resize(message.len() + bytes, b'q');
    message
}

/// A call with one message, answered with two and status 0.
fn call(host: &str, path: &str) -> Request {
    // Envoy has one counter for methods that are listed, and another of the same name for those that are not.
    let path = if host.contains("listed") { path.replace("shop", "list") } else { path.to_owned() };
    Request::new("POST", host, &path)
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .header("x-backend-do", "messages/3/5")
        .header("x-backend-set", "content-type=application/grpc")
        .body(message(7))
}

/// Which paths are methods.
fn methods(host: &str) -> Vec<Case> {
    let paths = [
        "/shop.Cart/Add",
        "/shop.Cart/Remove",
        "/shop.Cart/Empty",
        "/shop.Till/Add",
        "/shop.Till/Remove",
        "/shop.v1.Cart/Add",
        "/Cart/Add",
        "/shop.Cart/Add?query=1",
        "/shop.Cart",
        "/shop.Cart/",
        "/",
        "/shop.Cart/Add/More",
        "/shop.Cart//Add",
        "/shop.Cart/Add/",
        "/shop-Cart_2/Add%20all",
    ];
    let mut cases: Vec<Case> =
        paths.iter().map(|path| case(format!("calls: {host}{path}"), call(host, path))).collect();
    for content_type in
        ["application/grpc+proto", "application/grpc-web", "application/json", "application/grpcx"]
    {
        let mut request = call(host, "/shop.Type/Get");
        request.headers[1].1 = content_type.to_owned();
        cases.push(case(format!("calls: {host} of {content_type}"), request));
    }
    cases
}

/// How calls end.
fn answers(host: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    for (wish, fields) in [
        ("bytes/0", "content-type=application/grpc; grpc-status=0"),
        ("bytes/0", "content-type=application/grpc; grpc-status=5"),
        ("bytes/0", "content-type=application/grpc; grpc-status=16"),
        ("bytes/0", "content-type=application/grpc"),
        ("bytes/0", "content-type=text/plain; grpc-status=3"),
        ("bytes/10", "content-type=application/grpc; grpc-status=0"),
        ("bytes/10", "content-type=text/plain"),
        ("status/503", "x-a=1"),
        ("status/404", "x-a=1"),
        ("close", "x-a=1"),
        ("trailers", "content-type=application/grpc"),
    ] {
        for to in ["h2", "a"] {
            let mut request = call(host, "/shop.Answer/Get").header("x-to", to);
            // Who tells HTTP/1 of `te` tells it in `connection`, too, which Envoy does not.
            request
                .headers
                .retain(|(name, _)| !name.starts_with("x-backend") && (name != "te" || to == "h2"));
            let request = request.header("x-backend-do", wish).header("x-backend-set", fields);
            cases.push(case(format!("calls: {host} {to} {wish} {fields}"), request));
        }
    }
    for to in ["dead", "direct", "nowhere"] {
        cases.push(case(
            format!("calls: to {to}, {host}"),
            call(host, "/shop.Answer/Make").header("x-to", to),
        ));
    }
    cases
}

/// Messages of requests, however they come.
fn messages(host: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    let several = [message(0), message(1), message(3000), message(2)].concat();
    for (name, chunks) in [
        ("none", vec![]),
        ("one", vec![message(5)]),
        ("several", vec![several.clone()]),
        ("several in pieces", several.chunks(700).map(<[u8]>::to_vec).collect()),
        ("a part of one", vec![message(50)[..20].to_vec()]),
        ("a large one", vec![message(100_000)]),
    ] {
        let mut request = call(host, "/shop.Message/Put");
        request.body = Framing::Chunked(chunks.clone(), Vec::new());
        cases.push(case(format!("calls: {host}, messages: {name}"), request));
        let mut whole = call(host, "/shop.Message/Put");
        whole.body = Framing::Sized(chunks.concat());
        cases.push(case(format!("calls: {host}, messages at once: {name}"), whole));
    }
    cases
}

fn http2(host: &str) -> Vec<Case> {
    let request = |path: &str, lengths: &str| {
        let request = http::Request::post(format!("http://{host}{path}")).version(http::Version::HTTP_2);
        let request = request.header("content-type", "application/grpc").header("te", "trailers");
        let request = request.header("x-backend-do", format!("messages/{lengths}"));
        let request = request.header("x-backend-set", "content-type=application/grpc");
        request.body(Bytes::from(message(9))).expect("the table holds valid requests")
    };
    ["0", "1/2/3", "100000/1", "70000/70000"]
        .iter()
        .map(|lengths| {
            let action = Action::Http2(request("/shop.Over2/Get", lengths));
            Case::new(format!("calls: {host} over HTTP/2, {lengths}"), Listener::Filters, action)
        })
        .collect()
}
