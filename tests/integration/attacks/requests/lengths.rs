//! Lengths that are wrong, doubled, signed, listed or too large (RFC 9110 §8.6, RFC 9112 §6.3).

use crate::attacks::case::{BAD, Case, NEXT, Row, gets, posts};

pub fn cases() -> Vec<Case> {
    let mut cases = [posts(ROWS), gets(GETS)].concat();
    for (name, length) in
        [("2^63", "9223372036854775808"), ("10^19 - 1", "9999999999999999999"), ("2^32 + 3", "4294967299")]
    {
        let head = format!("POST / HTTP/1.1\r\nhost: a.test\r\ncontent-length: {length}\r\n\r\n");
        cases.push(Case::new(&format!("length {name}"), format!("{head}abc{NEXT}"), BAD).ended());
    }
    cases
}

const ROWS: &[Row] = &[
    ("length with plus", "content-length: +3\r\n", "abc", BAD),
    ("length with minus", "content-length: -3\r\n", "abc", BAD),
    ("length minus zero", "content-length: -0\r\n", "NEXT", BAD),
    ("length in hex", "content-length: 0x3\r\n", "abc", BAD),
    ("length in hex digits", "content-length: a\r\n", "0123456789", BAD),
    ("length with a point", "content-length: 3.0\r\n", "abc", BAD),
    ("length with an exponent", "content-length: 3e0\r\n", "abc", BAD),
    ("length with an underscore", "content-length: 1_0\r\n", "0123456789", BAD),
    ("length in quotes", "content-length: \"3\"\r\n", "abc", BAD),
    ("length empty", "content-length: \r\n", "NEXT", BAD),
    ("length of a comma", "content-length: ,\r\n", "NEXT", BAD),
    ("length with a comma behind", "content-length: 3,\r\n", "abc", BAD),
    ("length with a comma before", "content-length: ,3\r\n", "abc", BAD),
    ("length list, equal", "content-length: 3, 3\r\n", "abc", BAD),
    ("length list, different", "content-length: 3, 40\r\n", "abcNEXT", BAD),
    ("length list, zero first", "content-length: 0, 40\r\n", "NEXT", BAD),
    ("length twice, equal", "content-length: 3\r\ncontent-length: 3\r\n", "abc", BAD),
    ("length twice, different", "content-length: 40\r\ncontent-length: 0\r\n", "NEXT", BAD),
    ("length twice, other letters", "content-length: 0\r\nCONTENT-LENGTH: 40\r\n", "NEXT", BAD),
    ("length twice, one empty", "content-length: 0\r\ncontent-length:\r\n", "NEXT", BAD),
    ("length of two numbers", "content-length: 3 4\r\n", "abcd", BAD),
    ("length with a semicolon", "content-length: 3;\r\n", "abc", BAD),
    ("length with a null", "content-length: 3\0\r\n", "abc", BAD),
    ("length with a vertical tab", "content-length: \u{b}3\r\n", "abc", BAD),
    ("length with a form feed", "content-length: 3\u{c}\r\n", "abc", BAD),
    ("length with a no-break space", "content-length: \u{a0}3\r\n", "abc", BAD),
    ("length in full-width digits", "content-length: \u{ff13}\r\n", "abc", BAD),
    ("length 2^64", "content-length: 18446744073709551616\r\n", "NEXT", BAD),
    ("length 2^64 + 3", "content-length: 18446744073709551619\r\n", "abcNEXT", BAD),
    (
        "length 2^32 + 3 in 40 digits",
        "content-length: 0000000000000000000000000000004294967299\r\n",
        "abc",
        BAD,
    ),
    ("length of 19 zeros and a three", "content-length: 00000000000000000003\r\n", "abc", BAD),
    ("length with leading zeros", "content-length: 003\r\n", "abc", "200 kept: POST / \"abc\""),
    ("length with blanks and tabs around", "content-length: \t 3 \t\r\n", "abc", "200 kept: POST / \"abc\""),
    ("length of zero", "content-length: 0\r\n", "", "200 kept: POST /"),
    (
        "length, then a request",
        "content-length: 3\r\n",
        "abcGET /second HTTP/1.1\r\nhost: a.test\r\n\r\n",
        "200 200 kept: POST / \"abc\"; GET /second",
    ),
    ("length shorter than the body", "content-length: 1\r\n", "abc", "200 kept: POST / \"a\"; bcGET /canary"),
    ("length with a blank before the colon", "content-length : 40\r\n", "NEXT", BAD),
    ("length with a tab before the colon", "content-length\t: 40\r\n", "NEXT", BAD),
    ("length with an underscore name", "content_length: 3\r\n", "", "200 kept: POST / [content_length: 3]"),
    ("length folded", "content-length:\r\n 40\r\n", "NEXT", BAD),
    ("length folded digits", "content-length: 4\r\n 0\r\n", "NEXT", BAD),
    ("length behind a bare CR", "x-a: b\rcontent-length: 40\r\n", "NEXT", BAD),
    ("length behind a bare LF", "x-a: b\ncontent-length: 40\r\n", "NEXT", BAD),
    (
        "length named by connection",
        "content-length: 3\r\nconnection: content-length\r\n",
        "abc",
        "200 kept: POST / \"abc\"",
    ),
];

const GETS: &[Row] = &[
    ("GET with a body", "content-length: 3\r\n", "abc", "200 kept: GET / \"abc\""),
    (
        "GET with a body that looks like a request",
        "content-length: 41\r\n",
        "GET /inside HTTP/1.1\r\nhost: a.test\r\n\r\nxyz",
        "200 kept: GET / \"GET /inside HTTP/1.1\\r\\nhost: a.test\\r\\n\\r\\nxy…\" (41 bytes)",
    ),
    ("GET with two lengths", "content-length: 0\r\ncontent-length: 40\r\n", "NEXT", BAD),
];
