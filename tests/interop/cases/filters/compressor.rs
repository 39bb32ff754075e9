//! Compression: which bodies, in which encoding. What is compared is what a client reads once it has decoded it.

use harness::message::Request;

use super::at::case;
use crate::case::{Action, Case, Listener};

pub fn cases() -> Vec<Case> {
    [accepted(), chosen_by_the_response(), kinds_of_answers(), paths(), special(), tunnels()].concat()
}

fn to(path: &str) -> Request {
    Request::new("GET", "compress.example", path)
}

fn text(path: &str, bytes: usize) -> Request {
    to(path)
        .header("x-backend-do", &format!("bytes/{bytes}"))
        .header("x-backend-set", "content-type=text/plain")
}

fn accepted() -> Vec<Case> {
    let accepts = [
        "gzip",
        "br",
        "zstd",
        "gzip, br",
        "br, gzip",
        "gzip;q=0.5, br;q=0.8",
        "gzip;q=0",
        "gzip;q=0, br",
        "*",
        "*;q=0",
        "identity",
        "identity;q=0",
        "identity, gzip",
        "gzip, identity;q=0.5",
        "deflate",
        "GZIP",
        "gzip;q=abc",
        "gzip; q=0.3, zstd; q=0.7",
        "gzip;q=1.0, *;q=0.5",
        "",
        ",",
        "gzip,,br",
        "x-gzip",
        "deflate, gzip;q=0.1",
        "*;q=0.1, gzip;q=0.05",
        "gzip;q=0, *",
    ];
    let mut cases: Vec<Case> = accepts
        .iter()
        .map(|accepts| {
            case(format!("compress: accept {accepts:?}"), text("/", 2000).header("accept-encoding", accepts))
        })
        .collect();
    cases.push(case("compress: nothing is accepted", text("/", 2000)));
    cases
}

/// What the response says decides, too.
fn chosen_by_the_response() -> Vec<Case> {
    let gzip = |request: Request| request.header("accept-encoding", "gzip");
    let mut cases = Vec::new();
    for bytes in [0, 1, 99, 100, 101, 100_000] {
        cases.push(case(format!("compress: {bytes} bytes"), gzip(text("/", bytes))));
    }
    let kinds = [
        "text/html",
        "text/html; charset=utf-8",
        "TEXT/HTML",
        "application/json",
        "application/grpc",
        "image/png",
        "image/svg+xml",
        "text/css",
        "text/xml",
        "application/javascript",
        "text/javascript",
        "application/xml",
        "application/xhtml+xml",
        "application/wasm",
        "text/event-stream",
        "application/octet-stream",
        "text",
        "application/rss+xml",
        "application/atom+xml",
        "text/markdown",
        "application/manifest+json",
    ];
    for kind in kinds {
        let request = to("/")
            .header("x-backend-do", "bytes/2000")
            .header("x-backend-set", &format!("content-type={kind}"));
        cases.push(case(format!("compress: {kind}"), gzip(request)));
    }
    let sets = [
        "etag=\"strong\"",
        "etag=W/\"weak\"",
        "cache-control=no-transform",
        "cache-control=max-age=1",
        "vary=origin",
        "vary=Accept-Encoding",
        "vary=accept-encoding, origin",
        "vary=*",
        "content-encoding=br",
        "content-encoding=identity",
        "x-other=1",
    ];
    for set in sets {
        let request = to("/").header("x-backend-do", "bytes/2000");
        let request =
            request.header("x-backend-set", &format!("content-type=text/plain; {set}").replace("; ", "; "));
        cases.push(case(format!("compress: the backend sets {set}"), gzip(request)));
    }
    cases
}

