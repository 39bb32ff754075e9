//! The connections of one worker to one endpoint, all alike: made by one plan, for one routing priority.
//!
//! A request takes the connection used last, so that surplus ones grow idle; without one it waits in turn while
//! a connection is opened. One rule: no connection is dropped while a list of them is borrowed, for a dropped
//! connection calls back.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::{Rc, Weak};
use std::sync::{Arc, Weak as ArcWeak};

use futures_util::future::select_all;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use xds::model::RoutingPriority;

use super::facts::ConnectionFacts;
use super::h1::H1Connection;
use super::h2::H2Connection;
use super::lease::{Idle, Lease, Place, Stream};
use super::meter::Meter;
use super::plan::{Dialed, Plan, Wanted};
use super::waiting::{Pending, Waiting};
use crate::clock;
use crate::error::{Error, Reason};
use crate::upstream::circuit::Permit;
use crate::upstream::cluster::Cluster;
use crate::upstream::host::Host;
use crate::upstream::outlier::monitor::Outcome;
use crate::upstream::stats::{ClusterMetric, HostMetric};

/// A pool.
#[derive(Debug)]
pub struct HostPool {
    pub(super) plan: Rc<Plan>,
    priority: RoutingPriority,
    pub(super) cluster: ArcWeak<Cluster>,
    /// The endpoint as it was last asked for: the next connection goes to its address.
    pub(super) host: RefCell<Arc<Host>>,
    pub(super) idle: RefCell<Vec<Idle>>,
    pub(super) shared: RefCell<Vec<Shared>>,
    pub(super) waiters: RefCell<VecDeque<Waiter>>,
    connecting: Cell<usize>,
    /// Connections that exist, being opened included.
    pub(super) alive: Cell<usize>,
    /// How many requests a new connection is expected to take at once.
    expected: Cell<usize>,
    watching: Cell<bool>,
    /// For cutting connections in use; only kept where the cluster asks for it.
    pub(super) meters: RefCell<Vec<Weak<Meter>>>,
    tasks: RefCell<JoinSet<()>>,
}

type Waiter = oneshot::Sender<Result<Lease, Error>>;

/// An HTTP/2 connection in use by any number of requests.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) connection: H2Connection,
    pub(super) meter: Rc<Meter>,
    facts: Rc<ConnectionFacts>,
    /// Streams promised to requests that did not open them yet.
    promised: Rc<Cell<usize>>,
}

impl HostPool {
    /// A pool without connections.
    pub fn new(cluster: &Arc<Cluster>, host: &Arc<Host>, priority: RoutingPriority, plan: Plan) -> Rc<Self> {
        let expected = match plan.wanted {
            Wanted::Http2 => plan.http2.max_concurrent_streams.max(1) as usize,
            Wanted::Http1 | Wanted::Agreed | Wanted::Bytes => 1,
        };
        Rc::new(Self {
            plan: Rc::new(plan),
            priority,
            cluster: Arc::downgrade(cluster),
            host: RefCell::new(Arc::clone(host)),
            idle: RefCell::default(),
            shared: RefCell::default(),
            waiters: RefCell::default(),
            connecting: Cell::new(0),
            alive: Cell::new(0),
            expected: Cell::new(expected),
            watching: Cell::new(false),
            meters: RefCell::default(),
            tasks: RefCell::default(),
        })
    }

    /// A connection for a request, at once if one is free. With `fresh`, one that never served before.
    ///
    /// # Errors
    /// `Overflow` when too many wait, or why the connection could not be made.
    pub async fn acquire(
        self: &Rc<Self>,
        cluster: &Arc<Cluster>,
        host: &Arc<Host>,
        fresh: bool,
    ) -> Result<Lease, Error> {
        if !fresh && let Some(lease) = self.ready(cluster) {
            return Ok(lease);
        }
        let pending = Pending::enter(cluster, self.priority)?;
        let (sender, receiver) = oneshot::channel();
        self.waiters.borrow_mut().push_back(sender);
        if !Arc::ptr_eq(&self.host.borrow(), host) {
            *self.host.borrow_mut() = Arc::clone(host);
        }
        self.open_as_needed();
        self.watch_streams();
        let pool = Rc::downgrade(self);
        let take_back = move |lease| {
            if let Some(pool) = pool.upgrade() {
                pool.returned_unused(lease);
            }
        };
        let lease = Waiting::new(receiver, take_back).await;
        pending.end();
        lease
    }

