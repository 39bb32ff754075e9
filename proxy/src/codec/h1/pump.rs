//! Moves a body onto the wire, as far as the wire takes it: a request's towards a backend, a response's towards
//! a client.

use std::io;
use std::task::{Context, Poll};

use super::output::Output;
use super::wire::Wire;
use super::write::{self, Framing};
use crate::body::{Body, Frame};
use crate::error::{Error, Reason};
use crate::limits::RELAY_BUFFER_BYTES;

/// A body on its way out.
#[derive(Debug)]
pub struct Pump {
    body: Body,
    framing: Framing,
    trailers: bool,
    state: State,
}

/// How far a pull came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pulled {
    /// The whole body is in the output.
    All,
    /// The body has no frame ready; its waker is set.
    Waiting,
    /// The output holds enough for now.
    Full,
}

#[derive(Debug)]
enum State {
    /// This many bytes of a declared length are to come; it counts for [`Framing::Length`] only.
    Sending(u64),
    /// Everything is in the output.
    Sent,
    /// The peer takes no more; it may still send.
    Refused(io::ErrorKind),
}

impl Pump {
    /// A body that is to be written with `framing`; without `trailers` they are dropped. A framing without a body
    /// drops the body.
    #[must_use]
    pub fn new(body: Body, framing: Framing, trailers: bool) -> Self {
        let state = match framing {
            Framing::Length(0) | Framing::Silent | Framing::Declared => State::Sent,
            Framing::Length(length) => State::Sending(length),
            Framing::Chunked | Framing::UntilClose => State::Sending(0),
        };
        Self { body, framing, trailers, state }
    }

    /// Puts frames into `output`, and pipes if it `takes_pipes`, until it holds enough. An error is the body's own, or
    /// its breaking its declared length.
    pub fn pull(
        &mut self,
        output: &mut Output,
        takes_pipes: bool,
        cx: &mut Context<'_>,
    ) -> Result<Pulled, Error> {
        while matches!(self.state, State::Sending(_)) {
            if output.len() >= RELAY_BUFFER_BYTES || output.is_closed() {
                return Ok(Pulled::Full);
            }
            if takes_pipes && matches!(self.framing, Framing::Length(_)) {
                match self.body.poll_pipe(cx) {
                    Poll::Ready(Some(pipe)) => {
                        let pipe = pipe?;
                        self.pass(pipe.held())?;
                        output.push_pipe(pipe);
                        continue;
                    }
                    Poll::Ready(None) => {}
                    Poll::Pending => return Ok(Pulled::Waiting),
                }
            }
            match self.body.poll_frame(cx) {
                Poll::Ready(frame) => self.put(output, frame.transpose()?)?,
                Poll::Pending => return Ok(Pulled::Waiting),
            }
        }
        Ok(Pulled::All)
    }

    /// Pulls and writes what can be pulled and written. A peer that takes no more is not an error: it may have
    /// answered before it stopped reading.
    pub fn advance(&mut self, wire: &mut Wire, cx: &mut Context<'_>) -> Result<(), Error> {
        while self.refusal().is_none() {
            let takes_pipes = wire.takes_pipes();
            let pulled = self.pull(&mut wire.output, takes_pipes, cx)?;
            match wire.poll_flush(cx) {
                Poll::Ready(Ok(())) if pulled == Pulled::Full => {}
                Poll::Ready(Ok(())) | Poll::Pending => break,
                Poll::Ready(Err(error)) => self.state = State::Refused(error.kind()),
            }
        }
        Ok(())
    }

    /// Whether the body is complete on the wire.
    #[must_use]
    pub fn is_complete(&self, wire: &Wire) -> bool {
        matches!(self.state, State::Sent) && wire.output.is_empty()
    }

    /// Why the peer took no more, if it did.
    #[must_use]
    pub fn refusal(&self) -> Option<io::ErrorKind> {
        match self.state {
            State::Refused(kind) => Some(kind),
            State::Sending(_) | State::Sent => None,
        }
    }

    /// The body, for a tunnel that takes it over.
    #[must_use]
    pub fn into_body(self) -> Body {
        self.body
    }

    /// So many bytes of a declared length are in the output.
    fn pass(&mut self, bytes: usize) -> Result<(), Error> {
        let State::Sending(left) = &mut self.state else { return Ok(()) };
        *left = left
            .checked_sub(bytes as u64)
            .ok_or_else(|| Error::new(Reason::Internal, "body is longer than its declared length"))?;
        if *left == 0 {
            self.state = State::Sent;
        }
        Ok(())
    }

    fn put(&mut self, output: &mut Output, frame: Option<Frame>) -> Result<(), Error> {
        match (frame, self.framing) {
            (Some(Frame::Data(bytes)), Framing::Chunked) => {
                write::chunk_start(output.text(), bytes.len());
                output.push(bytes);
                output.text().extend_from_slice(b"\r\n");
            }
            (Some(Frame::Data(bytes)), Framing::Length(_)) => {
                self.pass(bytes.len())?;
                output.push(bytes);
            }
            (Some(Frame::Data(bytes)), _) => output.push(bytes),
            (Some(Frame::Trailers(trailers)), Framing::Chunked) => {
                write::chunked_end(output.text(), Some(&trailers).filter(|_| self.trailers));
                self.state = State::Sent;
            }
            (None, Framing::Chunked) => {
                write::chunked_end(output.text(), None);
                self.state = State::Sent;
            }
            (Some(Frame::Trailers(_)) | None, Framing::Length(_)) => {
                return Err(Error::new(Reason::Internal, "body is shorter than its declared length"));
            }
            (Some(Frame::Trailers(_)) | None, _) => self.state = State::Sent,
        }
        Ok(())
    }
}
