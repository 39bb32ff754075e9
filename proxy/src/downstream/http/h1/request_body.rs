//! The body of the current request, as its handler reads it.

use std::cell::RefCell;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::shared::{Incoming, Shared};
use crate::body::{Frame, Source};
use crate::error::{Error, Reason};
use crate::splice::Pipe;

/// Reads from the connection while its exchange lasts.
pub struct RequestBody {
    shared: Rc<RefCell<Shared>>,
    exchange: u64,
}

impl RequestBody {
    /// The body of the exchange that has just begun.
    pub fn new(shared: &Rc<RefCell<Shared>>) -> Self {
        Self { shared: Rc::clone(shared), exchange: shared.borrow().exchange }
    }
}

impl Source for RequestBody {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, Error>>> {
        let mut shared = self.shared.borrow_mut();
        if shared.exchange != self.exchange {
            return Poll::Ready(Some(Err(Error::new(
                Reason::DownstreamClosed,
                "the response was complete before the request's body",
            ))));
        }
        shared.poll_frame(cx)
    }

    fn poll_pipe(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Pipe, Error>>> {
        let mut shared = self.shared.borrow_mut();
        if shared.exchange == self.exchange { shared.poll_pipe(cx) } else { Poll::Ready(None) }
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        // Nobody drops a body within a borrow; if somebody did, a panic here would be worse than the lost note.
        let Ok(mut shared) = self.shared.try_borrow_mut() else { return };
        if shared.exchange == self.exchange
            && let Incoming::Body { abandoned, .. } = &mut shared.incoming
        {
            *abandoned = true;
        }
    }
}
