//! A body that is decompressed on its way, a chunk whenever somebody asks for one.
//!
//! One rule: what is not what its head says breaks off; nobody takes a part for the whole.

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;

use super::super::ledger::Ledger;
use super::inflate::{Decoder, Malformed};
use crate::body::{Body, Frame, Response, Size, Source};
use crate::error::{Error, Reason};
use crate::fields::Fields;
use crate::policy::filter::decompressor::{Decompressor, Direction, Sizes};

/// Decompresses a response's body, if the filter wants to.
pub(super) fn response(filter: &Arc<Decompressor>, response: &mut Response, ledger: &Ledger) {
    if filter.response(&mut response.head, !response.body.is_done())
        && let Err(error) = decompress(&mut response.body, filter, Direction::Response)
    {
        ledger.broke_off(&error);
    }
}

/// Makes `body` one that is decompressed.
pub(super) fn decompress(
    body: &mut Body,
    filter: &Arc<Decompressor>,
    direction: Direction,
) -> Result<(), Error> {
    let decoder = Decoder::new(filter.library()).map_err(|details| {
        Error::new(Reason::Internal, format!("a body cannot be decompressed: {details}"))
    })?;
    let source = Decompressed {
        body: std::mem::replace(body, Body::empty()),
        decoder,
        input: Bytes::new(),
        sizes: Sizes::default(),
        filter: Arc::clone(filter),
        direction,
    };
    *body = Body::source(Size::Unknown, Box::new(source));
    Ok(())
}

struct Decompressed {
    body: Body,
    decoder: Decoder,
    /// Bytes that came and were not yet looked at.
    input: Bytes,
    sizes: Sizes,
    filter: Arc<Decompressor>,
    direction: Direction,
}

impl Decompressed {
    /// What can be made of what is here.
    fn decode(&mut self) -> Result<Bytes, Malformed> {
        let made = self.decoder.decode(&mut self.input, self.filter.chunk_bytes())?;
        // As in Envoy, the chunk that goes beyond the limit is the last.
        if !made.is_empty() && !self.filter.allows(self.sizes) {
            return Err(format!("{:?} are too many", self.sizes));
        }
        self.sizes.uncompressed += made.len() as u64;
        Ok(made)
    }

    fn broken(&self, details: impl std::fmt::Display) -> Error {
        let encoding = self.filter.library().encoding();
        let reason = self.filter.malformed(self.direction, self.sizes);
        Error::new(reason, format!("a body is not {encoding} as it should be: {details}"))
    }

    /// The trailers, after the last byte.
    fn end(&self, mut trailers: Fields) -> Result<Frame, Error> {
        if !self.decoder.is_whole() {
            return Err(self.broken("it is cut off"));
        }
        self.filter.end(self.direction, self.sizes, &mut trailers);
        Ok(Frame::Trailers(trailers))
    }
}

impl Source for Decompressed {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, Error>>> {
        loop {
            match self.decode() {
                Ok(made) if !made.is_empty() => return Poll::Ready(Some(Ok(Frame::Data(made)))),
                Ok(_) => {}
                Err(details) => return Poll::Ready(Some(Err(self.broken(details)))),
            }
            let end = match ready!(self.body.poll_frame(cx)) {
                Some(Ok(Frame::Data(bytes))) => {
                    self.sizes.compressed += bytes.len() as u64;
                    self.input = bytes;
                    continue;
                }
                Some(Ok(Frame::Trailers(trailers))) => self.end(trailers),
                Some(Err(error)) => Err(error),
                None => self.end(Fields::new()),
            };
            return Poll::Ready(Some(end));
        }
    }
}
