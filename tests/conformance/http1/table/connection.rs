//! How long a connection lasts (RFC 9112 §9), pipelines, and HTTP/1.0 (§2.5, §C.2).

use crate::http1::case::{AnswerRow, Case, Door, Row, answers, at};

pub fn cases() -> Vec<Case> {
    [at(Door::Plain, ROWS), at(Door::Old, OLD), answers(Door::Plain, ANSWERS), vec![
        Case::new(Door::Old, &("9112 §6.1", "no chunks to HTTP/1.0", "GET /x HTTP/1.0\nhost: a.test\nconnection: keep-alive\n\n", "200 (HTTP/1.0) [connection: close, via: 1.1 tombolo] \"ok\" closed | GET /x [via: 1.1 tombolo]")).answered("HTTP/1.1 200 OK\ntransfer-encoding: chunked\n\n2\nok\n0\n\n"),
        Case::new(Door::Old, &("9112 §6.3", "an answer until close to HTTP/1.0", "GET /x HTTP/1.0\nhost: a.test\n\n", "200 (HTTP/1.0) [connection: close, via: 1.1 tombolo] \"ok\" closed | GET /x [via: 1.1 tombolo]")).answered("HTTP/1.1 200 OK\n\nok[close]"),
    ]].concat()
}

const ROWS: &[Row] = &[
    (
        "9112 §9.3",
        "it goes on when nothing is said",
        "GET /x HTTP/1.1\nhost: a.test\n\n",
        "200 \"/x\" kept | GET /x",
    ),
    (
        "9112 §9.6",
        "close ends it behind the answer",
        "GET /x HTTP/1.1\nhost: a.test\nconnection: close\n\n",
        "200 [connection: close] \"/x\" closed | GET /x",
    ),
    (
        "9112 §9.6",
        "close in another case",
        "GET /x HTTP/1.1\nhost: a.test\nConnection: Close\n\n",
        "200 [connection: close] \"/x\" closed | GET /x",
    ),
    (
        "9112 §9.6",
        "close among options",
        "GET /x HTTP/1.1\nhost: a.test\nconnection: x-a, close\nx-a: 1\n\n",
        "200 [connection: close] \"/x\" closed | GET /x",
    ),
    (
        "9112 §9.6",
        "close with a body",
        "POST /x HTTP/1.1\nhost: a.test\nconnection: close\ncontent-length: 3\n\nabc",
        "200 [connection: close] \"/x\" closed | POST /x \"abc\"",
    ),
    (
        "9112 §9.6",
        "requests behind close are not read",
        "GET /x HTTP/1.1\nhost: a.test\nconnection: close\n\nGET /y HTTP/1.1\nhost: a.test\n\n",
        "200 [connection: close] \"/x\" closed | GET /x",
    ),
    (
        "9112 §9.3.2",
        "two requests at once",
        "GET /x HTTP/1.1\nhost: a.test\n\nGET /y HTTP/1.1\nhost: a.test\n\n",
        "200 \"/x\" 200 \"/y\" kept | GET /x; GET /y",
    ),
    (
        "9112 §9.3.2",
        "a body between two",
        "POST /x HTTP/1.1\nhost: a.test\ncontent-length: 3\n\nabcGET /y HTTP/1.1\nhost: a.test\n\n",
        "200 \"/x\" 200 \"/y\" kept | POST /x \"abc\"; GET /y",
    ),
    (
        "9112 §9.3.2",
        "chunks between two",
        "POST /x HTTP/1.1\nhost: a.test\ntransfer-encoding: chunked\n\n3\nabc\n0\n\nGET /y HTTP/1.1\nhost: a.test\n\n",
        "200 \"/x\" 200 \"/y\" kept | POST /x [transfer-encoding: chunked] \"abc\"; GET /y",
    ),
    (
        "9112 §9.3.2",
        "HEAD between two",
        "GET /x HTTP/1.1\nhost: a.test\n\nHEAD /y HTTP/1.1\nhost: a.test\n\nGET /z HTTP/1.1\nhost: a.test\n\n",
        "200 \"/x\" 200 [content-length: 2] 200 \"/z\" kept | GET /x; HEAD /y; GET /z",
    ),
    (
        "9112 §9.3.2",
        "answers in the order of requests",
        "GET /0 HTTP/1.1\nhost: a.test\n\nGET /1 HTTP/1.1\nhost: a.test\n\nGET /2 HTTP/1.1\nhost: a.test\n\nGET /3 HTTP/1.1\nhost: a.test\n\nGET /4 HTTP/1.1\nhost: a.test\n\n",
        "200 \"/0\" 200 \"/1\" 200 \"/2\" 200 \"/3\" 200 \"/4\" kept | GET /0; GET /1; GET /2; GET /3; GET /4",
    ),
    (
        "9112 §9.3.2",
        "the second waits for the first's answer",
        "GET /x HTTP/1.1\nhost: a.test\n\n[wait]GET /y HTTP/1.1\nhost: a.test\n\n",
        "200 \"/x\" 200 \"/y\" kept | GET /x; GET /y",
    ),
];

