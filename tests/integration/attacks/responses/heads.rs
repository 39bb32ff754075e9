//! Status lines and fields of answers that are no HTTP (RFC 9112 §4, §5).

use harness::raw_backend::Then::{Close, Keep};

use super::hostile::{Hostile, Row, rows};

const BAD: &str = "502 kept, dropped";

pub fn cases() -> Vec<Hostile> {
    let mut cases = rows(LINES);
    cases.extend(FIELDS.iter().map(|(name, fields, expected)| {
        let bytes = format!("HTTP/1.1 200 OK\r\n{fields}content-length: 3\r\n\r\nabc");
        Hostile::new(&format!("field {name}"), bytes, Keep, expected)
    }));
    let many = |count: usize| (0..count).map(|n| format!("x-{n}: v\r\n")).collect::<String>();
    let start = "HTTP/1.1 200 OK\r\n";
    let large = |name: &str, bytes: String, expected: &str| Hostile::new(name, bytes, Keep, expected);
    cases.extend([
        large("101 fields", format!("{start}{}content-length: 0\r\n\r\n", many(100)), BAD),
        large("a field of 70 KB", format!("{start}x-a: {}\r\n\r\n", "v".repeat(70_000)), BAD),
        large("a reason of 70 KB", format!("HTTP/1.1 200 {}\r\n\r\n", "O".repeat(70_000)), BAD),
        large("a head without an end", format!("{start}{}", many(20_000)), BAD),
        large("a line without an end", "HTTP/1.1 200 OK".to_owned() + &"K".repeat(100_000), BAD),
        large("a head that never ends", format!("{start}x-a: b\r\n"), "504 kept, dropped"),
        large("nothing at all", String::new(), "504 kept, dropped"),
        Hostile::new("nulls", vec![0; 100], Keep, BAD),
        Hostile::new(
            "latin-1 in the reason",
            &b"HTTP/1.1 200 \xd6K\r\ncontent-length: 3\r\n\r\nabc"[..],
            Keep,
            "200 \"abc\" kept, reused",
        ),
    ]);
    cases
}

const LINES: &[Row] = &[
    ("HTTP/0.9", "<html>hello</html>", Close, BAD),
    ("HTTP/1.0 without a length", "HTTP/1.0 200 OK\r\n\r\nabc", Close, "200 \"abc\" kept, dropped"),
    (
        "HTTP/1.0 with a length",
        "HTTP/1.0 200 OK\r\ncontent-length: 3\r\n\r\nabc",
        Keep,
        "200 \"abc\" kept, dropped",
    ),
    (
        "HTTP/1.0 with keep-alive",
        "HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 3\r\n\r\nabc",
        Keep,
        "200 \"abc\" kept, dropped",
    ),
    ("HTTP/1.2", "HTTP/1.2 200 OK\r\ncontent-length: 3\r\n\r\nabc", Keep, BAD),
    ("HTTP/2.0", "HTTP/2.0 200 OK\r\ncontent-length: 3\r\n\r\nabc", Keep, BAD),
    ("HTTP/1.10", "HTTP/1.10 200 OK\r\ncontent-length: 3\r\n\r\nabc", Keep, BAD),
    ("small letters", "http/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc", Keep, BAD),
    ("ICY", "ICY 200 OK\r\ncontent-length: 3\r\n\r\nabc", Keep, BAD),
    ("no version", "200 OK\r\ncontent-length: 3\r\n\r\nabc", Keep, BAD),
    ("no status", "HTTP/1.1 OK\r\ncontent-length: 3\r\n\r\nabc", Keep, BAD),
    ("no reason", "HTTP/1.1 200\r\ncontent-length: 3\r\n\r\nabc", Keep, "200 \"abc\" kept, reused"),
    ("empty reason", "HTTP/1.1 200 \r\ncontent-length: 3\r\n\r\nabc", Keep, "200 \"abc\" kept, reused"),
    ("status of two digits", "HTTP/1.1 20 OK\r\ncontent-length: 3\r\n\r\nabc", Keep, BAD),
    ("status of four digits", "HTTP/1.1 2000 OK\r\ncontent-length: 3\r\n\r\nabc", Keep, BAD),
    ("status of letters", "HTTP/1.1 2xx OK\r\ncontent-length: 3\r\n\r\nabc", Keep, BAD),
    ("status with a sign", "HTTP/1.1 +20 OK\r\ncontent-length: 3\r\n\r\nabc", Keep, BAD),
    ("status 000", "HTTP/1.1 000 OK\r\ncontent-length: 3\r\n\r\nabc", Keep, BAD),
    ("status 099", "HTTP/1.1 099 OK\r\ncontent-length: 3\r\n\r\nabc", Keep, BAD),
    ("two blanks before the status", "HTTP/1.1  200 OK\r\ncontent-length: 3\r\n\r\nabc", Keep, BAD),
    ("tab before the status", "HTTP/1.1\t200 OK\r\ncontent-length: 3\r\n\r\nabc", Keep, BAD),
    ("null in the reason", "HTTP/1.1 200 O\0K\r\ncontent-length: 3\r\n\r\nabc", Keep, BAD),
    ("bare CR in the reason", "HTTP/1.1 200 O\rK\r\ncontent-length: 3\r\n\r\nabc", Keep, BAD),
    ("bare LFs", "HTTP/1.1 200 OK\ncontent-length: 3\n\nabc", Keep, BAD),
    ("empty line before it", "\r\nHTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc", Keep, BAD),
    ("bare LF before it", "\nHTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc", Keep, BAD),
    ("blank before it", " HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc", Keep, BAD),
    ("a request", "GET / HTTP/1.1\r\nhost: a.test\r\n\r\n", Keep, BAD),
    ("an SSH greeting", "SSH-2.0-OpenSSH_9.2\r\n", Keep, BAD),
    ("TLS", "\u{15}\u{3}\u{1}\0\u{2}\u{2}\u{46}", Close, BAD),
    ("the HTTP/2 settings", "\0\0\0\u{4}\0\0\0\0\0", Keep, BAD),
];

const FIELDS: &[(&str, &str, &str)] = &[
    ("folded", "x-a: b\r\n c\r\n", BAD),
    ("without a colon", "x-a\r\n", BAD),
    ("without a name", ": b\r\n", BAD),
    ("with a blank before the colon", "x-a : b\r\n", BAD),
    ("with a blank in the name", "x a: b\r\n", BAD),
    ("with a null in the value", "x-a: a\0b\r\n", BAD),
    ("with a null in the name", "x\0a: b\r\n", BAD),
    ("with a bare CR", "x-a: a\rb\r\n", BAD),
    ("with a bare LF", "x-a: a\nx-b: b\r\n", BAD),
    ("with a control character", "x-a: a\u{1}b\r\n", BAD),
    ("with delete", "x-a: a\u{7f}b\r\n", BAD),
    ("pseudo", ":status: 200\r\n", BAD),
    ("empty", "x-a:\r\n", "200 \"abc\" kept, reused"),
    ("connection close", "connection: close\r\n", "200 \"abc\" kept, dropped"),
    ("connection close in a list", "connection: keep-alive, Close\r\n", "200 \"abc\" kept, dropped"),
    ("connection of no token", "connection: \"x\"\r\n", "200 \"abc\" kept, reused"),
    ("upgrade unasked", "connection: upgrade\r\nupgrade: h2c\r\n", "200 \"abc\" kept, reused"),
    ("host", "host: evil.test\r\n", "200 \"abc\" kept, reused"),
];
