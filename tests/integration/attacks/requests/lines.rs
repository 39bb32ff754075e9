//! Request lines that are not one method, one target and one version (RFC 9112 §3).

use crate::attacks::case::{BAD, Case, NEXT};

const OLD_VERSION: &str = "426 closed";

pub fn cases() -> Vec<Case> {
    let rows = LINES.iter().map(|(name, line, expected)| {
        Case::new(name, format!("{line}\r\nhost: a.test\r\n\r\n").replace("NEXT", NEXT), expected)
    });
    let mut cases: Vec<Case> = rows.collect();
    cases.extend([
        Case::new("line of HTTP/0.9", "GET /smuggled\r\n\r\n", BAD),
        Case::new("line without a target", "GET HTTP/1.1\r\nhost: a.test\r\n\r\n", BAD),
        Case::new("line with a bare LF", "GET / HTTP/1.1\nhost: a.test\r\n\r\n", BAD),
        Case::new("line with a bare CR", "GET / HTTP/1.1\rhost: a.test\r\n\r\n", BAD),
        Case::new("line with two CR", "GET / HTTP/1.1\r\r\nhost: a.test\r\n\r\n", BAD),
        Case::new("line with bare LFs all over", "GET / HTTP/1.1\nhost: a.test\n\n", BAD),
        Case::new(
            "line behind an empty line",
            "\r\nGET / HTTP/1.1\r\nhost: a.test\r\n\r\n",
            "200 kept: GET /",
        ),
        Case::new("line behind a bare LF", "\nGET / HTTP/1.1\r\nhost: a.test\r\n\r\n", BAD),
        Case::new("line behind a bare CR", "\rGET / HTTP/1.1\r\nhost: a.test\r\n\r\n", BAD),
        Case::new(
            "line behind 100 empty lines",
            format!("{}GET / HTTP/1.1\r\nhost: a.test\r\n\r\n", "\r\n".repeat(100)),
            BAD,
        ),
        Case::new("line behind a byte-order mark", "\u{feff}GET / HTTP/1.1\r\nhost: a.test\r\n\r\n", BAD),
        Case::new("line behind a null", "\0GET / HTTP/1.1\r\nhost: a.test\r\n\r\n", BAD),
        Case::new("line of TLS", &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], BAD),
        Case::new(
            "line of PROXY",
            "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nGET /smuggled HTTP/1.1\r\nhost: a.test\r\n\r\n",
            BAD,
        ),
        Case::new("line of a response", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", BAD),
        Case::new("line of nulls", vec![0; 64], BAD),
        Case::new("line of 0xff", vec![0xff; 64], BAD),
        Case::new("line of latin-1", &b"GET /\xe9 HTTP/1.1\r\nhost: a.test\r\n\r\n"[..], BAD),
    ]);
    let ten = |name: &str, line: &str, rest: &str, expected: &str| {
        Case::new(name, format!("{line}\r\nhost: a.test\r\n{rest}"), expected).old()
    };
    cases.extend([
        ten("1.0 closes", "GET / HTTP/1.0", "\r\nNEXT", "200 closed: GET /"),
        ten(
            "1.0 closes though the request goes on",
            "POST / HTTP/1.0",
            "content-length: 3\r\n\r\nabcGET /smuggled HTTP/1.0\r\n\r\n",
            "200 closed: POST / \"abc\"",
        ),
        ten("1.0 is kept when asked", "GET / HTTP/1.0", "connection: keep-alive\r\n\r\n", "200 kept: GET /"),
        ten("1.0 without a length has no body", "POST / HTTP/1.0", "\r\nabc", "200 closed: POST /"),
        ten(
            "1.0 with an upgrade",
            "GET /switch HTTP/1.0",
            "connection: upgrade\r\nupgrade: websocket\r\n\r\n",
            "200 closed: GET /switch",
        ),
        Case::new("1.0 without a host", "GET / HTTP/1.0\r\n\r\n", BAD).old(),
        Case::new("1.0 with two hosts", "GET / HTTP/1.0\r\nhost: a.test\r\nhost: b.test\r\n\r\n", BAD).old(),
    ]);
    cases
}

