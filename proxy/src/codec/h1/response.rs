//! Reads a response head (RFC 9112 §4).

use std::mem::MaybeUninit;

use bytes::{Bytes, BytesMut};
use http::StatusCode;

use super::fault::Fault;
use super::fields::{self, Facts, Kind};
use super::request::fault;
use super::scan::HeadScan;
use crate::body::{ResponseHead, Version};

/// Field slots on the stack; a head allowed more takes them from the heap.
const SLOTS: usize = 128;

/// A response head with what it said about the connection.
#[derive(Debug)]
pub struct Parsed {
    /// The head.
    pub head: ResponseHead,
    /// The version of the status line.
    pub version: Version,
    /// Hop-by-hop fields.
    pub facts: Facts,
}

impl Parsed {
    /// Whether the upstream keeps the connection (RFC 9112 §9.3). HTTP/1.0 with `keep-alive` is not trusted: a
    /// proxy in between may have passed that field on without understanding it.
    #[must_use]
    pub fn keeps_alive(&self) -> bool {
        self.version == Version::Http11 && !self.facts.close
    }
}

/// Takes a response head from the start of `input`; `None` if it is not complete yet.
pub fn parse(
    input: &mut BytesMut,
    scan: &mut HeadScan,
    bytes_max: usize,
    fields_max: usize,
) -> Result<Option<Parsed>, Fault> {
    let expected = b"HTTP/1.";
    let begun = input.len().min(expected.len());
    if input[..begun] != expected[..begun] {
        return Err(Fault::Malformed("response does not begin with HTTP/1."));
    }
    let Some(length) = scan.find(input, bytes_max)? else { return Ok(None) };
    *scan = HeadScan::default();
    let head = input.split_to(length).freeze();
    if fields_max <= SLOTS {
        let mut slots = [const { MaybeUninit::uninit() }; SLOTS];
        take_apart(&head, &mut slots[..fields_max]).map(Some)
    } else {
        let mut slots = vec![MaybeUninit::uninit(); fields_max];
        take_apart(&head, &mut slots).map(Some)
    }
}

fn take_apart<'h>(head: &'h Bytes, slots: &mut [MaybeUninit<httparse::Header<'h>>]) -> Result<Parsed, Fault> {
    let mut raw = httparse::Response::new(&mut []);
    let config = httparse::ParserConfig::default();
    match config.parse_response_with_uninit_headers(&mut raw, head, slots) {
        Ok(httparse::Status::Complete(length)) if length == head.len() => {}
        Ok(_) => return Err(Fault::Malformed("head does not end where its empty line is")),
        Err(error) => return Err(fault(error)),
    }
    let (Some(code), Some(minor)) = (raw.code, raw.version) else {
        return Err(Fault::Malformed("status line is not complete"));
    };
    let status = StatusCode::from_u16(code)
        .map_err(|_invalid| Fault::Malformed("status is not between 100 and 999"))?;
    let version = if minor == 0 { Version::Http10 } else { Version::Http11 };
    let (headers, facts) = fields::sort(head, raw.headers, Kind::Response)?;
    Ok(Parsed { head: ResponseHead { status, headers }, version, facts })
}
