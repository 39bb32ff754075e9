//! Bodies of requests: lengths, chunks, extensions, trailers (RFC 9112 §6 and §7).

use crate::http1::case::{Case, Door, Row, at};

pub fn cases() -> Vec<Case> {
    [at(Door::Plain, ROWS), at(Door::Old, OLD)].concat()
}

const ROWS: &[Row] = &[
    (
        "9110 §8.6",
        "a length",
        "POST /x HTTP/1.1\nhost: a.test\ncontent-length: 5\n\nhello",
        "200 \"/x\" kept | POST /x \"hello\"",
    ),
    (
        "9112 §6.3",
        "a body of bytes that look like a head",
        "POST /x HTTP/1.1\nhost: a.test\ncontent-length: 16\n\nGET / HTTP/1.1\n",
        "200 \"/x\" kept | POST /x \"GET / HTTP/1.1\\r\\n\"",
    ),
    (
        "9112 §7.1",
        "one chunk",
        "POST /x HTTP/1.1\nhost: a.test\ntransfer-encoding: chunked\n\n5\nhello\n0\n\n",
        "200 \"/x\" kept | POST /x [transfer-encoding: chunked] \"hello\"",
    ),
    (
        "9112 §7.1",
        "several chunks",
        "POST /x HTTP/1.1\nhost: a.test\ntransfer-encoding: chunked\n\n2\nhe\n1\nl\n2\nlo\n0\n\n",
        "200 \"/x\" kept | POST /x [transfer-encoding: chunked] \"hello\"",
    ),
    (
        "9112 §7.1",
        "no chunk but the last",
        "POST /x HTTP/1.1\nhost: a.test\ntransfer-encoding: chunked\n\n0\n\n",
        "200 \"/x\" kept | POST /x [transfer-encoding: chunked]",
    ),
    (
        "9112 §7.1",
        "a size in small hexadecimal",
        "POST /x HTTP/1.1\nhost: a.test\ntransfer-encoding: chunked\n\na\n0123456789\n0\n\n",
        "200 \"/x\" kept | POST /x [transfer-encoding: chunked] \"0123456789\"",
    ),
    (
        "9112 §7.1",
        "a size in large hexadecimal",
        "POST /x HTTP/1.1\nhost: a.test\ntransfer-encoding: chunked\n\nB\n0123456789A\n0\n\n",
        "200 \"/x\" kept | POST /x [transfer-encoding: chunked] \"0123456789A\"",
    ),
    (
        "9112 §7.1",
        "zeros before a size",
        "POST /x HTTP/1.1\nhost: a.test\ntransfer-encoding: chunked\n\n0005\nhello\n00\n\n",
        "200 \"/x\" kept | POST /x [transfer-encoding: chunked] \"hello\"",
    ),
    (
        "9112 §7.1",
        "a chunk that holds line ends",
        "POST /x HTTP/1.1\nhost: a.test\ntransfer-encoding: chunked\n\n4\na\nb\n0\n\n",
        "200 \"/x\" kept | POST /x [transfer-encoding: chunked] \"a\\r\\nb\"",
    ),
    (
        "9112 §7.1.1",
        "an extension",
        "POST /x HTTP/1.1\nhost: a.test\ntransfer-encoding: chunked\n\n5;a\nhello\n0\n\n",
        "200 \"/x\" kept | POST /x [transfer-encoding: chunked] \"hello\"",
    ),
    (
        "9112 §7.1.1",
        "an extension with a value",
        "POST /x HTTP/1.1\nhost: a.test\ntransfer-encoding: chunked\n\n5;a=b\nhello\n0\n\n",
        "200 \"/x\" kept | POST /x [transfer-encoding: chunked] \"hello\"",
    ),
    (
        "9112 §7.1.1",
        "several extensions",
        "POST /x HTTP/1.1\nhost: a.test\ntransfer-encoding: chunked\n\n5;a=b;c;d=\"e;f\"\nhello\n0;g\n\n",
        "200 \"/x\" kept | POST /x [transfer-encoding: chunked] \"hello\"",
    ),
    (
        "9112 §7.1.1",
        "blanks around an extension",
        "POST /x HTTP/1.1\nhost: a.test\ntransfer-encoding: chunked\n\n5 ; a = b\nhello\n0\n\n",
        "200 \"/x\" kept | POST /x [transfer-encoding: chunked] \"hello\"",
    ),
    (
        "9112 §7",
        "the coding in capitals",
        "POST /x HTTP/1.1\nhost: a.test\nTransfer-Encoding: CHUNKED\n\n5\nhello\n0\n\n",
        "200 \"/x\" kept | POST /x [transfer-encoding: chunked] \"hello\"",
    ),
    (
        "9112 §7.1.2",
        "a trailer where none is passed",
        "POST /x HTTP/1.1\nhost: a.test\ntransfer-encoding: chunked\n\n5\nhello\n0\nx-t: 1\n\n",
        "200 \"/x\" kept | POST /x [transfer-encoding: chunked] \"hello\"",
    ),
    (
        "9110 §6.6.2",
        "a trailer that is announced",
        "POST /x HTTP/1.1\nhost: a.test\ntransfer-encoding: chunked\ntrailer: x-t\n\n5\nhello\n0\nx-t: 1\n\n",
        "200 \"/x\" kept | POST /x [trailer: x-t, transfer-encoding: chunked] \"hello\"",
    ),
    (
        "9110 §9.3.1",
        "GET with chunks",
        "GET /x HTTP/1.1\nhost: a.test\ntransfer-encoding: chunked\n\n5\nhello\n0\n\n",
        "200 \"/x\" kept | GET /x [transfer-encoding: chunked] \"hello\"",
    ),
];

