//! Bodies of gRPC-Web on their way from and to a browser.
//!
//! One rule: a message is passed on as it comes; only what is no gRPC is waited for, up to a limit, to become a status.

use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http::header::CONTENT_LENGTH;

use super::super::ledger::Ledger;
use super::super::reply;
use super::super::stop::Stop;
use crate::body::{Body, Frame, Response, Size, Source};
use crate::error::{Error, Reason};
use crate::limits::GRPC_MESSAGE_BYTES_MAX;
use crate::policy::filter::grpc_web::{Decoder, Encoder, Malformed, Speech, explain, trailers_frame};

/// Makes `body` one of gRPC, of a length that its head does not say.
pub(super) fn translate(speech: Speech, body: &mut Body) -> Result<(), Stop> {
    if body.is_done() {
        return Ok(());
    }
    let inner = std::mem::replace(body, Body::empty());
    *body = match (inner.as_full(), speech.text_request) {
        (Some(bytes), false) => Body::whole(Size::Unknown, bytes.clone()),
        (Some(text), true) => {
            let mut decoder = Decoder::default();
            let bytes = decoder.decode(text).and_then(|bytes| decoder.end().map(|()| bytes));
            Body::whole(Size::Unknown, bytes.map_err(malformed)?)
        }
        (None, true) => {
            Body::source(Size::Unknown, Box::new(Decoded { body: inner, decoder: Decoder::default() }))
        }
        (None, false) => Body::source(Size::Unknown, Box::new(Unmeasured(inner))),
    };
    Ok(())
}

/// Makes a gRPC-Web response of `response`; gives whether its body has to become a message.
pub(super) fn answer(speech: Speech, response: &mut Response) -> bool {
    if speech.answer(&mut response.head, !response.body.is_done()) {
        return true;
    }
    response.head.headers.remove(CONTENT_LENGTH);
    if response.body.is_done() {
        return false;
    }
    let body = std::mem::replace(&mut response.body, Body::empty());
    let encoder = speech.text_response.then(Encoder::default);
    response.body = match body.as_full() {
        Some(bytes) if encoder.is_none() => Body::whole(Size::Unknown, bytes.clone()),
        _ => Body::source(Size::Unknown, Box::new(Framed { body, encoder, ended: false })),
    };
    false
}

/// Waits for the body of `response`, which becomes its message. Bytes past the limit are read and dropped, as in Envoy.
pub(super) async fn gather(response: &mut Response, ledger: &Rc<Ledger>) {
    response.body = match start(&mut response.body, ledger).await {
        Ok(text) => {
            let status = reply::grpc_status(response.head.status);
            explain(&mut response.head, status, reply::percent_encoded(&text));
            Body::empty()
        }
        // It is no whole message, and its client is to see that.
        Err(error) => Body::source(Size::Unknown, Box::new(Broken(Some(error)))),
    };
}

/// The first bytes of `body`, once all of it was read.
async fn start(body: &mut Body, ledger: &Rc<Ledger>) -> Result<BytesMut, Error> {
    let mut start = BytesMut::new();
    loop {
        let frame = {
            let next = pin!(async { body.frame().await.transpose() });
            ledger.deadlines.limit(next).await?
        };
        match frame {
            None | Some(Frame::Trailers(_)) => return Ok(start),
            Some(Frame::Data(bytes)) => {
                ledger.deadlines.touch();
                let space = GRPC_MESSAGE_BYTES_MAX - start.len();
                start.extend_from_slice(&bytes[..bytes.len().min(space)]);
            }
        }
    }
}

fn malformed(details: Malformed) -> Error {
    Error::new(Reason::GrpcWebBody, details)
}

/// A body that is passed on as it is, without its length.
struct Unmeasured(Body);

impl Source for Unmeasured {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, Error>>> {
        self.0.poll_frame(cx)
    }
}

/// A request's body out of base64.
struct Decoded {
    body: Body,
    decoder: Decoder,
}

impl Source for Decoded {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, Error>>> {
        loop {
            let polled = match ready!(self.body.poll_frame(cx)) {
                Some(Ok(Frame::Data(text))) => match self.decoder.decode(&text) {
                    Ok(bytes) if bytes.is_empty() => continue,
                    decoded => Some(decoded.map(Frame::Data).map_err(malformed)),
                },
                Some(Err(error)) => Some(Err(error)),
                end => match self.decoder.end() {
                    Ok(()) => end,
                    Err(details) => Some(Err(malformed(details))),
                },
            };
            return Poll::Ready(polled);
        }
    }
}

/// A response's body whose trailers are its last frame, in base64 if there is an encoder.
struct Framed {
    body: Body,
    encoder: Option<Encoder>,
    ended: bool,
}

impl Framed {
    fn data(&mut self, bytes: Bytes) -> Bytes {
        match &mut self.encoder {
            Some(encoder) => encoder.encode(&bytes),
            None => bytes,
        }
    }

    /// The end of the body, with its last frame if there is one.
    fn end(&mut self, frame: Bytes) -> Option<Result<Frame, Error>> {
        self.ended = true;
        let last = match &mut self.encoder {
            Some(encoder) => encoder.last(&frame),
            None => frame,
        };
        (!last.is_empty()).then_some(Ok(Frame::Data(last)))
    }
}

impl Source for Framed {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, Error>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        loop {
            let polled = match ready!(self.body.poll_frame(cx)) {
                None => self.end(Bytes::new()),
                Some(Ok(Frame::Trailers(trailers))) => self.end(trailers_frame(&trailers)),
                Some(Ok(Frame::Data(bytes))) => match self.data(bytes) {
                    text if text.is_empty() => continue,
                    text => Some(Ok(Frame::Data(text))),
                },
                Some(Err(error)) => Some(Err(error)),
            };
            return Poll::Ready(polled);
        }
    }
}

/// A body that broke off before its first byte.
struct Broken(Option<Error>);

impl Source for Broken {
    fn poll_frame(&mut self, _cx: &mut Context<'_>) -> Poll<Option<Result<Frame, Error>>> {
        Poll::Ready(self.0.take().map(Err))
    }
}
