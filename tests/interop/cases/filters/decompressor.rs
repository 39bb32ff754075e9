//! Decompression: which bodies, out of which encoding, and what becomes of broken ones.

use std::io::Write;

use bytes::Bytes;
use harness::message::Request;

use super::at::case;
use crate::case::{Action, Case, Listener};

const ENCODINGS: [&str; 3] = ["gzip", "br", "zstd"];

pub fn cases() -> Vec<Case> {
    [accepted(), answers(), said(), broken(), requests(), special(), http2()].concat()
}

fn to(method: &str, path: &str) -> Request {
    Request::new(method, "decompress.example", path)
}

/// Text that does not repeat itself, so that no encoding makes little of much.
fn text(bytes: usize) -> Vec<u8> {
    let numbers = (0_u64..).flat_map(|number| (number * number * 7919).to_string().into_bytes());
    numbers.take(bytes).collect()
}

fn compressed(encoding: &str, text: &[u8]) -> Vec<u8> {
    let done = "memory takes what is written";
    match encoding {
        "gzip" => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            encoder.write_all(text).expect(done);
            encoder.finish().expect(done)
        }
        "br" => {
            let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4096, 9, 22);
            encoder.write_all(text).expect(done);
            encoder.into_inner()
        }
        "zstd" => zstd::encode_all(text, 3).expect(done),
        other => panic!("no encoding {other}"),
    }
}

/// The backend sends the request's body back, with these fields.
fn echoed(request: Request, fields: &str, body: Vec<u8>) -> Request {
    request.header("x-backend-do", "echo").header("x-backend-set", fields).body(body)
}

/// What backends are told.
fn accepted() -> Vec<Case> {
    let accepts = [
        "gzip",
        "br",
        "gzip, br",
        "gzip;q=0.5",
        "gzip;q=0",
        "gzip ; q=0.5",
        "GZIP",
        "*",
        "*;q=0",
        "identity",
        "br;q=1.0, gzip;q=0.8, *;q=0.1",
        "zstd,br,gzip",
        "",
        ",",
        "deflate,,x-gzip",
    ];
    let mut cases: Vec<Case> = ["/", "/off", "/recoded"]
        .iter()
        .flat_map(|path| {
            accepts.iter().map(move |accepts| {
                case(
                    format!("decompress: {path} accepts {accepts:?}"),
                    to("GET", path).header("accept-encoding", accepts),
                )
            })
        })
        .collect();
    cases.push(case("decompress: nothing is accepted", to("GET", "/")));
    let twice = to("GET", "/").header("accept-encoding", "br").header("accept-encoding", "deflate");
    cases.push(case("decompress: accepted in two fields", twice));
    cases.push(case(
        "decompress: special, nothing is accepted",
        Request::new("GET", "unspecial.example", "/"),
    ));
    cases
}

fn answers() -> Vec<Case> {
    let mut cases = Vec::new();
    for encoding in ENCODINGS {
        for path in ["/", "/off", "/h2", "/recoded", "/retried", "/trailers"] {
            for bytes in [0, 1, 100, 5000, 200_000] {
                let body = compressed(encoding, &text(bytes));
                let fields = format!("content-type=text/plain; content-encoding={encoding}");
                let request = echoed(to("POST", path), &fields, body).header("accept-encoding", "br");
                cases.push(case(format!("decompress: {path} {encoding} of {bytes} bytes"), request));
            }
        }
        let fields = format!("content-encoding={encoding}");
        for wish in ["status/204", "status/304", "bytes/0"] {
            let request = to("GET", "/").header("x-backend-do", wish).header("x-backend-set", &fields);
            cases.push(case(format!("decompress: {wish} in {encoding}"), request));
        }
        let head = to("HEAD", "/").header("x-backend-do", "bytes/100").header("x-backend-set", &fields);
        cases.push(case(format!("decompress: HEAD in {encoding}"), head));
    }
    cases
}

/// What the response says decides.
fn said() -> Vec<Case> {
    let sets = [
        "content-encoding=GZIP",
        "content-encoding= gzip ",
        "content-encoding=x-gzip",
        "content-encoding=identity",
        "content-encoding=deflate",
        "content-encoding=br, gzip",
        "content-encoding=,gzip",
        "content-encoding=deflate,gzip",
        "x-other=1",
        "content-encoding=gzip; cache-control=no-transform",
        "content-encoding=gzip; cache-control=max-age=1, No-Transform",
        "content-encoding=gzip; cache-control=no-transformation",
        "content-encoding=gzip; etag=\"strong\"",
        "content-encoding=gzip; vary=accept-encoding",
        "content-encoding=gzip; content-type=image/png",
        "content-encoding=gzip; content-range=bytes 0-1/2",
    ];
    let mut cases: Vec<Case> = Vec::new();
    for set in sets {
        let request = echoed(to("POST", "/"), set, compressed("gzip", &text(500)));
        cases.push(case(format!("decompress: the backend sets {set}"), request));
    }
    let both = compressed("br", &compressed("gzip", &text(500)));
    let request = echoed(to("POST", "/"), "content-encoding=gzip, br", both);
    cases.push(case("decompress: the backend sets two encodings", request));
    cases
}

