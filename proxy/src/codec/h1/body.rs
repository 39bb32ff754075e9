//! Cuts a body out of the read buffer, whatever its framing.

use bytes::BytesMut;

use super::chunk::{Chunked, Step};
use super::fault::Fault;
use super::framing::Framing;
use crate::limits::RELAY_BUFFER_BYTES;

/// A body being read.
#[derive(Debug)]
pub enum Reader {
    /// This many bytes are still to come.
    Length(u64),
    /// In chunks.
    Chunked(Chunked),
    /// Until the connection ends, or raw bytes of a tunnel.
    UntilClose,
}

impl Reader {
    /// A reader at the start of a body.
    #[must_use]
    pub fn new(framing: Framing) -> Self {
        match framing {
            Framing::Length(length) => Self::Length(length),
            Framing::Chunked => Self::Chunked(Chunked::default()),
            Framing::UntilClose => Self::UntilClose,
        }
    }

    /// Takes the next piece from the start of `input`. A body that ends with its connection never says so here.
    pub fn step(&mut self, input: &mut BytesMut) -> Result<Step, Fault> {
        match self {
            Self::Length(0) => Ok(Step::End),
            Self::Chunked(chunked) => chunked.step(input),
            Self::Length(_) | Self::UntilClose if input.is_empty() => Ok(Step::More),
            Self::UntilClose => Ok(Step::Data(input.split().freeze())),
            Self::Length(left) => {
                let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
                *left -= taken as u64;
                Ok(Step::Data(input.split_to(taken).freeze()))
            }
        }
    }

    /// Whether the body is known to have ended.
    #[must_use]
    pub fn is_done(&self) -> bool {
        match self {
            Self::Length(left) => *left == 0,
            Self::Chunked(chunked) => chunked.is_done(),
            Self::UntilClose => false,
        }
    }

    /// The bytes that are certainly still to come.
    #[must_use]
    pub fn remaining(&self) -> Option<u64> {
        match self {
            Self::Length(left) => Some(*left),
            Self::Chunked(chunked) if chunked.is_done() => Some(0),
            Self::Chunked(_) | Self::UntilClose => None,
        }
    }

    /// Bytes that nobody has to look at: none but those of a known length.
    #[must_use]
    pub fn opaque(&self) -> u64 {
        match self {
            Self::Length(left) => *left,
            Self::Chunked(_) | Self::UntilClose => 0,
        }
    }

    /// So many opaque bytes were taken past this reader.
    pub fn pass(&mut self, bytes: usize) {
        if let Self::Length(left) = self {
            *left = left.saturating_sub(bytes as u64);
        }
    }

    /// How much to read at once.
    #[must_use]
    pub fn appetite(&self) -> usize {
        match self {
            Self::Length(left) => usize::try_from(*left).unwrap_or(usize::MAX).min(RELAY_BUFFER_BYTES),
            Self::Chunked(_) | Self::UntilClose => RELAY_BUFFER_BYTES,
        }
    }
}
