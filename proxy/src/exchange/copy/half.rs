//! One direction of a relay.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::buffers::Buffer;

/// Bytes from a reader to a writer, then the end.
#[derive(Debug, Default)]
pub struct Half {
    /// Present only while it holds bytes, or during a call.
    buffer: Option<Buffer>,
    start: usize,
    end: usize,
    unflushed: bool,
    state: State,
    bytes: u64,
}

/// Which side failed.
#[derive(Debug)]
pub enum Broken {
    /// The one that is read.
    Reader(io::Error),
    /// The one that is written.
    Writer(io::Error),
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Open,
    /// The reader ended; the writer is to be told.
    Ending,
    Ended,
}

impl Half {
    /// Bytes written so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether the reader ended and the writer was told.
    pub fn is_ended(&self) -> bool {
        self.state == State::Ended
    }

    /// Moves what can be moved. Ready when this direction is over.
    pub fn poll<R, W>(
        &mut self,
        cx: &mut Context<'_>,
        reader: &mut R,
        writer: &mut W,
    ) -> Poll<Result<(), Broken>>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        loop {
            if self.start < self.end {
                ready!(self.poll_write(cx, writer)).map_err(Broken::Writer)?;
                continue;
            }
            match self.state {
                State::Ended => return Poll::Ready(Ok(())),
                State::Ending => {
                    self.buffer = None;
                    ready!(Pin::new(&mut *writer).poll_shutdown(cx)).map_err(Broken::Writer)?;
                    self.state = State::Ended;
                }
                State::Open => match self.poll_read(cx, reader) {
                    Poll::Ready(read) => read.map_err(Broken::Reader)?,
                    Poll::Pending => {
                        self.buffer = None;
                        if self.unflushed {
                            ready!(Pin::new(&mut *writer).poll_flush(cx)).map_err(Broken::Writer)?;
                            self.unflushed = false;
                        }
                        return Poll::Pending;
                    }
                },
            }
        }
    }

    fn poll_write<W: AsyncWrite + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        writer: &mut W,
    ) -> Poll<io::Result<()>> {
        let Some(buffer) = &self.buffer else { return Poll::Ready(Ok(())) };
        let count = ready!(Pin::new(writer).poll_write(cx, &buffer[self.start..self.end]))?;
        if count == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        self.start += count;
        self.bytes += count as u64;
        self.unflushed = true;
        Poll::Ready(Ok(()))
    }

    fn poll_read<R: AsyncRead + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        reader: &mut R,
    ) -> Poll<io::Result<()>> {
        let buffer = self.buffer.get_or_insert_with(Buffer::take);
        let mut room = ReadBuf::new(buffer);
        ready!(Pin::new(reader).poll_read(cx, &mut room))?;
        (self.start, self.end) = (0, room.filled().len());
        if self.end == 0 {
            self.state = State::Ending;
        }
        Poll::Ready(Ok(()))
    }
}
