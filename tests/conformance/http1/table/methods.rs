//! The methods of RFC 9110 §9, and their answers' bodies.

use crate::http1::case::{Case, Door, Row, at};

pub fn cases() -> Vec<Case> {
    [
        at(Door::Plain, ROWS),
        vec![
            Case::new(
                Door::Plain,
                &(
                    "9110 §9.3.6",
                    "CONNECT makes a tunnel",
                    "CONNECT a.test:443 HTTP/1.1\nhost: a.test:443\n\n[wait]PING",
                    "200 \"PONG\" \"\" tunnel | CONNECT a.test:443 @a.test:443; tunnel \"PING\"",
                ),
            )
            .answered("HTTP/1.1 200 OK\n\nPONG")
            .tunnel(),
            Case::new(
                Door::Plain,
                &(
                    "9110 §9.3.6",
                    "CONNECT is answered by another 2xx",
                    "CONNECT a.test:443 HTTP/1.1\nhost: a.test:443\n\n[wait]PING",
                    "204 closed | CONNECT a.test:443 @a.test:443; tunnel \"PING\"",
                ),
            )
            .answered("HTTP/1.1 204 No Content\n\n")
            .tunnel(),
        ],
    ]
    .concat()
}

const ROWS: &[Row] = &[
    ("9110 §9.3.1", "GET without a body", "GET /x HTTP/1.1\nhost: a.test\n\n", "200 \"/x\" kept | GET /x"),
    (
        "9110 §9.3.5",
        "DELETE without a body",
        "DELETE /x HTTP/1.1\nhost: a.test\n\n",
        "200 \"/x\" kept | DELETE /x",
    ),
    (
        "9110 §9.3.7",
        "OPTIONS without a body",
        "OPTIONS /x HTTP/1.1\nhost: a.test\n\n",
        "200 \"/x\" kept | OPTIONS /x [content-length: 0]",
    ),
    (
        "9110 §9.1",
        "PATCH without a body",
        "PATCH /x HTTP/1.1\nhost: a.test\n\n",
        "200 \"/x\" kept | PATCH /x [content-length: 0]",
    ),
    (
        "9110 §9.3.8",
        "TRACE without a body",
        "TRACE /x HTTP/1.1\nhost: a.test\n\n",
        "200 \"/x\" kept | TRACE /x",
    ),
    (
        "9110 §9.3.2",
        "HEAD tells the length of what GET would give",
        "HEAD /x HTTP/1.1\nhost: a.test\n\n",
        "200 [content-length: 2] kept | HEAD /x",
    ),
    (
        "9110 §9.3.3",
        "POST with a body",
        "POST /x HTTP/1.1\nhost: a.test\ncontent-length: 3\n\nabc",
        "200 \"/x\" kept | POST /x \"abc\"",
    ),
    (
        "9110 §9.3.4",
        "PUT with a body",
        "PUT /x HTTP/1.1\nhost: a.test\ncontent-length: 3\n\nabc",
        "200 \"/x\" kept | PUT /x \"abc\"",
    ),
    (
        "9110 §9.1",
        "PATCH with a body",
        "PATCH /x HTTP/1.1\nhost: a.test\ncontent-length: 3\n\nabc",
        "200 \"/x\" kept | PATCH /x \"abc\"",
    ),
    (
        "9110 §9.3.5",
        "DELETE with a body",
        "DELETE /x HTTP/1.1\nhost: a.test\ncontent-length: 3\n\nabc",
        "200 \"/x\" kept | DELETE /x \"abc\"",
    ),
    (
        "9110 §9.3.7",
        "OPTIONS with a body",
        "OPTIONS /x HTTP/1.1\nhost: a.test\ncontent-length: 3\n\nabc",
        "200 \"/x\" kept | OPTIONS /x \"abc\"",
    ),
    (
        "9110 §9.3.1",
        "GET with a body",
        "GET /x HTTP/1.1\nhost: a.test\ncontent-length: 3\n\nabc",
        "200 \"/x\" kept | GET /x \"abc\"",
    ),
    (
        "9110 §9.3.3",
        "POST without a body",
        "POST /x HTTP/1.1\nhost: a.test\n\n",
        "200 \"/x\" kept | POST /x [content-length: 0]",
    ),
    (
        "9110 §8.6",
        "POST with an empty body",
        "POST /x HTTP/1.1\nhost: a.test\ncontent-length: 0\n\n",
        "200 \"/x\" kept | POST /x [content-length: 0]",
    ),
    (
        "9110 §9.3.4",
        "PUT without a body",
        "PUT /x HTTP/1.1\nhost: a.test\n\n",
        "200 \"/x\" kept | PUT /x [content-length: 0]",
    ),
    (
        "9110 §16.1.1",
        "the registered method PROPFIND",
        "PROPFIND /x HTTP/1.1\nhost: a.test\n\n",
        "200 \"/x\" kept | PROPFIND /x [content-length: 0]",
    ),
    (
        "9110 §16.1.1",
        "the registered method PROPPATCH",
        "PROPPATCH /x HTTP/1.1\nhost: a.test\n\n",
        "200 \"/x\" kept | PROPPATCH /x [content-length: 0]",
    ),
    (
        "9110 §16.1.1",
        "the registered method MKCOL",
        "MKCOL /x HTTP/1.1\nhost: a.test\n\n",
        "200 \"/x\" kept | MKCOL /x [content-length: 0]",
    ),
    (
        "9110 §16.1.1",
        "the registered method COPY",
        "COPY /x HTTP/1.1\nhost: a.test\n\n",
        "200 \"/x\" kept | COPY /x [content-length: 0]",
    ),
    (
        "9110 §16.1.1",
        "the registered method MOVE",
        "MOVE /x HTTP/1.1\nhost: a.test\n\n",
        "200 \"/x\" kept | MOVE /x [content-length: 0]",
    ),
    (
        "9110 §16.1.1",
        "the registered method LOCK",
        "LOCK /x HTTP/1.1\nhost: a.test\n\n",
        "200 \"/x\" kept | LOCK /x [content-length: 0]",
    ),
    (
        "9110 §16.1.1",
        "the registered method UNLOCK",
        "UNLOCK /x HTTP/1.1\nhost: a.test\n\n",
        "200 \"/x\" kept | UNLOCK /x [content-length: 0]",
    ),
    (
        "9110 §16.1.1",
        "the registered method REPORT",
        "REPORT /x HTTP/1.1\nhost: a.test\n\n",
        "200 \"/x\" kept | REPORT /x [content-length: 0]",
    ),
    (
        "9110 §16.1.1",
        "the registered method SEARCH",
        "SEARCH /x HTTP/1.1\nhost: a.test\n\n",
        "200 \"/x\" kept | SEARCH /x [content-length: 0]",
    ),
    (
        "9110 §16.1.1",
        "the registered method LINK",
        "LINK /x HTTP/1.1\nhost: a.test\n\n",
        "200 \"/x\" kept | LINK /x [content-length: 0]",
    ),
    (
        "9110 §16.1.1",
        "the registered method QUERY",
        "QUERY /x HTTP/1.1\nhost: a.test\n\n",
        "200 \"/x\" kept | QUERY /x [content-length: 0]",
    ),
    (
        "9110 §9.1",
        "a method of one letter",
        "M /x HTTP/1.1\nhost: a.test\n\n",
        "200 \"/x\" kept | M /x [content-length: 0]",
    ),
    (
        "9110 §9.1",
        "a method with a hyphen",
        "M-SEARCH /x HTTP/1.1\nhost: a.test\n\n",
        "200 \"/x\" kept | M-SEARCH /x [content-length: 0]",
    ),
];
