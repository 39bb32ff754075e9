//! The upkeep of a pool: which of its connections are over, and closing them.

use std::rc::{Rc, Weak};
use std::time::Duration;

use tokio::time::Instant;

use super::host_pool::HostPool;
use super::meter::Meter;
use crate::clock;
use crate::upstream::cluster::Cluster;
use crate::upstream::state::{Availability, HealthFlag};
use crate::upstream::stats::ClusterMetric;

impl HostPool {
    /// Whether a connection has come to its configured end; counted if so.
    pub(super) fn is_over(&self, meter: &Meter, idle_since: Option<Instant>, cluster: &Cluster) -> bool {
        let http = &cluster.model().http;
        let past =
            |limit: Option<Duration>, since: Instant| limit.is_some_and(|limit| clock::since(since) >= limit);
        if past(http.max_connection_duration, meter.begun()) {
            cluster.stats().inc(ClusterMetric::UpstreamCxMaxDurationReached);
            return true;
        }
        let unused = idle_since.is_some_and(|since| past(http.idle_timeout, since));
        if unused {
            cluster.stats().inc(ClusterMetric::UpstreamCxIdleTimeout);
        }
        unused
    }

    /// Drops HTTP/2 connections that take no more requests; their streams end by themselves.
    pub(super) fn prune(&self) {
        let mut over = Vec::new();
        let mut kept = Vec::new();
        for shared in self.shared.take() {
            let exhausted = shared.connection.is_closed()
                || (shared.connection.capacity() == 0 && shared.connection.active() == 0);
            if shared.connection.is_closed() {
                shared.meter.ended_by_remote();
            }
            if exhausted { over.push(shared) } else { kept.push(shared) }
        }
        self.shared.borrow_mut().append(&mut kept);
        drop(over);
    }

    /// Closes what is over. Whether nothing is left, so that the pool itself may go.
    pub fn sweep(self: &Rc<Self>) -> bool {
        let cluster = self.cluster.upgrade();
        let stale = cluster.as_ref().is_none_or(|cluster| self.is_stale(cluster));
        let mut idle = self.idle.take();
        let mut over = Vec::new();
        for mut candidate in std::mem::take(&mut idle) {
            let closed = !candidate.connection.is_open();
            if closed {
                candidate.meter.ended_by_remote();
            }
            let since = Some(candidate.since);
            let expired =
                cluster.as_ref().is_some_and(|cluster| self.is_over(&candidate.meter, since, cluster));
            if closed || stale || expired { over.push(candidate) } else { idle.push(candidate) }
        }
        // What came back in the meantime was used last.
        idle.append(&mut self.idle.take());
        *self.idle.borrow_mut() = idle;
        drop(over);
        self.sweep_shared(cluster.as_deref(), stale);
        self.cut_if_unhealthy();
        self.alive.get() == 0 && self.waiters.borrow().is_empty()
    }

    fn sweep_shared(&self, cluster: Option<&Cluster>, stale: bool) {
        self.prune();
        let mut over = Vec::new();
        let mut kept = Vec::new();
        for shared in self.shared.take() {
            let since = shared.connection.idle_since();
            let expired = cluster.is_some_and(|cluster| self.is_over(&shared.meter, since, cluster));
            if stale || expired {
                shared.connection.drain();
                over.push(shared);
            } else {
                kept.push(shared);
            }
        }
        self.shared.borrow_mut().append(&mut kept);
        drop(over);
    }

    /// Whether connections of this pool are not to be used for new requests any more: the endpoint or its cluster
    /// is gone, our identity or trust is another, or the endpoint failed and the cluster wants its connections
    /// closed then.
    pub(super) fn is_stale(&self, cluster: &Cluster) -> bool {
        self.host.borrow().state().has(HealthFlag::Removed)
            || self.plan.tls.as_ref().is_some_and(|tls| tls.is_old())
            || (cluster.model().close_connections_on_host_health_failure && self.is_unhealthy())
    }

    fn is_unhealthy(&self) -> bool {
        self.host.borrow().availability() == Availability::Unhealthy
    }

    fn cut_if_unhealthy(&self) {
        if self.meters.borrow().is_empty() || !self.is_unhealthy() {
            return;
        }
        for meter in std::mem::take(&mut *self.meters.borrow_mut()).iter().filter_map(Weak::upgrade) {
            meter.cut();
        }
    }
}
