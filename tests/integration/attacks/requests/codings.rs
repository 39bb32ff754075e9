//! Transfer codings that only some readers recognise, and codings beside lengths (RFC 9112 §6.1, §6.3).

use crate::attacks::case::{BAD, CODING, Case, NEXT, Row, posts};

/// A chunked reader sees an empty body and then a request; others see something else.
const BODY: &str = "0\r\n\r\nNEXT";

const SERVED: &str = "200 kept: POST / [chunked] \"abc\"";

pub fn cases() -> Vec<Case> {
    let mut cases = posts(ROWS);
    let ten = |name: &str, fields: &str, body: &str, expected: &str| {
        let bytes = format!("POST / HTTP/1.0\r\nhost: a.test\r\n{fields}\r\n{}", body.replace("NEXT", NEXT));
        Case::new(name, bytes, expected).old()
    };
    cases.extend([
        ten("coding in HTTP/1.0", "transfer-encoding: chunked\r\n", BODY, BAD),
        ten(
            "coding in HTTP/1.0 with keep-alive",
            "transfer-encoding: chunked\r\nconnection: keep-alive\r\n",
            BODY,
            BAD,
        ),
        ten(
            "coding and length in HTTP/1.0",
            "transfer-encoding: chunked\r\ncontent-length: 3\r\n",
            BODY,
            BAD,
        ),
    ]);
    cases
}

