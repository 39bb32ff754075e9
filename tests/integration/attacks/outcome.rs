//! What came of a case, in one line that a person can read: `200 400 closed: GET /; POST /x [x-a: 1] "abc"`.
//!
//! First the statuses, then what became of the connection, then what the backend received.

use harness::raw_backend::{Seen, What};
use harness::strict::Request;

/// The host of every request that has no reason to name another.
pub const HOST: &str = "a.test";

/// Fields that proxies write themselves, or that only frame.
const OWN: &[&str] = &["x-forwarded-proto", "x-envoy-expected-rq-timeout-ms", "host", "content-length"];

/// What became of the client's connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// A request after the case was answered as it had to be.
    Kept,
    /// The other side closed it.
    Closed,
    /// Neither answered nor closed.
    Silent,
    /// It became a tunnel.
    Tunnel,
    /// An answer was no HTTP.
    Malformed,
}

/// What came of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    pub statuses: Vec<u16>,
    pub end: End,
    pub seen: Vec<Seen>,
}

impl Outcome {
    /// The requests that reached the backend.
    pub fn requests(&self) -> impl Iterator<Item = &Request> {
        self.seen.iter().filter_map(|seen| match &seen.what {
            What::Request(request) => Some(request),
            What::Wrong(..) | What::Tunnel(_) => None,
        })
    }

    /// The line.
    pub fn line(&self) -> String {
        let mut line: Vec<String> = self.statuses.iter().map(u16::to_string).collect();
        line.push(format!("{:?}", self.end).to_lowercase());
        let seen: Vec<String> = self.seen.iter().map(|seen| told(&seen.what)).collect();
        if seen.is_empty() { line.join(" ") } else { format!("{}: {}", line.join(" "), seen.join("; ")) }
    }
}

fn told(what: &What) -> String {
    match what {
        What::Request(request) => told_request(request),
        What::Wrong(why, excerpt) => format!("WRONG ({why}) {excerpt}"),
        What::Tunnel(bytes) => format!("tunnel {}", shortened(bytes)),
    }
}

fn told_request(request: &Request) -> String {
    let mut parts = vec![request.method.clone(), shortened_text(&request.target)];
    if request.host() != HOST {
        parts.push(format!("@{}", request.host()));
    }
    let fields = |fields: &[(String, Vec<u8>)]| {
        let told = fields.iter().filter(|(name, _)| !OWN.contains(&name.as_str()));
        let mut told: Vec<String> = told.map(|(name, value)| field(name, value)).collect();
        told.sort();
        if told.is_empty() { None } else { Some(format!("[{}]", told.join(", "))) }
    };
    parts.extend(fields(&request.fields));
    if !request.body.is_empty() {
        parts.push(shortened(&request.body));
    }
    parts.extend(fields(&request.trailers).map(|trailers| format!("then {trailers}")));
    parts.join(" ")
}

fn field(name: &str, value: &[u8]) -> String {
    match (name, value) {
        ("transfer-encoding", b"chunked") => "chunked".to_owned(),
        _ => shortened_text(&format!("{name}: {}", value.escape_ascii())),
    }
}

/// A body as a person reads it.
pub fn shortened(bytes: &[u8]) -> String {
    const BYTES_MAX: usize = 40;
    let text = bytes[..bytes.len().min(BYTES_MAX)].escape_ascii();
    if bytes.len() <= BYTES_MAX {
        format!("\"{text}\"")
    } else {
        format!("\"{text}…\" ({} bytes)", bytes.len())
    }
}

fn shortened_text(text: &str) -> String {
    const CHARS_MAX: usize = 60;
    match text.char_indices().nth(CHARS_MAX) {
        Some((at, _)) => format!("{}… ({} bytes)", &text[..at], text.len()),
        None => text.to_owned(),
    }
}
