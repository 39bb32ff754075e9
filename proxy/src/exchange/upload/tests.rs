use std::collections::VecDeque;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;

use super::Upload;
use crate::body::{Body, Frame, Size, Source, Version};
use crate::error::Error;
use crate::exchange::ledger::{Books, whole_len};
use crate::fields::Fields;
use crate::limits::RETRY_BUFFER_BYTES;
use crate::policy::samples::{connection, manager, policy};

struct Pieces(VecDeque<Frame>);

impl Source for Pieces {
    fn poll_frame(&mut self, _cx: &mut Context<'_>) -> Poll<Option<Result<Frame, Error>>> {
        Poll::Ready(self.0.pop_front().map(Ok))
    }
}

fn pieces(size: Size, frames: Vec<Frame>) -> Body {
    Body::source(size, Box::new(Pieces(frames.into())))
}

fn data(text: &'static str) -> Frame {
    Frame::Data(Bytes::from_static(text.as_bytes()))
}

fn books(body: &Body) -> Books {
    Books::open(
        &policy(&manager()),
        &Rc::new(connection("192.0.2.9:4000")),
        Version::Http11,
        whole_len(body),
        None,
    )
}

async fn text(frames: usize, body: &mut Body) -> String {
    let mut text = String::new();
    for _ in 0..frames {
        match body.frame().await {
            Some(Ok(Frame::Data(bytes))) => text.push_str(std::str::from_utf8(&bytes).unwrap()),
            Some(Ok(Frame::Trailers(_))) => text.push('T'),
            Some(Err(error)) => panic!("{error}"),
            None => text.push('.'),
        }
    }
    text
}

#[test]
fn a_body_that_is_all_here_keeps_what_its_head_said_of_its_length() {
    for size in [Size::Unknown, Size::Exact(3)] {
        let body = Body::whole(size, Bytes::from_static(b"abc"));
        let books = books(&body);
        assert_eq!(Upload::new(body, false, books.ledger()).body().size(), size);
    }
}

#[tokio::test]
async fn another_attempt_sends_the_same_body_from_the_start() {
    let body = pieces(Size::Unknown, vec![data("a"), data("b"), Frame::Trailers(Fields::new())]);
    let books = books(&body);
    let ledger = Rc::clone(books.ledger());
    let upload = Upload::new(body, true, &ledger);
    assert_eq!(text(1, &mut upload.body()).await, "a");
    assert!(upload.is_repeatable() && !ledger.is_request_complete());
    let mut second = upload.body();
    assert_eq!(text(4, &mut second).await, "abT.");
    assert!(upload.is_repeatable() && ledger.is_request_complete());
    assert_eq!(text(4, &mut upload.body()).await, "abT.");
    assert_eq!(ledger.record.borrow().bytes_received, 2, "bytes are counted once");
}

#[tokio::test]
async fn a_body_longer_than_the_buffer_can_be_sent_once() {
    let piece = Bytes::from(vec![b'x'; RETRY_BUFFER_BYTES / 2 + 1]);
    let body = pieces(Size::Unknown, vec![Frame::Data(piece.clone()), Frame::Data(piece), data("end")]);
    let books = books(&body);
    let upload = Upload::new(body, true, books.ledger());
    let mut only = upload.body();
    assert!(only.frame().await.is_some() && upload.is_repeatable());
    assert!(only.frame().await.is_some() && !upload.is_repeatable());
    assert_eq!(text(2, &mut only).await, "end.");
}

#[tokio::test]
async fn a_released_body_is_caught_up_with_and_not_kept() {
    let body = pieces(Size::Unknown, vec![data("a"), data("b"), data("c")]);
    let books = books(&body);
    let upload = Upload::new(body, true, books.ledger());
    assert_eq!(text(2, &mut upload.body()).await, "ab");
    upload.release();
    assert!(!upload.is_repeatable());
    assert_eq!(text(4, &mut upload.body()).await, "abc.");
}

#[tokio::test]
async fn a_body_of_known_length_is_complete_with_its_last_byte() {
    let body = pieces(Size::Exact(3), vec![data("ab"), data("c")]);
    let books = books(&body);
    let ledger = Rc::clone(books.ledger());
    let upload = Upload::new(body, false, &ledger);
    let mut only = upload.body();
    assert_eq!(text(2, &mut only).await, "abc");
    assert!(ledger.is_request_complete(), "nobody has to ask for the end");
}

#[tokio::test]
async fn bodies_that_are_here_need_no_reader() {
    for (body, expected) in [(Body::empty(), "."), (Body::full("abc"), "abc")] {
        let books = books(&body);
        let upload = Upload::new(body, true, books.ledger());
        for _ in 0..2 {
            assert_eq!(text(1, &mut upload.body()).await, expected);
        }
        assert!(books.ledger().is_request_complete());
    }
}
