//! Reads a request head (RFC 9112 §3) into the form that every codec gives.

use std::mem::MaybeUninit;

use bytes::{Buf, Bytes, BytesMut};
use http::Method;

use super::authority::{self, Port};
use super::fault::Fault;
use super::fields::{self, Facts, Kind};
use super::framing::{self, Framing};
use super::scan::HeadScan;
use crate::body::{RequestHead, Scheme, Text, Version};
use crate::fields::is_token;
use crate::limits::{LEADING_EMPTY_LINES_MAX, METHOD_BYTES_MAX};

/// Field slots on the stack; a head allowed more takes them from the heap.
const SLOTS: usize = 128;

/// What a request head may be.
#[derive(Debug, Clone)]
pub struct Rules<'a> {
    /// Largest head, bytes.
    pub bytes_max: usize,
    /// Most fields.
    pub fields_max: usize,
    /// The connection's scheme, unless the target says one.
    pub scheme: Scheme,
    /// Whether HTTP/1.0 is served.
    pub accept_http_10: bool,
    /// The authority of HTTP/1.0 requests without `Host`.
    pub default_host: Option<&'a Text>,
}

/// A request head with what it said about the connection.
#[derive(Debug)]
pub struct Parsed {
    /// The head.
    pub head: Box<RequestHead>,
    /// How long the body is; for a tunnel, empty.
    pub framing: Framing,
    /// Whether the client wants the connection kept.
    pub keep_alive: bool,
    /// Whether the client waits for `100 Continue`.
    pub expects_continue: bool,
}

/// Takes a request head from the start of `input`; `None` if it is not complete yet. `scan` remembers what
/// was looked through and starts anew with each head.
pub fn parse(
    input: &mut BytesMut,
    scan: &mut HeadScan,
    empty_lines: &mut usize,
    rules: &Rules<'_>,
) -> Result<Option<Parsed>, Fault> {
    skip_empty_lines(input, empty_lines)?;
    if input.as_ref() == b"\r" {
        // Half an empty line: it may still be taken off the front, so nothing may have been scanned yet.
        return Ok(None);
    }
    check_method(input)?;
    let Some(length) = scan.find(input, rules.bytes_max)? else { return Ok(None) };
    *scan = HeadScan::default();
    *empty_lines = 0;
    let head = input.split_to(length).freeze();
    if rules.fields_max <= SLOTS {
        let mut slots = [const { MaybeUninit::uninit() }; SLOTS];
        take_apart(&head, &mut slots[..rules.fields_max], rules).map(Some)
    } else {
        let mut slots = vec![MaybeUninit::uninit(); rules.fields_max];
        take_apart(&head, &mut slots, rules).map(Some)
    }
}

/// RFC 9112 §2.2: old clients send an extra CRLF after a body.
fn skip_empty_lines(input: &mut BytesMut, empty_lines: &mut usize) -> Result<(), Fault> {
    while input.starts_with(b"\r\n") {
        *empty_lines += 1;
        if *empty_lines > LEADING_EMPTY_LINES_MAX {
            return Err(Fault::Malformed("too many empty lines before the request line"));
        }
        input.advance(2);
    }
    Ok(())
}

/// Refuses what cannot become a method (TLS, binary protocols) at once instead of waiting for its end.
fn check_method(input: &[u8]) -> Result<(), Fault> {
    for byte in input.iter().take(METHOD_BYTES_MAX + 1) {
        match byte {
            b' ' => return Ok(()),
            byte if is_token(*byte) => {}
            _ => return Err(Fault::Malformed("method is not a token")),
        }
    }
    if input.len() > METHOD_BYTES_MAX { Err(Fault::Malformed("method is too long")) } else { Ok(()) }
}

fn take_apart<'h>(
    head: &'h Bytes,
    slots: &mut [MaybeUninit<httparse::Header<'h>>],
    rules: &Rules<'_>,
) -> Result<Parsed, Fault> {
    let mut raw = httparse::Request::new(&mut []);
    match raw.parse_with_uninit_headers(head, slots) {
        Ok(httparse::Status::Complete(length)) if length == head.len() => {}
        Ok(_) => return Err(Fault::Malformed("head does not end where its empty line is")),
        Err(httparse::Error::Version) if names_other_version(head) => {
            return Err(Fault::Version("version is neither HTTP/1.1 nor HTTP/1.0"));
        }
        Err(error) => return Err(fault(error)),
    }
    let (Some(method), Some(target), Some(minor)) = (raw.method, raw.path, raw.version) else {
        return Err(Fault::Malformed("request line is not complete"));
    };
    let version = if minor == 0 { Version::Http10 } else { Version::Http11 };
    if version == Version::Http10 && !rules.accept_http_10 {
        return Err(Fault::Version("http/1.0 is not accepted (accept_http_10)"));
    }
    let method = Method::from_bytes(method.as_bytes())
        .map_err(|_invalid| Fault::Malformed("method is not a token"))?;
    let (headers, mut facts) = fields::sort(head, raw.headers, Kind::Request)?;
    let target = Target::parse(head, target, &method)?;
    let authority = choose_authority(&target, &mut facts, version, rules)?;
    let framing = framing::of_request(&facts, version, &method)?;
    let upgrade = choose_upgrade(&facts, version, framing, &method);
    let head = Box::new(RequestHead {
        method,
        scheme: target.scheme.unwrap_or(rules.scheme),
        authority,
        path: target.path,
        version,
        headers,
        upgrade,
    });
    let keep_alive = !facts.close && (version == Version::Http11 || facts.keep_alive);
    let expects_continue = facts.expects_continue && version == Version::Http11 && framing != Framing::EMPTY;
    Ok(Parsed { head, framing, keep_alive, expects_continue })
}

