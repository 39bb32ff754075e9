//! Writes heads, chunks and trailers. Names go out in lower case, as Envoy's do.

use http::header;
use http::{Method, StatusCode};

use super::chunk::may_trail;
use super::fault::Fault;
use super::fields::is_hop_by_hop_extension;
use crate::body::{RequestHead, ResponseHead, Size, Version};
use crate::fields::Fields;

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// No body, and nothing said about one.
    Silent,
    /// No body follows, but the length that the head declares is kept: HEAD and 304 (RFC 9110 §8.6).
    Declared,
    /// `Content-Length`.
    Length(u64),
    /// Chunks.
    Chunked,
    /// Raw bytes until the connection ends.
    UntilClose,
}

/// What a head says about the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Persistence {
    /// Nothing: the version's default is meant.
    Default,
    /// `close`.
    Close,
    /// `keep-alive`: to an HTTP/1.0 client.
    KeepAlive,
}

/// Writes a request head. The target is `path`, or the authority for CONNECT; both may have been changed by
/// rules, so they are checked for characters that would end the line.
pub fn request(out: &mut Vec<u8>, head: &RequestHead, framing: Framing) -> Result<(), Fault> {
    let tunnel_by_upgrade = head.upgrade.as_deref();
    // Extended CONNECT of HTTP/2 (RFC 8441) is a GET with Upgrade here.
    let method = match tunnel_by_upgrade {
        Some(_) if head.method == Method::CONNECT => &Method::GET,
        _ => &head.method,
    };
    let target = if *method == Method::CONNECT { &head.authority } else { &head.path };
    let upgrade = tunnel_by_upgrade.unwrap_or("-").as_bytes();
    for text in [target.as_bytes().as_ref(), head.authority.as_bytes(), upgrade] {
        if text.iter().any(|byte| *byte <= b' ' || *byte == 0x7f) {
            return Err(Fault::Malformed("target, authority or upgrade has a space or control character"));
        }
    }
    if target.is_empty() {
        return Err(Fault::Malformed("request has no target"));
    }
    out.reserve(128 + target.len() + head.authority.len() + head.headers.len() * 48);
    out.extend_from_slice(method.as_str().as_bytes());
    out.push(b' ');
    out.extend_from_slice(target.as_bytes());
    out.extend_from_slice(b" HTTP/1.1\r\nhost: ");
    out.extend_from_slice(head.authority.as_bytes());
    out.extend_from_slice(b"\r\n");
    fields(out, &head.headers, framing);
    match (tunnel_by_upgrade, head.headers.contains_key(header::TE)) {
        (Some(protocol), _) => {
            out.extend_from_slice(b"connection: upgrade\r\nupgrade: ");
            out.extend_from_slice(protocol.as_bytes());
            out.extend_from_slice(b"\r\n");
        }
        // RFC 9110 §10.1.4: whoever sends TE nominates it.
        (None, true) => out.extend_from_slice(b"connection: te\r\n"),
        (None, false) => {}
    }
    out.extend_from_slice(b"\r\n");
    Ok(())
}

/// The framing of a request with a body of this size.
#[must_use]
pub fn request_framing(head: &RequestHead, size: Size) -> Framing {
    if head.is_tunnel() {
        return Framing::Silent;
    }
    match size {
        Size::Unknown => Framing::Chunked,
        Size::Exact(0) if head.headers.contains_key(header::CONTENT_LENGTH) => Framing::Length(0),
        // RFC 9110 §8.6: zero is said unless the method gives a body no meaning.
        Size::Exact(0)
            if matches!(head.method, Method::GET | Method::HEAD | Method::DELETE | Method::TRACE) =>
        {
            Framing::Silent
        }
        Size::Exact(length) => Framing::Length(length),
    }
}

/// Writes the head of a final response.
pub fn response(
    out: &mut Vec<u8>,
    version: Version,
    head: &ResponseHead,
    framing: Framing,
    persistence: Persistence,
) {
    out.reserve(128 + head.headers.len() * 48);
    status_line(out, version, head.status);
    fields(out, &head.headers, framing);
    match persistence {
        Persistence::Default => {}
        Persistence::Close => out.extend_from_slice(b"connection: close\r\n"),
        Persistence::KeepAlive => out.extend_from_slice(b"connection: keep-alive\r\n"),
    }
    out.extend_from_slice(b"\r\n");
}

/// Writes an interim response, or one that opens a tunnel; `upgrade` is the protocol of a 101.
pub fn bare_response(out: &mut Vec<u8>, head: &ResponseHead, upgrade: Option<&str>) {
    status_line(out, Version::Http11, head.status);
    fields(out, &head.headers, Framing::Silent);
    if let Some(protocol) = upgrade {
        out.extend_from_slice(b"connection: upgrade\r\nupgrade: ");
        out.extend_from_slice(protocol.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"\r\n");
}

/// Writes the line that begins a chunk of `length` bytes, which must not be zero.
pub fn chunk_start(out: &mut Vec<u8>, length: usize) {
    let mut line = [0_u8; 18];
    let mut at = 16;
    line[16..].copy_from_slice(b"\r\n");
    let mut rest = length;
    while rest > 0 || at == 16 {
        at -= 1;
        line[at] = b"0123456789abcdef"[rest & 15];
        rest >>= 4;
    }
    out.extend_from_slice(&line[at..]);
}

/// Writes the last chunk and the trailer section.
pub fn chunked_end(out: &mut Vec<u8>, trailers: Option<&Fields>) {
    out.extend_from_slice(b"0\r\n");
    for (name, value) in trailers.into_iter().flatten() {
        if may_trail(name.as_bytes()) {
            field(out, name.as_bytes(), value.as_bytes());
        }
    }
    out.extend_from_slice(b"\r\n");
}

fn status_line(out: &mut Vec<u8>, version: Version, status: StatusCode) {
    if status == StatusCode::OK && version != Version::Http10 {
        out.extend_from_slice(b"HTTP/1.1 200 OK\r\n");
        return;
    }
    out.extend_from_slice(if version == Version::Http10 { b"HTTP/1.0 " } else { b"HTTP/1.1 " });
    out.extend_from_slice(status.as_str().as_bytes());
    out.push(b' ');
    out.extend_from_slice(status.canonical_reason().unwrap_or("Unknown").as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// Writes the end-to-end fields and the one that frames the body. Fields for this hop that a rule put in are left
/// out: they would contradict what is written here.
fn fields(out: &mut Vec<u8>, headers: &Fields, framing: Framing) {
    for (name, value) in headers {
        match name.as_bytes() {
            b"content-length" if framing != Framing::Declared => {}
            b"transfer-encoding" | b"connection" | b"upgrade" | b"host" => {}
            name if is_hop_by_hop_extension(name) => {}
            name => field(out, name, value.as_bytes()),
        }
    }
    match framing {
        Framing::Silent | Framing::Declared | Framing::UntilClose => {}
        Framing::Chunked => out.extend_from_slice(b"transfer-encoding: chunked\r\n"),
        Framing::Length(length) => {
            out.extend_from_slice(b"content-length: ");
            decimal(out, length);
            out.extend_from_slice(b"\r\n");
        }
    }
}

fn field(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.reserve(name.len() + value.len() + 4);
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

fn decimal(out: &mut Vec<u8>, number: u64) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    let mut rest = number;
    while rest > 0 || at == digits.len() {
        at -= 1;
        digits[at] = b'0' + u8::try_from(rest % 10).expect("a remainder of ten fits a byte");
        rest /= 10;
    }
    out.extend_from_slice(&digits[at..]);
}
