//! Bodies where none may be, bytes past an answer's end, and answers before any request.

use harness::raw_backend::Then::{Close, Keep, Reset};

use super::hostile::{Hostile, Row, rows};

pub const EVIL: &str = "HTTP/1.1 200 OK\r\nx-answer: evil\r\ncontent-length: 4\r\n\r\nevil";

pub fn cases() -> Vec<Hostile> {
    let mut cases = rows(ROWS);
    let head = |name: &str, bytes: &str, expected: &str| Hostile::new(name, bytes, Keep, expected).to("HEAD");
    cases.extend([
        head("HEAD", "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n", "200 \"\" kept, reused"),
        head("HEAD with a body", "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc", "200 \"\" kept, dropped"),
        head(
            "HEAD with chunks",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
            "200 \"\" kept, dropped",
        ),
        head("HEAD with another answer", &format!("HTTP/1.1 200 OK\r\n\r\n{EVIL}"), "200 \"\" kept, dropped"),
        head(
            "HEAD with length and coding",
            "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n",
            "502 kept, dropped",
        ),
        head(
            "HEAD with an unknown coding",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\n",
            "502 kept, dropped",
        ),
        head(
            "HEAD with two lengths",
            "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\n",
            "502 kept, dropped",
        ),
    ]);
    cases.extend(large());
    cases.into_iter().map(Hostile::together).collect()
}

/// So large that they pass the proxy inside the kernel.
fn large() -> Vec<Hostile> {
    const BYTES: usize = 300_000;
    let body = "b".repeat(BYTES);
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {BYTES}\r\n\r\n");
    let told = format!("200 \"{}…\" ({BYTES} bytes) kept", "b".repeat(40));
    let cut = "cut closed, dropped";
    vec![
        Hostile::new("large body", format!("{head}{body}"), Keep, &format!("{told}, reused")),
        Hostile::new("large body and close", format!("{head}{body}"), Close, &format!("{told}, dropped")),
        Hostile::new("large body and a byte", format!("{head}{body}b"), Keep, &format!("{told}, dropped")),
        Hostile::new(
            "large body and another answer",
            format!("{head}{body}{EVIL}"),
            Keep,
            &format!("{told}, dropped"),
        ),
        Hostile::new(
            "large body twice",
            format!("{head}{body}{head}{body}"),
            Keep,
            &format!("{told}, dropped"),
        ),
        Hostile::new("large body one byte short", format!("{head}{}", &body[1..]), Close, cut),
        Hostile::new("large body half there", format!("{head}{}", &body[BYTES / 2..]), Reset, cut),
    ]
}

const ROWS: &[Row] = &[
    (
        "304 with length and coding",
        "HTTP/1.1 304 Not Modified\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n",
        Keep,
        "502 kept, dropped",
    ),
    (
        "304 with an empty coding",
        "HTTP/1.1 304 Not Modified\r\ntransfer-encoding:\r\n\r\n",
        Keep,
        "502 kept, dropped",
    ),
    (
        "length of zero and more",
        "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\nabc",
        Keep,
        "200 \"\" kept, dropped",
    ),
    (
        "body past its length",
        "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabcdef",
        Keep,
        "200 \"abc\" kept, dropped",
    ),
    (
        "two answers",
        "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil",
        Keep,
        "200 \"abc\" kept, dropped",
    ),
    (
        "two answers and close",
        "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil",
        Close,
        "200 \"abc\" kept, dropped",
    ),
    (
        "an empty line behind",
        "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc\r\n",
        Keep,
        "200 \"abc\" kept, dropped",
    ),
    (
        "chunks and another answer",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil",
        Keep,
        "200 \"abc\" kept, dropped",
    ),
    ("no length, closed", "HTTP/1.1 200 OK\r\n\r\nabc", Close, "200 \"abc\" kept, dropped"),
    ("204", "HTTP/1.1 204 No Content\r\n\r\n", Keep, "204 \"\" kept, reused"),
    (
        "204 with a length of zero",
        "HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n",
        Keep,
        "204 \"\" kept, reused",
    ),
    (
        "204 with a length",
        "HTTP/1.1 204 No Content\r\ncontent-length: 3\r\n\r\nabc",
        Keep,
        "502 kept, dropped",
    ),
    (
        "204 with chunks",
        "HTTP/1.1 204 No Content\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        Keep,
        "502 kept, dropped",
    ),
    ("204 with a body", "HTTP/1.1 204 No Content\r\n\r\nabc", Keep, "204 \"\" kept, dropped"),
    (
        "204 with another answer",
        "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil",
        Keep,
        "204 \"\" kept, dropped",
    ),
    ("304", "HTTP/1.1 304 Not Modified\r\ncontent-length: 3\r\n\r\n", Keep, "304 \"\" kept, reused"),
    (
        "304 with a body",
        "HTTP/1.1 304 Not Modified\r\ncontent-length: 3\r\n\r\nabc",
        Keep,
        "304 \"\" kept, dropped",
    ),
    (
        "304 with chunks",
        "HTTP/1.1 304 Not Modified\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        Keep,
        "304 \"\" kept, dropped",
    ),
    (
        "205 with a body",
        "HTTP/1.1 205 Reset Content\r\ncontent-length: 3\r\n\r\nabc",
        Keep,
        "205 \"abc\" kept, reused",
    ),
    ("status 999", "HTTP/1.1 999 Own\r\ncontent-length: 3\r\n\r\nabc", Keep, "999 kept, reused"),
];
