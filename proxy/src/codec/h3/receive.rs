//! An HTTP/3 stream's incoming half as our [`Source`].
//!
//! A chunk's bytes are given back to the peer's window when it is taken from `quinn`, which is when the consumer asks: a
//! reader that stops holds one window and a chunk. One rule: a body is as long as its head said (RFC 9114 §4.1.2).

use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use h3::error::Code;
use h3::server::RequestStream;
use http::StatusCode;

use super::fault;
use super::transport::Incoming;
use crate::body::{Body, Frame, Interim, ResponseHead, Size, Source};
use crate::codec::h2::declared_size;
use crate::error::{Error, Reason};
use crate::fields::Fields;

/// The receiving half of one stream.
pub struct Receive {
    stream: RequestStream<Incoming, Bytes>,
    /// Bytes that are still to come, where the head said.
    left: Option<u64>,
    /// Where a 100 goes when the body is first asked for.
    expecting: Option<Interim>,
}

impl Receive {
    /// The receiving half of `stream`.
    #[must_use]
    pub fn new(stream: RequestStream<Incoming, Bytes>) -> Self {
        Self { stream, left: None, expecting: None }
    }

    /// Answers `Expect: 100-continue` into `interim` when the body is first asked for.
    #[must_use]
    pub fn expecting(mut self, interim: Interim) -> Self {
        self.expecting = Some(interim);
        self
    }

    /// The body behind a head with `headers`; a first look tells whether there is one.
    pub fn into_body(mut self, headers: &Fields) -> Body {
        let size = declared_size(headers, false);
        self.left = match size {
            Size::Exact(bytes) => Some(bytes),
            Size::Unknown => None,
        };
        if self.expecting.is_some() {
            return Body::source(size, Box::new(self));
        }
        let mut nobody = Context::from_waker(std::task::Waker::noop());
        match self.poll_frame(&mut nobody) {
            Poll::Ready(None) => Body::empty(),
            Poll::Ready(first) => Body::source(size, Box::new(Ahead { first, rest: self })),
            Poll::Pending => Body::source(size, Box::new(self)),
        }
    }

    fn malformed(&mut self, detail: &'static str) -> Error {
        self.stream.stop_sending(Code::H3_MESSAGE_ERROR);
        Error::new(Reason::DownstreamProtocol, detail)
    }
}

impl Source for Receive {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, Error>>> {
        if let Some(interim) = self.expecting.take() {
            interim.push(ResponseHead { status: StatusCode::CONTINUE, headers: Fields::new() });
        }
        loop {
            let chunk = match ready!(self.stream.poll_recv_data(cx)) {
                Ok(Some(mut chunk)) => Some(chunk.copy_to_bytes(chunk.remaining())),
                Ok(None) => None,
                Err(why) => return Poll::Ready(Some(Err(fault::error(&why)))),
            };
            match chunk {
                Some(bytes) if bytes.is_empty() => {}
                Some(bytes) => {
                    if let Some(left) = &mut self.left {
                        let Some(rest) = left.checked_sub(bytes.len() as u64) else {
                            return Poll::Ready(Some(Err(
                                self.malformed("http/3 body longer than content-length")
                            )));
                        };
                        *left = rest;
                    }
                    return Poll::Ready(Some(Ok(Frame::Data(bytes))));
                }
                None => break,
            }
        }
        if self.left.is_some_and(|left| left > 0) {
            return Poll::Ready(Some(Err(self.malformed("http/3 body shorter than content-length"))));
        }
        Poll::Ready(match ready!(self.stream.poll_recv_trailers(cx)) {
            Ok(Some(trailers)) => Some(Ok(Frame::Trailers(trailers.into()))),
            Ok(None) => None,
            Err(why) => Some(Err(fault::error(&why))),
        })
    }
}

/// A body of which the first frame was looked at before anybody asked.
struct Ahead {
    first: Option<Result<Frame, Error>>,
    rest: Receive,
}

impl Source for Ahead {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, Error>>> {
        match self.first.take() {
            Some(first) => Poll::Ready(Some(first)),
            None => self.rest.poll_frame(cx),
        }
    }
}
