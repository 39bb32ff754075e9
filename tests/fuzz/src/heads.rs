//! Heads: the same however they are cut; what is accepted is right by the letter, and is written as it was read.

use http::Method;
use proxy::body::{Scheme, Size, Version};
use proxy::codec::h1::fault::Fault;
use proxy::codec::h1::framing::{self, Framing};
use proxy::codec::h1::request::{self, Parsed, Rules};
use proxy::codec::h1::response;
use proxy::codec::h1::scan::HeadScan;
use proxy::codec::h1::write::{self, Persistence};

use crate::pieces;
use crate::strict::{self, Answered};

/// One byte chooses, the rest is the head.
pub fn check(data: &[u8]) {
    let Some((choice, bytes)) = data.split_first() else { return };
    if choice & 0x80 == 0 { check_request(bytes, *choice) } else { check_response(bytes, *choice) }
}

fn rules(choice: u8) -> Rules<'static> {
    let small = choice & 0x10 != 0;
    Rules {
        bytes_max: if small { 200 } else { 60 * 1024 },
        fields_max: if small { 4 } else { 100 },
        scheme: Scheme::Http,
        accept_http_10: choice & 0x08 != 0,
        default_host: None,
    }
}

fn check_request(bytes: &[u8], choice: u8) {
    let rules = rules(choice);
    let read = |size: usize| {
        let (mut scan, mut empty_lines) = (HeadScan::default(), 0);
        pieces::feed(bytes, size, |input| {
            request::parse(input, &mut scan, &mut empty_lines, &rules).transpose()
        })
    };
    let (whole, rest) = read(bytes.len().max(1));
    let (cut, cut_rest) = read(pieces::size(choice));
    assert_eq!(told(&whole), told(&cut), "the answer depends on how the bytes are cut");
    let Some(Ok(parsed)) = whole else { return };
    assert_eq!(rest, cut_rest, "what is taken depends on how the bytes are cut");
    let mut taken = &bytes[..bytes.len() - rest.len()];
    while let Some(stripped) = taken.strip_prefix(b"\r\n") {
        taken = stripped;
    }
    if let strict::Parsed::Wrong(why) = strict::request(taken) {
        panic!("accepted what no reader may accept ({why}): {}", taken.escape_ascii());
    }
    check_written(&parsed);
}

/// What decides: not the words of a refusal, but whether there is one.
fn told(found: &Option<Result<Parsed, Fault>>) -> String {
    match found {
        Some(Ok(parsed)) => format!("{parsed:?}"),
        Some(Err(_)) => "refused".to_owned(),
        None => "not whole".to_owned(),
    }
}

/// Writes the head for a backend and reads it again by the letter.
fn check_written(parsed: &Parsed) {
    let (head, mut out) = (&parsed.head, Vec::new());
    let size = match parsed.framing {
        Framing::Length(length) => Size::Exact(length),
        Framing::Chunked | Framing::UntilClose => Size::Unknown,
    };
    let framing = write::request_framing(head, size);
    if write::request(&mut out, head, framing).is_err() {
        panic!("cannot be written: {head:?}");
    }
    match framing {
        write::Framing::Length(length) if length > 4096 => return,
        write::Framing::Length(length) => {
            out.extend(std::iter::repeat_n(b'b', usize::try_from(length).unwrap_or(0)))
        }
        write::Framing::Chunked => write::chunked_end(&mut out, None),
        _ => {}
    }
    match strict::request(&out) {
        strict::Parsed::Whole(seen, taken) => {
            assert_eq!(taken, out.len(), "the backend sees more than one request: {}", out.escape_ascii());
            assert_eq!(seen.host().as_bytes(), head.authority.as_bytes(), "another host");
            let target = if head.method == Method::CONNECT { &head.authority } else { &head.path };
            assert_eq!(seen.target.as_bytes(), target.as_bytes(), "another target");
            assert_eq!(seen.method, head.method.as_str(), "another method");
        }
        other => panic!("written as {other:?}: {}", out.escape_ascii()),
    }
}

fn check_response(bytes: &[u8], choice: u8) {
    let (bytes_max, fields_max) = (rules(choice).bytes_max, rules(choice).fields_max);
    let read = |size: usize| {
        let mut scan = HeadScan::default();
        pieces::feed(bytes, size, |input| {
            response::parse(input, &mut scan, bytes_max, fields_max).transpose()
        })
    };
    let (whole, rest) = read(bytes.len().max(1));
    let (cut, cut_rest) = read(pieces::size(choice));
    let told = |found: &Option<Result<response::Parsed, Fault>>| match found {
        Some(Ok(parsed)) => format!("{parsed:?}"),
        Some(Err(_)) => "refused".to_owned(),
        None => "not whole".to_owned(),
    };
    assert_eq!(told(&whole), told(&cut), "the answer depends on how the bytes are cut");
    let Some(Ok(parsed)) = whole else { return };
    assert_eq!(rest, cut_rest, "what is taken depends on how the bytes are cut");
    let status = parsed.head.status;
    let Ok(declared) = framing::of_response(&parsed.facts, parsed.version, status, &Method::GET) else {
        return;
    };
    if status.is_informational() && framing::announces_body(&parsed.facts) {
        // Refused where interim answers are passed on.
        return;
    }
    let taken = &bytes[..bytes.len() - rest.len()];
    if let Answered::Wrong(why) = strict::answer(taken, "GET") {
        panic!("accepted what no reader may accept ({why}): {}", taken.escape_ascii());
    }
    if status.is_informational() {
        return;
    }
    let (framing, body): (_, &[u8]) = match declared {
        Framing::Chunked => (write::Framing::Chunked, b"0\r\n\r\n"),
        _ => (write::Framing::Length(2), b"ok"),
    };
    let mut out = Vec::new();
    let bodiless = framing::is_bodiless(status);
    let framing = if bodiless { write::Framing::Silent } else { framing };
    write::response(&mut out, Version::Http11, &parsed.head, framing, Persistence::Default);
    out.extend_from_slice(if bodiless { b"" } else { body });
    let seen = strict::answer(&out, "GET");
    let code = status.as_u16();
    assert_eq!(
        seen,
        Answered::Whole { status: code, taken: out.len(), keep: true },
        "{}",
        out.escape_ascii()
    );
}
