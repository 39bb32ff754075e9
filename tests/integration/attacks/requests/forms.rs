//! The four forms of a target and what is none of them (RFC 9112 §3.2, RFC 9110 §4.2).

use crate::attacks::case::{BAD, CODING, Case};

pub fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = FORMS
        .iter()
        .map(|(name, line, host, expected)| {
            Case::new(name, format!("{line} HTTP/1.1\r\nhost: {host}\r\n\r\n"), expected)
        })
        .collect();
    let connect = |name: &str, target: &str, rest: &str, expected: &str| {
        Case::new(name, format!("CONNECT {target} HTTP/1.1\r\nhost: a.test:80\r\n{rest}"), expected).alone()
    };
    cases.extend([
        connect(
            "connect",
            "a.test:80",
            "\r\nPING",
            "200 tunnel: CONNECT a.test:80 @a.test:80; tunnel \"PING\"",
        ),
        connect("connect with a length", "a.test:80", "content-length: 4\r\n\r\nPING", BAD),
        connect(
            "connect with a length of zero",
            "a.test:80",
            "content-length: 0\r\n\r\n",
            "200 tunnel: CONNECT a.test:80 @a.test:80; tunnel \"\"",
        ),
        connect("connect with chunked", "a.test:80", "transfer-encoding: chunked\r\n\r\n0\r\n\r\n", CODING),
        connect("connect without a port", "a.test", "\r\n", BAD),
        connect("connect with an empty port", "a.test:", "\r\n", BAD),
        connect("connect with a bad port", "a.test:x", "\r\n", BAD),
        connect("connect with a large port", "a.test:65536", "\r\n", BAD),
        connect("connect with a user", "user@a.test:80", "\r\n", BAD),
        connect("connect to a path", "/smuggled", "\r\n", BAD),
        connect("connect to a url", "http://a.test:80/", "\r\n", BAD),
        connect("connect to an asterisk", "*", "\r\n", BAD),
        connect(
            "connect to another host",
            "b.test:80",
            "\r\n",
            "200 tunnel: CONNECT b.test:80 @b.test:80; tunnel \"\"",
        ),
    ]);
    cases
}

const FORMS: &[(&str, &str, &str, &str)] = &[
    ("form absolute", "GET http://a.test/x?y=1", "a.test", "200 kept: GET /x?y=1"),
    ("form absolute, another host", "GET http://b.test/x", "a.test", "200 kept: GET /x @b.test"),
    ("form absolute, another port", "GET http://a.test:81/x", "a.test", "200 kept: GET /x @a.test:81"),
    ("form absolute, https", "GET https://a.test/x", "a.test", "200 kept: GET /x"),
    ("form absolute in capitals", "GET HTTP://A.TEST/x", "a.test", "200 kept: GET /x @A.TEST"),
    ("form absolute without a path", "GET http://a.test", "a.test", "200 kept: GET /"),
    ("form absolute with a query only", "GET http://a.test?y", "a.test", "200 kept: GET /?y"),
    ("form absolute with a fragment", "GET http://a.test/#f", "a.test", BAD),
    ("form absolute with a user", "GET http://user@a.test/", "a.test", BAD),
    ("form absolute with user and word", "GET http://user:word@a.test/", "a.test", BAD),
    (
        "form absolute with an at sign behind a slash",
        "GET http://b.test/@a.test/",
        "a.test",
        "200 kept: GET /@a.test/ @b.test",
    ),
    ("form absolute with a backslash", "GET http://b.test\\@a.test/", "a.test", BAD),
    ("form absolute with a host list", "GET http://a.test,b.test/", "a.test", BAD),
    ("form absolute with a quote in the host", "GET http://a'b.test/", "a.test", BAD),
    ("form absolute with a semicolon in the host", "GET http://a;b.test/", "a.test", BAD),
    ("form absolute with an escape in the host", "GET http://a%2eb.test/", "a.test", BAD),
    ("form absolute with a star in the host", "GET http://*.test/", "a.test", BAD),
    ("form absolute with an empty host", "GET http:///x", "a.test", BAD),
    ("form absolute with a port only", "GET http://:80/x", "a.test", BAD),
    ("form absolute with a bad port", "GET http://a.test:x/", "a.test", BAD),
    ("form absolute with a large port", "GET http://a.test:65536/", "a.test", BAD),
    ("form absolute with one slash", "GET http:/a.test/x", "a.test", BAD),
    ("form absolute with three slashes", "GET http:////x", "a.test", BAD),
    ("form absolute with ftp", "GET ftp://a.test/x", "a.test", BAD),
    ("form absolute with file", "GET file:///etc/passwd", "a.test", BAD),
    ("form absolute with ws", "GET ws://a.test/", "a.test", BAD),
    ("form absolute without a scheme", "GET ://a.test/", "a.test", BAD),
    ("form absolute with a space in the scheme", "GET ht%20tp://a.test/", "a.test", BAD),
    ("form absolute and a bad host field", "GET http://a.test/", "b test", BAD),
    ("form absolute and an empty host field", "GET http://a.test/", "", BAD),
    ("form origin with two slashes", "GET //b.test/x", "a.test", "200 kept: GET //b.test/x"),
    ("form origin with a url inside", "GET /http://b.test/x", "a.test", "200 kept: GET /http://b.test/x"),
    ("form origin with dots", "GET /../x", "a.test", "200 kept: GET /../x"),
    ("form origin with an encoded CRLF", "GET /%0d%0ax:%20y", "a.test", "200 kept: GET /%0d%0ax:%20y"),
    ("form origin with an encoded null", "GET /%00", "a.test", "200 kept: GET /%00"),
    ("form origin with a backslash", "GET /\\b.test", "a.test", "200 kept: GET /\\b.test"),
    ("form origin with a bad escape", "GET /%zz", "a.test", "200 kept: GET /%zz"),
    ("form of a question mark", "GET ?x", "a.test", BAD),
    ("form of a word", "GET x", "a.test", BAD),
    ("form of an authority with GET", "GET a.test:80", "a.test", BAD),
    ("form of an at sign", "GET @b.test/x", "a.test", BAD),
    ("form of a backslash", "GET \\x", "a.test", BAD),
    ("form of two dots", "GET ../x", "a.test", BAD),
    ("form asterisk with OPTIONS", "OPTIONS *", "a.test", "404 kept"),
    ("form asterisk with GET", "GET *", "a.test", BAD),
    ("form asterisk with more", "OPTIONS *x", "a.test", BAD),
];
