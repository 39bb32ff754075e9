//! Waiting for the whole request.

use harness::message::{Framing, Request};

use super::at::case;
use crate::case::Case;

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for path in ["/", "/more", "/off", "/h2"] {
        let post = || Request::new("POST", "buffer.example", path);
        for bytes in [0, 1, 999, 1000, 1001, 5000, 400_000] {
            cases.push(case(format!("buffer: {path} {bytes} bytes"), post().body(vec![b'b'; bytes])));
        }
        cases.push(case(format!("buffer: {path} chunked"), post().chunks(&["one", "two"])));
        cases.push(case(format!("buffer: {path} chunked, empty"), post().chunks(&[])));
        let large = "c".repeat(700);
        cases.push(case(format!("buffer: {path} chunked, too much"), post().chunks(&[&large, &large])));
        let mut trailing = post().header("trailer", "x-sum");
        trailing.body = Framing::Chunked(vec![b"abc".to_vec()], vec![("x-sum".to_owned(), "1".to_owned())]);
        cases.push(case(format!("buffer: {path} with trailers"), trailing));
        cases.push(case(format!("buffer: {path} GET"), Request::new("GET", "buffer.example", path)));
    }
    cases
}
