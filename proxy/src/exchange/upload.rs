//! The request's body on its way up: counted, and kept for another attempt as long as one is possible.

use std::cell::RefCell;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;

use super::ledger::Ledger;
use crate::body::{Body, Frame, Size, Source};
use crate::error::Error;
use crate::limits::RETRY_BUFFER_BYTES;
use crate::splice::Pipe;

/// A request's body, from which each attempt gets its own.
#[derive(Debug)]
pub(super) enum Upload {
    /// There is none.
    Empty,
    /// It is all here, though its head may not have said how long it is.
    Whole(Size, Bytes),
    /// It arrives while it is sent.
    Stream(Rc<RefCell<Stream>>),
}

/// A body that arrives, shared by the attempts; only the last one made reads it.
#[derive(Debug)]
pub(super) struct Stream {
    size: Size,
    body: Body,
    /// Bytes to come, if that is known: whoever reads them may not ask for the end.
    left: Option<u64>,
    /// What was read, from the first byte on while `keeping` is `All`.
    kept: Vec<Frame>,
    kept_bytes: usize,
    keeping: Keeping,
    ended: bool,
    /// Whether the ledger knows the bytes: all of them were here before a filter made others of them.
    counted: bool,
    ledger: Rc<Ledger>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keeping {
    /// Everything that was read is kept, so that another attempt can begin at the first byte.
    All,
    /// There will be no other attempt; what is kept is for the running one to catch up.
    Rest,
    /// Something that was read is gone.
    Nothing,
}

impl Upload {
    /// Takes over a body whose bytes, if they are all here, the ledger knows; `keep` if there may be another
    /// attempt.
    pub(super) fn new(body: Body, keep: bool, ledger: &Rc<Ledger>) -> Self {
        if body.is_done() {
            return Self::Empty;
        }
        if let Some(bytes) = body.as_full() {
            return Self::Whole(body.size(), bytes.clone());
        }
        let size = body.size();
        Self::Stream(Rc::new(RefCell::new(Stream {
            size,
            left: match size {
                Size::Exact(bytes) => Some(bytes),
                Size::Unknown => None,
            },
            body,
            kept: Vec::new(),
            kept_bytes: 0,
            keeping: if keep { Keeping::All } else { Keeping::Rest },
            ended: false,
            counted: ledger.is_request_complete(),
            ledger: Rc::clone(ledger),
        })))
    }

    /// The body for an attempt.
    pub(super) fn body(&self) -> Body {
        match self {
            Self::Empty => Body::empty(),
            Self::Whole(size, bytes) => Body::whole(*size, bytes.clone()),
            Self::Stream(stream) => {
                let size = stream.borrow().size;
                Body::source(size, Box::new(Reader { stream: Rc::clone(stream), at: 0 }))
            }
        }
    }

    /// Whether another attempt could send all of it.
    pub(super) fn is_repeatable(&self) -> bool {
        match self {
            Self::Empty | Self::Whole(..) => true,
            Self::Stream(stream) => stream.borrow().keeping == Keeping::All,
        }
    }

    /// The whole body from its first byte on, if it all came and is all kept.
    pub(super) fn again(&self) -> Option<Body> {
        match self {
            Self::Empty | Self::Whole(..) => Some(self.body()),
            Self::Stream(stream) => {
                let whole = stream.borrow().ended && self.is_repeatable();
                whole.then(|| self.body())
            }
        }
    }

    /// There will be no other attempt.
    pub(super) fn release(&self) {
        if let Self::Stream(stream) = self {
            let mut stream = stream.borrow_mut();
            if stream.keeping == Keeping::All {
                stream.keeping = Keeping::Rest;
            }
        }
    }
}

/// One attempt's view: first what was kept, then what arrives.
struct Reader {
    stream: Rc<RefCell<Stream>>,
    at: usize,
}

impl Source for Reader {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, Error>>> {
        let stream = &mut *self.stream.borrow_mut();
        if let Some(frame) = stream.kept.get(self.at) {
            self.at += 1;
            return Poll::Ready(Some(Ok(frame.clone())));
        }
        if stream.keeping != Keeping::All && !stream.kept.is_empty() {
            stream.kept = Vec::new();
            self.at = 0;
        }
        let polled = if stream.body.is_done() { Poll::Ready(None) } else { stream.poll_next(cx) };
        if stream.keeping == Keeping::All && matches!(polled, Poll::Ready(Some(Ok(_)))) {
            self.at += 1;
        }
        polled
    }

    fn poll_pipe(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Pipe, Error>>> {
        let stream = &mut *self.stream.borrow_mut();
        if stream.keeping == Keeping::All || self.at < stream.kept.len() {
            return Poll::Ready(None);
        }
        stream.poll_pipe(cx)
    }
}

impl Stream {
    /// The next bytes in a pipe; from then on there is nothing from which another attempt could begin.
    fn poll_pipe(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Pipe, Error>>> {
        let polled = self.body.poll_pipe(cx);
        match &polled {
            Poll::Pending | Poll::Ready(None) => {}
            Poll::Ready(Some(Ok(pipe))) => {
                self.lose();
                self.note(pipe.held());
            }
            Poll::Ready(Some(Err(_))) => self.lose(),
        }
        polled
    }

    /// Bytes of the body arrived.
    fn note(&mut self, bytes: usize) {
        if !self.counted {
            self.ledger.received(bytes);
        }
        self.left = self.left.map(|left| left.saturating_sub(bytes as u64));
        if self.body.is_done() || self.left == Some(0) {
            self.end();
        }
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, Error>>> {
        let polled = self.body.poll_frame(cx);
        match &polled {
            Poll::Pending => {}
            Poll::Ready(None) => self.end(),
            Poll::Ready(Some(Ok(frame))) => {
                self.keep(frame);
                self.note(match frame {
                    Frame::Data(bytes) => bytes.len(),
                    Frame::Trailers(_) => 0,
                });
            }
            Poll::Ready(Some(Err(_))) => self.lose(),
        }
        polled
    }

    fn end(&mut self) {
        if !self.ended {
            self.ended = true;
            self.ledger.request_complete();
        }
    }

    fn keep(&mut self, frame: &Frame) {
        if self.keeping != Keeping::All {
            self.keeping = Keeping::Nothing;
            return;
        }
        if let Frame::Data(bytes) = frame {
            self.kept_bytes += bytes.len();
        }
        if self.kept_bytes > RETRY_BUFFER_BYTES {
            self.lose();
        } else {
            self.kept.push(frame.clone());
        }
    }

    fn lose(&mut self) {
        self.keeping = Keeping::Nothing;
        self.kept = Vec::new();
    }
}

#[cfg(test)]
mod tests;
