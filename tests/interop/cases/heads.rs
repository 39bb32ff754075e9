//! Heads that are wrong, strange, old or too large.

use crate::case::Case;

pub fn cases() -> Vec<Case> {
    [lines(), hosts(), fields(), forms(), sizes(), strangers()].concat()
}

fn lines() -> Vec<Case> {
    let rest = "host: body.example\r\n\r\n";
    let line = |name: &str, line: &str| Case::raw(name, &format!("{line}\r\n{rest}"));
    vec![
        line("HTTP/1.0", "GET / HTTP/1.0"),
        line("HTTP/1.2", "GET / HTTP/1.2"),
        line("HTTP/2.0", "GET / HTTP/2.0"),
        line("HTTP/0.9 with a version", "GET / HTTP/0.9"),
        line("http/1.1 in small letters", "GET / http/1.1"),
        line("HTTP/1.10", "GET / HTTP/1.10"),
        line("HTTP/11", "GET / HTTP/11"),
        line("a missing version", "GET /"),
        line("two blanks", "GET  / HTTP/1.1"),
        line("a tab", "GET\t/ HTTP/1.1"),
        line("a blank at the end", "GET / HTTP/1.1 "),
        line("a blank at the beginning", " GET / HTTP/1.1"),
        line("a blank in the target", "GET /a b HTTP/1.1"),
        line("an empty target", "GET  HTTP/1.1"),
        line("a method with a bracket", "G(T / HTTP/1.1"),
        line("a method of 100 letters", &format!("{} / HTTP/1.1", "M".repeat(100))),
        line("a control character in the target", "GET /\u{1} HTTP/1.1"),
        line("delete in the target", "GET /\u{7f} HTTP/1.1"),
        Case::raw("blank lines before the request", &format!("\r\n\r\nGET / HTTP/1.1\r\n{rest}")),
        Case::raw("bare line feeds", "GET / HTTP/1.1\nhost: body.example\n\n"),
        Case::raw("one bare line feed", "GET / HTTP/1.1\r\nhost: body.example\nx-a: 1\r\n\r\n"),
        Case::raw("a bare carriage return", "GET / HTTP/1.1\rhost: body.example\r\n\r\n"),
        Case::raw("HTTP/1.0 without host", "GET / HTTP/1.0\r\n\r\n"),
        Case::raw(
            "HTTP/1.0 keep-alive",
            "GET / HTTP/1.0\r\nhost: body.example\r\nconnection: keep-alive\r\n\r\n",
        ),
    ]
}

fn hosts() -> Vec<Case> {
    let host = |name: &str, fields: &str| Case::raw(name, &format!("GET / HTTP/1.1\r\n{fields}\r\n"));
    vec![
        host("no host", "accept: */*\r\n"),
        host("two hosts", "host: body.example\r\nhost: other.example\r\n"),
        host("two equal hosts", "host: body.example\r\nhost: body.example\r\n"),
        host("an empty host", "host:\r\n"),
        host("a host with a path", "host: body.example/x\r\n"),
        host("a host with a user", "host: user@body.example\r\n"),
        host("a host with a blank", "host: body example\r\n"),
        host("a host list", "host: body.example, other.example\r\n"),
        host("a host with a bad port", "host: body.example:abc\r\n"),
        host("a host with an empty port", "host: body.example:\r\n"),
        host("a host with a large port", "host: body.example:99999\r\n"),
        host("a host with an underscore", "host: body_example\r\n"),
        host("a host with a comma", "host: a,b\r\n"),
        host("a host with a broken bracket", "host: [::1\r\n"),
        host("a host of latin-1", "host: caf\u{e9}.example\r\n"),
        host("HOST in capitals", "HOST: body.example\r\n"),
    ]
}

