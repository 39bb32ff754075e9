//! Balancers: which endpoint of a group gets a request.
//!
//! A balancer is made for one group of endpoints that may be chosen (say, the healthy ones of priority 0) and
//! never looks at health; when health changes, a new one is made. One rule: choosing takes no lock.

mod hash;

mod key;

mod stride;

mod slow_start;

mod round_robin;

mod least_request;

mod random;

mod bounded;

mod ring_hash;

mod maglev;

mod pick_first;

pub use hash::{murmur_hash2, xx_hash64};
pub use stride::Stride;

use std::sync::Arc;

use tokio::time::Instant;
use xds::model::{LbPolicy, LoadBalancing};

use super::host::Host;
use bounded::Bounded;
use least_request::LeastRequest;
use maglev::Maglev;
use pick_first::PickFirst;
use random::Random;
use ring_hash::RingHash;
use round_robin::RoundRobin;

/// A group of endpoints and how one of them is chosen.
#[derive(Debug)]
pub struct Balancer {
    hosts: Box<[Arc<Host>]>,
    algorithm: Algorithm,
    bounded: Option<Bounded>,
}

#[derive(Debug)]
enum Algorithm {
    RoundRobin(RoundRobin),
    LeastRequest(LeastRequest),
    Random(Random),
    RingHash(RingHash),
    Maglev(Maglev),
    PickFirst(PickFirst),
}

/// What a choice may depend on.
#[derive(Debug, Clone, Copy)]
pub struct Draw {
    /// The request's hash, or a random number.
    pub hash: u64,
    /// How often a choice for this request was turned down.
    pub attempt: u32,
    /// For slow start.
    pub now: Instant,
    /// Requests in flight to the whole cluster, for bounded load.
    pub cluster_active: u64,
}

/// Whether choices of `policy` follow a request's hash.
#[must_use]
pub fn follows_hash(policy: &LbPolicy) -> bool {
    match policy {
        LbPolicy::RingHash(_) | LbPolicy::Maglev(_) => true,
        LbPolicy::RoundRobin { .. }
        | LbPolicy::LeastRequest(_)
        | LbPolicy::Random
        | LbPolicy::PickFirst { .. } => false,
    }
}

impl Balancer {
    /// A balancer over `hosts` with their shares of the load, which add up to 1. `start` is random: it is where
    /// rotations begin, so that many proxies do not begin at the same endpoint.
    #[must_use]
    pub fn new(settings: &LoadBalancing, hosts: Vec<(Arc<Host>, f64)>, start: u64) -> Self {
        let bounded = (settings.hash_balance_factor > 0 && follows_hash(&settings.policy))
            .then(|| Bounded::new(settings.hash_balance_factor, hosts.iter().map(|(_, share)| *share)));
        let keys = || -> Vec<(String, f64)> {
            let by_hostname = settings.use_hostname_for_hashing;
            hosts.iter().map(|(host, share)| (key::of(host, by_hostname), *share)).collect()
        };
        let weights = || hosts.iter().map(|(host, _)| host.weight());
        let algorithm = match &settings.policy {
            LbPolicy::RoundRobin { slow_start } => {
                Algorithm::RoundRobin(RoundRobin::new(weights(), *slow_start, start))
            }
            LbPolicy::LeastRequest(least) => Algorithm::LeastRequest(LeastRequest::new(least, weights())),
            LbPolicy::Random => Algorithm::Random(Random),
            LbPolicy::RingHash(ring) => Algorithm::RingHash(RingHash::new(ring, &keys())),
            LbPolicy::Maglev(maglev) => Algorithm::Maglev(Maglev::new(maglev.table_size, &keys())),
            LbPolicy::PickFirst { shuffle_address_list } => {
                Algorithm::PickFirst(PickFirst::new(hosts.len(), *shuffle_address_list, start))
            }
        };
        let hosts = hosts.into_iter().map(|(host, _)| host).collect();
        Self { hosts, algorithm, bounded }
    }

    /// An endpoint; `None` if there is none.
    pub fn choose(&self, draw: &Draw, rng: &mut fastrand::Rng) -> Option<&Arc<Host>> {
        let hosts = &*self.hosts;
        if hosts.is_empty() {
            return None;
        }
        let index = match &self.algorithm {
            Algorithm::RoundRobin(balancer) => balancer.choose(hosts, draw.now)?,
            Algorithm::LeastRequest(balancer) => balancer.choose(hosts, draw.now, rng)?,
            Algorithm::Random(balancer) => balancer.choose(hosts.len(), draw.hash),
            Algorithm::RingHash(balancer) => balancer.choose(draw.hash, draw.attempt)?,
            Algorithm::Maglev(balancer) => balancer.choose(draw.hash, draw.attempt)?,
            Algorithm::PickFirst(balancer) => balancer.choose(hosts, draw.attempt)?,
        };
        let index = match &self.bounded {
            None => index,
            Some(bounded) => bounded.instead_of(index, draw.hash, draw.cluster_active, |other| {
                u64::from(hosts[other].active_requests())
            }),
        };
        hosts.get(index)
    }

    /// The endpoints.
    #[cfg(test)]
    pub fn hosts(&self) -> &[Arc<Host>] {
        &self.hosts
    }
}

#[cfg(test)]
mod tests;
