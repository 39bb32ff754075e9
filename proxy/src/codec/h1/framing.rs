//! How long a message's body is (RFC 9112 §6.3): the one place that decides it, for both sides.

use http::{Method, StatusCode};

use super::fault::Fault;
use super::fields::{Coding, Facts};
use crate::body::Version;

/// The length of a body on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// Exactly this many bytes; zero is no body.
    Length(u64),
    /// Chunks, then trailers.
    Chunked,
    /// Until the connection ends: responses only.
    UntilClose,
}

impl Framing {
    /// No body.
    pub const EMPTY: Self = Self::Length(0);
}

/// The framing of a request's body.
pub fn of_request(facts: &Facts, version: Version, method: &Method) -> Result<Framing, Fault> {
    if *method == Method::CONNECT && facts.coding != Coding::Absent {
        return Err(Fault::UnknownCoding);
    }
    let framing = declared(facts, version)?.unwrap_or(Framing::EMPTY);
    // Bytes after a CONNECT head are the tunnel's; a body in between would be read differently by the next hop.
    if *method == Method::CONNECT && framing != Framing::EMPTY {
        return Err(Fault::Malformed("connect has a body"));
    }
    Ok(framing)
}

/// The framing of a final response's body; `method` is the request's. A response that opens a tunnel has none:
/// see [`opens_tunnel`].
pub fn of_response(
    facts: &Facts,
    version: Version,
    status: StatusCode,
    method: &Method,
) -> Result<Framing, Fault> {
    if status == StatusCode::NO_CONTENT && announces_body(facts) {
        // RFC 9110 §8.6, §15.3.5: a reader that believes the fields would wait for a body that never comes.
        return Err(Fault::Malformed("204 announces a body"));
    }
    // Fields that contradict each other are refused even where no body follows: who sent them is not to be trusted
    // with another request.
    let declared = declared(facts, version)?;
    if *method == Method::HEAD || is_bodiless(status) {
        return Ok(Framing::EMPTY);
    }
    Ok(declared.unwrap_or(Framing::UntilClose))
}

/// Whether a response turns the connection into a tunnel: 101, or 2xx to CONNECT (RFC 9110 §9.3.6).
#[must_use]
pub fn opens_tunnel(status: StatusCode, is_connect: bool) -> bool {
    status == StatusCode::SWITCHING_PROTOCOLS || (is_connect && status.is_success())
}

/// Whether a response of this status never has a body (RFC 9112 §6.3, rule 1).
#[must_use]
pub fn is_bodiless(status: StatusCode) -> bool {
    status.is_informational() || status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED
}

/// Whether the fields say that a body follows.
#[must_use]
pub fn announces_body(facts: &Facts) -> bool {
    facts.coding != Coding::Absent || facts.content_length.is_some_and(|length| length > 0)
}

fn declared(facts: &Facts, version: Version) -> Result<Option<Framing>, Fault> {
    match (facts.coding, facts.content_length) {
        // RFC 9112 §6.1: both together is how requests are smuggled; refused instead of preferring one.
        (Coding::Chunked | Coding::Other, Some(_)) => {
            Err(Fault::Malformed("both transfer-encoding and content-length"))
        }
        (Coding::Chunked | Coding::Other, None) if version == Version::Http10 => {
            Err(Fault::Malformed("transfer-encoding in http/1.0"))
        }
        (Coding::Other, None) => Err(Fault::UnknownCoding),
        (Coding::Chunked, None) => Ok(Some(Framing::Chunked)),
        (Coding::Absent, Some(length)) => Ok(Some(Framing::Length(length))),
        (Coding::Absent, None) => Ok(None),
    }
}
