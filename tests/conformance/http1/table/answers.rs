//! Bodies of answers and how they are framed (RFC 9112 §6.3, RFC 9110 §6.4).

use crate::http1::case::{AnswerRow, Case, Door, answers};

pub fn cases() -> Vec<Case> {
    [answers(Door::Plain, ANSWERS), answers(Door::Old, OLD_ANSWERS)].concat()
}

const ANSWERS: &[AnswerRow] = &[
    (
        "9112 §6.3",
        "a length of an answer",
        "GET",
        "HTTP/1.1 200 OK\ncontent-length: 2\n\nok",
        "200 \"ok\" kept | GET /x",
    ),
    (
        "9112 §6.3",
        "an answer of no bytes",
        "GET",
        "HTTP/1.1 200 OK\ncontent-length: 0\n\n",
        "200 [content-length: 0] kept | GET /x",
    ),
    (
        "9112 §6.3",
        "an answer until close",
        "GET",
        "HTTP/1.1 200 OK\n\nok[close]",
        "200 [transfer-encoding: chunked] \"ok\" kept | GET /x",
    ),
    (
        "9112 §6.3",
        "an empty answer until close",
        "GET",
        "HTTP/1.1 200 OK\n\n[close]",
        "200 [transfer-encoding: chunked] kept | GET /x",
    ),
    (
        "9112 §7.1",
        "an answer in one chunk",
        "GET",
        "HTTP/1.1 200 OK\ntransfer-encoding: chunked\n\n2\nok\n0\n\n",
        "200 [transfer-encoding: chunked] \"ok\" kept | GET /x",
    ),
    (
        "9112 §7.1",
        "an answer in several chunks",
        "GET",
        "HTTP/1.1 200 OK\ntransfer-encoding: chunked\n\n1\no\n1\nk\n0\n\n",
        "200 [transfer-encoding: chunked] \"ok\" kept | GET /x",
    ),
    (
        "9112 §7.1",
        "an answer without chunks",
        "GET",
        "HTTP/1.1 200 OK\ntransfer-encoding: chunked\n\n0\n\n",
        "200 [transfer-encoding: chunked] kept | GET /x",
    ),
    (
        "9112 §7.1.1",
        "extensions in an answer",
        "GET",
        "HTTP/1.1 200 OK\ntransfer-encoding: chunked\n\n2;a=b;c=\"d\"\nok\n0;e\n\n",
        "200 [transfer-encoding: chunked] \"ok\" kept | GET /x",
    ),
    (
        "9112 §7.1.2",
        "a trailer of an answer where none is passed",
        "GET",
        "HTTP/1.1 200 OK\ntransfer-encoding: chunked\n\n2\nok\n0\nx-t: 1\n\n",
        "200 [transfer-encoding: chunked] \"ok\" kept | GET /x",
    ),
    (
        "9112 §7",
        "a coding in capitals",
        "GET",
        "HTTP/1.1 200 OK\nTransfer-Encoding: Chunked\n\n2\nok\n0\n\n",
        "200 [transfer-encoding: chunked] \"ok\" kept | GET /x",
    ),
    (
        "9110 §9.3.2",
        "HEAD with a length",
        "HEAD",
        "HTTP/1.1 200 OK\ncontent-length: 2\n\n",
        "200 [content-length: 2] kept | HEAD /x",
    ),
    ("9110 §9.3.2", "HEAD without a length", "HEAD", "HTTP/1.1 200 OK\n\n", "200 kept | HEAD /x"),
    (
        "9110 §9.3.2",
        "HEAD of what would be chunks",
        "HEAD",
        "HTTP/1.1 200 OK\ntransfer-encoding: chunked\n\n",
        "200 kept | HEAD /x",
    ),
    (
        "9110 §9.3.2",
        "HEAD with fields of content",
        "HEAD",
        "HTTP/1.1 200 OK\ncontent-type: text/plain\netag: \"a\"\ncontent-length: 2\n\n",
        "200 [content-length: 2, content-type: text/plain, etag: \\\"a\\\"] kept | HEAD /x",
    ),
    (
        "9110 §9.3.2",
        "HEAD of what is not there",
        "HEAD",
        "HTTP/1.1 404 Not Found\ncontent-length: 9\n\n",
        "404 [content-length: 9] kept | HEAD /x",
    ),
    (
        "9110 §15.3.5",
        "204",
        "GET",
        "HTTP/1.1 204 No Content\netag: \"a\"\n\n",
        "204 [etag: \\\"a\\\"] kept | GET /x",
    ),
    (
        "9110 §15.3.5",
        "204 to POST",
        "POST",
        "HTTP/1.1 204 No Content\n\n",
        "204 kept | POST /x [content-length: 0]",
    ),
    (
        "9110 §15.4.5",
        "304",
        "GET",
        "HTTP/1.1 304 Not Modified\netag: \"a\"\n\n",
        "304 [etag: \\\"a\\\"] kept | GET /x",
    ),
    (
        "9110 §15.4.5",
        "304 with the length of what it stands for",
        "GET",
        "HTTP/1.1 304 Not Modified\ncontent-length: 2\netag: \"a\"\n\n",
        "304 [content-length: 2, etag: \\\"a\\\"] kept | GET /x",
    ),
    (
        "9110 §15.3.6",
        "205 without a body",
        "GET",
        "HTTP/1.1 205 Reset Content\ncontent-length: 0\n\n",
        "205 [content-length: 0] kept | GET /x",
    ),
    (
        "9110 §15.4.5",
        "304 to HEAD",
        "HEAD",
        "HTTP/1.1 304 Not Modified\netag: \"a\"\n\n",
        "304 [etag: \\\"a\\\"] kept | HEAD /x",
    ),
];

const OLD_ANSWERS: &[AnswerRow] = &[
    (
        "9112 §7.1.2",
        "passed on: a trailer of an answer",
        "GET",
        "HTTP/1.1 200 OK\ntransfer-encoding: chunked\n\n2\nok\n0\nx-t: 1\n\n",
        "200 [transfer-encoding: chunked, via: 1.1 tombolo] \"ok\" then [x-t: 1] kept | GET /x [via: 1.1 tombolo]",
    ),
    (
        "9112 §7.1.2",
        "passed on: several trailers of an answer",
        "GET",
        "HTTP/1.1 200 OK\ntransfer-encoding: chunked\n\n2\nok\n0\nx-t: 1\nx-u: 2\n\n",
        "200 [transfer-encoding: chunked, via: 1.1 tombolo] \"ok\" then [x-t: 1, x-u: 2] kept | GET /x [via: 1.1 tombolo]",
    ),
    (
        "9110 §6.5.1",
        "passed on: a trailer of an answer without chunks",
        "GET",
        "HTTP/1.1 200 OK\ntransfer-encoding: chunked\n\n0\nx-t: 1\n\n",
        "200 [transfer-encoding: chunked, via: 1.1 tombolo] then [x-t: 1] kept | GET /x [via: 1.1 tombolo]",
    ),
];
