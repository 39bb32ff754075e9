//! What the task of a connection and the body of its current request share.

use std::task::{Context, Poll, Waker, ready};

use crate::body::Frame;
use crate::codec::h1::body::Reader;
use crate::codec::h1::chunk::Step;
use crate::codec::h1::wire::Wire;
use crate::error::{Error, Reason};
use crate::limits::PIPELINE_BYTES_MAX;
use crate::splice::Pipe;

/// One connection. It is borrowed for the length of one poll and never while somebody else's body or handler is
/// polled, because those may poll the request's body.
pub struct Shared {
    pub wire: Wire,
    pub incoming: Incoming,
    /// The number of the current exchange: a body that outlives its own reads nothing of the next.
    pub exchange: u64,
    /// Whether `100 Continue` is to be written.
    pub continue_wanted: bool,
    /// The connection's task, when a body read elsewhere has news for it.
    pub task: Option<Waker>,
    /// Whoever polls the body of a tunnel that is not open yet.
    pub tunnel_reader: Option<Waker>,
    pub trailers: bool,
}

/// The current request's body.
pub enum Incoming {
    /// It was read to its end, or there is none.
    Complete,
    /// It is being read.
    Body { reader: Reader, expects_continue: bool, abandoned: bool },
    /// The bytes are a tunnel's.
    Tunnel(Tunnel),
    /// It cannot be read on, nor can anything after it.
    Failed(Error),
}

/// A tunnel from the client's side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tunnel {
    /// The response has not decided yet.
    Waiting,
    /// Bytes flow.
    Open,
    /// The client has ended its side.
    Ended,
    /// It was not granted: whatever the client sent into it is nobody's.
    Refused,
}

impl Shared {
    /// The next frame of the request's body.
    pub fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, Error>>> {
        match &self.incoming {
            Incoming::Complete | Incoming::Tunnel(Tunnel::Ended | Tunnel::Refused) => Poll::Ready(None),
            Incoming::Failed(error) => Poll::Ready(Some(Err(error.clone()))),
            Incoming::Tunnel(Tunnel::Waiting) => {
                self.tunnel_reader = Some(cx.waker().clone());
                Poll::Pending
            }
            Incoming::Tunnel(Tunnel::Open) => self.poll_tunnel(cx),
            Incoming::Body { .. } => {
                let frame = ready!(self.poll_body(cx));
                self.note_read(frame.as_ref().and_then(|frame| frame.as_ref().err()));
                Poll::Ready(frame)
            }
        }
    }

    /// The next bytes of the request's body in a pipe; `None` if frames are to be polled.
    pub fn poll_pipe(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Pipe, Error>>> {
        // A client that waits for `100 Continue` sends nothing yet.
        let Incoming::Body { reader, expects_continue: false, .. } = &mut self.incoming else {
            return Poll::Ready(None);
        };
        let Some(read) = ready!(self.wire.poll_pipe(reader.opaque(), cx)) else { return Poll::Ready(None) };
        let pipe = match read {
            Ok(pipe) if pipe.held() == 0 => Err(gone(None)),
            Ok(pipe) => {
                reader.pass(pipe.held());
                if reader.is_done() {
                    self.incoming = Incoming::Complete;
                }
                Ok(pipe)
            }
            Err(error) => Err(gone(Some(&error))),
        };
        self.note_read(pipe.as_ref().err());
        Poll::Ready(Some(pipe))
    }

    /// Bytes of the body were read, or failed to be.
    fn note_read(&mut self, failed: Option<&Error>) {
        if let Some(error) = failed {
            self.incoming = Incoming::Failed(error.clone());
        }
        if !matches!(self.incoming, Incoming::Body { .. }) {
            // From here on the connection's task watches for the client's end.
            self.wake_task();
        }
    }

    /// Whether the client is to be watched by reading: nobody else reads, and there is room for what may come.
    /// `Ready(Err)` if the connection broke, `Ready(Ok)` if the client ended its side.
    pub fn poll_client_end(&mut self, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        let unread =
            matches!(self.incoming, Incoming::Complete | Incoming::Tunnel(Tunnel::Waiting | Tunnel::Refused));
        if !unread {
            return Poll::Pending;
        }
        while !self.wire.ended {
            if self.wire.input.len() >= PIPELINE_BYTES_MAX {
                return Poll::Pending;
            }
            ready!(self.wire.poll_fill(0, cx))?;
        }
        Poll::Ready(Ok(()))
    }

    /// Decides a tunnel that was waiting.
    pub fn decide_tunnel(&mut self, granted: bool) {
        self.incoming = Incoming::Tunnel(if granted { Tunnel::Open } else { Tunnel::Refused });
        if let Some(reader) = self.tunnel_reader.take() {
            reader.wake();
        }
    }

    fn wake_task(&mut self) {
        if let Some(task) = self.task.take() {
            task.wake();
        }
    }

    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, Error>>> {
        loop {
            let Incoming::Body { reader, expects_continue, .. } = &mut self.incoming else {
                return Poll::Ready(None);
            };
            match reader.step(&mut self.wire.input).map_err(|fault| fault.downstream())? {
                Step::Data(bytes) => {
                    if reader.is_done() {
                        self.incoming = Incoming::Complete;
                    }
                    return Poll::Ready(Some(Ok(Frame::Data(bytes))));
                }
                Step::Trailers(trailers) => {
                    self.incoming = Incoming::Complete;
                    return Poll::Ready(self.trailers.then_some(Ok(Frame::Trailers(trailers))));
                }
                Step::End => {
                    self.incoming = Incoming::Complete;
                    return Poll::Ready(None);
                }
                Step::More => {}
            }
            let appetite = reader.appetite();
            if std::mem::take(expects_continue) {
                self.continue_wanted = true;
                self.wake_task();
            }
            match ready!(self.wire.poll_fill(appetite, cx)) {
                Ok(0) => return Poll::Ready(Some(Err(gone(None)))),
                Ok(_) => {}
                Err(error) => return Poll::Ready(Some(Err(gone(Some(&error))))),
            }
        }
    }

    fn poll_tunnel(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, Error>>> {
        let mut reader = Reader::UntilClose;
        loop {
            if let Step::Data(bytes) =
                reader.step(&mut self.wire.input).map_err(|fault| fault.downstream())?
            {
                return Poll::Ready(Some(Ok(Frame::Data(bytes))));
            }
            match ready!(self.wire.poll_fill(reader.appetite(), cx)) {
                Ok(0) => {
                    self.incoming = Incoming::Tunnel(Tunnel::Ended);
                    return Poll::Ready(None);
                }
                Ok(_) => {}
                Err(error) => return Poll::Ready(Some(Err(gone(Some(&error))))),
            }
        }
    }
}

/// The client went away within its request.
fn gone(found: Option<&std::io::Error>) -> Error {
    match found {
        Some(error) => Error::new(
            Reason::DownstreamClosed,
            format!("client connection broke within the request body: {}", error.kind()),
        ),
        None => Error::new(Reason::DownstreamClosed, "client closed within the request body"),
    }
}