/// Bodies that are not what their head says.
fn broken() -> Vec<Case> {
    let mut cases = Vec::new();
    for encoding in ENCODINGS {
        let whole = compressed(encoding, &text(5000));
        let mut flipped = whole.clone();
        let middle = whole.len() / 2;
        flipped[middle] ^= 0x55;
        let two = [whole.clone(), whole.clone()].concat();
        let padded = [whole.clone(), vec![0; 4]].concat();
        let bomb = compressed(encoding, &vec![b'x'; 5_000_000]);
        for (name, body) in [
            ("cut off", whole[..middle].to_vec()),
            ("without its end", whole[..whole.len() - 1].to_vec()),
            ("flipped", flipped),
            ("twice", two),
            ("padded", padded),
            ("no such thing", b"These are not the bytes that you are looking for.".to_vec()),
            ("a bomb", bomb),
        ] {
            let fields = format!("content-encoding={encoding}");
            let answer = echoed(to("POST", "/"), &fields, body.clone());
            cases.push(case(format!("decompress: broken answer, {name}, {encoding}"), answer));
            let request = to("POST", "/").header("content-encoding", encoding).body(body);
            cases.push(case(format!("decompress: broken request, {name}, {encoding}"), request));
        }
    }
    cases
}

fn requests() -> Vec<Case> {
    let mut cases = Vec::new();
    for encoding in ENCODINGS {
        for path in ["/", "/off", "/h2", "/retried", "/trailers"] {
            for bytes in [0, 1, 5000, 200_000] {
                let body = compressed(encoding, &text(bytes));
                let request = to("POST", path).header("content-encoding", encoding).body(body);
                cases.push(case(format!("decompress: request, {path} {encoding} of {bytes} bytes"), request));
            }
        }
        let mut chunked = to("POST", "/h2").header("content-encoding", encoding);
        let pieces = compressed(encoding, &text(9000)).chunks(1000).map(<[u8]>::to_vec).collect();
        let trailers = vec![("x-sum".to_owned(), "1".to_owned())];
        chunked.body = harness::message::Framing::Chunked(pieces, trailers);
        cases.push(case(format!("decompress: request, {encoding} in chunks"), chunked));
        let forbidden = to("POST", "/").header("content-encoding", encoding);
        let forbidden = forbidden.header("cache-control", "no-transform").body(compressed(encoding, b"text"));
        cases.push(case(format!("decompress: request, {encoding} not to be transformed"), forbidden));
        let bodiless = to("GET", "/").header("content-encoding", encoding);
        cases.push(case(format!("decompress: request, {encoding} without a body"), bodiless));
    }
    cases
}

/// Another chain: one direction is off, `no-transform` is ignored, the ratio is narrow.
fn special() -> Vec<Case> {
    let to = || Request::new("POST", "unspecial.example", "/");
    let mut cases = Vec::new();
    for encoding in ["gzip", "br"] {
        for control in ["max-age=1", "no-transform"] {
            let body = compressed(encoding, &text(3000));
            let fields = format!("content-encoding={encoding}; cache-control={control}");
            let answer = echoed(to(), &fields, body.clone());
            cases.push(case(format!("decompress: special answer, {encoding}, {control}"), answer));
            let request = to().header("content-encoding", encoding).header("cache-control", control);
            cases.push(case(
                format!("decompress: special request, {encoding}, {control}"),
                request.body(body),
            ));
        }
    }
    // Ten times 60 bytes and a chunk, and what is beyond.
    for bytes in [8000, 200_000] {
        let body = compressed("gzip", &vec![b'y'; bytes]);
        let answer = echoed(to(), "content-encoding=gzip", body);
        cases.push(case(format!("decompress: special ratio of {bytes} bytes"), answer));
    }
    cases
}

/// Where trailers are seen.
fn http2() -> Vec<Case> {
    let mut cases = Vec::new();
    for encoding in ENCODINGS {
        for path in ["/", "/h2", "/off"] {
            let request = http::Request::post(format!("http://decompress.example{path}"))
                .version(http::Version::HTTP_2);
            let request = request.header("x-backend-do", "echo");
            let request = request.header("x-backend-set", format!("content-encoding={encoding}"));
            let request = request
                .body(Bytes::from(compressed(encoding, &text(700))))
                .expect("the table holds valid requests");
            let name = format!("decompress: h2 {path} {encoding}");
            cases.push(Case::new(name, Listener::Filters, Action::Http2(request)));
        }
    }
    cases
}
