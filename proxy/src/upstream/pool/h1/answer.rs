//! A response from its head to its end.

use std::task::{Context, Poll, ready};

use http::{StatusCode, header};

use super::flight::Flight;
use crate::body::{Body, Frame, Response, Size, Source};
use crate::codec::h1::body::Reader;
use crate::codec::h1::chunk::Step;
use crate::codec::h1::fields::tokens;
use crate::codec::h1::framing::{self, Framing};
use crate::codec::h1::response::Parsed;
use crate::error::{Error, Reason};
use crate::splice::Pipe;
use crate::upstream::pool::tunnel;

/// The response that a flight's head announces. One whose body is already here ends the flight at once.
pub fn response(mut flight: Flight, mut parsed: Parsed) -> Result<Response, Error> {
    let status = parsed.head.status;
    if framing::opens_tunnel(status, flight.method == http::Method::CONNECT) {
        check_switch(&flight, &parsed)?;
        if flight.own_key {
            parsed.head.headers.remove(header::SEC_WEBSOCKET_ACCEPT);
        }
        parsed.head.headers.remove(header::CONTENT_LENGTH);
        let body = tunnel::join(flight.wire, flight.pump.into_body(), None);
        return Ok(Response { head: parsed.head, body, close: false });
    }
    let framing = framing::of_response(&parsed.facts, parsed.version, status, &flight.method)
        .map_err(|fault| fault.upstream())?;
    if status == StatusCode::NO_CONTENT {
        parsed.head.headers.remove(header::CONTENT_LENGTH);
    }
    let keep = parsed.keeps_alive();
    let body = match framing {
        Framing::Length(length) if length <= flight.wire.input.len() as u64 => {
            let length = usize::try_from(length).expect("it is at most the buffer's length");
            let bytes = flight.wire.input.split_to(length).freeze();
            flight.finish(keep);
            Body::full(bytes)
        }
        framing => {
            let size = match framing {
                Framing::Length(length) => Size::Exact(length),
                Framing::Chunked | Framing::UntilClose => Size::Unknown,
            };
            let rest = Rest { keep, reader: Reader::new(framing), flight: Some(flight) };
            Body::source(size, Box::new(rest))
        }
    };
    Ok(Response { head: parsed.head, body, close: false })
}

/// 101 must switch to what was asked for (RFC 9110 §15.2.2).
fn check_switch(flight: &Flight, parsed: &Parsed) -> Result<(), Error> {
    if parsed.head.status != StatusCode::SWITCHING_PROTOCOLS {
        return Ok(());
    }
    let asked = flight.upgrade.as_deref().unwrap_or_default();
    let offered = parsed.facts.upgrade.as_deref().unwrap_or_default();
    let matches = tokens(offered).any(|protocol| protocol.eq_ignore_ascii_case(asked.as_bytes()));
    if matches && parsed.facts.upgrade_nominated {
        return Ok(());
    }
    Err(Error::new(Reason::UpstreamProtocol, "101 without the upgrade that was asked for"))
}

/// The rest of a response's body, still on its way.
struct Rest {
    keep: bool,
    reader: Reader,
    flight: Option<Flight>,
}

impl Source for Rest {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, Error>>> {
        let Some(flight) = &mut self.flight else { return Poll::Ready(None) };
        flight.pump.advance(&mut flight.wire, cx)?;
        loop {
            match self.reader.step(&mut flight.wire.input).map_err(|fault| fault.upstream())? {
                Step::Data(bytes) => {
                    if self.reader.is_done() {
                        self.finish();
                    }
                    return Poll::Ready(Some(Ok(Frame::Data(bytes))));
                }
                Step::Trailers(trailers) => {
                    let pass = flight.settings.enable_trailers;
                    self.finish();
                    return Poll::Ready(pass.then_some(Ok(Frame::Trailers(trailers))));
                }
                Step::End => {
                    self.finish();
                    return Poll::Ready(None);
                }
                Step::More => {}
            }
            match ready!(flight.wire.poll_fill(self.reader.appetite(), cx)) {
                Ok(0) if matches!(self.reader, Reader::UntilClose) => {
                    self.flight = None;
                    return Poll::Ready(None);
                }
                Ok(0) => return Poll::Ready(Some(Err(cut_short(None)))),
                Ok(_) => {}
                Err(error) => return Poll::Ready(Some(Err(cut_short(Some(error.kind()))))),
            }
        }
    }

    fn poll_pipe(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Pipe, Error>>> {
        let Some(flight) = &mut self.flight else { return Poll::Ready(None) };
        flight.pump.advance(&mut flight.wire, cx)?;
        let Some(read) = ready!(flight.wire.poll_pipe(self.reader.opaque(), cx)) else {
            return Poll::Ready(None);
        };
        let pipe = match read {
            Ok(pipe) if pipe.held() == 0 => return Poll::Ready(Some(Err(cut_short(None)))),
            Ok(pipe) => pipe,
            Err(error) => return Poll::Ready(Some(Err(cut_short(Some(error.kind()))))),
        };
        self.reader.pass(pipe.held());
        if self.reader.is_done() {
            self.finish();
        }
        Poll::Ready(Some(Ok(pipe)))
    }
}

impl Rest {
    fn finish(&mut self) {
        if let Some(flight) = self.flight.take() {
            flight.finish(self.keep);
        }
    }
}

fn cut_short(found: Option<std::io::ErrorKind>) -> Error {
    match found {
        Some(kind) => {
            Error::new(Reason::UpstreamClosed, format!("connection closed within the response: {kind}"))
        }
        None => Error::new(Reason::UpstreamClosed, "connection closed within the response"),
    }
}
