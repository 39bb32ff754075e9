//! Decoders of `gzip`, `br` and `zstd` that make so many bytes at a time and wait for nothing.
//!
//! One rule: memory is bounded by the window that the encoding's standard allows and by one chunk.

use std::fmt;

use brotli::reader::StandardAlloc;
use brotli::{BrotliDecompressStream, BrotliResult, BrotliState};
use bytes::{Buf, Bytes};
use flate2::{Decompress, FlushDecompress, Status};
use xds::model::DecompressorLibrary;
use zstd::stream::raw::{DParameter, Operation};

use crate::limits::ZSTD_WINDOW_BITS_MAX;

/// The first byte of a member (RFC 1952 §2.3.1).
const GZIP_ID: u8 = 0x1f;
/// The first bytes of a frame and of those to be skipped (RFC 8878 §3.1).
const ZSTD_IDS: [u8; 17] =
    [0x28, 0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5a, 0x5b, 0x5c, 0x5d, 0x5e, 0x5f];
/// The window of all gzip, bits.
const GZIP_WINDOW_BITS: u8 = 15;

/// Bytes that are not what they should be.
pub(super) type Malformed = String;

/// A decoder in the middle of a body.
pub(super) struct Decoder {
    format: Format,
    /// Whether the bytes so far are a whole body, to which more may be added.
    whole: bool,
}

enum Format {
    Gzip(Decompress),
    Brotli(Box<BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>>),
    Zstd(zstd::stream::raw::Decoder<'static>),
}

/// How far a step came, in bytes.
struct Step {
    read: usize,
    written: usize,
    /// Whether a member, frame or stream has ended.
    ended: bool,
}

impl Decoder {
    pub(super) fn new(library: DecompressorLibrary) -> Result<Self, Malformed> {
        let format = match library {
            DecompressorLibrary::Gzip { .. } => Format::Gzip(Decompress::new_gzip(GZIP_WINDOW_BITS)),
            DecompressorLibrary::Brotli => {
                let memory = StandardAlloc::default;
                Format::Brotli(Box::new(BrotliState::new_strict(memory(), memory(), memory())))
            }
            DecompressorLibrary::Zstd => {
                let mut decoder = zstd::stream::raw::Decoder::new().map_err(shown)?;
                decoder.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_BITS_MAX)).map_err(shown)?;
                Format::Zstd(decoder)
            }
        };
        Ok(Self { format, whole: false })
    }

    /// Whether nothing is missing where the bytes end.
    pub(super) fn is_whole(&self) -> bool {
        self.whole
    }

    /// At most `bytes_max` of what `input` stands for, together with what came before it. None says that more input is
    /// needed; then `input` is empty.
    pub(super) fn decode(&mut self, input: &mut Bytes, bytes_max: usize) -> Result<Bytes, Malformed> {
        let mut output = vec![0; bytes_max];
        let mut made = 0;
        while made < bytes_max {
            if self.whole && !self.goes_on(input) {
                input.clear();
                break;
            }
            let Step { read, written, ended } = self.step(input, &mut output[made..])?;
            input.advance(read);
            made += written;
            self.whole = ended;
            if read == 0 && written == 0 {
                break;
            }
        }
        output.truncate(made);
        Ok(output.into())
    }

    /// Whether another member or frame follows the whole ones; other bytes are no part of the body, as in zlib's users.
    fn goes_on(&mut self, input: &[u8]) -> bool {
        match &mut self.format {
            Format::Gzip(decoder) => {
                let more = input.first() == Some(&GZIP_ID);
                if more {
                    *decoder = Decompress::new_gzip(GZIP_WINDOW_BITS);
                }
                more
            }
            Format::Brotli(_) => false,
            Format::Zstd(_) => input.first().is_some_and(|first| ZSTD_IDS.contains(first)),
        }
    }

    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, Malformed> {
        match &mut self.format {
            Format::Gzip(decoder) => {
                let (read, written) = (decoder.total_in(), decoder.total_out());
                let status = decoder.decompress(input, output, FlushDecompress::None).map_err(shown)?;
                Ok(Step {
                    read: usize::try_from(decoder.total_in() - read).unwrap_or(input.len()),
                    written: usize::try_from(decoder.total_out() - written).unwrap_or(output.len()),
                    ended: status == Status::StreamEnd,
                })
            }
            Format::Brotli(state) => {
                let (mut read, mut written, mut total) = (0, 0, 0);
                let (mut left, mut space) = (input.len(), output.len());
                let result = BrotliDecompressStream(
                    &mut left,
                    &mut read,
                    input,
                    &mut space,
                    &mut written,
                    output,
                    &mut total,
                    state,
                );
                match result {
                    BrotliResult::ResultFailure => Err("not brotli".to_owned()),
                    _ => Ok(Step { read, written, ended: matches!(result, BrotliResult::ResultSuccess) }),
                }
            }
            Format::Zstd(decoder) => {
                let status = decoder.run_on_buffers(input, output).map_err(shown)?;
                let moved = status.bytes_read + status.bytes_written > 0;
                Ok(Step {
                    read: status.bytes_read,
                    written: status.bytes_written,
                    // Without a byte moved it says how many it waits for, also between frames.
                    ended: if moved { status.remaining == 0 } else { self.whole },
                })
            }
        }
    }
}

fn shown(error: impl fmt::Display) -> Malformed {
    error.to_string()
}

#[cfg(test)]
mod tests;