    /// A connection that is free now: the one used last.
    fn ready(&self, cluster: &Cluster) -> Option<Lease> {
        loop {
            let Some(mut idle) = self.idle.borrow_mut().pop() else { break };
            if !idle.connection.is_open() {
                idle.meter.ended_by_remote();
            } else if !self.is_over(&idle.meter, Some(idle.since), cluster) {
                return Some(Lease::Http1(idle));
            }
        }
        self.free_stream().map(Lease::Http2)
    }

    fn free_stream(&self) -> Option<Stream> {
        let shared = self.shared.borrow();
        let free = shared.iter().find(|shared| shared.connection.capacity() > shared.promised.get())?;
        Some(free.stream())
    }

    /// Opens as many connections as those who wait will need, within the limits.
    fn open_as_needed(self: &Rc<Self>) {
        let Some(cluster) = self.cluster.upgrade() else { return };
        self.waiters.borrow_mut().retain(|waiter| !waiter.is_closed());
        while self.waiters.borrow().len() > self.connecting.get() * self.expected.get() {
            let Some(permit) = self.permit(&cluster) else { return };
            self.open(&cluster, permit);
        }
    }

    /// Room for one more connection. A pool without any always gets one: nobody else would serve its requests.
    fn permit(&self, cluster: &Cluster) -> Option<Permit> {
        let circuit = cluster.circuit(self.priority);
        let limit = cluster.model().circuit_breakers.per_host_max_connections;
        let host_is_full = limit.is_some_and(|limit| self.host.borrow().state().connections() >= limit);
        let permit = if host_is_full {
            cluster.stats().inc(ClusterMetric::UpstreamCxOverflow);
            None
        } else {
            circuit.try_connection().ok()
        };
        match permit {
            None if self.alive.get() == 0 => Some(circuit.force_connection()),
            permit => permit,
        }
    }

    fn open(self: &Rc<Self>, cluster: &Cluster, permit: Permit) {
        let host = Arc::clone(&self.host.borrow());
        let pool = Rc::downgrade(self);
        let closed = {
            let pool = Weak::clone(&pool);
            move || {
                if let Some(pool) = pool.upgrade() {
                    pool.alive.set(pool.alive.get() - 1);
                    pool.open_as_needed();
                }
            }
        };
        self.alive.set(self.alive.get() + 1);
        self.connecting.set(self.connecting.get() + 1);
        let meter = Meter::new(cluster, &host, permit, closed);
        if cluster.model().close_connections_on_host_health_failure {
            let mut meters = self.meters.borrow_mut();
            meters.retain(|meter| meter.strong_count() > 0);
            meters.push(Rc::downgrade(&meter));
        }
        let mut tasks = self.tasks.borrow_mut();
        while tasks.try_join_next().is_some() {}
        let plan = Rc::clone(&self.plan);
        tasks.spawn_local(async move {
            let dialed = plan.dial(&host).await;
            if let Some(pool) = pool.upgrade() {
                pool.connecting.set(pool.connecting.get() - 1);
                pool.opened(dialed, meter, &host);
            }
        });
    }

    fn opened(
        self: &Rc<Self>,
        dialed: Result<(Dialed, Rc<ConnectionFacts>), Error>,
        meter: Rc<Meter>,
        host: &Host,
    ) {
        let Some(cluster) = self.cluster.upgrade() else { return };
        match dialed {
            Ok((dialed, facts)) => {
                meter.establish();
                cluster.histograms().upstream_cx_connect_ms.record(meter.begun().elapsed());
                cluster.report(host, Outcome::Connected);
                match dialed {
                    Dialed::Http1(connection) => {
                        cluster.stats().inc(ClusterMetric::UpstreamCxHttp1Total);
                        self.expected.set(1);
                        let give_back = self.returner(&meter, &facts);
                        self.offer(Idle { connection, meter, facts, give_back, since: clock::now() });
                    }
                    Dialed::Http2(connection) => {
                        cluster.stats().inc(ClusterMetric::UpstreamCxHttp2Total);
                        self.expected.set(self.plan.http2.max_concurrent_streams.max(1) as usize);
                        let promised = Rc::default();
                        self.shared.borrow_mut().push(Shared { connection, meter, facts, promised });
                        self.serve_streams();
                        self.watch_streams();
                    }
                }
                self.open_as_needed();
            }
            Err(error) => {
                failed(&cluster, host, &error);
                self.fail_all(&cluster, &error);
                drop(meter);
            }
        }
    }

