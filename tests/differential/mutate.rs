//! Damage of the kinds that smuggle requests: the tricks of the attack tables, put anywhere.

use fastrand::Rng;

use crate::line::line;

/// Whole lines that contradict the rest.
const LINES: &[&[u8]] = &[
    b"Content-Length: 0\r\n",
    b"Content-Length: 5\r\n",
    b"content-length: +5\r\n",
    b"content-length: 5, 5\r\n",
    b"content-length: 0x5\r\n",
    b"content-length: 18446744073709551621\r\n",
    b"content-length:\r\n",
    b"content-length : 5\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"transfer-encoding: identity\r\n",
    b"transfer-encoding: xchunked\r\n",
    b"transfer-encoding: chunked, identity\r\n",
    b"transfer-encoding: gzip, chunked\r\n",
    b"transfer-encoding : chunked\r\n",
    b"transfer-encoding:\x0bchunked\r\n",
    b"transfer-encoding: \"chunked\"\r\n",
    b"transfer-encoding:\r\n chunked\r\n",
    b"transfer_encoding: chunked\r\n",
    b" folded\r\n",
    b"\tfolded\r\n",
    b"x-a: b\n",
    b"x-a: b\rc\r\n",
    b"x-a: b\0c\r\n",
    b"x-a : b\r\n",
    b": nameless\r\n",
    b"colonless\r\n",
    b"x\xe9: latin\r\n",
    b"host: b.test\r\n",
    b"host: a.test\r\n",
    b"host : b.test\r\n",
    b"host: a.test/b\r\n",
    b"host: user@a.test\r\n",
    b"connection: close\r\n",
    b"connection: host\r\n",
    b"connection: content-length\r\n",
    b"connection: transfer-encoding\r\n",
    b"connection: x-id, te\r\n",
    b"connection: (x)\r\n",
    b"\r\n",
    b"\n",
    b"\r\r\n",
    b"GET /inserted HTTP/1.1\r\n",
    b"expect: nothing\r\n",
    b":path: /pseudo\r\n",
];

/// Texts and what they become, wherever they stand.
const SWAPS: &[(&[u8], &[u8])] = &[
    (b"\r\n\r\n", b"\n\n"),
    (b"\r\n\r\n", b"\r\n\n"),
    (b"\r\n\r\n", b"\r\n\r"),
    (b"\r\n\r\n", b"\r\n\r\n\r\n"),
    (b"\r\n", b"\n"),
    (b"\r\n", b"\r"),
    (b"\r\n", b"\r\r\n"),
    (b"\r\n", b"\n\r"),
    (b"\r\n", b"\r\n "),
    (b"\r\n", b" \r\n"),
    (b": ", b" : "),
    (b": ", b":\r\n "),
    (b":", b""),
    (b" HTTP/1.1", b" HTTP/1.0"),
    (b" HTTP/1.1", b" HTTP/1.2"),
    (b" HTTP/1.1", b" HTTP/2.0"),
    (b" HTTP/1.1", b" http/1.1"),
    (b" HTTP/1.1", b""),
    (b" HTTP/1.1", b"  HTTP/1.1"),
    (b" HTTP/1.1", b"\tHTTP/1.1"),
    (b" HTTP/1.1", b" HTTP/1.1 "),
    (b" HTTP/1.1", b" HTTP/1.10"),
    (b" /", b"  /"),
    (b" /", b" "),
    (b" /", b" #/"),
    (b" /", b" \\/"),
    (b" /", b" *"),
    (b" /", b" http://u@b.test/"),
    (b" /", b" http:///"),
    (b" /", b" ftp://b.test/"),
    (b"0\r\n", b"0 \r\n"),
    (b"0\r\n", b"00000000000000000\r\n"),
    (b"0\r\n", b"0x0\r\n"),
    (b"0\r\n", b"-0\r\n"),
    (b"0\r\n", b"+0\r\n"),
    (b"0\r\n", b"0;\n\r\n"),
    (b"0\r\n", b"0;\"\r\n\"\r\n"),
    (b"0\r\n", b"10000000000000000\r\n"),
    (b"chunked", b"chunked,"),
    (b"chunked", b",chunked"),
    (b"chunked", b"chunked;x"),
    (b"chunked", b"chunke"),
    (b"POST", b"post"),
    (b"GET", b"GeT"),
    (b"GET", b"G@T"),
    (b"POST", b"CONNECT"),
    (b"a.test", b"a test"),
    (b"a.test", b"a.test:99999"),
    (b"a.test", b""),
];

const BYTES: &[u8] = b"\0\t\n\x0b\x0c\r :;,\"'\\/#?@0-+\x7f\x80\xff";

/// Damages the request in one place.
pub fn mutate(rng: &mut Rng, request: &mut Vec<u8>) {
    if request.is_empty() {
        // An earlier damage left nothing.
        return;
    }
    match rng.u8(..12) {
        0..=2 => insert_line(rng, request),
        3..=6 => swap(rng, request),
        7 => request.insert(rng.usize(..=request.len()), *rng.choice(BYTES).expect("there are bytes")),
        8 => {
            request.remove(rng.usize(..request.len()));
        }
        9 => {
            let at = rng.usize(..request.len());
            request[at] = *rng.choice(BYTES).expect("there are bytes");
        }
        10 => resize(rng, request),
        _ => request.truncate(rng.usize(..request.len())),
    }
}

/// Puts a line where a line begins.
fn insert_line(rng: &mut Rng, request: &mut Vec<u8>) {
    let ends = positions(request, b"\n");
    let at = rng.choice(&ends).map_or(0, |end| end + 1);
    let bytes = match rng.u8(..4) {
        0 => line(rng, "content-length", b"3"),
        1 => line(rng, "transfer-encoding", b"chunked"),
        _ => rng.choice(LINES).expect("there are lines").to_vec(),
    };
    request.splice(at..at, bytes);
}

fn swap(rng: &mut Rng, request: &mut Vec<u8>) {
    // Not every text stands in every request.
    for _ in 0..10 {
        let (from, to) = *rng.choice(SWAPS).expect("there are swaps");
        if let Some(at) = rng.choice(&positions(request, from)).copied() {
            request.splice(at..at + from.len(), to.iter().copied());
            return;
        }
    }
}

/// Makes some number a little larger or smaller: lengths, chunk sizes.
fn resize(rng: &mut Rng, request: &mut [u8]) {
    let digits: Vec<usize> = (0..request.len()).filter(|at| request[*at].is_ascii_digit()).collect();
    if let Some(at) = rng.choice(&digits) {
        request[*at] = if rng.bool() { b'0' + (request[*at] - b'0' + 1) % 10 } else { rng.u8(b'0'..=b'9') };
    }
}

fn positions(bytes: &[u8], text: &[u8]) -> Vec<usize> {
    bytes.windows(text.len()).enumerate().filter(|(_, window)| *window == text).map(|(at, _)| at).collect()
}
