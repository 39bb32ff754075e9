//! Fields that are folded, unnamed, split by control characters, or meant for one hop (RFC 9110 §5, §7.6.1).

use crate::attacks::case::{BAD, Case, Row, gets};

pub fn cases() -> Vec<Case> {
    let mut cases = gets(ROWS);
    cases.push(Case::new(
        "field with every byte of latin-1",
        [
            &b"GET / HTTP/1.1\r\nhost: a.test\r\nx-a: "[..],
            &(0x80..=0xff).collect::<Vec<u8>>()[..10],
            b"\r\n\r\n",
        ]
        .concat(),
        "200 kept: GET / [x-a: \\x80\\x81\\x82\\x83\\x84\\x85\\x86\\x87\\x88\\x89]",
    ));
    for byte in (1..0x20_u8).chain([0x7f]).filter(|byte| !matches!(byte, b'\t' | b'\r' | b'\n')) {
        let bytes = [&b"GET / HTTP/1.1\r\nhost: a.test\r\nx-a: a"[..], &[byte], b"b\r\n\r\n"].concat();
        cases.push(Case::new(&format!("field value with byte {byte:#04x}"), bytes, BAD));
    }
    for byte in b"\"(),/;<=>?@[\\]{} \t\x7f\x80" {
        let bytes = [&b"GET / HTTP/1.1\r\nhost: a.test\r\nx"[..], &[*byte], b"a: b\r\n\r\n"].concat();
        cases.push(Case::new(&format!("field name with byte {byte:#04x}"), bytes, BAD));
    }
    cases
}

const ROWS: &[Row] = &[
    ("field folded", "x-a: b\r\n c\r\n", "", BAD),
    ("field folded by a tab", "x-a: b\r\n\tc\r\n", "", BAD),
    ("field folded into nothing", "x-a: b\r\n \r\n", "", BAD),
    ("field folded that is a request", "x-a: b\r\n GET /smuggled HTTP/1.1\r\n", "", BAD),
    ("field without a colon", "x-a\r\n", "", BAD),
    ("field without a name", ": b\r\n", "", BAD),
    ("field of a colon", ":\r\n", "", BAD),
    ("field pseudo", ":path: /smuggled\r\n", "", BAD),
    ("field with a blank before the colon", "x-a : b\r\n", "", BAD),
    ("field with a tab before the colon", "x-a\t: b\r\n", "", BAD),
    ("field with a blank before the name", " x-a: b\r\n", "", BAD),
    ("field with a null in the value", "x-a: a\0b\r\n", "", BAD),
    ("field with a null in the name", "x\0a: b\r\n", "", BAD),
    ("field with a bare CR", "x-a: a\rb\r\n", "", BAD),
    ("field with CR at its end", "x-a: a\r\r\n", "", BAD),
    ("field with a bare LF", "x-a: a\nx-b: b\r\n", "", BAD),
    ("field with a bare LF that ends the head", "x-a: a\r\n\nNEXT", "", BAD),
    ("field with LF CR", "x-a: a\n\rx-b: b\r\n", "", BAD),
    ("field with an encoded CRLF", "x-a: a%0d%0ax-b: b\r\n", "", "200 kept: GET / [x-a: a%0d%0ax-b: b]"),
    ("field with a line separator", "x-a: a\u{2028}b\r\n", "", "200 kept: GET / [x-a: a\\xe2\\x80\\xa8b]"),
    (
        "field with CR and LF as wide characters",
        "x-a: a\u{10d}\u{10a}b\r\n",
        "",
        "200 kept: GET / [x-a: a\\xc4\\x8d\\xc4\\x8ab]",
    ),
    ("field empty", "x-a:\r\n", "", "200 kept: GET / [x-a: ]"),
    ("field with blanks around", "x-a: \t b c \t \r\n", "", "200 kept: GET / [x-a: b c]"),
    ("field twice", "x-a: 1\r\nx-a: 2\r\n", "", "200 kept: GET / [x-a: 1, x-a: 2]"),
    ("field keep-alive", "keep-alive: timeout=5\r\n", "", "200 kept: GET /"),
    ("field proxy-connection", "proxy-connection: close\r\n", "", "200 kept: GET /"),
    ("field te", "te: gzip\r\n", "", "200 kept: GET /"),
    ("field trailer", "trailer: x-t\r\n", "", "200 kept: GET / [trailer: x-t]"),
    (
        "connection names a field",
        "connection: x-hop\r\nx-hop: 1\r\nx-stay: 2\r\n",
        "",
        "200 kept: GET / [x-stay: 2]",
    ),
    ("connection names host", "connection: host\r\n", "", BAD),
    (
        "connection names authorization",
        "connection: authorization\r\nauthorization: Basic eDp5\r\n",
        "",
        "200 kept: GET /",
    ),
    (
        "connection names x-forwarded-proto",
        "connection: x-forwarded-proto\r\nx-forwarded-proto: https\r\n",
        "",
        "200 kept: GET /",
    ),
    ("connection names a pseudo field", "connection: :path\r\n", "", BAD),
    ("connection names no token", "connection: \"x\"\r\n", "", BAD),
    ("connection in a list", "connection: , x-hop ,, x-b\r\nx-hop: 1\r\n", "", "200 kept: GET /"),
    ("connection close", "connection: close\r\n", "NEXT", "200 closed: GET /"),
    ("connection close in capitals", "Connection: CLOSE\r\n", "NEXT", "200 closed: GET /"),
    ("connection close in a list", "connection: keep-alive, close\r\n", "NEXT", "200 closed: GET /"),
    (
        "connection close in another field",
        "connection: keep-alive\r\nconnection: close\r\n",
        "NEXT",
        "200 closed: GET /",
    ),
    ("connection closed is another word", "connection: closed\r\n", "", "200 kept: GET /"),
    ("expect something else", "expect: 200-ok\r\n", "", "200 kept: GET / [expect: 200-ok]"),
    ("expect with a list", "expect: 100-continue, x\r\n", "", "200 kept: GET / [expect: 100-continue, x]"),
    ("expect twice", "expect: 100-continue\r\nexpect: 100-continue\r\n", "", "200 kept: GET /"),
    ("expect without a body", "expect: 100-continue\r\n", "", "200 kept: GET /"),
    ("expect with a body", "expect: 100-continue\r\ncontent-length: 3\r\n", "abc", "200 kept: GET / \"abc\""),
    ("expect in capitals", "expect: 100-CONTINUE\r\ncontent-length: 3\r\n", "abc", "200 kept: GET / \"abc\""),
];