const OLD: &[Row] = &[
    (
        "9112 §9.3",
        "HTTP/1.0 ends with its answer",
        "GET /x HTTP/1.0\nhost: a.test\n\n",
        "200 (HTTP/1.0) [connection: close, via: 1.1 tombolo] \"/x\" closed | GET /x [via: 1.1 tombolo]",
    ),
    (
        "9112 §9.3",
        "HTTP/1.0 with keep-alive goes on",
        "GET /x HTTP/1.0\nhost: a.test\nconnection: keep-alive\n\n",
        "200 (HTTP/1.0) [connection: keep-alive, via: 1.1 tombolo] \"/x\" kept | GET /x [via: 1.1 tombolo]",
    ),
    (
        "9112 §9.3",
        "HTTP/1.0 with keep-alive in another case",
        "GET /x HTTP/1.0\nhost: a.test\nConnection: Keep-Alive\n\n",
        "200 (HTTP/1.0) [connection: keep-alive, via: 1.1 tombolo] \"/x\" kept | GET /x [via: 1.1 tombolo]",
    ),
    (
        "9112 §9.3",
        "HTTP/1.0 with close",
        "GET /x HTTP/1.0\nhost: a.test\nconnection: close\n\n",
        "200 (HTTP/1.0) [connection: close, via: 1.1 tombolo] \"/x\" closed | GET /x [via: 1.1 tombolo]",
    ),
    (
        "9112 §9.3",
        "HTTP/1.0 with a body",
        "POST /x HTTP/1.0\nhost: a.test\ncontent-length: 3\nconnection: keep-alive\n\nabc",
        "200 (HTTP/1.0) [connection: keep-alive, via: 1.1 tombolo] \"/x\" kept | POST /x [via: 1.1 tombolo] \"abc\"",
    ),
    (
        "9112 §9.3",
        "HTTP/1.0 with HEAD",
        "HEAD /x HTTP/1.0\nhost: a.test\nconnection: keep-alive\n\n",
        "200 (HTTP/1.0) [connection: keep-alive, content-length: 2, via: 1.1 tombolo] kept | HEAD /x [via: 1.1 tombolo]",
    ),
    (
        "9110 §2.5",
        "a request of HTTP/1.0 goes on as ours",
        "GET /x HTTP/1.0\nhost: a.test\nx-a: 1\nconnection: keep-alive\n\n",
        "200 (HTTP/1.0) [connection: keep-alive, via: 1.1 tombolo] \"/x\" kept | GET /x [via: 1.1 tombolo, x-a: 1]",
    ),
    (
        "9112 §3.2",
        "HTTP/1.0 in absolute form",
        "GET http://a.test/x HTTP/1.0\nconnection: keep-alive\n\n",
        "200 (HTTP/1.0) [connection: keep-alive, via: 1.1 tombolo] \"/x\" kept | GET /x [via: 1.1 tombolo]",
    ),
    (
        "9110 §7.8",
        "HTTP/1.0 cannot ask for an upgrade",
        "GET /x HTTP/1.0\nhost: a.test\nconnection: upgrade, keep-alive\nupgrade: websocket\n\n",
        "200 (HTTP/1.0) [connection: keep-alive, via: 1.1 tombolo] \"/x\" kept | GET /x [via: 1.1 tombolo]",
    ),
];

const ANSWERS: &[AnswerRow] = &[
    (
        "9112 §9.6",
        "a backend's close is not the client's",
        "GET",
        "HTTP/1.1 200 OK\nconnection: close\ncontent-length: 2\n\nok[close]",
        "200 \"ok\" kept | GET /x",
    ),
    (
        "9112 §9.3",
        "a backend of HTTP/1.0",
        "GET",
        "HTTP/1.0 200 OK\ncontent-length: 2\n\nok[close]",
        "200 \"ok\" kept | GET /x",
    ),
    (
        "9112 §9.3",
        "a backend of HTTP/1.0 without a length",
        "GET",
        "HTTP/1.0 200 OK\n\nok[close]",
        "200 [transfer-encoding: chunked] \"ok\" kept | GET /x",
    ),
];
