//! All pools of one worker.

use std::cell::RefCell;
use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::rc::{Rc, Weak};
use std::sync::Arc;

use foldhash::fast::RandomState;
use http::StatusCode;
use tokio::task::AbortHandle;
use xds::model::RoutingPriority;

use super::facts::{ConnectionFacts, SendOptions, Sent};
use super::guard::ConnectionGuard;
use super::h1::SendError;
use super::host_pool::{HostPool, failed};
use super::in_flight::{Ending, InFlight};
use super::meter::Meter;
use super::plan::{Plan, Tls, Wanted};
use super::tunnel;
use crate::body::{Body, Request, Response, Text};
use crate::codec::h1::wire::Wire;
use crate::codec::io::Stream;
use crate::error::{Error, Reason};
use crate::limits::POOL_SWEEP;
use crate::upstream::cluster::Cluster;
use crate::upstream::handshake::name_of_authority;
use crate::upstream::host::Host;
use crate::upstream::origin::Origin;
use crate::upstream::outlier::monitor::Outcome;
use crate::upstream::state::{Availability, HealthFlag};

/// The connections of one worker to all endpoints. Clones share them. Must be made and used within a `LocalSet`.
#[derive(Debug, Clone)]
pub struct Pools(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    pools: RefCell<HashMap<Key, Rc<HostPool>, RandomState>>,
    /// Connections for bytes, with the endpoints they go to.
    raw: RefCell<Vec<(Arc<Host>, Weak<Meter>)>>,
    sweeper: AbortHandle,
}

/// Connections of one key are all alike: requests of two keys never share one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    host: u64,
    /// The identity and trust it was made with; 0 without TLS.
    generation: u64,
    wanted: Wanted,
    priority: RoutingPriority,
    server_name: Option<Text>,
    /// Whose connection it is, where the endpoint is told.
    origin: Option<Arc<Origin>>,
}

/// A connection for bytes.
#[derive(Debug)]
pub struct Connected {
    /// The bytes.
    pub stream: Stream,
    /// The connection.
    pub facts: ConnectionFacts,
    /// Its place in the limits and counters: to be held as long as the stream.
    pub guard: ConnectionGuard,
}

impl Pools {
    /// No connections.
    #[must_use]
    pub fn new() -> Self {
        Self(Rc::new_cyclic(|inner: &Weak<Inner>| {
            let sweeper = tokio::task::spawn_local(sweep(Weak::clone(inner))).abort_handle();
            Inner { pools: RefCell::default(), raw: RefCell::default(), sweeper }
        }))
    }

    /// Sends a request to `host` on a connection of this worker, and gives the response once its head is here.
    /// Dropping the future or the response's body ends the request. A request without a body or with one that is
    /// all here, and with an idempotent method, is sent again once on a new connection if a kept one turned out
    /// closed (RFC 9112 §9.3.1).
    ///
    /// # Errors
    /// `Overflow` (circuit breakers), `ConnectFailed`, `ConnectTimeout`, `UpstreamTls`, `UpstreamClosed`,
    /// `UpstreamReset`, `UpstreamRefused`, `UpstreamProtocol`, or the request body's own error.
    pub async fn send(
        &self,
        cluster: &Arc<Cluster>,
        host: &Arc<Host>,
        request: Request,
        options: &SendOptions,
    ) -> Result<Sent, Error> {
        let http = &cluster.model().http;
        let wanted = Wanted::of(http.protocol, options.downstream_version, host.transport());
        let server_name = match &options.server_name {
            None if http.auto_sni && host.transport().is_tls() => {
                name_of_authority(&request.head.authority).map(Text::from)
            }
            asked => asked.clone(),
        };
        let pool = self.pool(cluster, host, wanted, server_name, options)?;
        let idempotent = request.head.method.is_idempotent();
        let mut request = request;
        let mut fresh = false;
        loop {
            let lease = match pool.acquire(cluster, host, fresh).await {
                Ok(lease) => lease,
                Err(error) => {
                    if error.reason() != Reason::Overflow {
                        cluster.report(host, Outcome::Failed);
                    }
                    return Err(error);
                }
            };
            let connection = Rc::clone(lease.facts());
            let permit = match cluster.circuit(options.priority).try_request() {
                Ok(permit) => permit,
                Err(overflow) => {
                    pool.returned_unused(lease);
                    return Err(overflow);
                }
            };
            let mut in_flight = InFlight::begin(cluster, host, permit);
            in_flight.on(lease.meter());
            let sending = lease.send(request);
            let sent = match in_flight.ending() {
                None => sending.await,
                Some(ending) => Box::pin(until(ending, sending)).await,
            };
            match sent {
                Ok(response) => return Ok(Sent { response: in_flight.answered(response), connection }),
                Err(SendError { unsent: Some(unsent), .. }) if idempotent && !fresh => {
                    in_flight.again();
                    request = *unsent;
                    fresh = true;
                }
                Err(SendError { error, .. }) => {
                    in_flight.failed(&error);
                    return Err(error);
                }
            }
        }
    }

