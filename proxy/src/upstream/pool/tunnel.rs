//! A connection that became a tunnel: bytes both ways, each at its own pace.
//!
//! The upload is a task so that a client that does not read holds back only the download. The task belongs to the
//! response's body and ends with it.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use tokio::task::JoinHandle;

use super::guard::ConnectionGuard;
use crate::body::{Body, Frame, Size, Source};
use crate::codec::h1::body::Reader;
use crate::codec::h1::chunk::Step;
use crate::codec::h1::wire::Wire;
use crate::error::{Error, Reason};

/// Joins a connection and the client's bytes; what this gives is the download. `guard` is held as long as it lives.
pub fn join(wire: Box<Wire>, body: Body, guard: Option<ConnectionGuard>) -> Body {
    let wire = Rc::new(RefCell::new(wire));
    let upload = Some(Upload(tokio::task::spawn_local(upload(Rc::clone(&wire), body))));
    let download = Download { wire, reader: Reader::UntilClose, upload, _guard: guard };
    Body::source(Size::Unknown, Box::new(download))
}

struct Download {
    wire: Rc<RefCell<Box<Wire>>>,
    reader: Reader,
    /// `None` once it has ended well.
    upload: Option<Upload>,
    _guard: Option<ConnectionGuard>,
}

struct Upload(JoinHandle<Result<(), Error>>);

impl Drop for Upload {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Source for Download {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, Error>>> {
        if let Some(upload) = &mut self.upload
            && let Poll::Ready(ended) = Pin::new(&mut upload.0).poll(cx)
        {
            self.upload = None;
            ended.map_err(|panic| Error::new(Reason::Internal, panic.to_string()))??;
        }
        let mut wire = self.wire.borrow_mut();
        loop {
            if let Step::Data(bytes) = self.reader.step(&mut wire.input).map_err(|fault| fault.upstream())? {
                return Poll::Ready(Some(Ok(Frame::Data(bytes))));
            }
            match ready!(wire.poll_fill(self.reader.appetite(), cx)) {
                Ok(0) => return Poll::Ready(None),
                Ok(_) => {}
                Err(error) => return Poll::Ready(Some(Err(broken(&error)))),
            }
        }
    }
}

/// Moves the client's bytes, then ends our side so that the backend sees the client's half-close. A backend that
/// takes no more is not an error here: what it sent before is still to be read, and reading finds its end.
async fn upload(wire: Rc<RefCell<Box<Wire>>>, mut body: Body) -> Result<(), Error> {
    while let Some(frame) = body.frame().await {
        if let Frame::Data(bytes) = frame? {
            wire.borrow_mut().output.push(bytes);
            if poll_fn(|cx| wire.borrow_mut().poll_flush(cx)).await.is_err() {
                return Ok(());
            }
        }
    }
    let _gone = poll_fn(|cx| wire.borrow_mut().poll_shutdown(cx)).await;
    Ok(())
}

fn broken(error: &std::io::Error) -> Error {
    Error::new(Reason::UpstreamClosed, format!("tunnel broke: {}", error.kind()))
}
