//! Heads that are too large in every way a head can be.

use crate::attacks::case::{BAD, Case};

const LARGE: &str = "431 closed";

pub fn cases() -> Vec<Case> {
    let head = |name: &str, line: &str, fields: &str, expected: &str| {
        Case::new(name, format!("{line} HTTP/1.1\r\nhost: a.test\r\n{fields}\r\n"), expected)
    };
    let many = |count: usize| (0..count).map(|n| format!("x-{n}: v\r\n")).collect::<String>();
    let long = |count: usize| "v".repeat(count);
    vec![
        head("size: 101 fields", "GET /", &many(100), LARGE),
        head("size: 10000 fields", "GET /", &many(10_000), LARGE),
        head("size: 101 equal fields", "GET /", &"x: v\r\n".repeat(100), LARGE),
        head("size: 101 empty fields", "GET /", &"x:\r\n".repeat(100), LARGE),
        head("size: a value of 70 KB", "GET /", &format!("x-a: {}\r\n", long(70_000)), LARGE),
        head("size: a name of 70 KB", "GET /", &format!("{}: v\r\n", long(70_000)), LARGE),
        head("size: a target of 70 KB", &format!("GET /{}", long(70_000)), "", LARGE),
        head("size: a method of 70 KB", &format!("{} /", long(70_000)), "", BAD),
        head("size: a method of 65 bytes", &format!("{} /", long(65)), "", BAD),
        head("size: blanks of 70 KB", "GET /", &format!("x-a: {}v\r\n", " ".repeat(70_000)), LARGE),
        head("size: a megabyte of small fields", "GET /", &many(90_000), LARGE),
        head("size: 50 connection options", "GET /", &format!("connection: {}\r\n", "a,".repeat(50)), BAD),
        head(
            "size: a length of 10 KB",
            "POST /",
            &format!("content-length: {}3\r\n", "0".repeat(10_000)),
            BAD,
        ),
        head(
            "size: a coding of 10 KB",
            "POST /",
            &format!("transfer-encoding: {}\r\n", "chunked,".repeat(1_000)),
            "501 closed",
        ),
        head("size: a host of 10 KB", "GET /", "", "200 kept: GET / @").long_host(10_000),
        Case::new("size: a head without an end", format!("GET / HTTP/1.1\r\n{}", many(20_000)), LARGE),
        Case::new("size: a line without an end", format!("GET /{}", long(100_000)), LARGE),
        Case::new("size: a field without an end", format!("GET / HTTP/1.1\r\nx-a: {}", long(100_000)), LARGE),
        Case::new("size: empty lines without an end", "\r\n".repeat(50_000), BAD),
    ]
}

impl Case {
    fn long_host(mut self, length: usize) -> Self {
        let host = "h".repeat(length);
        self.bytes = String::from_utf8_lossy(&self.bytes).replace("a.test", &host).into_bytes();
        self.expected += &host;
        self
    }
}
