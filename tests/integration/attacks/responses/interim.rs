//! Interim answers without end or sense, and switches nobody asked for (RFC 9110 §15.2).

use harness::raw_backend::Then::{Close, Keep};

use super::hostile::{Hostile, Row, rows};

const BAD: &str = "502 kept, dropped";

/// What the client sent after its head might have been meant for the tunnel.
const CLOSED: &str = "502 closed, dropped";

pub fn cases() -> Vec<Hostile> {
    let mut cases = rows(ROWS);
    let end = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc";
    let flood = |interim: &str, count: usize| format!("{}{end}", interim.repeat(count));
    cases.extend([
        Hostile::new("a flood of 100", flood("HTTP/1.1 100 Continue\r\n\r\n", 1000), Keep, BAD),
        Hostile::new(
            "a flood of 103",
            flood("HTTP/1.1 103 Early Hints\r\n\r\n", 1000),
            Keep,
            "103 502 kept, dropped",
        ),
        Hostile::new(
            "a flood of large 103",
            flood(&format!("HTTP/1.1 103 Early Hints\r\nlink: {}\r\n\r\n", "l".repeat(50_000)), 100),
            Keep,
            "103 502 kept, dropped",
        ),
    ]);
    let switch = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
    let socket = "connection: upgrade\r\nupgrade: websocket\r\n";
    let asked = |name: &str, bytes: &str, expected: &str| {
        let mut case = Hostile::new(name, bytes, Close, expected);
        case.fields = socket;
        case
    };
    cases.extend([
        asked("101 as asked", switch, "101 \"\" closed, dropped"),
        asked("101 to something else", &switch.replace("websocket", "h2c"), CLOSED),
        asked(
            "101 without upgrade",
            "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\n\r\n",
            CLOSED,
        ),
        asked(
            "101 without connection",
            "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n",
            CLOSED,
        ),
        asked("101 to a list", &switch.replace("websocket", "h2c, websocket"), "101 \"\" closed, dropped"),
    ]);
    cases
}

const ROWS: &[Row] = &[
    (
        "101 unasked",
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nevil",
        Keep,
        BAD,
    ),
    ("101 unasked, without upgrade", "HTTP/1.1 101 Switching Protocols\r\n\r\nevil", Keep, BAD),
    (
        "100 unasked",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc",
        Keep,
        "200 \"abc\" kept, reused",
    ),
    (
        "102",
        "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc",
        Keep,
        "102 200 \"abc\" kept, reused",
    ),
    (
        "103",
        "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc",
        Keep,
        "103 200 \"abc\" kept, reused",
    ),
    (
        "199",
        "HTTP/1.1 199 Own\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc",
        Keep,
        "199 200 \"abc\" kept, reused",
    ),
    (
        "100 with a length",
        "HTTP/1.1 100 Continue\r\ncontent-length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc",
        Keep,
        BAD,
    ),
    (
        "103 with a length of zero",
        "HTTP/1.1 103 Early Hints\r\ncontent-length: 0\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc",
        Keep,
        "103 200 \"abc\" kept, reused",
    ),
    (
        "103 with chunks",
        "HTTP/1.1 103 Early Hints\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc",
        Keep,
        BAD,
    ),
    ("103 and garbage", "HTTP/1.1 103 Early Hints\r\n\r\ngarbage", Keep, "103 502 kept, dropped"),
    ("103 and nothing", "HTTP/1.1 103 Early Hints\r\n\r\n", Keep, "103 504 kept, dropped"),
    (
        "103 with close",
        "HTTP/1.1 103 Early Hints\r\nconnection: close\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc",
        Keep,
        "103 200 \"abc\" kept, reused",
    ),
];
