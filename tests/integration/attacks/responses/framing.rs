//! Lengths, codings and chunks of answers that cannot be trusted (RFC 9112 §6.3, §7.1).

use harness::raw_backend::Then::{Close, Keep, Reset};

use super::hostile::{Hostile, Row, rows};

const BAD: &str = "502 kept, dropped";

/// The head was good and is with the client; the rest is cut.
const CUT: &str = "cut closed, dropped";

pub fn cases() -> Vec<Hostile> {
    let mut cases = rows(HEADS);
    cases.extend(CHUNKS.iter().map(|(name, body, expected)| {
        let bytes = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{body}");
        Hostile::new(&format!("chunks, {name}"), bytes, Keep, expected)
    }));
    for (name, then) in [("close", Close), ("reset", Reset)] {
        for (stage, bytes, expected) in STAGES {
            cases.push(Hostile::new(&format!("{name} {stage}"), *bytes, then, expected));
        }
    }
    // Sent once more only if that is harmless.
    cases.push(Hostile::new("close before anything, to POST", "", Close, "503 kept, dropped").to("POST"));
    cases
}

const HEADS: &[Row] = &[
    (
        "length and coding",
        "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        Keep,
        BAD,
    ),
    (
        "coding and length",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        Keep,
        BAD,
    ),
    ("two lengths", "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd", Keep, BAD),
    ("two equal lengths", "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 3\r\n\r\nabc", Keep, BAD),
    ("length list", "HTTP/1.1 200 OK\r\ncontent-length: 3, 3\r\n\r\nabc", Keep, BAD),
    ("length with plus", "HTTP/1.1 200 OK\r\ncontent-length: +3\r\n\r\nabc", Keep, BAD),
    ("length with minus", "HTTP/1.1 200 OK\r\ncontent-length: -3\r\n\r\nabc", Keep, BAD),
    ("length in hex", "HTTP/1.1 200 OK\r\ncontent-length: 0x3\r\n\r\nabc", Keep, BAD),
    ("length empty", "HTTP/1.1 200 OK\r\ncontent-length:\r\n\r\nabc", Keep, BAD),
    ("length of letters", "HTTP/1.1 200 OK\r\ncontent-length: abc\r\n\r\nabc", Keep, BAD),
    ("length 2^64 + 3", "HTTP/1.1 200 OK\r\ncontent-length: 18446744073709551619\r\n\r\nabc", Keep, BAD),
    ("length with a blank before the colon", "HTTP/1.1 200 OK\r\ncontent-length : 3\r\n\r\nabc", Keep, BAD),
    ("coding identity", "HTTP/1.1 200 OK\r\ntransfer-encoding: identity\r\n\r\nabc", Close, BAD),
    ("coding gzip", "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\nabc", Close, BAD),
    (
        "coding gzip, chunked",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        Keep,
        BAD,
    ),
    (
        "coding chunked twice",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        Keep,
        BAD,
    ),
    (
        "coding chunked, chunked",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        Keep,
        BAD,
    ),
    ("coding xchunked", "HTTP/1.1 200 OK\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n", Keep, BAD),
    ("coding empty", "HTTP/1.1 200 OK\r\ntransfer-encoding:\r\n\r\n0\r\n\r\n", Keep, BAD),
    ("coding folded", "HTTP/1.1 200 OK\r\ntransfer-encoding:\r\n chunked\r\n\r\n0\r\n\r\n", Keep, BAD),
    (
        "coding in HTTP/1.0",
        "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        Close,
        BAD,
    ),
    (
        "coding in capitals",
        "HTTP/1.1 200 OK\r\nTRANSFER-ENCODING: CHUNKED\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        Keep,
        "200 \"abc\" kept, reused",
    ),
    (
        "coding named by connection",
        "HTTP/1.1 200 OK\r\nconnection: transfer-encoding\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        Keep,
        "200 \"abc\" kept, reused",
    ),
    (
        "length named by connection",
        "HTTP/1.1 200 OK\r\nconnection: content-length\r\ncontent-length: 3\r\n\r\nabc",
        Keep,
        "200 \"abc\" kept, reused",
    ),
];

const CHUNKS: &[(&str, &str, &str)] = &[
    ("good", "3\r\nabc\r\n0\r\n\r\n", "200 \"abc\" kept, reused"),
    ("extension", "3;a=b\r\nabc\r\n0\r\n\r\n", "200 \"abc\" kept, reused"),
    ("trailers", "3\r\nabc\r\n0\r\nx-t: 1\r\n\r\n", "200 \"abc\" kept, reused"),
    ("trailer content-length", "3\r\nabc\r\n0\r\ncontent-length: 9\r\n\r\n", "200 \"abc\" kept, reused"),
    ("size of letters", "xyz\r\nabc\r\n0\r\n\r\n", CUT),
    ("size with plus", "+3\r\nabc\r\n0\r\n\r\n", CUT),
    ("size with minus", "-3\r\nabc\r\n0\r\n\r\n", CUT),
    ("size with 0x", "0x3\r\nabc\r\n0\r\n\r\n", CUT),
    ("size empty", "\r\nabc\r\n0\r\n\r\n", CUT),
    ("size 2^64 + 3", "10000000000000003\r\nabc\r\n0\r\n\r\n", CUT),
    ("size behind a blank", " 3\r\nabc\r\n0\r\n\r\n", CUT),
    ("size before a blank", "3 \r\nabc\r\n0\r\n\r\n", CUT),
    ("bare LF behind the size", "3\nabc\r\n0\r\n\r\n", CUT),
    ("bare CR behind the size", "3\rabc\r\n0\r\n\r\n", CUT),
    ("bare LF in an extension", "3;\nabc\r\n0\r\n\r\n", CUT),
    ("null in an extension", "3;\0\r\nabc\r\n0\r\n\r\n", CUT),
    ("no end of a chunk", "3\r\nabc0\r\n\r\n", CUT),
    ("two bytes too many", "3\r\nabcde\r\n0\r\n\r\n", CUT),
    ("bare LF behind a chunk", "3\r\nabc\n0\r\n\r\n", CUT),
    ("malformed trailer", "3\r\nabc\r\n0\r\nx t\r\n\r\n", CUT),
    ("bare LF behind the last chunk", "3\r\nabc\r\n0\r\n\n", CUT),
];

/// The backend goes away at every stage.
const STAGES: &[(&str, &str, &str)] = &[
    ("before anything", "", "503 kept, asked more than once"),
    ("in the status line", "HTTP/1.1 20", "502 kept, dropped"),
    ("behind the status line", "HTTP/1.1 200 OK\r\n", "502 kept, dropped"),
    ("in a field", "HTTP/1.1 200 OK\r\ncontent-le", "502 kept, dropped"),
    ("before the empty line", "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n", "502 kept, dropped"),
    ("behind an interim answer", "HTTP/1.1 103 Early Hints\r\n\r\n", "103 503 kept, dropped"),
    ("before a body with a length", "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n", CUT),
    ("in a body with a length", "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nab", CUT),
    ("before the first chunk", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", CUT),
    ("in a chunk size", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3", CUT),
    ("in a chunk", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nab", CUT),
    ("behind a chunk", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n", CUT),
    ("before the last line", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n", CUT),
];
