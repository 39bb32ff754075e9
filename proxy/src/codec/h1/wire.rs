//! A stream with what was read and not yet understood, and what is yet to be written.

use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::{BufMut, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

use super::output::Output;
use crate::codec::io::Stream;
use crate::limits::{PIPE_BYTES, RELAY_BUFFER_BYTES, SPLICE_BYTES_MIN};
use crate::splice::{AsSocket, Pipe};

/// Reads up to this size go through one buffer per thread, so that an idle connection holds none.
const SCRATCH_BYTES: usize = 16 * 1024;

thread_local! {
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; SCRATCH_BYTES].into_boxed_slice());
}

/// One connection's bytes.
#[derive(Debug)]
pub struct Wire {
    stream: Stream,
    /// What was read and not yet taken.
    pub input: BytesMut,
    /// What is to be written.
    pub output: Output,
    /// Whether the peer has ended its side.
    pub ended: bool,
    /// Whether the last read filled the scratch buffer, so that more is likely waiting.
    filled: bool,
}

impl Wire {
    /// Nothing read, nothing to write.
    #[must_use]
    pub fn new(stream: Stream) -> Self {
        Self { stream, input: BytesMut::new(), output: Output::default(), ended: false, filled: false }
    }

    /// The stream below.
    #[must_use]
    pub fn stream(&self) -> &Stream {
        &self.stream
    }

    /// Reads once; zero is the end. Never waits for more than one byte. `wanted` is what the reader could take:
    /// once a read shows that so much is coming, reads go straight into a buffer of that size.
    pub fn poll_fill(&mut self, wanted: usize, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.ended {
            return Poll::Ready(Ok(0));
        }
        let read = if wanted <= SCRATCH_BYTES || !self.filled {
            SCRATCH.with_borrow_mut(|scratch| {
                let mut read = ReadBuf::new(scratch);
                ready!(Pin::new(&mut self.stream).poll_read(cx, &mut read))?;
                self.input.extend_from_slice(read.filled());
                Poll::Ready(io::Result::Ok(read.filled().len()))
            })
        } else {
            let wanted = wanted.min(RELAY_BUFFER_BYTES);
            self.input.reserve(wanted);
            let mut into = (&mut self.input).limit(wanted);
            // The future holds nothing between polls, so making it anew each time loses nothing.
            pin!(self.stream.read_buf(&mut into)).poll(cx)
        };
        let read = ready!(read)?;
        self.ended = read == 0;
        self.filled = read >= SCRATCH_BYTES;
        Poll::Ready(Ok(read))
    }

    /// Reads once, into a pipe and at most `wanted` bytes; an empty one is the end. `None` if the bytes have to be
    /// read by [`poll_fill`](Self::poll_fill): some were, no more than a few are coming, or this is no plain socket.
    pub fn poll_pipe(&mut self, wanted: u64, cx: &mut Context<'_>) -> Poll<Option<io::Result<Pipe>>> {
        let wanted = usize::try_from(wanted).unwrap_or(usize::MAX).min(PIPE_BYTES);
        if !self.filled || self.ended || !self.input.is_empty() || wanted < SPLICE_BYTES_MIN {
            return Poll::Ready(None);
        }
        let Some(socket) = self.stream.as_socket() else { return Poll::Ready(None) };
        let Some(mut pipe) = Pipe::take() else { return Poll::Ready(None) };
        let read = ready!(pipe.poll_fill(socket, wanted, cx));
        if let Ok(read) = &read {
            self.ended = *read == 0;
            self.filled = *read >= SPLICE_BYTES_MIN;
        }
        Poll::Ready(Some(read.map(|_bytes| pipe)))
    }

    /// Whether what is written goes to a plain socket, which takes pipes.
    #[must_use]
    pub fn takes_pipes(&self) -> bool {
        self.stream.as_socket().is_some()
    }

    /// Writes all that is waiting.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.output.poll_write(&mut self.stream, cx)
    }

    /// Writes all that is waiting and ends our side.
    pub fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_flush(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    /// Gives back memory that an idle connection does not need.
    pub fn shrink(&mut self) {
        if self.input.is_empty() {
            self.input = BytesMut::new();
        }
        self.output.shrink();
    }
}