/// So do its status and how it comes.
fn kinds_of_answers() -> Vec<Case> {
    let gzip = |request: Request| request.header("accept-encoding", "gzip");
    let mut cases = Vec::new();
    for status in [200, 201, 204, 206, 304, 404, 500] {
        let request = to("/").header("x-backend-do", &format!("status/{status}"));
        cases.push(case(format!("compress: status {status}"), gzip(request)));
    }
    let head = Request::new("HEAD", "compress.example", "/").header("x-backend-do", "bytes/2000");
    cases.push(case("compress: HEAD", gzip(head.header("x-backend-set", "content-type=text/plain"))));
    for encoding in ["gzip", "br", "zstd"] {
        for wish in ["stream/1000", "stream/200000", "trailers"] {
            let request =
                to("/").header("x-backend-do", wish).header("x-backend-set", "content-type=text/plain");
            cases.push(case(
                format!("compress: {wish} by {encoding}"),
                request.header("accept-encoding", encoding),
            ));
        }
    }
    cases
}

fn paths() -> Vec<Case> {
    let mut cases = Vec::new();
    for path in ["/off", "/hidden", "/h2", "/direct", "/"] {
        for accepts in ["gzip", "br", "zstd", "gzip, br, zstd"] {
            let request = text(path, 2000).header("accept-encoding", accepts);
            cases.push(case(format!("compress: {path} accepts {accepts}"), request));
            let stream = to(path)
                .header("x-backend-do", "stream/3000")
                .header("x-backend-set", "content-type=text/plain");
            let stream = stream.header("accept-encoding", accepts);
            cases.push(case(format!("compress: {path} streams to {accepts}"), stream));
        }
        let seen = to(path).header("accept-encoding", "gzip");
        cases.push(case(format!("compress: {path}, what the backend sees"), seen));
    }
    cases
}

/// Another chain: requests are compressed, the chain's order counts, etags are kept.
fn special() -> Vec<Case> {
    let to = |method: &str| Request::new(method, "special.example", "/");
    let mut cases = Vec::new();
    for accepts in ["gzip, br", "br, gzip", "gzip;q=0.5, br", "*", "gzip", "br"] {
        for kind in ["text/special", "text/plain", "application/json", "image/png"] {
            let set = format!("content-type={kind}");
            let request = to("GET").header("x-backend-do", "bytes/500").header("x-backend-set", &set);
            let request = request.header("accept-encoding", accepts);
            cases.push(case(format!("compress: special {accepts} of {kind}"), request));
        }
    }
    for etag in ["\"strong\"", "W/\"weak\"", "bare"] {
        for accepts in ["gzip", "br"] {
            let set = format!("content-type=text/special; etag={etag}");
            let request = to("GET").header("x-backend-do", "bytes/500").header("x-backend-set", &set);
            cases.push(case(
                format!("compress: special etag {etag} {accepts}"),
                request.header("accept-encoding", accepts),
            ));
        }
    }
    for (name, kind, bytes) in [
        ("text", "text/plain", 500),
        ("short text", "text/plain", 49),
        ("long enough", "text/plain", 50),
        ("another type", "text/html", 500),
        ("no body", "text/plain", 0),
    ] {
        let request = to("POST").header("content-type", kind).body(vec![b'z'; bytes]);
        cases.push(case(format!("compress: request, {name}"), request));
    }
    let done = to("POST")
        .header("content-type", "text/plain")
        .header("content-encoding", "br")
        .body(vec![b'z'; 500]);
    cases.push(case("compress: request, encoded already", done));
    let chunked = to("POST").header("content-type", "text/plain").chunks(&["one", "two"]);
    cases.push(case("compress: request, chunked", chunked));
    cases
}

/// A tunnel's bytes are no body; the answer that refuses one has one.
fn tunnels() -> Vec<Case> {
    let frame = vec![0x81, 0x85, 1, 2, 3, 4, b'h' ^ 1, b'e' ^ 2, b'l' ^ 3, b'l' ^ 4, b'o' ^ 1];
    let upgrade = |name: &str, request: Request| {
        let action = Action::Upgrade(request.header("accept-encoding", "gzip"), frame.clone());
        Case::new(format!("compress: {name}"), Listener::Filters, action)
    };
    let ask = || {
        to("/ws")
            .header("connection", "upgrade")
            .header("upgrade", "websocket")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
    };
    vec![upgrade("a websocket", ask()), upgrade("a websocket refused", ask().header("x-backend-do", "plain"))]
}
