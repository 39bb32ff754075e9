//! Several requests on a connection: answered in order, and never one more than was sent (RFC 9112 §9.3).

use crate::attacks::case::{BAD, Case, NEXT};

const ONE: &str = "GET /one HTTP/1.1\r\nhost: a.test\r\n\r\n";
const TWO: &str = "GET /two HTTP/1.1\r\nhost: a.test\r\n\r\n";
const POST: &str = "POST /one HTTP/1.1\r\nhost: a.test\r\n";
const DENIED: &str = "POST /denied HTTP/1.1\r\nhost: a.test\r\n";

pub fn cases() -> Vec<Case> {
    let mut cases = [good(), closing(), denied()].concat();
    cases.extend(GARBAGE.iter().map(|(name, garbage, expected)| {
        Case::new(&format!("pipeline of a request and {name}"), format!("{ONE}{garbage}"), expected)
    }));
    cases
}

fn good() -> Vec<Case> {
    let twenty: String = (0..20).map(|n| format!("GET /{n} HTTP/1.1\r\nhost: a.test\r\n\r\n")).collect();
    let twenty_seen = (0..20).map(|n| format!("GET /{n}")).collect::<Vec<_>>().join("; ");
    let length = format!("{POST}content-length: 3\r\n\r\nabc");
    let chunked = format!("{POST}transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
    let seen = "200 200 kept: POST /one \"abc\"; GET /two";
    vec![
        Case::new("pipeline of two", format!("{ONE}{TWO}"), "200 200 kept: GET /one; GET /two"),
        Case::new("pipeline of twenty", twenty, &format!("{}kept: {twenty_seen}", "200 ".repeat(20))),
        Case::new(
            "pipeline and an empty line",
            format!("{ONE}\r\n{TWO}"),
            "200 200 kept: GET /one; GET /two",
        ),
        Case::new("pipeline behind a length", format!("{length}{TWO}"), seen),
        Case::new("pipeline behind a length and an empty line", format!("{length}\r\n{TWO}"), seen),
        Case::new(
            "pipeline behind chunks",
            format!("{chunked}{TWO}"),
            "200 200 kept: POST /one [chunked] \"abc\"; GET /two",
        ),
        Case::new(
            "pipeline behind HEAD",
            format!("HEAD /one HTTP/1.1\r\nhost: a.test\r\n\r\n{TWO}"),
            "200 200 kept: HEAD /one; GET /two",
        ),
        Case::new(
            "pipeline of a request within a body",
            format!("{POST}content-length: {}\r\n\r\n{TWO}", TWO.len()),
            "200 kept: POST /one \"GET /two HTTP/1.1\\r\\nhost: a.test\\r\\n\\r\\n\"",
        ),
    ]
}

fn closing() -> Vec<Case> {
    vec![
        Case::new(
            "pipeline behind close",
            format!("GET /one HTTP/1.1\r\nhost: a.test\r\nconnection: close\r\n\r\n{NEXT}"),
            "200 closed: GET /one",
        ),
        Case::new(
            "pipeline behind close and a body",
            format!("{POST}connection: close\r\ncontent-length: 3\r\n\r\nabc{NEXT}"),
            "200 closed: POST /one \"abc\"",
        ),
        Case::new(
            "pipeline behind close and chunks",
            format!(
                "{POST}connection: close\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n{NEXT}"
            ),
            "200 closed: POST /one [chunked] \"abc\"",
        ),
        Case::new("pipeline behind a refused request", format!("GET / HTTP/1.1\r\n\r\n{NEXT}"), BAD),
    ]
}

fn denied() -> Vec<Case> {
    let chunked = format!("{DENIED}transfer-encoding: chunked\r\n\r\n");
    let denied =
        |name: &str, bytes: String, expected: &str| Case::new(&format!("pipeline, {name}"), bytes, expected);
    let then_two = "403 200 kept: GET /two";
    vec![
        denied("denied", format!("GET /denied HTTP/1.1\r\nhost: a.test\r\n\r\n{TWO}"), then_two),
        denied("denied with a body", format!("{DENIED}content-length: 3\r\n\r\nabc{TWO}"), then_two),
        denied("denied with chunks", format!("{chunked}3\r\nabc\r\n0\r\n\r\n{TWO}"), then_two),
        denied("denied with bad chunks", format!("{chunked}3\r\nabc{NEXT}"), "403 closed"),
        denied("denied with a bad trailer", format!("{chunked}0\r\nx\r\n\r\n{NEXT}"), "403 closed"),
        denied(
            "denied with a large body",
            format!("{DENIED}content-length: 999999999\r\n\r\n{NEXT}"),
            "403 closed",
        ),
        denied(
            "denied with expect, a request where the body may be",
            format!("{DENIED}expect: 100-continue\r\ncontent-length: 999\r\n\r\n{NEXT}"),
            "403 closed",
        ),
    ]
}

const GARBAGE: &[(&str, &str, &str)] = &[
    ("one without a host", "GET /smuggled HTTP/1.1\r\n\r\n", "200 400 closed: GET /one"),
    ("nulls", "\0\0\0\0", "200 400 closed: GET /one"),
    ("a bare LF", "\n", "200 400 closed: GET /one"),
    ("TLS", "\u{16}\u{3}\u{1}", "200 400 closed: GET /one"),
    ("a response", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "200 400 closed: GET /one"),
    ("the HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "200 426 closed: GET /one"),
    ("HTTP/0.9", "GET /smuggled\r\n\r\n", "200 400 closed: GET /one"),
    ("HTTP/1.0", "GET /smuggled HTTP/1.0\r\n\r\n", "200 426 closed: GET /one"),
    (
        "two lengths",
        "POST /smuggled HTTP/1.1\r\nhost: a.test\r\ncontent-length: 0\r\ncontent-length: 3\r\n\r\n",
        "200 400 closed: GET /one",
    ),
    (
        "a bad chunk",
        "POST /two HTTP/1.1\r\nhost: a.test\r\ntransfer-encoding: chunked\r\n\r\n-1\r\n\r\n",
        "200 400 closed: GET /one",
    ),
    (
        "an unknown coding",
        "POST /smuggled HTTP/1.1\r\nhost: a.test\r\ntransfer-encoding: x\r\n\r\n",
        "200 501 closed: GET /one",
    ),
];
