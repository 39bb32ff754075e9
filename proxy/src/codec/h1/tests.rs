//! The grammar against arbitrary bytes: it never panics, and how bytes are cut never changes the answer.

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;

use super::body::Reader;
use super::chunk::Step;
use super::fault::Fault;
use super::framing::Framing;
use super::request::{self, Rules};
use super::response;
use super::scan::HeadScan;
use super::{authority, write};
use crate::body::{RequestHead, Scheme, Text, Version};
use crate::fields::Fields;

fn rules() -> Rules<'static> {
    Rules { bytes_max: 300, fields_max: 6, scheme: Scheme::Http, accept_http_10: true, default_host: None }
}

/// Feeds `bytes` cut at `cuts` and gives what was understood, as text, and what was left.
fn feed<T>(
    bytes: &[u8],
    cuts: &[usize],
    mut parse: impl FnMut(&mut BytesMut) -> Result<Option<T>, Fault>,
) -> Result<Option<(T, Vec<u8>)>, Fault> {
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
    cuts.push(bytes.len());
    cuts.sort_unstable();
    let mut input = BytesMut::new();
    let mut fed = 0;
    for cut in cuts {
        input.extend_from_slice(&bytes[fed..cut]);
        fed = cut;
        if let Some(parsed) = parse(&mut input)? {
            input.extend_from_slice(&bytes[fed..]);
            return Ok(Some((parsed, input.to_vec())));
        }
    }
    Ok(None)
}

fn understood(bytes: &[u8], cuts: &[usize]) -> String {
    let (mut scan, mut empty) = (HeadScan::default(), 0);
    format!("{:?}", feed(bytes, cuts, |input| request::parse(input, &mut scan, &mut empty, &rules())))
}

fn understood_response(bytes: &[u8], cuts: &[usize]) -> String {
    let mut scan = HeadScan::default();
    format!("{:?}", feed(bytes, cuts, |input| response::parse(input, &mut scan, 300, 6)))
}

/// A chunked body's data and trailers, and what follows it if it ended.
type Dechunked = (Vec<u8>, String, Option<Vec<u8>>);

fn dechunked(bytes: &[u8], cuts: &[usize]) -> Result<Dechunked, Fault> {
    let mut reader = Reader::new(Framing::Chunked);
    let (mut data, mut trailers) = (Vec::new(), String::new());
    let rest = feed(bytes, cuts, |input| {
        loop {
            match reader.step(input)? {
                Step::Data(bytes) => data.extend_from_slice(&bytes),
                Step::Trailers(map) => {
                    trailers = format!("{map:?}");
                    return Ok(Some(()));
                }
                Step::End => return Ok(Some(())),
                Step::More => return Ok(None),
            }
        }
    })?;
    Ok((data, trailers, rest.map(|((), rest)| rest)))
}

/// Text that is often nearly valid, so that the deep branches are reached.
fn nearly(pieces: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        8 => proptest::sample::select(pieces).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..6),
    ];
    proptest::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

const REQUEST_PIECES: &[&str] = &[
    "GET / HTTP/1.1\r\n",
    "POST /a?b HTTP/1.1\r\n",
    "CONNECT a:1 HTTP/1.1\r\n",
    "GET http://b/ HTTP/1.0\r\n",
    "Host: a\r\n",
    "Host: b:80\r\n",
    "Content-Length: 3\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Connection: upgrade, x\r\n",
    "Upgrade: websocket\r\n",
    "TE: trailers\r\n",
    "X: y\r\n",
    "\r\n",
    "\n",
    "\r",
    " ",
    ":",
];

const RESPONSE_PIECES: &[&str] = &[
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.0 404\r\n",
    "HTTP/1.1 099 x\r\n",
    "Content-Length: 3\r\n",
    "Transfer-Encoding: chunked\r\n",
    "Connection: close\r\n",
    "X: y\r\n",
    " z\r\n",
    "\r\n",
    "\n",
    "\r",
];

