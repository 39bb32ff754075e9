//! Chunks whose sizes, ends, extensions and trailers two readers could read differently (RFC 9112 §7.1).

use crate::attacks::case::{BAD, Case, NEXT, Row, posts};

const HEAD: &str = "POST / HTTP/1.1\r\nhost: a.test\r\ntransfer-encoding: chunked\r\n\r\n";

const SERVED: &str = "200 kept: POST / [chunked] \"abc\"";

pub fn cases() -> Vec<Case> {
    let rows =
        ROWS.iter().map(|(name, body, expected)| (*name, "transfer-encoding: chunked\r\n", *body, *expected));
    let mut cases = posts(&rows.collect::<Vec<Row>>());
    let chunked =
        |name: &str, body: String, expected: &str| Case::new(name, format!("{HEAD}{body}"), expected);
    let end = "abc\r\n0\r\n\r\n";
    cases.extend([
        chunked("chunk extension of 900 bytes", format!("3;{}\r\n{end}", "e".repeat(900)), SERVED),
        chunked("chunk extension of 5 KB", format!("3;{}\r\n{end}", "e".repeat(5_000)), BAD),
        chunked(
            "chunk extensions of 100 KB in all",
            format!("1;{}\r\na\r\n", "e".repeat(900)).repeat(110),
            BAD,
        ),
        chunked("chunk size of 1000 zeros", format!("{}3\r\n{end}", "0".repeat(1_000)), BAD),
        chunked(
            "chunk trailer of 20 KB",
            format!("3\r\nabc\r\n0\r\nx-t: {}\r\n\r\n", "t".repeat(20_000)),
            "431 closed",
        ),
        chunked(
            "chunk trailers, 200",
            format!("3\r\nabc\r\n0\r\n{}\r\n", "x-t: t\r\n".repeat(200)),
            "431 closed",
        ),
    ]);
    for (name, size) in
        [("2^64 - 1", "ffffffffffffffff"), ("2^63", "8000000000000000"), ("2^32 + 3", "0000000100000003")]
    {
        let body = format!("{size}\r\nabc\r\n0\r\n\r\n{NEXT}");
        cases.push(chunked(&format!("chunk size {name}"), body, BAD).ended());
    }
    let trailers = |name: &str, trailers: &str, expected: &str| {
        Case::new(name, format!("{HEAD}3\r\nabc\r\n0\r\n{trailers}\r\n").replace("NEXT", NEXT), expected)
            .old()
    };
    cases.extend([
        trailers("trailer passed", "x-t: 1\r\n", "200 kept: POST / [chunked] \"abc\" then [x-t: 1]"),
        trailers("trailer content-length", "content-length: 40\r\n", SERVED),
        trailers("trailer transfer-encoding", "transfer-encoding: chunked\r\n", SERVED),
        trailers("trailer host", "host: other.test\r\n", SERVED),
        trailers("trailer connection", "connection: close\r\n", SERVED),
        trailers("trailer te", "te: trailers\r\n", SERVED),
        trailers("trailer upgrade", "upgrade: h2c\r\n", SERVED),
        trailers("trailer expect", "expect: 100-continue\r\n", SERVED),
        trailers("trailer authorization", "authorization: Basic eDp5\r\n", SERVED),
        trailers("trailer cookie", "cookie: a=b\r\n", SERVED),
        trailers("trailer folded", "x-t: 1\r\n 2\r\n", BAD),
        trailers("trailer without a colon", "x-t\r\n", BAD),
        trailers("trailer with a blank before the colon", "x-t : 1\r\n", BAD),
        trailers("trailer with a null", "x-t: \0\r\n", BAD),
        trailers("trailer with a bare LF", "x-t: 1\n", BAD),
        trailers("trailer with a bare CR", "x-t: 1\rx-u: 2\r\n", BAD),
        trailers("trailer with an empty name", ": 1\r\n", BAD),
        trailers("trailer that is a request", "GET /smuggled HTTP/1.1\r\nhost: a.test\r\n", BAD),
        trailers("trailer pseudo field", ":path: /smuggled\r\n", BAD),
    ]);
    cases
}

