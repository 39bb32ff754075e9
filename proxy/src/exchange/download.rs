//! The response's body on its way down: counted, watched by the deadlines, and the end of the request's books.

use std::rc::Rc;
use std::task::{Context, Poll, ready};

use super::ledger::{Books, Ledger, whole_len};
use crate::body::{Body, Frame, Size, Source};
use crate::error::Error;
use crate::splice::Pipe;

/// `body`, with the books closed when it ends or is dropped.
pub(super) fn watched(body: Body, books: Books) -> Body {
    let ledger = Rc::clone(books.ledger());
    if let Some(bytes) = whole_len(&body) {
        ledger.sent(bytes);
        ledger.response_complete();
        return body;
    }
    let size = body.size();
    let left = match size {
        Size::Exact(bytes) => Some(bytes),
        Size::Unknown => None,
    };
    Body::source(size, Box::new(Download { body, left, ledger, _books: books }))
}

struct Download {
    body: Body,
    /// Bytes to come, if that is known: whoever writes them may not ask for the end.
    left: Option<u64>,
    ledger: Rc<Ledger>,
    _books: Books,
}

impl Source for Download {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, Error>>> {
        match self.body.poll_frame(cx) {
            Poll::Pending => self.poll_late(cx).map(|late| Some(Err(late))),
            Poll::Ready(None) => {
                self.ledger.response_complete();
                Poll::Ready(None)
            }
            Poll::Ready(Some(Ok(frame))) => {
                self.note(&frame);
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => {
                self.ledger.broke_off(&error);
                Poll::Ready(Some(Err(error)))
            }
        }
    }

    fn poll_pipe(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Pipe, Error>>> {
        let polled = self.body.poll_pipe(cx);
        match &polled {
            Poll::Pending => return self.poll_late(cx).map(|late| Some(Err(late))),
            Poll::Ready(None) => {}
            Poll::Ready(Some(Ok(pipe))) => self.note_bytes(pipe.held()),
            Poll::Ready(Some(Err(error))) => self.ledger.broke_off(error),
        }
        polled
    }
}

impl Download {
    /// Ready if a deadline has passed while the body is waited for.
    fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<Error> {
        let late = ready!(self.ledger.deadlines.poll_expired(cx));
        // Dropping the upstream's body resets its stream.
        self.body = Body::empty();
        self.ledger.broke_off(&late);
        Poll::Ready(late)
    }

    fn note(&mut self, frame: &Frame) {
        match frame {
            Frame::Data(bytes) => self.note_bytes(bytes.len()),
            Frame::Trailers(trailers) => {
                self.ledger.note_trailers(trailers);
                self.ledger.response_complete();
            }
        }
    }

    fn note_bytes(&mut self, bytes: usize) {
        self.ledger.sent(bytes);
        self.left = self.left.map(|left| left.saturating_sub(bytes as u64));
        if self.left == Some(0) {
            self.ledger.response_complete();
        }
    }
}