/// Whether the request line is right but for its version, like `HTTP/2.0`.
fn names_other_version(head: &[u8]) -> bool {
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or(head);
    let mut parts = line.split(|byte| *byte == b' ').skip(2);
    let digits = |version: &[u8]| match version {
        [b'H', b'T', b'T', b'P', b'/', major, b'.', minor] => {
            major.is_ascii_digit() && minor.is_ascii_digit()
        }
        _ => false,
    };
    parts.next().is_some_and(digits) && parts.next().is_none()
}

/// The four forms of a request target (RFC 9112 §3.2).
struct Target {
    scheme: Option<Scheme>,
    authority: Option<Text>,
    path: Text,
}

impl Target {
    fn parse(head: &Bytes, target: &str, method: &Method) -> Result<Self, Fault> {
        let text =
            |part: &str| Text::from_utf8(head.slice_ref(part.as_bytes())).expect("a part of a str is UTF-8");
        if target.bytes().any(|byte| byte == b'#' || !byte.is_ascii()) {
            return Err(Fault::Malformed("request target has a fragment or a character that is not ascii"));
        }
        if *method == Method::CONNECT {
            if !authority::is_valid_in_target(target.as_bytes(), Port::Required) {
                return Err(Fault::Malformed("connect target is not host:port"));
            }
            return Ok(Self { scheme: None, authority: Some(text(target)), path: Text::default() });
        }
        if target.starts_with('/') {
            return Ok(Self { scheme: None, authority: None, path: text(target) });
        }
        if target == "*" && *method == Method::OPTIONS {
            return Ok(Self { scheme: None, authority: None, path: Text::from_static("*") });
        }
        let (scheme, rest) = split_scheme(target)
            .ok_or(Fault::Malformed("request target is neither a path nor an http or https url"))?;
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if !authority::is_valid_in_target(authority.as_bytes(), Port::Optional) {
            return Err(Fault::Malformed("authority of the request target is not a host"));
        }
        let path = match path.as_bytes().first() {
            Some(b'/') => text(path),
            Some(_) => Text::from(format!("/{path}")),
            // RFC 9112 §3.2.4: OPTIONS for the server as a whole, sent through a proxy.
            None if *method == Method::OPTIONS => Text::from_static("*"),
            None => Text::from_static("/"),
        };
        Ok(Self { scheme: Some(scheme), authority: Some(text(authority)), path })
    }
}

fn split_scheme(target: &str) -> Option<(Scheme, &str)> {
    let (scheme, rest) = target.split_once("://")?;
    if scheme.eq_ignore_ascii_case("http") {
        Some((Scheme::Http, rest))
    } else if scheme.eq_ignore_ascii_case("https") {
        Some((Scheme::Https, rest))
    } else {
        None
    }
}

/// `Host` must be there once in HTTP/1.1 and valid (RFC 9112 §3.2); a target with an authority overrides it
/// (§3.2.2).
fn choose_authority(
    target: &Target,
    facts: &mut Facts,
    version: Version,
    rules: &Rules<'_>,
) -> Result<Text, Fault> {
    let host = match facts.host.take() {
        // An empty host is right only where the target has no authority; ours always has one to route by.
        Some(host) if version == Version::Http10 && host.is_empty() => None,
        Some(host) if authority::is_valid(&host, Port::Optional) => Text::from_utf8(host),
        Some(_) => return Err(Fault::Malformed("host is not a host with an optional port")),
        None if version == Version::Http11 => return Err(Fault::Malformed("host is missing")),
        None => None,
    };
    let authority = target.authority.clone().or(host).or_else(|| rules.default_host.cloned());
    Ok(authority.unwrap_or_default())
}

/// The first protocol asked for that is not `h2c`, which is not served by upgrade (RFC 9113 §3.1). An upgrade is
/// not taken up with a body, which would have to be read first, nor in HTTP/1.0 (RFC 9110 §7.8).
fn choose_upgrade(facts: &Facts, version: Version, framing: Framing, method: &Method) -> Option<Text> {
    let offered = facts.upgrade.as_ref().filter(|_| facts.upgrade_nominated)?;
    if version == Version::Http10 || framing != Framing::EMPTY || *method == Method::CONNECT {
        return None;
    }
    let protocol = fields::tokens(offered).find(|protocol| !protocol.eq_ignore_ascii_case(b"h2c"))?;
    let valid = protocol.iter().all(|byte| is_token(*byte) || *byte == b'/');
    let text = std::str::from_utf8(protocol).ok().filter(|_| valid)?;
    Some(Text::from(text.to_ascii_lowercase()))
}

/// What httparse found, in our words.
#[must_use]
pub fn fault(error: httparse::Error) -> Fault {
    use httparse::Error as E;
    match error {
        E::TooManyHeaders => Fault::TooLarge("more fields than accepted"),
        E::HeaderName => Fault::Malformed("field name is not a token followed by a colon"),
        E::HeaderValue => Fault::Malformed("field value has a control character or is folded"),
        E::NewLine => Fault::Malformed("line does not end in CRLF"),
        E::Status => Fault::Malformed("status is not three digits and a reason"),
        E::Token => Fault::Malformed("start line has a character that is not allowed"),
        E::Version => Fault::Malformed("version is not HTTP/1.1 or HTTP/1.0"),
    }
}