const CHUNK_PIECES: &[&str] = &[
    "5\r\nhello\r\n",
    "3;x=y\r\nabc\r\n",
    "0\r\n",
    "X: y\r\n",
    "\r\n",
    "\n",
    "5",
    "ffffffffffffffff",
    ";",
    " ",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_request_head_is_understood_alike_however_it_is_cut(
        bytes in nearly(REQUEST_PIECES), cuts in proptest::collection::vec(any::<usize>(), 0..8)
    ) {
        prop_assert_eq!(understood(&bytes, &cuts), understood(&bytes, &[]));
    }

    #[test]
    fn a_response_head_is_understood_alike_however_it_is_cut(
        bytes in nearly(RESPONSE_PIECES), cuts in proptest::collection::vec(any::<usize>(), 0..8)
    ) {
        prop_assert_eq!(understood_response(&bytes, &cuts), understood_response(&bytes, &[]));
    }

    #[test]
    fn a_chunked_body_is_understood_alike_however_it_is_cut(
        bytes in nearly(CHUNK_PIECES), cuts in proptest::collection::vec(any::<usize>(), 0..8)
    ) {
        prop_assert_eq!(dechunked(&bytes, &cuts), dechunked(&bytes, &[]));
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _any = (understood(&bytes, &[]), understood_response(&bytes, &[]), dechunked(&bytes, &[]));
    }

    #[test]
    fn what_is_written_in_chunks_is_read_back(
        pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..400), 0..8),
        cuts in proptest::collection::vec(any::<usize>(), 0..8)
    ) {
        let mut wire = Vec::new();
        for piece in &pieces {
            write::chunk_start(&mut wire, piece.len());
            wire.extend_from_slice(piece);
            wire.extend_from_slice(b"\r\n");
        }
        write::chunked_end(&mut wire, None);
        wire.extend_from_slice(b"next");
        let read = dechunked(&wire, &cuts).expect("our own chunks are valid");
        prop_assert_eq!(read, (pieces.concat(), String::new(), Some(b"next".to_vec())));
    }

    #[test]
    fn a_head_that_is_read_can_be_written_and_is_read_alike(bytes in nearly(REQUEST_PIECES)) {
        let (mut scan, mut empty) = (HeadScan::default(), 0);
        let parsed = feed(&bytes, &[], |input| request::parse(input, &mut scan, &mut empty, &rules()));
        if let Ok(Some((parsed, _))) = parsed && !parsed.head.authority.is_empty() {
            let mut wire = Vec::new();
            write::request(&mut wire, &parsed.head, write::Framing::Silent).expect("what was read is valid");
            let (mut scan, mut empty) = (HeadScan::default(), 0);
            let again = request::parse(&mut BytesMut::from(&wire[..]), &mut scan, &mut empty, &rules())
                .expect("what was written is valid").expect("and complete");
            prop_assert_eq!(&again.head.path, &parsed.head.path);
            prop_assert_eq!(&again.head.authority, &parsed.head.authority);
            prop_assert_eq!(&again.head.method, &parsed.head.method);
            prop_assert_eq!(&again.head.upgrade, &parsed.head.upgrade);
        }
    }
}

#[test]
fn a_chunk_size_is_written_in_hexadecimal() {
    for (length, expected) in [(1, "1\r\n"), (15, "f\r\n"), (16, "10\r\n"), (65_536, "10000\r\n")] {
        let mut out = Vec::new();
        write::chunk_start(&mut out, length);
        assert_eq!(out, expected.as_bytes());
    }
}

#[test]
fn a_target_that_would_split_the_request_is_not_written() {
    let head = |path: &str, authority: &str| RequestHead {
        method: http::Method::GET,
        scheme: Scheme::Http,
        authority: Text::from(authority),
        path: Text::from(path),
        version: Version::Http2,
        headers: Fields::new(),
        upgrade: None,
    };
    for bad in [head("/ HTTP/1.1\r\nX: y", "a"), head("/a b", "a"), head("/", "a\r\nX: y"), head("", "a")] {
        let mut out = Vec::new();
        assert!(write::request(&mut out, &bad, write::Framing::Silent).is_err(), "{bad:?}");
        assert!(out.is_empty(), "nothing of it is written");
    }
}

#[test]
fn hosts_are_hosts() {
    use authority::Port::{Optional, Required};
    for good in ["a", "a.b-c_d~e", "10.0.0.1", "[::1]", "[fe80::1%25eth0]:8080", "a:", "a:0", "a:65535"] {
        assert!(authority::is_valid(good.as_bytes(), Optional), "{good}");
    }
    let bad =
        ["", ":", ":80", "a:b", "a:65536", "a:1:2", "[]", "[::1", "[::1]a", "a b", "a/b", "a@b", "a?b", "é"];
    for bad in bad {
        assert!(!authority::is_valid(bad.as_bytes(), Optional), "{bad}");
    }
    for bad in ["a", "a:", "[::1]"] {
        assert!(!authority::is_valid(bad.as_bytes(), Required), "{bad}");
    }
}

#[test]
fn a_head_found_byte_by_byte_is_looked_at_once() {
    let head = Bytes::from("GET / HTTP/1.1\r\nX: y\r\n\r\n");
    let mut scan = HeadScan::default();
    for length in 0..head.len() {
        assert_eq!(scan.find(&head[..length], 100), Ok(None), "{length} bytes are not all");
    }
    assert_eq!(scan.find(&head, 100), Ok(Some(head.len())));
}

#[test]
fn an_empty_line_in_two_segments_before_a_request_is_skipped() {
    let bytes = b"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_eq!(understood(bytes, &[1]), understood(bytes, &[]), "half of it must not count as scanned");
    assert!(understood(bytes, &[1]).starts_with("Ok(Some("), "{}", understood(bytes, &[1]));
}