const ROWS: &[(&str, &str, &str)] = &[
    ("chunk size 2^64", "10000000000000000\r\nabc\r\n0\r\n\r\nNEXT", BAD),
    ("chunk size 2^64 + 3", "10000000000000003\r\nabc\r\n0\r\n\r\nNEXT", BAD),
    ("chunk size of 17 digits", "00000000000000003\r\nabc\r\n0\r\n\r\n", BAD),
    ("chunk size of 16 digits", "0000000000000003\r\nabc\r\n0\r\n\r\n", SERVED),
    ("chunk size with plus", "+3\r\nabc\r\n0\r\n\r\n", BAD),
    ("chunk size with minus", "-3\r\nabc\r\n0\r\n\r\nNEXT", BAD),
    ("chunk size minus zero", "-0\r\n\r\nNEXT", BAD),
    ("chunk size with 0x", "0x3\r\nabc\r\n0\r\n\r\nNEXT", BAD),
    ("chunk size with 0X", "0X3\r\nabc\r\n0\r\n\r\nNEXT", BAD),
    ("chunk size with h", "3h\r\nabc\r\n0\r\n\r\n", BAD),
    ("chunk size with an underscore", "0_3\r\nabc\r\n0\r\n\r\nNEXT", BAD),
    ("chunk size with a point", "3.0\r\nabc\r\n0\r\n\r\n", BAD),
    ("chunk size with a comma", "3,3\r\nabc\r\n0\r\n\r\n", BAD),
    ("chunk size with a colon", "3:3\r\nabc\r\n0\r\n\r\n", BAD),
    ("chunk size in quotes", "\"3\"\r\nabc\r\n0\r\n\r\n", BAD),
    ("chunk size empty", "\r\nabc\r\n0\r\n\r\n", BAD),
    ("chunk size is an extension", ";a=b\r\nabc\r\n0\r\n\r\n", BAD),
    ("chunk size behind a blank", " 3\r\nabc\r\n0\r\n\r\n", BAD),
    ("chunk size behind a tab", "\t3\r\nabc\r\n0\r\n\r\n", BAD),
    ("chunk size before a blank", "3 \r\nabc\r\n0\r\n\r\n", BAD),
    ("chunk size before a tab", "3\t\r\nabc\r\n0\r\n\r\n", BAD),
    ("chunk size before a null", "3\0\r\nabc\r\n0\r\n\r\n", BAD),
    ("chunk size before a vertical tab", "3\u{b}\r\nabc\r\n0\r\n\r\n", BAD),
    ("chunk size in two words", "0 3\r\nabc\r\n0\r\n\r\nNEXT", BAD),
    ("chunk size in capitals", "A\r\n0123456789\r\n0\r\n\r\n", "200 kept: POST / [chunked] \"0123456789\""),
    ("chunk size with leading zeros", "003\r\nabc\r\n000\r\n\r\n", SERVED),
    ("chunk size in full-width digits", "\u{ff13}\r\nabc\r\n0\r\n\r\n", BAD),
    ("chunk line with a bare LF", "3\nabc\r\n0\r\n\r\n", BAD),
    ("chunk line with a bare CR", "3\rabc\r\n0\r\n\r\n", BAD),
    ("chunk line with two CR", "3\r\r\nabc\r\n0\r\n\r\n", BAD),
    ("chunk line with LF CR", "3\n\rabc\r\n0\r\n\r\n", BAD),
    ("chunk extension", "3;a=b\r\nabc\r\n0\r\n\r\n", SERVED),
    ("chunk extension behind a blank", "3 ;a=b\r\nabc\r\n0\r\n\r\n", SERVED),
    ("chunk extension quoted", "3;a=\"b c\"\r\nabc\r\n0\r\n\r\n", SERVED),
    ("chunk extension of a semicolon", "3;\r\nabc\r\n0\r\n\r\n", SERVED),
    ("chunk extension on the last chunk", "3\r\nabc\r\n0;a=b\r\n\r\n", SERVED),
    (
        "chunk extension with a quoted CRLF",
        "3;a=\"\r\nabc\r\n0\r\n\r\n\"\r\n",
        "200 400 closed: POST / [chunked] \"abc\"",
    ),
    ("chunk extension with a bare LF", "3;a\nabc\r\n0\r\n\r\nNEXT", BAD),
    ("chunk extension with a bare CR", "3;a\rb\r\nabc\r\n0\r\n\r\n", BAD),
    ("chunk extension that hides a chunk by LF", "3;\nxx\r\nabc\r\n0\r\n\r\n", BAD),
    ("chunk extension with a null", "3;a=\0\r\nabc\r\n0\r\n\r\n", BAD),
    ("chunk extension with delete", "3;a=\u{7f}\r\nabc\r\n0\r\n\r\n", BAD),
    ("chunk without its CRLF", "3\r\nabc0\r\n\r\nNEXT", BAD),
    ("chunk with LF behind", "3\r\nabc\n0\r\n\r\nNEXT", BAD),
    ("chunk with CR behind", "3\r\nabc\r0\r\n\r\nNEXT", BAD),
    ("chunk with two bytes too many", "3\r\nabcde\r\n0\r\n\r\nNEXT", BAD),
    ("chunk with one byte too few", "3\r\nab\r\n0\r\n\r\nNEXT", BAD),
    ("chunk with a blank behind", "3\r\nabc \r\n0\r\n\r\nNEXT", BAD),
    ("chunk with two CRLF behind", "3\r\nabc\r\n\r\n0\r\n\r\nNEXT", BAD),
    ("last chunk with data", "0\r\nabc\r\n\r\nNEXT", BAD),
    ("last chunk with bare LFs", "0\n\n", BAD),
    ("last chunk before a bare LF", "0\r\n\nNEXT", BAD),
    ("last chunk before a bare CR", "0\r\n\rGET /smuggled HTTP/1.1\r\n\r\n", BAD),
    (
        "last chunk, then a request",
        "3\r\nabc\r\n0\r\n\r\nGET /second HTTP/1.1\r\nhost: a.test\r\n\r\n",
        "200 200 kept: POST / [chunked] \"abc\"; GET /second",
    ),
    (
        "chunked body that holds a request",
        "2a\r\nGET /inside HTTP/1.1\r\nhost: a.test\r\n\r\nabcd\r\n0\r\n\r\n",
        "200 kept: POST / [chunked] \"GET /inside HTTP/1.1\\r\\nhost: a.test\\r\\n\\r\\nab…\" (42 bytes)",
    ),
    ("chunks of one byte", "1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n", SERVED),
    ("chunked and nothing in it", "0\r\n\r\n", "200 kept: POST / [chunked]"),
    ("trailer dropped", "3\r\nabc\r\n0\r\nx-t: 1\r\n\r\n", SERVED),
    ("trailer dropped, content-length", "3\r\nabc\r\n0\r\ncontent-length: 99\r\n\r\n", SERVED),
    ("trailer dropped, malformed", "3\r\nabc\r\n0\r\nx-t\r\n\r\n", BAD),
];
