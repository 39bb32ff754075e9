//! Expect: 100-continue (RFC 9110 §10.1.1) and interim answers (§15.2).

use crate::http1::case::{AnswerRow, Case, Door, Row, answers, at};

pub fn cases() -> Vec<Case> {
    [at(Door::Plain, ROWS), at(Door::Old, OLD), answers(Door::Plain, ANSWERS), vec![
        Case::new(Door::Old, &("9110 §15.2", "no interim answer to HTTP/1.0", "GET /x HTTP/1.0\nhost: a.test\nconnection: keep-alive\n\n", "200 (HTTP/1.0) [connection: keep-alive, via: 1.1 tombolo] \"ok\" kept | GET /x [via: 1.1 tombolo]")).answered("HTTP/1.1 103 Early Hints\nlink: </a>\n\nHTTP/1.1 200 OK\ncontent-length: 2\n\nok"),
    ]].concat()
}

const ROWS: &[Row] = &[
    (
        "9110 §10.1.1",
        "100 before the body is sent",
        "POST /x HTTP/1.1\nhost: a.test\nexpect: 100-continue\ncontent-length: 3\n\n[wait]abc",
        "100 200 \"/x\" kept | POST /x \"abc\"",
    ),
    (
        "9110 §10.1.1",
        "100 before chunks are sent",
        "POST /x HTTP/1.1\nhost: a.test\nexpect: 100-continue\ntransfer-encoding: chunked\n\n[wait]3\nabc\n0\n\n",
        "100 200 \"/x\" kept | POST /x [transfer-encoding: chunked] \"abc\"",
    ),
    (
        "9110 §10.1.1",
        "100-continue in another case",
        "POST /x HTTP/1.1\nhost: a.test\nExpect: 100-Continue\ncontent-length: 3\n\n[wait]abc",
        "100 200 \"/x\" kept | POST /x \"abc\"",
    ),
    (
        "9110 §10.1.1",
        "a body that does not wait",
        "POST /x HTTP/1.1\nhost: a.test\nexpect: 100-continue\ncontent-length: 3\n\nabc",
        "200 \"/x\" kept | POST /x \"abc\"",
    ),
    (
        "9110 §10.1.1",
        "without a body nothing is to be continued",
        "GET /x HTTP/1.1\nhost: a.test\nexpect: 100-continue\n\n",
        "200 \"/x\" kept | GET /x",
    ),
    (
        "9110 §10.1.1",
        "the next request after a 100",
        "POST /x HTTP/1.1\nhost: a.test\nexpect: 100-continue\ncontent-length: 3\n\n[wait]abcGET /y HTTP/1.1\nhost: a.test\n\n",
        "100 200 \"/x\" 200 \"/y\" kept | POST /x \"abc\"; GET /y",
    ),
];

const OLD: &[Row] = &[(
    "9110 §10.1.1",
    "expect of HTTP/1.0 is ignored",
    "POST /x HTTP/1.0\nhost: a.test\nexpect: 100-continue\ncontent-length: 3\nconnection: keep-alive\n\nabc",
    "200 (HTTP/1.0) [connection: keep-alive, via: 1.1 tombolo] \"/x\" kept | POST /x [via: 1.1 tombolo] \"abc\"",
)];

const ANSWERS: &[AnswerRow] = &[
    (
        "9110 §15.2",
        "103 passes with its fields",
        "GET",
        "HTTP/1.1 103 Early Hints\nlink: </a>; rel=preload\n\nHTTP/1.1 200 OK\ncontent-length: 2\n\nok",
        "103 [link: </a>; rel=preload] 200 \"ok\" kept | GET /x",
    ),
    (
        "9110 §15.2",
        "two interim answers pass in order",
        "GET",
        "HTTP/1.1 102 Processing\n\nHTTP/1.1 103 Early Hints\nlink: </a>\n\nHTTP/1.1 200 OK\ncontent-length: 2\n\nok",
        "102 103 [link: </a>] 200 \"ok\" kept | GET /x",
    ),
    (
        "9110 §15.2.1",
        "100 that nobody asked for",
        "GET",
        "HTTP/1.1 100 Continue\n\nHTTP/1.1 200 OK\ncontent-length: 2\n\nok",
        "200 \"ok\" kept | GET /x",
    ),
    (
        "9110 §15.2",
        "an interim answer nobody knows",
        "GET",
        "HTTP/1.1 142 Own\nx-a: 1\n\nHTTP/1.1 200 OK\ncontent-length: 2\n\nok",
        "142 (Unknown) [x-a: 1] 200 \"ok\" kept | GET /x",
    ),
];
