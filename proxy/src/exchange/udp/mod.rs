//! Passes datagrams between the clients of one socket and endpoints.
//!
//! All datagrams of a client are a session: they go to one endpoint from one socket, and what comes back there goes to
//! that client. One rule: a session is a connection in its cluster's circuit breaker, so that clients who lie about where
//! they are cannot make more of them than that allows.

mod session;

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use foldhash::fast::RandomState;
use tokio::net::UdpSocket;
use xds::model::RoutingPriority;

use crate::policy::udp::{UdpMetric, UdpPolicy};
use crate::upstream::{Availability, Cluster, Clusters, Host, PickContext};
use session::{Session, Shore};

/// The sessions of one worker's socket. Must be made and used within a `LocalSet`.
#[derive(Debug)]
pub struct Sessions {
    shore: Shore,
    policy: Arc<UdpPolicy>,
    open: Rc<RefCell<Open>>,
    random: fastrand::Rng,
}

/// Bytes of the longest datagram, and one.
const DATAGRAM_BYTES_MAX: usize = u16::MAX as usize + 1;

type Open = HashMap<Key, Session, RandomState>;

/// Whose session it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    client: SocketAddr,
    /// The endpoint, where each datagram chooses one.
    host: Option<u64>,
}

impl Sessions {
    /// None yet, on `socket`.
    #[must_use]
    pub fn new(socket: Rc<UdpSocket>, policy: Arc<UdpPolicy>) -> Self {
        let shore = Shore { socket, buffer: Rc::new(RefCell::new(vec![0; DATAGRAM_BYTES_MAX])) };
        Self { shore, policy, open: Rc::default(), random: fastrand::Rng::new() }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.open.borrow().len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What they are made by.
    #[must_use]
    pub fn policy(&self) -> &Arc<UdpPolicy> {
        &self.policy
    }

    /// Passes a client's datagram on. With `only_known`, no session is begun for it.
    pub fn take(&mut self, clusters: &Clusters, client: SocketAddr, bytes: &[u8], only_known: bool) {
        let policy = Arc::clone(&self.policy);
        let cluster = policy.cluster().and_then(|name| clusters.get(name));
        let Some(cluster) = cluster else {
            policy.stats.inc(UdpMetric::SessNoRoute);
            self.open.borrow_mut().retain(|key, _| key.client != client);
            return;
        };
        let picked = policy.model.per_packet.then(|| self.pick(cluster, client));
        let host = match picked {
            None => None,
            Some(None) => return,
            Some(Some(host)) => Some(host),
        };
        let key = Key { client, host: host.as_ref().map(|host| host.state().id()) };
        if let Some(session) = self.open.borrow().get(&key)
            && session.is_of(cluster)
            && (host.is_some() || session.host().availability() != Availability::Unhealthy)
        {
            session.send(bytes);
            return;
        }
        let known = self.open.borrow().contains_key(&key);
        if only_known && !known {
            return;
        }
        // One whose endpoint failed, or whose cluster was replaced, makes room for the next first.
        let next = host.or_else(|| self.pick(cluster, client));
        let Some(next) = next else {
            // An endpoint that failed is better than none.
            if let Some(session) = self.open.borrow().get(&key).filter(|session| session.is_of(cluster)) {
                session.send(bytes);
            }
            return;
        };
        self.open.borrow_mut().remove(&key);
        let Ok(permit) = cluster.circuit(RoutingPriority::Default).try_connection() else {
            // One that is refused counts, as in Envoy.
            policy.stats.inc(UdpMetric::SessTotal);
            return;
        };
        let ended = {
            let open = Rc::downgrade(&self.open);
            move || {
                if let Some(open) = open.upgrade() {
                    let gone = open.borrow_mut().remove(&key);
                    drop(gone);
                }
            }
        };
        match Session::begin(&self.shore, &policy, cluster, next, client, permit, ended) {
            Ok(session) => {
                session.send(bytes);
                self.open.borrow_mut().insert(key, session);
            }
            Err(error) => tracing::debug!(%error, "no socket for a UDP session"),
        }
    }

    fn pick(&mut self, cluster: &Arc<Cluster>, client: SocketAddr) -> Option<Arc<Host>> {
        let context = PickContext { hash: self.policy.hash(client.ip()), ..PickContext::default() };
        // Who has no endpoint is counted by the cluster.
        cluster.pick(&context, &mut self.random).ok().map(|picked| picked.host)
    }
}
