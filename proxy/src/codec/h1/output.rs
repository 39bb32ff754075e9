//! Bytes on their way out: small pieces are copied together, large ones are shared and written beside them.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::AsyncWrite;

use crate::codec::io::Stream;
use crate::codec::spare;
use crate::splice::{AsSocket, Pipe};

/// Pieces up to this size are copied: at a few KB a copy costs less than one more element in a vectored write.
const COPY_BYTES_MAX: usize = 4 * 1024;

/// Elements of one vectored write.
const PIECES_MAX: usize = 16;

/// What is to be written, in order.
#[derive(Debug, Default)]
pub struct Output {
    shared: VecDeque<Bytes>,
    tail: Vec<u8>,
    tail_written: usize,
    /// Bytes after all others; nothing is added before they are written.
    pipe: Option<Pipe>,
    unflushed: bool,
}

impl Output {
    /// Whether everything was handed to the stream.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shared.is_empty() && self.tail.is_empty() && self.pipe.is_none()
    }

    /// Bytes waiting, without those of a pipe.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared.iter().map(Bytes::len).sum::<usize>() + self.tail.len() - self.tail_written
    }

    /// Where heads and chunk framing are written.
    pub fn text(&mut self) -> &mut Vec<u8> {
        if self.tail.capacity() == 0 {
            self.tail = spare::take();
        }
        &mut self.tail
    }

    /// Adds bytes of a body.
    pub fn push(&mut self, bytes: Bytes) {
        if bytes.len() <= COPY_BYTES_MAX {
            self.text().extend_from_slice(&bytes);
            return;
        }
        if !self.tail.is_empty() {
            let mut text = Bytes::from(std::mem::take(&mut self.tail));
            text.advance(self.tail_written);
            self.tail_written = 0;
            self.shared.push_back(text);
        }
        self.shared.push_back(bytes);
    }

    /// Adds bytes of a body that are in a pipe. They must be written before anything is added.
    pub fn push_pipe(&mut self, pipe: Pipe) {
        debug_assert!(self.pipe.is_none(), "one pipe at a time");
        self.pipe = Some(pipe);
    }

    /// Whether nothing can be added before what is here is written.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.pipe.is_some()
    }

    /// Writes until nothing is left.
    pub fn poll_write(&mut self, stream: &mut Stream, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !(self.shared.is_empty() && self.tail.is_empty()) {
            let written = if self.shared.is_empty() {
                ready!(Pin::new(&mut *stream).poll_write(cx, &self.tail[self.tail_written..]))?
            } else {
                let mut pieces = [IoSlice::new(&[]); PIECES_MAX];
                let count = self.gather(&mut pieces);
                ready!(Pin::new(&mut *stream).poll_write_vectored(cx, &pieces[..count]))?
            };
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.unflushed = true;
            self.advance(written);
        }
        while let Some(pipe) = &mut self.pipe {
            let socket = stream.as_socket().ok_or(io::ErrorKind::Unsupported)?;
            ready!(pipe.poll_drain(socket, cx))?;
            if pipe.held() == 0 {
                self.pipe = None;
            }
        }
        if self.unflushed {
            // TLS may have taken bytes that it has not written yet.
            ready!(Pin::new(stream).poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Gives back memory that an idle connection does not need.
    pub fn shrink(&mut self) {
        if self.shared.is_empty() {
            self.shared = VecDeque::new();
        }
    }

    fn gather<'a>(&'a self, pieces: &mut [IoSlice<'a>; PIECES_MAX]) -> usize {
        let mut count = 0;
        let rest = &self.tail[self.tail_written..];
        for piece in self.shared.iter().map(Bytes::as_ref).chain(Some(rest)).take(PIECES_MAX) {
            if !piece.is_empty() {
                pieces[count] = IoSlice::new(piece);
                count += 1;
            }
        }
        count
    }

    fn advance(&mut self, mut written: usize) {
        while let Some(first) = self.shared.front_mut() {
            if written < first.len() {
                first.advance(written);
                return;
            }
            written -= first.len();
            self.shared.pop_front();
        }
        self.tail_written += written;
        if self.tail_written == self.tail.len() {
            spare::give(std::mem::take(&mut self.tail));
            self.tail_written = 0;
        }
    }
}
