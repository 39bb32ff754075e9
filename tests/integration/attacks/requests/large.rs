//! Bodies so large that they pass the proxy inside the kernel: their ends are where they were said to be.

use crate::attacks::case::{BAD, Case, NEXT};

const BYTES: usize = 300_000;

const TWO: &str = "GET /two HTTP/1.1\r\nhost: a.test\r\n\r\n";

pub fn cases() -> Vec<Case> {
    let body = "b".repeat(BYTES);
    let post =
        |fields: &str| format!("POST / HTTP/1.1\r\nhost: a.test\r\n{fields}content-length: {BYTES}\r\n\r\n");
    let head = post("");
    let told = format!("POST / \"{}…\" ({BYTES} bytes)", "b".repeat(40));
    let large = |name: &str, bytes: String, expected: &str| {
        Case::new(&format!("large body {name}"), bytes, &expected.replace("TOLD", &told))
    };
    vec![
        large("alone", format!("{head}{body}"), "200 kept: TOLD"),
        large("and a request", format!("{head}{body}{TWO}"), "200 200 kept: TOLD; GET /two"),
        large(
            "and another",
            format!("{head}{body}{head}{body}{TWO}"),
            "200 200 200 kept: TOLD; TOLD; GET /two",
        ),
        large("and garbage", format!("{head}{body}\0{NEXT}"), "200 400 closed: TOLD"),
        large("and a bare LF", format!("{head}{body}\n"), "200 400 closed: TOLD"),
        large(
            "and a bad request",
            format!("{head}{body}GET /smuggled HTTP/1.1\r\n\r\n"),
            "200 400 closed: TOLD",
        ),
        large("and close", format!("{}{body}{NEXT}", post("connection: close\r\n")), "200 closed: TOLD"),
        large("with two lengths", format!("{}{body}", post("content-length: 3\r\n")), BAD),
        large("with a coding", format!("{}{body}", post("transfer-encoding: chunked\r\n")), BAD),
        large("one byte short", format!("{head}{}", &body[1..]), BAD).ended(),
        large("half there", format!("{head}{}", &body[BYTES / 2..]), BAD).ended(),
    ]
}
