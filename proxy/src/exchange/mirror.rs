//! Copies of requests for other clusters, whose answers nobody waits for.
//!
//! One rule: a copy holds its request back for a second at most, all in all; one that cannot keep up, or whose request
//! breaks off, is given up.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep};

use super::context::Worker;
use super::ledger::Ledger;
use crate::body::{Body, Frame, Interim, Request, RequestHead, Size, Source};
use crate::error::{Error, Reason};
use crate::limits::{MIRROR_BUFFER_BYTES, MIRROR_HOLD_MAX};
use crate::policy::draw::Draw;
use crate::policy::route::Forward;
use crate::policy::timeout::Timeouts;
use crate::upstream::pool::{Pools, SendOptions};
use crate::upstream::{Cluster, Clusters, PickContext};

/// What copies are made with.
pub(super) struct Mirroring<'a> {
    pub(super) worker: &'a Worker,
    pub(super) clusters: &'a Clusters,
    pub(super) draw: Draw<'a>,
    pub(super) ledger: &'a Ledger,
    pub(super) forward: &'a Forward,
    pub(super) timeouts: Timeouts,
}

impl Mirroring<'_> {
    /// Sends the copies that the route wants; gives the body with which the request itself goes on.
    pub(super) fn send(&self, head: &RequestHead, body: Body) -> Body {
        if self.forward.mirrors.is_empty() || head.is_tunnel() {
            return body;
        }
        let mut taps = Vec::new();
        for mirror in &self.forward.mirrors {
            let cluster = mirror.cluster(head, self.draw).and_then(|name| self.clusters.get(&name));
            let Some(cluster) = cluster else { continue };
            let copy = match body.as_full() {
                _ if body.is_done() => Body::empty(),
                Some(bytes) => Body::whole(body.size(), bytes.clone()),
                None => {
                    let tap = Tap::default();
                    taps.push((tap.clone(), Held::default()));
                    Body::source(body.size(), Box::new(tap))
                }
            };
            let options = SendOptions {
                priority: self.forward.priority,
                downstream_version: head.version,
                server_name: None,
                origin: None,
            };
            let mut head = mirror.head(head, &self.ledger.record.borrow());
            if !self.ledger.policy.suppress_envoy_headers {
                self.timeouts.announce(&mut head, Duration::ZERO);
            }
            let request = Request { head, body: copy, interim: Interim::default() };
            let pools = self.worker.pools.clone();
            let copy = copy_to(Arc::clone(cluster), pools, request, options, self.worker.random());
            tokio::task::spawn_local(within(self.timeouts.whole, copy));
        }
        if taps.is_empty() {
            return body;
        }
        let left = match body.size() {
            Size::Exact(bytes) => Some(bytes),
            Size::Unknown => None,
        };
        Body::source(body.size(), Box::new(Tee { body, left, taps }))
    }
}

async fn within(limit: Option<Duration>, copy: impl Future<Output = Result<(), Error>>) {
    let copied = match limit {
        Some(limit) => tokio::time::timeout(limit, copy)
            .await
            .unwrap_or_else(|_| Err(Error::new(Reason::UpstreamTimeout, "the copy took too long"))),
        None => copy.await,
    };
    if let Err(error) = copied {
        tracing::debug!(%error, "copy of a request");
    }
}

/// Sends a copy, and reads what is answered to its end.
async fn copy_to(
    cluster: Arc<Cluster>,
    pools: Pools,
    request: Request,
    options: SendOptions,
    seed: u64,
) -> Result<(), Error> {
    let picked = cluster.pick(&PickContext::default(), &mut fastrand::Rng::with_seed(seed))?;
    let mut sent = pools.send(&cluster, &picked.host, request, &options).await?;
    while let Some(frame) = sent.response.body.frame().await {
        frame?;
    }
    Ok(())
}

/// A copy's body: what its request has received, as far as it is not sent yet.
#[derive(Debug, Clone, Default)]
struct Tap(Rc<RefCell<Queue>>);

#[derive(Debug, Default)]
struct Queue {
    frames: VecDeque<Frame>,
    bytes: usize,
    end: Option<End>,
    reader: Option<Waker>,
    /// Waits for room.
    writer: Option<Waker>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Whole,
    BrokenOff,
    TooSlow,
}