fn fields() -> Vec<Case> {
    let field = |name: &str, field: &str| {
        Case::raw(name, &format!("GET / HTTP/1.1\r\nhost: body.example\r\n{field}\r\n\r\n"))
    };
    vec![
        field("a field without a colon", "x-a"),
        field("a field without a name", ": value"),
        field("a blank before the colon of a field", "x-a : 1"),
        field("a blank in the name", "x a: 1"),
        field("a blank before the name", " x-a: 1"),
        field("a folded field", "x-a: 1\r\n  2"),
        field("a null in the value", "x-a: a\0b"),
        field("a null in the name", "x\0a: b"),
        field("a control character in the value", "x-a: a\u{1}b"),
        field("delete in the value", "x-a: a\u{7f}b"),
        field("a carriage return in the value", "x-a: a\rb"),
        field("latin-1 in the name", "x-\u{e9}: 1"),
        field("a bracket in the name", "x(a): 1"),
        field("a pseudo field", ":method: GET"),
        field("an empty line that is not", "x-a: 1\r\n \r"),
    ]
}

fn forms() -> Vec<Case> {
    let form =
        |name: &str, line: &str, host: &str| Case::raw(name, &format!("{line}\r\nhost: {host}\r\n\r\n"));
    vec![
        form("absolute form", "GET http://exact.example/x?y=1 HTTP/1.1", "exact.example"),
        form("absolute form with another host", "GET http://exact.example/x HTTP/1.1", "match.example"),
        form("absolute form with https", "GET https://exact.example/x HTTP/1.1", "exact.example"),
        form("absolute form with a port", "GET http://exact.example:8080/x HTTP/1.1", "match.example"),
        form("absolute form without a path", "GET http://exact.example HTTP/1.1", "exact.example"),
        form("absolute form with a query only", "GET http://exact.example?a=1 HTTP/1.1", "exact.example"),
        form("absolute form with a user", "GET http://user@exact.example/ HTTP/1.1", "exact.example"),
        form("absolute form in capitals", "GET HTTP://EXACT.EXAMPLE/ HTTP/1.1", "exact.example"),
        form("absolute form of another scheme", "GET ftp://exact.example/ HTTP/1.1", "exact.example"),
        form("absolute form with an empty host", "GET http:///x HTTP/1.1", "exact.example"),
        form("options of the server", "OPTIONS * HTTP/1.1", "match.example"),
        form("star with GET", "GET * HTTP/1.1", "exact.example"),
        form("connect", "CONNECT exact.example:80 HTTP/1.1", "exact.example:80"),
        form("connect without a port", "CONNECT exact.example HTTP/1.1", "exact.example"),
        form("connect to a path", "CONNECT /x HTTP/1.1", "exact.example"),
        form("authority form with GET", "GET exact.example:80 HTTP/1.1", "exact.example"),
        form("two slashes", "GET //exact.example/x HTTP/1.1", "match.example"),
    ]
}

fn sizes() -> Vec<Case> {
    let head = |fields: &str| format!("GET / HTTP/1.1\r\nhost: body.example\r\n{fields}\r\n");
    let many = |count: usize| (0..count).map(|n| format!("x-{n}: v\r\n")).collect::<String>();
    vec![
        Case::raw("99 fields", &head(&many(98))),
        Case::raw("101 fields", &head(&many(100))),
        Case::raw("200 fields", &head(&many(199))),
        Case::raw("a field of 50 KB", &head(&format!("x-big: {}\r\n", "b".repeat(50 * 1024)))),
        Case::raw("a field of 70 KB", &head(&format!("x-big: {}\r\n", "b".repeat(70 * 1024)))),
        Case::raw(
            "a target of 8 KB",
            &format!("GET /{} HTTP/1.1\r\nhost: body.example\r\n\r\n", "t".repeat(8 * 1024)),
        ),
        Case::raw(
            "a target of 70 KB",
            &format!("GET /{} HTTP/1.1\r\nhost: body.example\r\n\r\n", "t".repeat(70 * 1024)),
        ),
    ]
}

fn strangers() -> Vec<Case> {
    vec![
        Case::raw("HTTP/0.9", "GET /\r\n"),
        Case::raw("garbage", "hello, is anybody there?\r\n\r\n"),
        Case::raw("a TLS hello", "\u{16}\u{3}\u{1}\0\u{5}\u{1}\0\0\u{1}\0"),
        Case::raw("an SSH greeting", "SSH-2.0-OpenSSH_9.2\r\n"),
        Case::raw("an HTTP response", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
        Case::raw("nulls", "\0\0\0\0\0\0\0\0"),
        Case::raw(
            "a PROXY header",
            "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nGET / HTTP/1.1\r\nhost: body.example\r\n\r\n",
        ),
    ]
}
