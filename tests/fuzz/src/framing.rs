//! Chunked bodies: the same however they are cut, and as a reader by the letter takes them.

use bytes::BytesMut;
use proxy::codec::h1::chunk::{Chunked, Step, may_trail};

use crate::pieces;
use crate::strict::{self, Parsed};

/// Faults that only say that something is larger than we take.
const LIMITS: &[&str] = &["more than 16 digits", "larger than", "too long", "more fields"];

const HEAD: &[u8] = b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";

#[derive(Debug, Default, PartialEq, Eq)]
struct Taken {
    body: Vec<u8>,
    trailers: Vec<(String, Vec<u8>)>,
    /// Nothing if more is to come, else what was found.
    end: Option<Result<(), String>>,
    rest: Vec<u8>,
}

/// One byte chooses the pieces, the rest is a body.
pub fn check(data: &[u8]) {
    let Some((choice, bytes)) = data.split_first() else { return };
    let whole = read(bytes, bytes.len().max(1));
    let cut = read(bytes, pieces::size(*choice));
    let refused = |taken: &Taken| matches!(taken.end, Some(Err(_)));
    assert_eq!(
        refused(&whole),
        refused(&cut),
        "a refusal depends on how the bytes are cut: {whole:?} {cut:?}"
    );
    if !refused(&whole) {
        assert_eq!(whole, cut, "the body depends on how the bytes are cut");
    }
    let message = [HEAD, bytes].concat();
    match (&whole.end, strict::request(&message)) {
        (Some(Ok(())), Parsed::Whole(seen, taken)) => {
            assert_eq!(whole.body, seen.body);
            assert_eq!(whole.rest, message[taken..], "the body ends elsewhere");
            let mut trailers = seen.trailers;
            trailers.retain(|(name, _)| may_trail(name.as_bytes()));
            assert_eq!(whole.trailers, trailers);
        }
        (Some(Ok(())), other) => panic!("accepted what is {other:?} by the letter: {}", bytes.escape_ascii()),
        (Some(Err(fault)), Parsed::Whole(..)) => {
            assert!(LIMITS.iter().any(|limit| fault.contains(limit)), "{fault}: {}", bytes.escape_ascii());
        }
        (None, Parsed::Whole(..)) => panic!("waits though the body is whole: {}", bytes.escape_ascii()),
        (None | Some(Err(_)), Parsed::Part | Parsed::Wrong(_)) => {}
    }
}

fn read(bytes: &[u8], size: usize) -> Taken {
    let mut chunked = Chunked::default();
    let mut taken = Taken::default();
    let (end, rest) = pieces::feed(bytes, size, |input| drain(&mut chunked, input, &mut taken));
    taken.end = end;
    taken.rest = rest;
    taken
}

/// Takes all that can be taken.
fn drain(chunked: &mut Chunked, input: &mut BytesMut, taken: &mut Taken) -> Option<Result<(), String>> {
    loop {
        match chunked.step(input) {
            Ok(Step::Data(bytes)) => {
                assert!(!bytes.is_empty(), "a piece of a body is empty");
                taken.body.extend_from_slice(&bytes);
            }
            Ok(Step::Trailers(fields)) => {
                for (name, value) in &fields {
                    taken.trailers.push((name.to_string(), value.as_bytes().to_vec()));
                }
                assert!(chunked.is_done(), "trailers are the end");
                return Some(Ok(()));
            }
            Ok(Step::End) => return Some(Ok(())),
            Ok(Step::More) => return None,
            Err(fault) => return Some(Err(fault.detail().to_owned())),
        }
    }
}
