//! A body: a size that is known or not, and frames that are pulled.
//!
//! One rule: whoever does not poll holds the sender back.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;

use crate::error::Error;
use crate::fields::Fields;
use crate::splice::Pipe;

/// One piece of a body.
#[derive(Debug, Clone)]
pub enum Frame {
    /// Bytes, never empty.
    Data(Bytes),
    /// The trailer section; always last.
    Trailers(Fields),
}

/// What is known about a body's length before it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// Exactly this many bytes (zero: no body).
    Exact(u64),
    /// Ends when it ends: chunked on HTTP/1.1, END_STREAM on HTTP/2, or bytes of a tunnel.
    Unknown,
}

/// Where a streamed body comes from: a codec's receive half, or an adapter around another body.
pub trait Source {
    /// The next frame; `None` at the end. After `None` or an error it is not polled again.
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, Error>>>;

    /// The next bytes in a pipe, for whoever writes them to a socket as they are. `None` says that they cannot be had
    /// so, and frames are to be polled: now, and not for ever. A source that looks at bytes or keeps them has no pipe.
    fn poll_pipe(&mut self, _cx: &mut Context<'_>) -> Poll<Option<Result<Pipe, Error>>> {
        Poll::Ready(None)
    }
}

/// A message body. Not `Send`: it lives and dies on one worker.
pub struct Body {
    size: Size,
    inner: Inner,
}

enum Inner {
    Done,
    Full(Bytes),
    Source(Box<dyn Source>),
}

impl Body {
    /// No body.
    #[must_use]
    pub fn empty() -> Self {
        Self { size: Size::Exact(0), inner: Inner::Done }
    }

    /// A body that is all here.
    #[must_use]
    pub fn full(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self::whole(Size::Exact(bytes.len() as u64), bytes)
    }

    /// A body that is all here, though its head declared `size`.
    #[must_use]
    pub fn whole(size: Size, bytes: Bytes) -> Self {
        Self { size, inner: if bytes.is_empty() { Inner::Done } else { Inner::Full(bytes) } }
    }

    /// A body that arrives in frames.
    #[must_use]
    pub fn source(size: Size, source: Box<dyn Source>) -> Self {
        Self { size, inner: Inner::Source(source) }
    }

    /// The length as declared when the body was made; does not shrink while reading.
    #[must_use]
    pub fn size(&self) -> Size {
        self.size
    }

    /// Whether nothing more will come, known without polling.
    #[must_use]
    pub fn is_done(&self) -> bool {
        matches!(self.inner, Inner::Done)
    }

    /// The bytes, if the whole body is already here.
    #[must_use]
    pub fn as_full(&self) -> Option<&Bytes> {
        match &self.inner {
            Inner::Full(bytes) => Some(bytes),
            Inner::Done | Inner::Source(_) => None,
        }
    }

    /// The next frame; `None` at the end and for ever after.
    pub fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, Error>>> {
        match std::mem::replace(&mut self.inner, Inner::Done) {
            Inner::Done => Poll::Ready(None),
            Inner::Full(bytes) => Poll::Ready(Some(Ok(Frame::Data(bytes)))),
            Inner::Source(mut source) => {
                let polled = source.poll_frame(cx);
                if !matches!(polled, Poll::Ready(None | Some(Err(_) | Ok(Frame::Trailers(_))))) {
                    self.inner = Inner::Source(source);
                }
                polled
            }
        }
    }

    /// The next bytes in a pipe, never an empty one; `None` if [`poll_frame`](Self::poll_frame) has to give them.
    pub fn poll_pipe(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Pipe, Error>>> {
        let Inner::Source(source) = &mut self.inner else { return Poll::Ready(None) };
        let polled = source.poll_pipe(cx);
        if matches!(polled, Poll::Ready(Some(Err(_)))) {
            self.inner = Inner::Done;
        }
        polled
    }

    /// The next frame. Cancel safe.
    pub async fn frame(&mut self) -> Option<Result<Frame, Error>> {
        poll_fn(|cx| Pin::new(&mut *self).get_mut().poll_frame(cx)).await
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Body").field("size", &self.size).field("done", &self.is_done()).finish()
    }
}
