//! One direction of a relay.
//!
//! Little is copied through a buffer: two calls. Once much comes at once it is spliced where both ends are plain
//! sockets, and copied again when little comes. One rule: a direction holds a buffer or a pipe, never both, and
//! neither while it waits for its reader.

use std::io;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::buffers::Buffer;
use crate::limits::{PIPE_BYTES, SPLICE_BYTES_MIN};
use crate::splice::{AsSocket, Pipe, Socket};

/// Bytes from a reader to a writer, then the end.
#[derive(Debug)]
pub struct Half {
    held: Held,
    /// Most bytes held at once.
    held_bytes_max: usize,
    /// Whether the last read brought so much that the next is worth splicing.
    much: bool,
    unflushed: bool,
    state: State,
    bytes: u64,
}

/// What was read and not yet written.
#[derive(Debug)]
enum Held {
    Nothing,
    Copied { buffer: Buffer, start: usize, end: usize },
    Piped(Pipe),
}

/// Which side failed.
#[derive(Debug)]
pub enum Broken {
    /// The one that is read.
    Reader(io::Error),
    /// The one that is written.
    Writer(io::Error),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// The reader ended; the writer is to be told.
    Ending,
    Ended,
}

impl Half {
    /// Nothing moved yet; at most `held_bytes_max` (and at least one) will be read ahead of the writer.
    pub fn new(held_bytes_max: usize) -> Self {
        Self {
            held: Held::Nothing,
            held_bytes_max: held_bytes_max.max(1),
            much: false,
            unflushed: false,
            state: State::Open,
            bytes: 0,
        }
    }

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
        R: AsyncRead + AsSocket + Unpin,
        W: AsyncWrite + AsSocket + Unpin,
    {
        loop {
            if self.has_bytes() {
                ready!(self.poll_write(cx, writer)).map_err(Broken::Writer)?;
                continue;
            }
            match self.state {
                State::Ended => return Poll::Ready(Ok(())),
                State::Ending => {
                    self.held = Held::Nothing;
                    ready!(Pin::new(&mut *writer).poll_shutdown(cx)).map_err(Broken::Writer)?;
                    self.state = State::Ended;
                }
                State::Open => match self.poll_read(cx, reader, writer) {
                    Poll::Ready(read) => read.map_err(Broken::Reader)?,
                    Poll::Pending => {
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

    fn has_bytes(&self) -> bool {
        match &self.held {
            Held::Nothing => false,
            Held::Copied { start, end, .. } => start < end,
            Held::Piped(pipe) => pipe.held() > 0,
        }
    }

    fn poll_write<W>(&mut self, cx: &mut Context<'_>, writer: &mut W) -> Poll<io::Result<()>>
    where
        W: AsyncWrite + AsSocket + Unpin,
    {
        let count = match &mut self.held {
            Held::Nothing => 0,
            Held::Copied { buffer, start, end } => {
                let count = ready!(Pin::new(writer).poll_write(cx, &buffer[*start..*end]))?;
                if count == 0 {
                    return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                }
                *start += count;
                self.unflushed = true;
                count
            }
            Held::Piped(pipe) => {
                let socket = writer.as_socket().expect("a pipe is filled only when the writer is a socket");
                ready!(pipe.poll_drain(socket, cx))?
            }
        };
        self.bytes += count as u64;
        Poll::Ready(Ok(()))
    }

    /// Reads once. What it is read into is given back at once if nothing came.
    fn poll_read<R, W>(&mut self, cx: &mut Context<'_>, reader: &mut R, writer: &W) -> Poll<io::Result<()>>
    where
        R: AsyncRead + AsSocket + Unpin,
        W: AsSocket,
    {
        let held = mem::replace(&mut self.held, Held::Nothing);
        // Asked anew each time: a reader is no plain socket before the bytes that a sniffer took are read.
        let plain = reader.as_socket().filter(|_| self.much && writer.as_socket().is_some());
        let read = match plain.and_then(|from| Some((from, held.into_pipe()?))) {
            Some((from, pipe)) => ready!(self.poll_splice(cx, from, pipe))?,
            None => ready!(self.poll_copy(cx, reader))?,
        };
        self.much = read >= SPLICE_BYTES_MIN;
        if read == 0 {
            self.state = State::Ending;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_splice(
        &mut self,
        cx: &mut Context<'_>,
        from: Socket<'_>,
        mut pipe: Pipe,
    ) -> Poll<io::Result<usize>> {
        let read = ready!(pipe.poll_fill(from, self.held_bytes_max.min(PIPE_BYTES), cx))?;
        self.held = Held::Piped(pipe);
        Poll::Ready(Ok(read))
    }

    fn poll_copy<R: AsyncRead + Unpin>(
        &mut self,
        cx: &mut Context<'_>,
        reader: &mut R,
    ) -> Poll<io::Result<usize>> {
        let mut buffer = Buffer::take();
        let most = buffer.len().min(self.held_bytes_max);
        let mut room = ReadBuf::new(&mut buffer[..most]);
        ready!(Pin::new(reader).poll_read(cx, &mut room))?;
        let end = room.filled().len();
        self.held = Held::Copied { buffer, start: 0, end };
        Poll::Ready(Ok(end))
    }
}

impl Held {
    /// The pipe that is here already, empty, or one from the pool.
    fn into_pipe(self) -> Option<Pipe> {
        match self {
            Self::Piped(pipe) => Some(pipe),
            Self::Nothing | Self::Copied { .. } => Pipe::take(),
        }
    }
}
