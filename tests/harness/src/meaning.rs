//! What a client's bytes mean, and what of it a backend must see: RFC 9110 §7.6 and RFC 9112 by the letter.

use crate::strict::{self, Parsed, Request};

/// Empty lines in front of a request that are skipped (RFC 9112 §2.2 asks for one at least).
const EMPTY_LINES_MAX: usize = 4;

/// Fields that proxies in between write themselves, or that only frame.
const OWN: &[&str] = &["host", "content-length", "transfer-encoding", "x-forwarded-proto", "connection"];

/// Fields for one hop.
const ONE_HOP: &[&str] =
    &["connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade", "http2-settings"];

/// Fields that never trail (RFC 9110 §6.5.1).
const NO_TRAILERS: &[&str] = &[
    "content-length",
    "transfer-encoding",
    "connection",
    "host",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "authorization",
    "cookie",
    "set-cookie",
    "content-encoding",
    "content-type",
    "content-range",
];

/// The requests that the bytes are, up to the first thing that no reader may accept or to the connection's end.
#[must_use]
pub fn of(bytes: &[u8]) -> Vec<Request> {
    let (mut rest, mut all) = (bytes, Vec::new());
    loop {
        for _ in 0..EMPTY_LINES_MAX {
            rest = rest.strip_prefix(b"\r\n").unwrap_or(rest);
        }
        let Parsed::Whole(request, taken) = strict::request(rest) else { return all };
        rest = &rest[taken..];
        let last = is_last(&request);
        all.push(request);
        if last {
            return all;
        }
    }
}

/// What a backend must see of a client's request.
#[must_use]
pub fn forwarded(request: &Request) -> Request {
    let named: Vec<String> = options(request).collect();
    let mut seen = request.clone();
    let host = seen.host();
    let mut host = host.as_str();
    if let Some((_, rest)) = request.target.split_once("://").filter(|(scheme, _)| !scheme.starts_with('/')) {
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        host = &rest[..end];
        let path = &rest[end..];
        seen.target = match path.as_bytes().first() {
            Some(b'/') => path.to_owned(),
            // RFC 9112 §3.2.4: the server as a whole.
            None if request.method == "OPTIONS" => "*".to_owned(),
            _ => format!("/{path}"),
        };
    }
    if request.method == "CONNECT" {
        host = &request.target;
    }
    let trailers = request.values("te").any(takes_trailers);
    seen.fields = request.fields.clone();
    seen.fields.retain(|(name, value)| {
        let expected = name == "expect" && value.eq_ignore_ascii_case(b"100-continue");
        !(OWN.contains(&name.as_str())
            || ONE_HOP.contains(&name.as_str())
            || named.contains(name)
            || expected)
    });
    if trailers {
        seen.fields.push(("te".to_owned(), b"trailers".to_vec()));
    }
    seen.fields.push(("host".to_owned(), host.as_bytes().to_vec()));
    let may_trail = |name: &str| !NO_TRAILERS.contains(&name) && !ONE_HOP.contains(&name);
    seen.trailers.retain(|(name, _)| may_trail(name));
    seen.minor = 1;
    sorted(seen)
}

/// A request at a backend without what the proxy wrote itself.
#[must_use]
pub fn received(request: &Request) -> Request {
    let host = request.host();
    let mut seen = request.clone();
    seen.fields.retain(|(name, _)| !OWN.contains(&name.as_str()));
    seen.fields.push(("host".to_owned(), host.into_bytes()));
    sorted(seen)
}

/// Fields of one name keep their order; those of several names may change places (RFC 9110 §5.3).
fn sorted(mut request: Request) -> Request {
    request.fields.sort_by(|one, two| one.0.cmp(&two.0));
    request.trailers.sort_by(|one, two| one.0.cmp(&two.0));
    request
}

fn is_last(request: &Request) -> bool {
    let has = |option: &str| options(request).any(|have| have == option);
    has("close") || (request.minor == 0 && !has("keep-alive"))
}

fn options(request: &Request) -> impl Iterator<Item = String> {
    let lists = request.values("connection").map(|list| String::from_utf8_lossy(list).to_ascii_lowercase());
    let options: Vec<String> =
        lists.flat_map(|list| list.split(',').map(|one| one.trim().to_owned()).collect::<Vec<_>>()).collect();
    options.into_iter()
}

fn takes_trailers(value: &[u8]) -> bool {
    let text = String::from_utf8_lossy(value).to_ascii_lowercase();
    text.split(',').any(|coding| coding.split(';').next().unwrap_or("").trim() == "trailers")
}