impl Tap {
    fn push(&self, frame: &Frame) {
        let queue = &mut *self.0.borrow_mut();
        if queue.end.is_some() {
            return;
        }
        if let Frame::Data(bytes) = frame {
            queue.bytes += bytes.len();
        }
        queue.frames.push_back(frame.clone());
        queue.wake();
    }

    /// Whether there is no room; then the task is woken when there is.
    fn is_full(&self, cx: &mut Context<'_>) -> bool {
        let queue = &mut *self.0.borrow_mut();
        let full = queue.end.is_none() && queue.bytes > MIRROR_BUFFER_BYTES;
        queue.writer = full.then(|| cx.waker().clone());
        full
    }

    /// Nothing more comes; what was said first holds.
    fn end(&self, end: End) {
        let queue = &mut *self.0.borrow_mut();
        queue.end.get_or_insert(end);
        if end == End::TooSlow {
            queue.frames.clear();
        }
        queue.wake();
    }
}

impl Queue {
    fn wake(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}

impl Source for Tap {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, Error>>> {
        let queue = &mut *self.0.borrow_mut();
        if let Some(frame) = queue.frames.pop_front() {
            if let Frame::Data(bytes) = &frame {
                queue.bytes -= bytes.len();
            }
            if let Some(writer) = queue.writer.take_if(|_| queue.bytes <= MIRROR_BUFFER_BYTES) {
                writer.wake();
            }
            return Poll::Ready(Some(Ok(frame)));
        }
        let why = match queue.end {
            None => {
                queue.reader = Some(cx.waker().clone());
                return Poll::Pending;
            }
            Some(End::Whole) => return Poll::Ready(None),
            Some(End::BrokenOff) => "the request broke off",
            Some(End::TooSlow) => "the copy's cluster is too slow",
        };
        Poll::Ready(Some(Err(Error::new(Reason::DownstreamClosed, why))))
    }
}

/// A request's body, of which the copies get what it gives.
struct Tee {
    body: Body,
    /// Bytes to come, if that is known: whoever reads them may not ask for the end.
    left: Option<u64>,
    taps: Vec<(Tap, Held)>,
}

/// How long a copy has held its request back.
#[derive(Default)]
struct Held {
    spent: Duration,
    now: Option<(Instant, Pin<Box<Sleep>>)>,
}

impl Held {
    /// Ready when the time is over.
    fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let left = MIRROR_HOLD_MAX.saturating_sub(self.spent);
        let (_, timer) = self.now.get_or_insert_with(|| (Instant::now(), Box::pin(sleep(left))));
        timer.as_mut().poll(cx)
    }

    fn release(&mut self) {
        if let Some((since, _)) = self.now.take() {
            self.spent += since.elapsed();
        }
    }
}

impl Tee {
    /// Ready when every copy has room or is given up.
    fn poll_room(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut full = false;
        // All are asked, so that each wakes the task.
        for (tap, held) in &mut self.taps {
            if !tap.is_full(cx) {
                held.release();
            } else if held.poll_over(cx).is_ready() {
                tap.end(End::TooSlow);
            } else {
                full = true;
            }
        }
        if full { Poll::Pending } else { Poll::Ready(()) }
    }

    fn end(&self, end: End) {
        self.taps.iter().for_each(|(tap, _)| tap.end(end));
    }
}

impl Source for Tee {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, Error>>> {
        ready!(self.poll_room(cx));
        let polled = self.body.poll_frame(cx);
        match &polled {
            Poll::Pending => {}
            Poll::Ready(None) => self.end(End::Whole),
            Poll::Ready(Some(Err(_))) => self.end(End::BrokenOff),
            Poll::Ready(Some(Ok(frame))) => {
                self.taps.iter().for_each(|(tap, _)| tap.push(frame));
                if let Frame::Data(bytes) = frame {
                    self.left = self.left.map(|left| left.saturating_sub(bytes.len() as u64));
                }
                if matches!(frame, Frame::Trailers(_)) || self.left == Some(0) || self.body.is_done() {
                    self.end(End::Whole);
                }
            }
        }
        polled
    }
}

impl Drop for Tee {
    fn drop(&mut self) {
        self.end(End::BrokenOff);
    }
}

#[cfg(test)]
mod tests;
