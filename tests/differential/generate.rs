//! Requests as clients may send them: every form that RFC 9112 allows and few clients use, and then some damage.

use fastrand::Rng;
use harness::meaning;
use harness::strict::Request;

use crate::line::line;
use crate::mutate;

/// What goes over one connection.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// Its number: with the seed it makes the same bytes again.
    pub number: u64,
    /// What the client writes.
    pub bytes: Vec<u8>,
    /// What a reader by the letter understands, up to the first thing that no reader may accept.
    pub meaning: Vec<Request>,
    /// Whether a request was damaged.
    pub damaged: bool,
    /// How many requests were written.
    pub written: u64,
}

/// The exchange of this number.
pub fn exchange(seed: u64, number: u64) -> Exchange {
    let mut rng = Rng::with_seed(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let count = rng.u64(1..=3);
    let damaged = rng.u64(0..count * 2);
    let mut bytes = Vec::new();
    for index in 0..count {
        let mut request = request(&mut rng, &format!("{number:08x}{index:02x}"));
        if damaged == index {
            for _ in 0..rng.usize(1..=2) {
                mutate::mutate(&mut rng, &mut request);
            }
        }
        bytes.extend(request);
    }
    let damaged = damaged < count;
    let last = format!("GET /last-{number:08x} HTTP/1.1\r\nhost: a.test\r\nconnection: close\r\n\r\n");
    bytes.extend_from_slice(last.as_bytes());
    Exchange { number, meaning: meaning::of(&bytes), bytes, damaged, written: count + 1 }
}

/// A valid request.
fn request(rng: &mut Rng, id: &str) -> Vec<u8> {
    const METHODS: &[&str] =
        &["GET", "GET", "POST", "POST", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"];
    let method = rng.choice(METHODS).expect("there are methods");
    let host = *rng
        .choice(&["a.test", "A.Test", "a.test:80", "127.0.0.1", "[::1]:8080", "a-b.test."])
        .expect("hosts");
    let mut out = Vec::new();
    if rng.u8(..20) == 0 {
        out.extend_from_slice(b"\r\n");
    }
    let version = if rng.u8(..30) == 0 { "1.0" } else { "1.1" };
    out.extend_from_slice(format!("{method} {} HTTP/{version}\r\n", target(rng, id)).as_bytes());
    let mut lines = vec![line(rng, "host", host.as_bytes()), line(rng, "x-id", id.as_bytes())];
    for _ in 0..rng.usize(0..6) {
        let field = field(rng);
        lines.push(field);
    }
    let body = body(rng, method, version, &mut lines);
    rng.shuffle(&mut lines);
    out.extend(lines.concat());
    out.extend_from_slice(b"\r\n");
    out.extend(body);
    out
}

fn target(rng: &mut Rng, id: &str) -> String {
    const TAILS: &[&str] = &[
        "",
        "?a=b&c",
        "/x/../y",
        "//x",
        "/./",
        "?",
        "/%41%2f",
        "/a:b@c",
        "/;p=1",
        "?http://b.test/",
        "/~!$&'()*+,=",
        "/%00",
        "/%0d%0a",
        "/\\x",
        "/a|b",
        "/\"q\"",
        "/<x>",
        "/{y}",
        "?^`",
    ];
    let tail = rng.choice(TAILS).expect("there are tails");
    match rng.u8(..20) {
        0 => format!("http://b.test/{id}{tail}"),
        1 => format!("HTTP://B.Test:8080/{id}{tail}"),
        2 => format!("/{}{id}{tail}", "long/".repeat(rng.usize(0..200))),
        _ => format!("/{id}{tail}"),
    }
}

/// A field that frames nothing.
fn field(rng: &mut Rng) -> Vec<u8> {
    const FIELDS: &[(&str, &[u8])] = &[
        ("accept", b"*/*"),
        ("x-a", b"1"),
        ("x-a", b"2"),
        ("x-empty", b""),
        ("x-obs", b"caf\xe9 \xff\x80"),
        ("x_under", b"score"),
        ("x-quoted", b"\"a, b\", c"),
        ("x-colon", b"a: b: c"),
        ("cookie", b"a=b"),
        ("cookie", b"c=d; e=f"),
        ("!#$%&'*+-.^_`|~", b"token"),
        ("connection", b"keep-alive"),
        ("connection", b"x-hop"),
        ("x-hop", b"gone"),
        ("keep-alive", b"timeout=5"),
        ("te", b"trailers"),
        ("te", b"gzip"),
        ("trailer", b"x-t"),
        ("user-agent", b"fuzz/1.0 (x; y)"),
        ("content-type", b"text/plain; charset=utf-8"),
        ("expect", b"100-continue"),
        ("upgrade", b"h2c"),
        ("range", b"bytes=0-1"),
        ("if-none-match", b"\"x\""),
        ("authorization", b"Basic eDp5"),
    ];
    let (name, value) = *rng.choice(FIELDS).expect("there are fields");
    if rng.u8(..30) == 0 {
        let long = vec![b'v'; rng.usize(0..5000)];
        return line(rng, "x-long", &long);
    }
    line(rng, name, value)
}

/// The body with its framing; adds the field that says so.
fn body(rng: &mut Rng, method: &str, version: &str, lines: &mut Vec<Vec<u8>>) -> Vec<u8> {
    let wanted = match method {
        "GET" | "HEAD" | "DELETE" | "OPTIONS" => rng.u8(..6) == 0,
        _ => rng.u8(..6) != 0,
    };
    let chunked = version == "1.1" && rng.bool();
    let content = content(rng);
    match (wanted, chunked) {
        (false, _) => Vec::new(),
        (true, false) => {
            let zeros = "0".repeat(if rng.u8(..10) == 0 { 3 } else { 0 });
            lines.push(line(rng, "content-length", format!("{zeros}{}", content.len()).as_bytes()));
            content
        }
        (true, true) => {
            let coding = *rng.choice(&["chunked", "chunked", "Chunked", "CHUNKED"]).expect("letters");
            lines.push(line(rng, "transfer-encoding", coding.as_bytes()));
            chunks(rng, &content)
        }
    }
}

/// Bytes that are a body, some of which look like a request or like framing.
fn content(rng: &mut Rng) -> Vec<u8> {
    match rng.u8(..8) {
        0 => Vec::new(),
        1 => b"GET /inside HTTP/1.1\r\nhost: a.test\r\n\r\n".to_vec(),
        2 => b"0\r\n\r\nGET /inside HTTP/1.1\r\nhost: a.test\r\n\r\n".to_vec(),
        3 => vec![b'\n'; rng.usize(0..40)],
        4 => {
            // Large ones go through the proxy by another way than small ones.
            let most = if rng.u8(..5) == 0 { 200_000 } else { 20_000 };
            (0..rng.usize(0..most)).map(|_| rng.u8(..)).collect()
        }
        _ => (0..rng.usize(0..300)).map(|_| rng.u8(..)).collect(),
    }
}

fn chunks(rng: &mut Rng, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = content;
    while !rest.is_empty() {
        let taken = rng.usize(1..=rest.len()).max(rest.len() / 20);
        chunk_line(rng, &mut out, taken);
        out.extend_from_slice(&rest[..taken]);
        out.extend_from_slice(b"\r\n");
        rest = &rest[taken..];
    }
    chunk_line(rng, &mut out, 0);
    if rng.u8(..6) == 0 {
        out.extend(line(rng, "x-t", b"trailing"));
        if rng.bool() {
            let (name, value) = *rng
                .choice(&[
                    ("content-length", "9"),
                    ("host", "evil.test"),
                    ("x-u", "2"),
                    ("te", "x"),
                    ("cookie", "z"),
                ])
                .expect("trailers");
            out.extend(line(rng, name, value.as_bytes()));
        }
    }
    out.extend_from_slice(b"\r\n");
    out
}

fn chunk_line(rng: &mut Rng, out: &mut Vec<u8>, size: usize) {
    let digits = if rng.bool() { format!("{size:x}") } else { format!("{size:X}") };
    let zeros = "0".repeat(if rng.u8(..12) == 0 { rng.usize(0..6) } else { 0 });
    let extension = *match rng.u8(..12) {
        0 => rng.choice(&[";a", ";a=b", " ;a", ";a=\"b c\"", "\t;\ta=b;c", ";"]).expect("extensions"),
        _ => &"",
    };
    out.extend_from_slice(format!("{zeros}{digits}{extension}\r\n").as_bytes());
}
