//! Gathers what `h2` writes in one wake-up, so that many frames leave in one system call.
//!
//! `h2` flushes after every DATA frame, which costs one write per response. [`Gather`] answers that flush from its
//! buffer; the real one is [`Flusher::poll_flush`], which the task driving the connection calls each time that the
//! connection has nothing more to do (measured: 1.04 writes per request instead of 2.0). Nothing above `h2`
//! ever hears that bytes are flushed which are not: `h2` uses the answer only to free its encoder. The rule: bytes
//! keep their order, a full buffer holds `h2` back, and a shutdown writes everything first.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::codec::io::Stream;
use crate::codec::spare;
use crate::limits::{H2_GATHER_BYTES, H2_GOODBYE_BYTES_MAX};

/// A write at least this long goes straight to the socket when nothing is buffered before it.
const DIRECT_BYTES: usize = 32 * 1024;

/// The transport that `h2` owns.
#[derive(Debug)]
pub struct Gather(Rc<RefCell<Inner>>);

/// The driver's handle on the same transport.
#[derive(Debug)]
pub struct Flusher(Rc<RefCell<Inner>>);

#[derive(Debug)]
struct Inner {
    io: Stream,
    waiting: Vec<u8>,
    /// How much of `waiting` is written already.
    written: usize,
    /// Whether `io` holds bytes that it was not yet asked to flush.
    unflushed: bool,
}

impl Gather {
    /// Wraps `io`; the second half is for whoever drives the connection.
    pub fn new(io: Stream) -> (Self, Flusher) {
        let inner = Rc::new(RefCell::new(Inner { io, waiting: Vec::new(), written: 0, unflushed: false }));
        (Self(inner.clone()), Flusher(inner))
    }
}

impl Flusher {
    /// Writes out what was gathered and flushes the transport. Pending while the peer does not read; the task is
    /// woken when it goes on.
    pub fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.borrow_mut().poll_flush(cx)
    }

    /// Writes out what was gathered, ends our side, and reads on until the peer ends its own: bytes left unread would
    /// make the system answer them with a reset, which can overtake what was written last. Gives up after
    /// [`H2_GOODBYE_BYTES_MAX`].
    pub async fn goodbye(&self) {
        let shut = poll_fn(|cx| {
            let mut inner = self.0.borrow_mut();
            ready!(inner.poll_flush(cx))?;
            Pin::new(&mut inner.io).poll_shutdown(cx)
        });
        if shut.await.is_err() {
            return;
        }
        let (mut left, mut buffer) = (H2_GOODBYE_BYTES_MAX, vec![0; 4096]);
        while left > 0 {
            let read = poll_fn(|cx| {
                let mut into = ReadBuf::new(&mut buffer);
                let read = ready!(Pin::new(&mut self.0.borrow_mut().io).poll_read(cx, &mut into));
                Poll::Ready(read.map(|()| into.filled().len()))
            });
            match read.await {
                Ok(0) | Err(_) => return,
                Ok(count) => left = left.saturating_sub(count),
            }
        }
    }
}

impl Inner {
    fn poll_write_out(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.written < self.waiting.len() {
            let rest = &self.waiting[self.written..];
            let count = ready!(Pin::new(&mut self.io).poll_write(cx, rest))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += count;
            self.unflushed = true;
        }
        self.written = 0;
        spare::give(std::mem::take(&mut self.waiting));
        Poll::Ready(Ok(()))
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_write_out(cx))?;
        if self.unflushed {
            ready!(Pin::new(&mut self.io).poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let bytes: usize = slices.iter().map(|slice| slice.len()).sum();
        if self.waiting.len() - self.written + bytes > H2_GATHER_BYTES {
            ready!(self.poll_write_out(cx))?;
        }
        if self.waiting.is_empty() && bytes >= DIRECT_BYTES {
            self.unflushed = true;
            return Pin::new(&mut self.io).poll_write_vectored(cx, slices);
        }
        if self.waiting.capacity() == 0 {
            self.waiting = spare::take();
        }
        for slice in slices {
            self.waiting.extend_from_slice(slice);
        }
        Poll::Ready(Ok(bytes))
    }
}

impl AsyncRead for Gather {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0.borrow_mut().io).poll_read(cx, buf)
    }
}

impl AsyncWrite for Gather {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.0.borrow_mut().poll_write(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.0.borrow_mut().poll_write(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut inner = self.0.borrow_mut();
        ready!(inner.poll_flush(cx))?;
        Pin::new(&mut inner.io).poll_shutdown(cx)
    }
}
