//! Clients that end their side in the middle: nothing half reaches a backend as a whole.

use crate::attacks::case::{BAD, Case, Door};

pub fn cases() -> Vec<Case> {
    let cut =
        |name: &str, bytes: &str, expected: &str| Case::new(&format!("cut {name}"), bytes, expected).ended();
    let post = "POST / HTTP/1.1\r\nhost: a.test\r\n";
    let chunked = format!("{post}transfer-encoding: chunked\r\n\r\n");
    let length = format!("{post}content-length: 10\r\n\r\n");
    vec![
        cut("before anything", "", "closed"),
        cut("in the method", "GE", "closed"),
        cut("behind the method", "GET", "closed"),
        cut("in the target", "GET /smuggled", "closed"),
        cut("in the version", "GET /smuggled HTTP/1.", "closed"),
        cut("behind the version", "GET /smuggled HTTP/1.1", "closed"),
        cut("in the first line's end", "GET /smuggled HTTP/1.1\r", "closed"),
        cut("behind the first line", "GET /smuggled HTTP/1.1\r\n", "closed"),
        cut("in a field's name", "GET /smuggled HTTP/1.1\r\nho", "closed"),
        cut("in a field's value", "GET /smuggled HTTP/1.1\r\nhost: a.te", "closed"),
        cut("behind the fields", "GET /smuggled HTTP/1.1\r\nhost: a.test\r\n", "closed"),
        cut("in the empty line", "GET /smuggled HTTP/1.1\r\nhost: a.test\r\n\r", "closed"),
        cut("in an empty line before anything", "\r", "closed"),
        cut("before a body with a length", &length, BAD),
        cut("in a body with a length", &format!("{length}123"), BAD),
        cut("before the last byte of a body", &format!("{length}123456789"), BAD),
        cut("before the first chunk", &chunked, BAD),
        cut("in a chunk size", &format!("{chunked}1"), BAD),
        cut("behind a chunk size", &format!("{chunked}3\r\n"), BAD),
        cut("in a chunk", &format!("{chunked}3\r\nab"), BAD),
        cut("behind a chunk", &format!("{chunked}3\r\nabc\r\n"), BAD),
        cut("in the last chunk", &format!("{chunked}3\r\nabc\r\n0"), BAD),
        cut("before the last line", &format!("{chunked}3\r\nabc\r\n0\r\n"), BAD),
        cut("in a trailer", &format!("{chunked}3\r\nabc\r\n0\r\nx-t: 1\r\n"), BAD),
        Case {
            door: Door::Old,
            ..cut("in a passed trailer", &format!("{chunked}3\r\nabc\r\n0\r\nx-t: 1\r\n"), BAD)
        },
        cut("behind a whole request", "GET / HTTP/1.1\r\nhost: a.test\r\n\r\n", "200 closed: GET /"),
        cut(
            "behind a request, in the next",
            "GET / HTTP/1.1\r\nhost: a.test\r\n\r\nGET /smug",
            "200 closed: GET /",
        ),
    ]
}
