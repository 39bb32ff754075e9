//! A request that waits for a connection.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::sync::oneshot;
use xds::model::RoutingPriority;

use super::lease::Lease;
use crate::error::{Error, Reason};
use crate::upstream::circuit::Permit;
use crate::upstream::cluster::Cluster;
use crate::upstream::stats::ClusterMetric;

/// A place in the queue, counted; one that is dropped before its end was given up.
#[derive(Debug)]
pub struct Pending {
    cluster: Arc<Cluster>,
    _permit: Permit,
    served: bool,
}

impl Pending {
    /// Takes a place in the queue.
    ///
    /// # Errors
    /// `Overflow` when `max_pending_requests` wait.
    pub fn enter(cluster: &Arc<Cluster>, priority: RoutingPriority) -> Result<Self, Error> {
        let permit = cluster.circuit(priority).try_pending()?;
        cluster.stats().inc(ClusterMetric::UpstreamRqPendingTotal);
        cluster.stats().inc(ClusterMetric::UpstreamRqPendingActive);
        Ok(Self { cluster: Arc::clone(cluster), _permit: permit, served: false })
    }

    /// The wait is over.
    pub fn end(mut self) {
        self.served = true;
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.cluster.stats().dec(ClusterMetric::UpstreamRqPendingActive);
        if !self.served {
            self.cluster.stats().inc(ClusterMetric::UpstreamRqCancelled);
        }
    }
}

/// Resolves to a connection. Dropped in the very moment when one was given, it hands that to `take_back`.
#[derive(Debug)]
pub struct Waiting<F: Fn(Lease)> {
    receiver: oneshot::Receiver<Result<Lease, Error>>,
    take_back: F,
    done: bool,
}

impl<F: Fn(Lease)> Waiting<F> {
    /// Waits at `receiver`'s end.
    pub fn new(receiver: oneshot::Receiver<Result<Lease, Error>>, take_back: F) -> Self {
        Self { receiver, take_back, done: false }
    }
}

impl<F: Fn(Lease) + Unpin> Future for Waiting<F> {
    type Output = Result<Lease, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let received = ready!(Pin::new(&mut self.receiver).poll(cx));
        self.done = true;
        Poll::Ready(received.unwrap_or_else(|_| {
            Err(Error::new(Reason::Draining, "the pool ended while a request waited for a connection"))
        }))
    }
}

impl<F: Fn(Lease)> Drop for Waiting<F> {
    fn drop(&mut self) {
        if !self.done
            && let Ok(Ok(lease)) = self.receiver.try_recv()
        {
            (self.take_back)(lease);
        }
    }
}
