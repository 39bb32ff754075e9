//! Drives the frames of one connection and tells its handles what they need to know.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Poll, Waker};

use bytes::Bytes;
use h2::{PingPong, client};
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::codec::h2::{Flusher, Gather, Keepalive, Pinger};

/// What the driver tells the handles.
#[derive(Debug)]
pub(super) struct Status {
    /// Whether the connection is gone.
    pub(super) closed: Cell<bool>,
    /// Whether the pool wants it to take no more streams.
    pub(super) draining: Cell<bool>,
    /// Streams open now.
    pub(super) active: Cell<usize>,
    /// When the last stream ended.
    pub(super) idle_since: Cell<Instant>,
    /// Whether the endpoint's SETTINGS have surely arrived.
    pub(super) settled: Cell<bool>,
    /// Set by whoever waits for `settled`; the driver then sends a PING, whose answer follows the SETTINGS.
    pub(super) probe: Cell<bool>,
    /// Wakes the driver.
    pub(super) driver: RefCell<Option<Waker>>,
    /// Tells waiters that a stream ended, or that one of the above changed.
    pub(super) changed: Notify,
}

/// One open stream in the count.
#[derive(Debug)]
pub(super) struct Active(Rc<Status>);

impl Status {
    /// A live connection without streams.
    pub(super) fn new() -> Self {
        Self {
            closed: Cell::new(false),
            draining: Cell::new(false),
            active: Cell::new(0),
            idle_since: Cell::new(Instant::now()),
            settled: Cell::new(false),
            probe: Cell::new(false),
            driver: RefCell::new(None),
            changed: Notify::new(),
        }
    }
}

impl Active {
    /// Counts one more stream until the answer is dropped.
    pub(super) fn enter(status: &Rc<Status>) -> Self {
        status.active.set(status.active.get() + 1);
        Self(status.clone())
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        let left = self.0.active.get() - 1;
        self.0.active.set(left);
        if left == 0 {
            self.0.idle_since.set(Instant::now());
        }
        self.0.changed.notify_waiters();
    }
}

/// Drives the connection until it ends, then tells the handles.
pub(super) async fn drive(
    mut connection: client::Connection<Gather, Bytes>,
    flusher: Flusher,
    pings: Option<PingPong>,
    keepalive: Option<Keepalive>,
    status: Rc<Status>,
) {
    let mut pinger = pings.map(|pings| Pinger::new(pings, keepalive));
    poll_fn(|cx| {
        status.driver.borrow_mut().replace(cx.waker().clone());
        if let Some(pinger) = &mut pinger {
            if status.probe.take() {
                pinger.ping_now();
            }
            if pinger.poll_dead(cx).is_ready() {
                return Poll::Ready(());
            }
            if pinger.was_answered() && !status.settled.replace(true) {
                status.changed.notify_waiters();
            }
        }
        if let Poll::Ready(ended) = Pin::new(&mut connection).poll(cx) {
            if let Err(why) = ended {
                tracing::debug!(error = %why, "upstream http/2 connection ended");
            }
            return Poll::Ready(());
        }
        match flusher.poll_flush(cx) {
            Poll::Ready(Err(_)) => Poll::Ready(()),
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Pending,
        }
    })
    .await;
    status.closed.set(true);
    status.changed.notify_waiters();
}
