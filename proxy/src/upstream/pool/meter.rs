//! What a connection holds while it exists: its place in the circuit breaker, in the endpoint's count, and in the
//! metrics. Dropping the last handle ends it all.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::sync::Arc;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::h1::H1Connection;
use crate::observe::metrics::{Counters, Histogram};
use crate::upstream::circuit::Permit;
use crate::upstream::cluster::Cluster;
use crate::upstream::host::Host;
use crate::upstream::state::HostState;
use crate::upstream::stats::ClusterMetric;

/// What takes an HTTP/1.1 connection back.
pub type GiveBack = dyn Fn(H1Connection);

/// A connection's bookkeeping.
pub struct Meter {
    host: Arc<HostState>,
    stats: Arc<Counters<ClusterMetric>>,
    length: Arc<Histogram>,
    _permit: Permit,
    begun: Instant,
    established: Cell<bool>,
    ended_by_remote: Cell<bool>,
    requests: Cell<u32>,
    cut: Cell<bool>,
    cut_told: Notify,
    /// What an HTTP/1.1 connection is given back with; it holds this meter, so that only weakly.
    returner: RefCell<Option<Weak<GiveBack>>>,
    closed: Box<dyn Fn()>,
}

impl Meter {
    /// A connection begins; `closed` is called when it is over.
    pub fn new(cluster: &Cluster, host: &Host, permit: Permit, closed: impl Fn() + 'static) -> Rc<Self> {
        host.state().begin_connection();
        cluster.stats().inc(ClusterMetric::UpstreamCxTotal);
        cluster.stats().inc(ClusterMetric::UpstreamCxActive);
        Rc::new(Self {
            host: Arc::clone(host.state()),
            stats: Arc::clone(cluster.stats()),
            length: Arc::clone(&cluster.histograms().upstream_cx_length_ms),
            _permit: permit,
            begun: Instant::now(),
            established: Cell::new(false),
            ended_by_remote: Cell::new(false),
            requests: Cell::new(0),
            cut: Cell::new(false),
            cut_told: Notify::new(),
            returner: RefCell::new(None),
            closed: Box::new(closed),
        })
    }

    /// When it began.
    pub fn begun(&self) -> Instant {
        self.begun
    }

    /// The connection is established.
    pub fn establish(&self) {
        self.established.set(true);
    }

    /// The endpoint ended it, not we.
    pub fn ended_by_remote(&self) {
        self.ended_by_remote.set(true);
    }

    /// A request begins on it.
    pub fn begin_request(&self) {
        self.requests.set(self.requests.get() + 1);
    }

    /// A request on it is over in good order.
    pub fn end_request(&self) {
        self.requests.set(self.requests.get().saturating_sub(1));
    }

    /// Tells whoever uses it to end it now.
    pub fn cut(&self) {
        self.cut.set(true);
        self.cut_told.notify_waiters();
    }

    /// Resolves once it is to be ended. Cancel safe.
    pub async fn until_cut(&self) {
        while !self.cut.get() {
            self.cut_told.notified().await;
        }
    }

    /// What it is given back with.
    pub fn returner(&self) -> Option<Rc<GiveBack>> {
        self.returner.borrow().as_ref().and_then(Weak::upgrade)
    }

    /// Sets what it is given back with.
    pub fn set_returner(&self, returner: &Rc<GiveBack>) {
        *self.returner.borrow_mut() = Some(Rc::downgrade(returner));
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.host.end_connection();
        self.stats.dec(ClusterMetric::UpstreamCxActive);
        if self.established.get() {
            self.stats.inc(ClusterMetric::UpstreamCxDestroy);
            let by = if self.ended_by_remote.get() {
                ClusterMetric::UpstreamCxDestroyRemote
            } else {
                ClusterMetric::UpstreamCxDestroyLocal
            };
            self.stats.inc(by);
            if self.requests.get() > 0 {
                self.stats.inc(ClusterMetric::UpstreamCxDestroyWithActiveRq);
            }
            self.length.record(self.begun.elapsed());
        }
        (self.closed)();
    }
}

impl std::fmt::Debug for Meter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Meter").field("begun", &self.begun).finish_non_exhaustive()
    }
}