const OLD: &[Row] = &[
    (
        "9112 §7.1.2",
        "passed on: a trailer",
        "POST /x HTTP/1.1\nhost: a.test\ntransfer-encoding: chunked\n\n5\nhello\n0\nx-t: 1\n\n",
        "200 [via: 1.1 tombolo] \"/x\" kept | POST /x [transfer-encoding: chunked, via: 1.1 tombolo] \"hello\" then [x-t: 1]",
    ),
    (
        "9112 §7.1.2",
        "passed on: several trailers",
        "POST /x HTTP/1.1\nhost: a.test\ntransfer-encoding: chunked\n\n5\nhello\n0\nx-t: 1\nx-u: 2\nx-t: 3\n\n",
        "200 [via: 1.1 tombolo] \"/x\" kept | POST /x [transfer-encoding: chunked, via: 1.1 tombolo] \"hello\" then [x-t: 1, x-t: 3, x-u: 2]",
    ),
    (
        "9110 §6.6.2",
        "passed on: an announced trailer",
        "POST /x HTTP/1.1\nhost: a.test\ntransfer-encoding: chunked\ntrailer: x-t\n\n5\nhello\n0\nx-t: 1\n\n",
        "200 [via: 1.1 tombolo] \"/x\" kept | POST /x [trailer: x-t, transfer-encoding: chunked, via: 1.1 tombolo] \"hello\" then [x-t: 1]",
    ),
    (
        "9110 §6.5.1",
        "passed on: a trailer without any chunk",
        "POST /x HTTP/1.1\nhost: a.test\ntransfer-encoding: chunked\n\n0\nx-t: 1\n\n",
        "200 [via: 1.1 tombolo] \"/x\" kept | POST /x [transfer-encoding: chunked, via: 1.1 tombolo] then [x-t: 1]",
    ),
    (
        "9112 §5",
        "passed on: a trailer with blanks around",
        "POST /x HTTP/1.1\nhost: a.test\ntransfer-encoding: chunked\n\n0\nx-t: \t1 \n\n",
        "200 [via: 1.1 tombolo] \"/x\" kept | POST /x [transfer-encoding: chunked, via: 1.1 tombolo] then [x-t: 1]",
    ),
];
