//! Our [`Body`] into an HTTP/2 stream's outgoing half.
//!
//! The body is polled only when everything it gave before has been taken, so that the peer's window and the send
//! buffer hold the body's source back.

use std::future::poll_fn;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use h2::SendStream;

use super::fault::{self, Peer};
use crate::body::{Body, Frame};
use crate::error::{Error, Reason};

/// One body on its way out.
#[derive(Debug)]
pub struct Send {
    body: Body,
    stream: SendStream<Bytes>,
    peer: Peer,
    chunk: Bytes,
    next: Next,
}

/// Why a body was not sent whole.
#[derive(Debug)]
pub enum Unsent {
    /// The body itself failed; the stream was reset for it.
    Body(Error),
    /// The peer reset the stream, or the connection ended.
    Peer(Error),
}

/// What is known of the frame after `chunk`.
#[derive(Debug)]
enum Next {
    Unknown,
    End,
    Is(Result<Frame, Error>),
}

impl Send {
    /// `body` into `stream`, towards `peer`. The head must have been sent without END_STREAM.
    #[must_use]
    pub fn new(body: Body, stream: SendStream<Bytes>, peer: Peer) -> Self {
        Self { body, stream, peer, chunk: Bytes::new(), next: Next::Unknown }
    }

    /// Sends all of it and ends the stream. When the body fails, the stream is reset; when the peer resets the
    /// stream, the body is dropped. Either is the error. Dropping this future resets the stream with CANCEL.
    ///
    /// # Errors
    /// Which side kept the body from being sent whole.
    pub async fn run(mut self) -> Result<(), Unsent> {
        let sent = poll_fn(|cx| self.poll(cx)).await;
        if let Err(Unsent::Body(why)) = &sent {
            self.stream.send_reset(fault::reset_code(self.peer, why));
        }
        sent
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Unsent>> {
        if let Poll::Ready(reset) = self.stream.poll_reset(cx) {
            return Poll::Ready(Err(Unsent::Peer(self.was_reset(reset))));
        }
        loop {
            if !self.chunk.is_empty() {
                if ready!(self.poll_chunk(cx))? {
                    return Poll::Ready(Ok(()));
                }
                continue;
            }
            let next = match std::mem::replace(&mut self.next, Next::Unknown) {
                Next::Unknown => ready!(self.body.poll_frame(cx)),
                Next::End => None,
                Next::Is(frame) => Some(frame),
            };
            match next {
                Some(Ok(Frame::Data(bytes))) => self.chunk = bytes,
                Some(Ok(Frame::Trailers(trailers))) => {
                    let sent = self.stream.send_trailers(trailers.into());
                    return Poll::Ready(sent.map_err(|why| self.failed(&why)));
                }
                Some(Err(why)) => return Poll::Ready(Err(Unsent::Body(why))),
                None => {
                    let sent = self.stream.send_data(Bytes::new(), true);
                    return Poll::Ready(sent.map_err(|why| self.failed(&why)));
                }
            }
        }
    }

    /// Sends what the window takes of the chunk. True when that ended the stream.
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, Unsent>> {
        self.stream.reserve_capacity(self.chunk.len());
        // `poll_capacity` reports changes only, so capacity that is there already must be seen first.
        while self.stream.capacity() == 0 {
            match ready!(self.stream.poll_capacity(cx)) {
                Some(Ok(_)) => {}
                Some(Err(why)) => return Poll::Ready(Err(self.failed(&why))),
                None => {
                    let reset = self.stream.poll_reset(cx);
                    let why = match reset {
                        Poll::Ready(reset) => self.was_reset(reset),
                        Poll::Pending => Error::new(Reason::Internal, "http/2 stream ended while sending"),
                    };
                    return Poll::Ready(Err(Unsent::Peer(why)));
                }
            }
        }
        let count = self.stream.capacity().min(self.chunk.len());
        let part = self.chunk.split_to(count);
        if self.chunk.is_empty() {
            // One look ahead saves the empty DATA frame that would carry END_STREAM alone.
            if let Poll::Ready(next) = self.body.poll_frame(cx) {
                self.next = next.map_or(Next::End, Next::Is);
            }
        }
        let last = matches!(self.next, Next::End) && self.chunk.is_empty();
        match self.stream.send_data(part, last) {
            Ok(()) => Poll::Ready(Ok(last)),
            Err(why) => Poll::Ready(Err(self.failed(&why))),
        }
    }

    fn failed(&self, why: &h2::Error) -> Unsent {
        Unsent::Peer(fault::error(self.peer, why))
    }

    fn was_reset(&self, reset: Result<h2::Reason, h2::Error>) -> Error {
        match reset {
            Ok(code) => fault::error(self.peer, &h2::Error::from(code)),
            Err(why) => fault::error(self.peer, &why),
        }
    }
}
