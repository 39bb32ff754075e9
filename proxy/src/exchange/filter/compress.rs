//! A body that is compressed on its way. What comes in one piece goes out at once, so that nobody waits for bytes that
//! have been sent.

use std::io::{self, Write};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use xds::model::CompressorLibrary;

use crate::body::{Body, Frame, Size, Source};
use crate::error::{Error, Reason};

/// Bytes of an encoder's buffer.
const BUFFER_BYTES: usize = 4096;

/// Makes `body` one that is compressed.
pub(super) fn compress(body: &mut Body, library: CompressorLibrary) -> Result<(), Error> {
    let encoder = Encoder::new(library).map_err(failed)?;
    let inner = std::mem::replace(body, Body::empty());
    let source = Compressed { body: inner, encoder: Some(encoder), last: None };
    *body = Body::source(Size::Unknown, Box::new(source));
    Ok(())
}

fn failed(error: io::Error) -> Error {
    Error::new(Reason::Internal, format!("a body cannot be compressed: {error}"))
}

enum Encoder {
    Gzip(GzEncoder<Vec<u8>>),
    Brotli(Box<brotli::CompressorWriter<Vec<u8>>>),
    Zstd(zstd::Encoder<'static, Vec<u8>>),
}

impl Encoder {
    fn new(library: CompressorLibrary) -> io::Result<Self> {
        Ok(match library {
            CompressorLibrary::Gzip { level } => {
                let level = level.map_or_else(Compression::default, Compression::new);
                Self::Gzip(GzEncoder::new(Vec::new(), level))
            }
            CompressorLibrary::Brotli { quality, window_bits } => {
                let writer = brotli::CompressorWriter::new(Vec::new(), BUFFER_BYTES, quality, window_bits);
                Self::Brotli(Box::new(writer))
            }
            CompressorLibrary::Zstd { level, checksum } => {
                let mut encoder = zstd::Encoder::new(Vec::new(), i32::try_from(level).unwrap_or_default())?;
                encoder.include_checksum(checksum)?;
                Self::Zstd(encoder)
            }
        })
    }

    /// What `bytes` become, with what was held back before.
    fn encode(&mut self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let writer: &mut dyn Write = match self {
            Self::Gzip(encoder) => encoder,
            Self::Brotli(encoder) => encoder,
            Self::Zstd(encoder) => encoder,
        };
        writer.write_all(bytes)?;
        writer.flush()?;
        Ok(std::mem::take(match self {
            Self::Gzip(encoder) => encoder.get_mut(),
            Self::Brotli(encoder) => encoder.get_mut(),
            Self::Zstd(encoder) => encoder.get_mut(),
        }))
    }

    /// The end.
    fn finish(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Gzip(encoder) => encoder.finish(),
            Self::Brotli(encoder) => Ok(encoder.into_inner()),
            Self::Zstd(encoder) => encoder.finish(),
        }
    }
}

struct Compressed {
    body: Body,
    /// Taken at the end.
    encoder: Option<Encoder>,
    /// What follows the last bytes.
    last: Option<Frame>,
}

impl Source for Compressed {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, Error>>> {
        loop {
            let Some(encoder) = &mut self.encoder else { return Poll::Ready(self.last.take().map(Ok)) };
            let bytes = match ready!(self.body.poll_frame(cx)) {
                Some(Ok(Frame::Data(bytes))) => encoder.encode(&bytes),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                end => {
                    self.last = end.and_then(Result::ok);
                    match self.encoder.take() {
                        Some(encoder) => encoder.finish(),
                        None => Ok(Vec::new()),
                    }
                }
            };
            match bytes.map_err(failed) {
                Err(error) => return Poll::Ready(Some(Err(error))),
                Ok(bytes) if !bytes.is_empty() => {
                    return Poll::Ready(Some(Ok(Frame::Data(Bytes::from(bytes)))));
                }
                Ok(_) => {}
            }
        }
    }
}