const LINES: &[(&str, &str, &str)] = &[
    ("line with HTTP/1.0", "GET / HTTP/1.0", OLD_VERSION),
    ("line with HTTP/0.9", "GET / HTTP/0.9", OLD_VERSION),
    ("line with HTTP/1.2", "GET / HTTP/1.2", OLD_VERSION),
    ("line with HTTP/2.0", "GET / HTTP/2.0", OLD_VERSION),
    ("line with HTTP/3.0", "GET / HTTP/3.0", OLD_VERSION),
    ("line with HTTP/9.9", "GET / HTTP/9.9", OLD_VERSION),
    ("line with HTTP/1", "GET / HTTP/1", BAD),
    ("line with HTTP/1.", "GET / HTTP/1.", BAD),
    ("line with HTTP/11", "GET / HTTP/11", BAD),
    ("line with HTTP/1.10", "GET / HTTP/1.10", BAD),
    ("line with HTTP/1.01", "GET / HTTP/1.01", BAD),
    ("line with HTTP/01.1", "GET / HTTP/01.1", BAD),
    ("line with HTTP/1.1.1", "GET / HTTP/1.1.1", BAD),
    ("line with HTTP/+1.1", "GET / HTTP/+1.1", BAD),
    ("line with HTTP/-1.1", "GET / HTTP/-1.1", BAD),
    ("line with HTTP 1.1", "GET / HTTP 1.1", BAD),
    ("line with http/1.1", "GET / http/1.1", BAD),
    ("line with HTTP/1,1", "GET / HTTP/1,1", BAD),
    ("line with HTTPS/1.1", "GET / HTTPS/1.1", BAD),
    ("line with ICY/1.1", "GET / ICY/1.1", BAD),
    ("line with a version and a null", "GET / HTTP/1.1\0", BAD),
    ("line without a version", "GET /", BAD),
    ("line with two versions", "GET / HTTP/1.1 HTTP/1.1", BAD),
    ("line with two blanks before the target", "GET  / HTTP/1.1", BAD),
    ("line with two blanks before the version", "GET /  HTTP/1.1", BAD),
    ("line with tabs", "GET\t/\tHTTP/1.1", BAD),
    ("line with a vertical tab", "GET\u{b}/ HTTP/1.1", BAD),
    ("line with a blank behind", "GET / HTTP/1.1 ", BAD),
    ("line with a tab behind", "GET / HTTP/1.1\t", BAD),
    ("line with a blank before", " GET / HTTP/1.1", BAD),
    ("line with a blank in the target", "GET /a b HTTP/1.1", BAD),
    ("line with a request in its target", "GET / HTTP/1.1 GET /smuggled HTTP/1.1", BAD),
    ("line with an empty target", "GET  HTTP/1.1", BAD),
    ("line with a null in the target", "GET /\0 HTTP/1.1", BAD),
    ("line with a control character in the target", "GET /\u{1} HTTP/1.1", BAD),
    ("line with delete in the target", "GET /\u{7f} HTTP/1.1", BAD),
    ("line with a fragment", "GET /a#b HTTP/1.1", BAD),
    ("line with a null in the method", "G\0T / HTTP/1.1", BAD),
    ("line with a colon in the method", "GET: / HTTP/1.1", BAD),
    ("line with a bracket in the method", "G(T / HTTP/1.1", BAD),
    ("line with a slash in the method", "G/T / HTTP/1.1", BAD),
    ("line with quotes around the method", "\"GET\" / HTTP/1.1", BAD),
    ("line with latin-1 in the method", "G\u{c9}T / HTTP/1.1", BAD),
    ("line with a method of its own", "BREW / HTTP/1.1", "200 kept: BREW /"),
    ("line with a small method", "get / HTTP/1.1", "200 kept: get /"),
    ("line with a method of token characters", "!#$%&'*+-.^_`|~ / HTTP/1.1", "200 kept: !#$%&'*+-.^_`|~ /"),
];