    /// Opens a connection for bytes to `host`; each call a new one.
    ///
    /// # Errors
    /// `Overflow`, `ConnectFailed`, `ConnectTimeout` or `UpstreamTls`.
    pub async fn connect(
        &self,
        cluster: &Arc<Cluster>,
        host: &Arc<Host>,
        options: &SendOptions,
    ) -> Result<Connected, Error> {
        let permit = cluster.circuit(options.priority).try_connection()?;
        let tls =
            Tls::now(host.transport(), Wanted::Bytes).inspect_err(|error| refuse(cluster, host, error))?;
        let name = options.server_name.clone();
        let plan = Plan::new(cluster.model(), Wanted::Bytes, tls, name, options.origin.clone());
        let meter = Meter::new(cluster, host, permit, || {});
        match plan.open(host).await {
            Ok(stream) => {
                meter.establish();
                cluster.histograms().upstream_cx_connect_ms.record(meter.begun().elapsed());
                cluster.report(host, Outcome::ConnectedFinal);
                if cluster.model().close_connections_on_host_health_failure {
                    self.0.raw.borrow_mut().push((Arc::clone(host), Rc::downgrade(&meter)));
                }
                let facts = ConnectionFacts::of(&stream, None);
                Ok(Connected { stream, facts, guard: ConnectionGuard::new(meter) })
            }
            Err(error) => {
                refuse(cluster, host, &error);
                Err(error)
            }
        }
    }

    /// Opens a connection for bytes to `host` and sends it `body`; the response's body is what comes back.
    ///
    /// # Errors
    /// As for `connect`.
    pub async fn tunnel(
        &self,
        cluster: &Arc<Cluster>,
        host: &Arc<Host>,
        body: Body,
        options: &SendOptions,
    ) -> Result<Sent, Error> {
        let Connected { stream, facts, guard } = self.connect(cluster, host, options).await?;
        let bytes = tunnel::join(Box::new(Wire::new(stream)), body, Some(guard));
        Ok(Sent { response: Response::new(StatusCode::OK, bytes), connection: Rc::new(facts) })
    }

    fn pool(
        &self,
        cluster: &Arc<Cluster>,
        host: &Arc<Host>,
        wanted: Wanted,
        server_name: Option<Text>,
        options: &SendOptions,
    ) -> Result<Rc<HostPool>, Error> {
        let tls = Tls::now(host.transport(), wanted).inspect_err(|error| refuse(cluster, host, error))?;
        let generation = tls.as_ref().map_or(0, |tls| tls.generation);
        let origin = options.origin.clone().filter(|_| host.transport().proxied().is_some());
        let priority = options.priority;
        let key = Key { host: host.state().id(), generation, wanted, priority, server_name, origin };
        let mut pools = self.0.pools.borrow_mut();
        if let Some(pool) = pools.get(&key) {
            return Ok(Rc::clone(pool));
        }
        let name = key.server_name.clone();
        let plan = Plan::new(cluster.model(), wanted, tls, name, key.origin.clone());
        let pool = HostPool::new(cluster, host, priority, plan);
        pools.insert(key, Rc::clone(&pool));
        Ok(pool)
    }
}

impl Default for Pools {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.sweeper.abort();
    }
}

/// What `sending` comes to, unless the request must end before.
async fn until(
    ending: Ending,
    sending: impl Future<Output = Result<Response, SendError>>,
) -> Result<Response, SendError> {
    tokio::select! {
        sent = sending => sent,
        // Dropping the loser closes the connection or resets the stream.
        error = ending => Err(SendError { error, unsent: None }),
    }
}

fn refuse(cluster: &Cluster, host: &Host, error: &Error) {
    failed(cluster, host, error);
    cluster.report(host, Outcome::Failed);
}

/// Looks through the pools again and again, for as long as they exist.
async fn sweep(inner: Weak<Inner>) {
    let mut ticks = tokio::time::interval(POOL_SWEEP);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        poll_fn(|cx| ticks.poll_tick(cx)).await;
        let Some(inner) = inner.upgrade() else { return };
        let pools: Vec<_> =
            inner.pools.borrow().iter().map(|(key, pool)| (key.clone(), Rc::clone(pool))).collect();
        for (key, pool) in pools {
            if pool.sweep() {
                inner.pools.borrow_mut().remove(&key);
            }
        }
        inner.raw.borrow_mut().retain(|(host, meter)| {
            let Some(meter) = meter.upgrade() else { return false };
            let over =
                host.availability() == Availability::Unhealthy || host.state().has(HealthFlag::Removed);
            if over {
                meter.cut();
            }
            !over
        });
    }
}
