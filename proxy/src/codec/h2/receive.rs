//! An HTTP/2 stream's incoming half as our [`Source`].
//!
//! The rule that makes back-pressure: a frame's bytes are given back to the peer's window only when the consumer
//! polls for the next one, so a reader that stops holds one window and no more.

use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use h2::RecvStream;
use http::StatusCode;

use super::fault::{self, Peer};
use super::head::declared_size;
use crate::body::{Body, Frame, Interim, ResponseHead, Source};
use crate::error::Error;
use crate::fields::Fields;

/// Largest body whose window is given back before it is passed on: all streams of a connection may have one.
const WHOLE_BYTES_MAX: usize = 4 * 1024;

/// The receiving half of one stream.
#[derive(Debug)]
pub struct Receive {
    stream: RecvStream,
    peer: Peer,
    /// Bytes handed out whose window is not yet given back.
    held: usize,
    /// What was looked at before anybody asked.
    first: Option<Bytes>,
    /// Where a 100 goes when the body is first asked for.
    expecting: Option<Interim>,
}

impl Receive {
    /// The receiving half of `stream`, from `peer`.
    #[must_use]
    pub fn new(stream: RecvStream, peer: Peer) -> Self {
        Self { stream, peer, held: 0, first: None, expecting: None }
    }

    /// Answers `Expect: 100-continue` into `interim` when the body is first asked for.
    #[must_use]
    pub fn expecting(mut self, interim: Interim) -> Self {
        self.expecting = Some(interim);
        self
    }

    /// The body behind a head with `headers`. A small one that has arrived with its head is all here at once.
    #[must_use]
    pub fn into_body(mut self, headers: &Fields) -> Body {
        if self.stream.is_end_stream() {
            return Body::empty();
        }
        let size = declared_size(headers, false);
        // Nobody is woken by this look: whoever asks for the body next registers anew.
        let mut nobody = Context::from_waker(Waker::noop());
        if self.expecting.is_none()
            && let Poll::Ready(Some(Ok(bytes))) = self.stream.poll_data(&mut nobody)
        {
            let length = bytes.len();
            let whole = (1..=WHOLE_BYTES_MAX).contains(&length) && self.stream.is_end_stream();
            if whole && self.stream.flow_control().release_capacity(length).is_ok() {
                return Body::whole(size, bytes);
            }
            self.first = Some(bytes);
        }
        Body::source(size, Box::new(self))
    }
}

impl Source for Receive {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, Error>>> {
        if let Some(interim) = self.expecting.take() {
            interim.push(ResponseHead { status: StatusCode::CONTINUE, headers: Fields::new() });
        }
        loop {
            if self.held > 0 {
                let held = std::mem::take(&mut self.held);
                if let Err(why) = self.stream.flow_control().release_capacity(held) {
                    return Poll::Ready(Some(Err(fault::error(self.peer, &why))));
                }
            }
            let next = match self.first.take() {
                Some(bytes) => Some(Ok(bytes)),
                None => ready!(self.stream.poll_data(cx)),
            };
            match next {
                Some(Ok(bytes)) if bytes.is_empty() => {}
                Some(Ok(bytes)) => {
                    self.held = bytes.len();
                    return Poll::Ready(Some(Ok(Frame::Data(bytes))));
                }
                Some(Err(why)) => return Poll::Ready(Some(Err(fault::error(self.peer, &why)))),
                None => break,
            }
        }
        Poll::Ready(match ready!(self.stream.poll_trailers(cx)) {
            Ok(Some(trailers)) => Some(Ok(Frame::Trailers(trailers.into()))),
            Ok(None) => None,
            Err(why) => Some(Err(fault::error(self.peer, &why))),
        })
    }
}
