//! Messages whose length can be read in two ways, or in none: the roots of request smuggling.

use crate::case::{Action, Case, Listener};

const HEAD: &str = "POST / HTTP/1.1\r\nhost: body.example\r\n";
const NEXT: &str = "GET /smuggled HTTP/1.1\r\nhost: body.example\r\n\r\n";

pub fn cases() -> Vec<Case> {
    [lengths(), codings(), chunks(), cut_short()].concat()
}

fn framed(name: &str, fields: &str, body: &str) -> Case {
    Case::raw(name, &format!("{HEAD}{fields}\r\n{body}"))
}

fn lengths() -> Vec<Case> {
    vec![
        framed("two different lengths", "content-length: 3\r\ncontent-length: 4\r\n", "abcd"),
        framed("two equal lengths", "content-length: 3\r\ncontent-length: 3\r\n", "abc"),
        framed("a list of equal lengths", "content-length: 3, 3\r\n", "abc"),
        framed("a list of different lengths", "content-length: 3, 4\r\n", "abcd"),
        framed("a negative length", "content-length: -1\r\n", "abc"),
        framed("a signed length", "content-length: +3\r\n", "abc"),
        framed("a hexadecimal length", "content-length: 0x3\r\n", "abc"),
        framed("an empty length", "content-length:\r\n", "abc"),
        framed("a length with a blank inside", "content-length: 3 3\r\n", "abc"),
        framed("a length of letters", "content-length: abc\r\n", "abc"),
        framed("a length beyond 64 bits", "content-length: 99999999999999999999999\r\n", "abc"),
        framed("a length with leading zeros", "content-length: 0003\r\n", "abc"),
        framed("a length with blanks around", "content-length:   3  \r\n", "abc"),
        framed("more bytes than the length", "content-length: 3\r\n", &format!("abc{NEXT}")),
    ]
}

fn codings() -> Vec<Case> {
    let body = format!("0\r\n\r\n{NEXT}");
    vec![
        framed("length and chunked", "content-length: 4\r\ntransfer-encoding: chunked\r\n", &body),
        framed("chunked and length", "transfer-encoding: chunked\r\ncontent-length: 4\r\n", &body),
        framed("chunked twice", "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n", &body),
        framed("chunked, chunked", "transfer-encoding: chunked, chunked\r\n", &body),
        framed("identity", "transfer-encoding: identity\r\n", &body),
        framed("gzip", "transfer-encoding: gzip\r\n", &body),
        framed("gzip, chunked", "transfer-encoding: gzip, chunked\r\n", &body),
        framed("chunked, gzip", "transfer-encoding: chunked, gzip\r\n", &body),
        framed("xchunked", "transfer-encoding: xchunked\r\n", &body),
        framed("Chunked in capitals", "Transfer-Encoding: CHUNKED\r\n", &body),
        framed("chunked behind a tab", "transfer-encoding:\tchunked\r\n", &body),
        framed("chunked with a parameter", "transfer-encoding: chunked;q=1\r\n", &body),
        framed("an empty coding", "transfer-encoding:\r\n", &body),
        framed("a quoted coding", "transfer-encoding: \"chunked\"\r\n", &body),
        framed("a blank before the colon", "transfer-encoding : chunked\r\n", &body),
        framed("a folded coding", "transfer-encoding:\r\n chunked\r\n", &body),
        framed("a control character", "transfer-encoding: \u{b}chunked\r\n", &body),
        Case::raw(
            "chunked in HTTP/1.0",
            &format!("POST / HTTP/1.0\r\nhost: body.example\r\ntransfer-encoding: chunked\r\n\r\n{body}"),
        ),
    ]
}

fn chunks() -> Vec<Case> {
    let chunked = |name: &str, body: &str| framed(name, "transfer-encoding: chunked\r\n", body);
    vec![
        chunked("a chunk in capitals of hex", "A\r\n0123456789\r\n0\r\n\r\n"),
        chunked("a chunk extension", "3;name=value\r\nabc\r\n0\r\n\r\n"),
        chunked("a quoted chunk extension", "3;name=\"a b\"\r\nabc\r\n0\r\n\r\n"),
        chunked("leading zeros in a size", "0003\r\nabc\r\n0\r\n\r\n"),
        chunked("a size of letters", "xyz\r\nabc\r\n0\r\n\r\n"),
        chunked("an empty size", "\r\nabc\r\n0\r\n\r\n"),
        chunked("a negative size", "-3\r\nabc\r\n0\r\n\r\n"),
        chunked("a size with 0x", "0x3\r\nabc\r\n0\r\n\r\n"),
        chunked("a size beyond 64 bits", "fffffffffffffffff\r\nabc\r\n0\r\n\r\n"),
        chunked("a chunk that is too long", "3\r\nabcd\r\n0\r\n\r\n"),
        chunked("a chunk that ends in a bare line feed", "3\r\nabc\n0\r\n\r\n"),
        chunked("a size that ends in a bare line feed", "3\nabc\r\n0\r\n\r\n"),
        chunked("a blank before the size", " 3\r\nabc\r\n0\r\n\r\n"),
        chunked("a blank after the size", "3 \r\nabc\r\n0\r\n\r\n"),
        chunked("trailers", "3\r\nabc\r\n0\r\nx-sum: 1\r\n\r\n"),
        chunked("a forbidden trailer", "3\r\nabc\r\n0\r\ncontent-length: 5\r\n\r\n"),
        chunked("a malformed trailer", "3\r\nabc\r\n0\r\nno colon\r\n\r\n"),
    ]
}

/// The client stops writing in the middle.
fn cut_short() -> Vec<Case> {
    let cut = |name: &str, bytes: String| {
        Case::new(format!("cut: {name}"), Listener::Main, Action::RawEnd(bytes.into_bytes()))
    };
    vec![
        cut("nothing at all", String::new()),
        cut("in the request line", "GET / HT".to_owned()),
        cut("in a field", "GET / HTTP/1.1\r\nhost: bo".to_owned()),
        cut("before the last line", "GET / HTTP/1.1\r\nhost: body.example\r\n".to_owned()),
        cut("in a body with a length", format!("{HEAD}content-length: 10\r\n\r\nabc")),
        cut("in a chunk", format!("{HEAD}transfer-encoding: chunked\r\n\r\n5\r\nab")),
        cut("before the last chunk", format!("{HEAD}transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n")),
    ]
}