const ROWS: &[Row] = &[
    ("coding and length", "content-length: 3\r\ntransfer-encoding: chunked\r\n", BODY, BAD),
    ("coding, then length", "transfer-encoding: chunked\r\ncontent-length: 3\r\n", BODY, BAD),
    ("coding and length of zero", "transfer-encoding: chunked\r\ncontent-length: 0\r\n", BODY, BAD),
    ("coding and a bad length", "transfer-encoding: chunked\r\ncontent-length: x\r\n", BODY, BAD),
    ("unknown coding and length", "transfer-encoding: x\r\ncontent-length: 3\r\n", "abcNEXT", BAD),
    ("identity and length", "transfer-encoding: identity\r\ncontent-length: 3\r\n", "abcNEXT", BAD),
    ("empty coding and length", "transfer-encoding:\r\ncontent-length: 3\r\n", "abcNEXT", BAD),
    ("folded coding and length", "transfer-encoding:\r\n chunked\r\ncontent-length: 3\r\n", BODY, BAD),
    ("spaced coding and length", "transfer-encoding : chunked\r\ncontent-length: 40\r\n", BODY, BAD),
    (
        "coding named by connection",
        "transfer-encoding: chunked\r\nconnection: transfer-encoding\r\n",
        "3\r\nabc\r\n0\r\n\r\n",
        SERVED,
    ),
    (
        "coding named by connection, and length",
        "connection: transfer-encoding\r\ntransfer-encoding: chunked\r\ncontent-length: 3\r\n",
        BODY,
        BAD,
    ),
    ("chunked", "transfer-encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n", SERVED),
    ("chunked in capitals", "TRANSFER-ENCODING: CHUNKED\r\n", "3\r\nabc\r\n0\r\n\r\n", SERVED),
    ("chunked behind tabs", "transfer-encoding:\t\tchunked\t\r\n", "3\r\nabc\r\n0\r\n\r\n", SERVED),
    ("chunked without a blank", "transfer-encoding:chunked\r\n", "3\r\nabc\r\n0\r\n\r\n", SERVED),
    ("chunked twice", "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n", BODY, CODING),
    ("chunked, chunked", "transfer-encoding: chunked, chunked\r\n", BODY, CODING),
    ("chunked, identity", "transfer-encoding: chunked, identity\r\n", BODY, CODING),
    ("identity, chunked", "transfer-encoding: identity, chunked\r\n", BODY, CODING),
    ("identity, then chunked", "transfer-encoding: identity\r\ntransfer-encoding: chunked\r\n", BODY, CODING),
    ("chunked, then identity", "transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n", BODY, CODING),
    ("chunked, then empty", "transfer-encoding: chunked\r\ntransfer-encoding:\r\n", BODY, CODING),
    ("gzip, chunked", "transfer-encoding: gzip, chunked\r\n", BODY, CODING),
    ("chunked, gzip", "transfer-encoding: chunked, gzip\r\n", BODY, CODING),
    ("coding identity", "transfer-encoding: identity\r\n", "NEXT", CODING),
    ("coding gzip", "transfer-encoding: gzip\r\n", BODY, CODING),
    ("coding xchunked", "transfer-encoding: xchunked\r\n", BODY, CODING),
    ("coding chunkedx", "transfer-encoding: chunkedx\r\n", BODY, CODING),
    ("coding x-chunked", "transfer-encoding: x-chunked\r\n", BODY, CODING),
    ("coding chunked with a comma behind", "transfer-encoding: chunked,\r\n", BODY, CODING),
    ("coding chunked with a comma before", "transfer-encoding: ,chunked\r\n", BODY, CODING),
    ("coding chunked with a parameter", "transfer-encoding: chunked;x=1\r\n", BODY, CODING),
    ("coding chunked with a semicolon", "transfer-encoding: chunked;\r\n", BODY, CODING),
    ("coding in double quotes", "transfer-encoding: \"chunked\"\r\n", BODY, CODING),
    ("coding in single quotes", "transfer-encoding: 'chunked'\r\n", BODY, CODING),
    ("coding in brackets", "transfer-encoding: [chunked]\r\n", BODY, CODING),
    ("coding empty", "transfer-encoding:\r\n", "NEXT", CODING),
    ("coding of a comma", "transfer-encoding: ,\r\n", "NEXT", CODING),
    ("coding in two words", "transfer-encoding: chun ked\r\n", BODY, CODING),
    ("coding with a kelvin sign", "transfer-encoding: chun\u{212a}ed\r\n", BODY, CODING),
    ("coding with a byte-order mark", "transfer-encoding: \u{feff}chunked\r\n", BODY, CODING),
    ("coding behind a no-break space", "transfer-encoding: \u{a0}chunked\r\n", BODY, CODING),
    ("coding with a null behind", "transfer-encoding: chunked\0\r\n", BODY, BAD),
    ("coding with a null before", "transfer-encoding: \0chunked\r\n", BODY, BAD),
    ("coding behind a vertical tab", "transfer-encoding: \u{b}chunked\r\n", BODY, BAD),
    ("coding before a form feed", "transfer-encoding: chunked\u{c}\r\n", BODY, BAD),
    ("coding before delete", "transfer-encoding: chunked\u{7f}\r\n", BODY, BAD),
    ("coding before a bare CR", "transfer-encoding: chunked\r\r\n", BODY, BAD),
    ("coding behind a bare CR", "transfer-encoding: \rchunked\r\n", BODY, BAD),
    ("coding behind a bare LF", "x-a: b\ntransfer-encoding: chunked\r\n", BODY, BAD),
    ("coding hidden by a bare CR", "x-a: b\rtransfer-encoding: chunked\r\n", BODY, BAD),
    ("coding folded", "transfer-encoding:\r\n chunked\r\n", BODY, BAD),
    ("coding folded by a tab", "transfer-encoding:\r\n\tchunked\r\n", BODY, BAD),
    ("coding on a folded line", "x-a: b\r\n transfer-encoding: chunked\r\n", BODY, BAD),
    ("coding with a blank before the colon", "transfer-encoding : chunked\r\n", BODY, BAD),
    ("coding with a tab before the colon", "transfer-encoding\t: chunked\r\n", BODY, BAD),
    ("coding with a blank before the name", " transfer-encoding: chunked\r\n", BODY, BAD),
    ("coding with a null in the name", "transfer\0-encoding: chunked\r\n", BODY, BAD),
    (
        "coding with an underscore",
        "transfer_encoding: chunked\r\n",
        "",
        "200 kept: POST / [transfer_encoding: chunked]",
    ),
    (
        "coding called x-transfer-encoding",
        "x-transfer-encoding: chunked\r\n",
        "",
        "200 kept: POST / [x-transfer-encoding: chunked]",
    ),
    (
        "coding called content-encoding",
        "content-encoding: chunked\r\n",
        "",
        "200 kept: POST / [content-encoding: chunked]",
    ),
];