    /// What an HTTP/1.1 connection is given back with; made once for each connection.
    fn returner(self: &Rc<Self>, meter: &Rc<Meter>, facts: &Rc<ConnectionFacts>) -> Rc<dyn Fn(H1Connection)> {
        let (pool, held, facts) = (Rc::downgrade(self), Rc::clone(meter), Rc::clone(facts));
        let give_back: Rc<dyn Fn(H1Connection)> = Rc::new(move |connection| {
            if let (Some(pool), Some(give_back)) = (pool.upgrade(), held.returner()) {
                let (meter, facts) = (Rc::clone(&held), Rc::clone(&facts));
                pool.take_back(Idle { connection, meter, facts, give_back, since: clock::now() });
            }
        });
        meter.set_returner(&give_back);
        give_back
    }

    /// A connection is free again.
    fn take_back(self: &Rc<Self>, idle: Idle) {
        let Some(cluster) = self.cluster.upgrade() else { return };
        let limit = cluster.model().http.max_requests_per_connection;
        if limit.is_some_and(|limit| idle.connection.served() >= u64::from(limit)) {
            cluster.stats().inc(ClusterMetric::UpstreamCxMaxRequests);
            return;
        }
        if self.is_over(&idle.meter, None, &cluster) || self.is_stale(&cluster) {
            return;
        }
        self.offer(idle);
    }

    /// A connection came too late for its request.
    pub fn returned_unused(&self, lease: Lease) {
        match lease {
            Lease::Http1(idle) => self.offer(idle),
            Lease::Http2(stream) => {
                drop(stream);
                self.serve_streams();
            }
        }
    }

    /// Gives a connection to the first who waits, else keeps it.
    fn offer(&self, idle: Idle) {
        let mut lease = Lease::Http1(idle);
        loop {
            let Some(waiter) = self.waiters.borrow_mut().pop_front() else { break };
            match waiter.send(Ok(lease)) {
                Ok(()) => return,
                Err(Ok(back)) => lease = back,
                Err(Err(_)) => return,
            }
        }
        if let Lease::Http1(idle) = lease {
            self.idle.borrow_mut().push(idle);
        }
    }

    /// Gives free streams to those who wait.
    fn serve_streams(&self) {
        while !self.waiters.borrow().is_empty() {
            let Some(stream) = self.free_stream() else { return };
            let waiter = self.waiters.borrow_mut().pop_front();
            if let Some(waiter) = waiter {
                // A waiter that is gone gives the place back by dropping it.
                let _gone = waiter.send(Ok(Lease::Http2(stream)));
            }
        }
    }

    /// While requests wait and there are HTTP/2 connections, watches these for free streams.
    fn watch_streams(self: &Rc<Self>) {
        let idle = self.shared.borrow().is_empty() || self.waiters.borrow().is_empty();
        if idle || self.watching.replace(true) {
            return;
        }
        let pool = Rc::downgrade(self);
        self.tasks.borrow_mut().spawn_local(async move {
            while let Some(strong) = pool.upgrade() {
                strong.prune();
                strong.serve_streams();
                strong.open_as_needed();
                let connections: Vec<H2Connection> =
                    strong.shared.borrow().iter().map(|shared| shared.connection.clone()).collect();
                if connections.is_empty() || strong.waiters.borrow().is_empty() {
                    strong.watching.set(false);
                    return;
                }
                drop(strong);
                let changes = connections.iter().map(|connection| Box::pin(connection.changed()));
                let _which = select_all(changes).await;
            }
        });
    }

    fn fail_all(&self, cluster: &Cluster, error: &Error) {
        let waiters = std::mem::take(&mut *self.waiters.borrow_mut());
        for waiter in waiters {
            cluster.stats().inc(ClusterMetric::UpstreamRqPendingFailureEject);
            let _gone = waiter.send(Err(error.clone()));
        }
    }
}

impl Shared {
    fn stream(&self) -> Stream {
        Stream {
            connection: self.connection.clone(),
            meter: Rc::clone(&self.meter),
            facts: Rc::clone(&self.facts),
            place: Place::take(&self.promised),
        }
    }
}

/// Counts a connection that could not be made.
pub(super) fn failed(cluster: &Cluster, host: &Host, error: &Error) {
    cluster.stats().inc(ClusterMetric::UpstreamCxConnectFail);
    host.state().stats().inc(HostMetric::CxConnectFail);
    host.state().preference().fail();
    if error.reason() == Reason::ConnectTimeout {
        cluster.stats().inc(ClusterMetric::UpstreamCxConnectTimeout);
    }
}
