//! The endpoints of a cluster at one moment, ready for choosing: who is healthy, how load is shared, and a
//! balancer for every group.
//!
//! A set never changes; the cluster makes a new one when membership or health do. One rule: a pick reads one set.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use tokio::time::Instant;
use xds::model::{Fraction, LbPolicy, LoadBalancing, LocalityBalancing};

use super::balance::{Balancer, Draw, Stride, follows_hash};
use super::host::Host;
use super::locality::{Census, Group, Loads, Tally, locality_weight};
use super::named::{Named, Session, addresses, by_address};
use super::state::{Availability, HealthFlag};

/// The endpoints of one locality at one priority.
#[derive(Debug, Clone)]
pub struct LocalityHosts {
    /// 0 is preferred.
    pub priority: u32,
    /// Share among the localities of the priority.
    pub weight: Option<u32>,
    /// The endpoints.
    pub hosts: Vec<Arc<Host>>,
}

/// What a load assignment says besides its endpoints.
#[derive(Debug, Clone, PartialEq)]
pub struct Terms {
    /// Percent.
    pub overprovisioning_factor: u32,
    /// Whether a priority's health goes by weight.
    pub weighted_priority_health: bool,
    /// Share of requests to refuse, by category.
    pub drop_overloads: Vec<(String, Fraction)>,
}

impl Default for Terms {
    fn default() -> Self {
        Self { overprovisioning_factor: 140, weighted_priority_health: false, drop_overloads: Vec::new() }
    }
}

/// A cluster's endpoints.
#[derive(Debug)]
pub struct EndpointSet {
    hosts: Vec<Arc<Host>>,
    /// The endpoints' health when this set was made.
    health: Vec<u32>,
    tiers: Vec<Tier>,
    loads: Loads,
    tally: SetTally,
    by_hash: bool,
    /// By address, where requests may name endpoints.
    by_address: HashMap<String, Arc<Host>>,
    /// By address, once a session asks.
    by_session: OnceLock<HashMap<String, Arc<Host>>>,
    drop_overloads: Vec<(String, Fraction)>,
}

/// How many endpoints there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SetTally {
    /// All.
    pub total: u64,
    /// Healthy ones.
    pub healthy: u64,
    /// Degraded ones.
    pub degraded: u64,
    /// Those waiting for their first check.
    pub excluded: u64,
    /// Those that pass their active checks.
    pub passing: u64,
    /// Those ejected.
    pub ejected: u64,
}

/// What a pick may depend on.
#[derive(Debug, Clone, Copy, Default)]
pub struct PickContext<'a> {
    /// The request's hash, if its route has a hash policy that gave one.
    pub hash: Option<u64>,
    /// Endpoints tried before (`previous_hosts`).
    pub avoid_hosts: &'a [Arc<Host>],
    /// How often another one is drawn to avoid them (`host_selection_retry_max_attempts`).
    pub host_selection_attempts: u32,
    /// Priorities tried before (`previous_priorities`).
    pub avoid_priorities: &'a [u32],
    /// Endpoints that the request names itself.
    pub named: Option<&'a Named>,
    /// The session that the request belongs to.
    pub session: Option<&'a Session>,
}

/// A choice.
#[derive(Debug, Clone)]
pub struct Picked {
    /// Which.
    pub host: Arc<Host>,
    /// Its priority.
    pub priority: u32,
    /// Whether health was ignored.
    pub panic: bool,
}

#[derive(Debug)]
struct Tier {
    /// The healthy ones, or all of them in panic.
    healthy: Spread,
    degraded: Spread,
}

/// How a group's load is spread over its localities.
#[derive(Debug)]
enum Spread {
    Flat(Balancer),
    ByLocality(Stride, Vec<Balancer>),
}

/// What building a set needs.
struct Builder<'a> {
    settings: &'a LoadBalancing,
    overprovisioning_factor: u32,
    rng: fastrand::Rng,
}

impl EndpointSet {
    /// A set of `localities`. `seed` is where rotations begin.
    #[must_use]
    pub fn new(settings: &LoadBalancing, terms: &Terms, localities: &[LocalityHosts], seed: u64) -> Self {
        let hosts: Vec<_> = localities.iter().flat_map(|locality| &locality.hosts).cloned().collect();
        // Noted before anything is decided by it: a change in between makes the set look old, never the reverse.
        let health = hosts.iter().map(|host| host.state().flag_bits()).collect();
        let priorities = localities.iter().map(|locality| locality.priority + 1).max().unwrap_or(0);
        let tiers: Vec<Vec<&LocalityHosts>> = (0..priorities)
            .map(|priority| localities.iter().filter(|locality| locality.priority == priority).collect())
            .collect();
        let census: Vec<_> = tiers.iter().map(|tier| census(tier, terms.weighted_priority_health)).collect();
        let mut panic_threshold = settings.healthy_panic_threshold;
        if let LbPolicy::PickFirst { .. } = settings.policy {
            let unusable = |host: &&Arc<Host>| host.availability() == Availability::Unhealthy;
            hosts.iter().filter(unusable).for_each(|host| host.state().preference().let_go());
            // Panic spares a few healthy endpoints the load of many; here one takes it all anyway.
            panic_threshold = 0.0;
        }
        let factor = terms.overprovisioning_factor;
        let loads = Loads::of(&census, factor, panic_threshold);
        let mut builder =
            Builder { settings, overprovisioning_factor: factor, rng: fastrand::Rng::with_seed(seed) };
        let built = tiers.iter().zip(&loads.panic).map(|(tier, panic)| builder.tier(tier, *panic)).collect();
        Self {
            tally: SetTally::of(&hosts),
            by_address: by_address(settings, &hosts),
            by_session: OnceLock::new(),
            hosts,
            health,
            tiers: built,
            loads,
            by_hash: follows_hash(&settings.policy),
            drop_overloads: terms.drop_overloads.clone(),
        }
    }

    /// All endpoints, by locality in configured order.
    #[must_use]
    pub fn hosts(&self) -> &[Arc<Host>] {
        &self.hosts
    }

    /// Whether every endpoint's health is still what this set was made with.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.hosts.iter().zip(&self.health).all(|(host, bits)| host.state().flag_bits() == *bits)
    }

    /// How many there are.
    #[must_use]
    pub fn tally(&self) -> SetTally {
        self.tally
    }

    /// How load is shared among priorities.
    #[must_use]
    pub fn loads(&self) -> &Loads {
        &self.loads
    }

    /// The category in which `drop_overloads` refuses a request now.
    #[must_use]
    pub fn drops(&self, rng: &mut fastrand::Rng) -> Option<&str> {
        self.drop_overloads
            .iter()
            .find(|(_, share)| share.contains(rng.u64(..)))
            .map(|(category, _)| category.as_str())
    }

    /// Chooses an endpoint; `None` if none may be chosen. `cluster_active` is the requests in flight to the
    /// whole cluster.
    #[must_use]
    pub fn pick(
        &self,
        context: &PickContext<'_>,
        now: Instant,
        cluster_active: u64,
        rng: &mut fastrand::Rng,
    ) -> Option<Picked> {
        if let Some(host) = context.named.and_then(|named| named.next(&self.by_address)) {
            return Some(Picked { host: Arc::clone(host), priority: host.priority(), panic: false });
        }
        if let Some(Session { address: Some(address), strict }) = context.session {
            let host = self.by_session.get_or_init(|| addresses(&self.hosts)).get(address);
            match host.filter(|host| host.availability() != Availability::Unhealthy) {
                Some(host) => {
                    return Some(Picked { host: Arc::clone(host), priority: host.priority(), panic: false });
                }
                None if *strict => return None,
                None => {}
            }
        }
        let adjusted;
        let loads = if context.avoid_priorities.is_empty() {
            &self.loads
        } else {
            adjusted = self.loads.avoiding(context.avoid_priorities);
            &adjusted
        };
        let mut picked = None;
        let kept = context.hash.filter(|_| self.by_hash);
        let mut hash = kept.unwrap_or_else(|| rng.u64(..));
        for attempt in 0..=context.host_selection_attempts {
            if attempt > 0 && !self.by_hash {
                hash = rng.u64(..);
            }
            let (priority, group) = loads.choose(hash);
            let tier = self.tiers.get(priority)?;
            let panic = loads.panic[priority];
            let spread = if panic || group == Group::Healthy { &tier.healthy } else { &tier.degraded };
            // Which priority and which endpoint must not follow from the same digits of a random number.
            let inner = if self.by_hash { hash } else { rng.u64(..) };
            let draw = Draw { hash: inner, attempt, now, cluster_active };
            let host = spread.choose(&draw, rng)?;
            let again = context.avoid_hosts.iter().any(|avoided| avoided.is(host));
            let found = Picked { host: Arc::clone(host), priority: host.priority(), panic };
            if !again {
                return Some(found);
            }
            picked = Some(found);
        }
        picked
    }
}

impl SetTally {
    fn of(hosts: &[Arc<Host>]) -> Self {
        let mut tally = Self::default();
        for host in hosts {
            let state = host.state();
            tally.total += 1;
            match host.availability() {
                Availability::Healthy => tally.healthy += 1,
                Availability::Degraded => tally.degraded += 1,
                Availability::Unhealthy => {}
            }
            tally.excluded += u64::from(state.has(HealthFlag::PendingActiveHc));
            tally.passing += u64::from(!state.has(HealthFlag::FailedActiveHc));
            tally.ejected += u64::from(state.has(HealthFlag::FailedOutlierCheck));
        }
        tally
    }
}

impl Builder<'_> {
    fn tier(&mut self, localities: &[&LocalityHosts], panic: bool) -> Tier {
        let healthy = if panic {
            self.spread(localities, |_| true, !follows_hash(&self.settings.policy))
        } else {
            self.spread(localities, |host| host.availability() == Availability::Healthy, false)
        };
        let degraded = self.spread(localities, |host| host.availability() == Availability::Degraded, false);
        Tier { healthy, degraded }
    }

    /// A balancer, or one for each locality, over the `eligible` endpoints.
    fn spread(
        &mut self,
        localities: &[&LocalityHosts],
        eligible: impl Fn(&Host) -> bool,
        flat: bool,
    ) -> Spread {
        let chosen: Vec<Vec<Arc<Host>>> = localities
            .iter()
            .map(|locality| locality.hosts.iter().filter(|host| eligible(host)).cloned().collect())
            .collect();
        let weighted = match self.settings.locality {
            LocalityBalancing::Weighted => localities.iter().any(|locality| locality.weight.unwrap_or(0) > 0),
            // Zone-aware routing needs to know this proxy's own zone and fellows; without a local cluster Envoy
            // spreads evenly too.
            LocalityBalancing::None | LocalityBalancing::ZoneAware { .. } => false,
        };
        if !weighted || flat {
            let hosts = with_shares(chosen.into_iter().flatten().collect(), 1.0);
            return Spread::Flat(self.balancer(hosts));
        }
        if follows_hash(&self.settings.policy) {
            let sum: u32 = localities.iter().map(|locality| locality.weight.unwrap_or(0)).sum();
            let hosts = localities
                .iter()
                .zip(chosen)
                .filter(|(locality, _)| locality.weight.unwrap_or(0) > 0)
                .flat_map(|(locality, hosts)| {
                    let share = f64::from(locality.weight.unwrap_or(0)) / f64::from(sum);
                    with_shares(hosts, share)
                })
                .collect();
            return Spread::Flat(self.balancer(hosts));
        }
        let weights: Vec<_> = localities
            .iter()
            .zip(&chosen)
            .map(|(locality, chosen)| {
                let counted = census(&[*locality], false).hosts.total;
                let weight = locality.weight.unwrap_or(0);
                locality_weight(weight, chosen.len() as u64, counted, self.overprovisioning_factor)
            })
            .collect();
        let stride = Stride::of_shares(&weights, self.rng.u64(..));
        let balancers = chosen.into_iter().map(|hosts| self.balancer(with_shares(hosts, 1.0))).collect();
        Spread::ByLocality(stride, balancers)
    }

    fn balancer(&mut self, hosts: Vec<(Arc<Host>, f64)>) -> Balancer {
        Balancer::new(self.settings, hosts, self.rng.u64(..))
    }
}

impl Spread {
    fn choose(&self, draw: &Draw, rng: &mut fastrand::Rng) -> Option<&Arc<Host>> {
        match self {
            Self::Flat(balancer) => balancer.choose(draw, rng),
            Self::ByLocality(stride, balancers) => balancers.get(stride.next()?)?.choose(draw, rng),
        }
    }
}

/// Whether choosing needs the time.
#[must_use]
pub fn needs_time(policy: &LbPolicy) -> bool {
    match policy {
        LbPolicy::RoundRobin { slow_start } => slow_start.is_some(),
        LbPolicy::LeastRequest(least) => least.slow_start.is_some(),
        LbPolicy::Random | LbPolicy::RingHash(_) | LbPolicy::Maglev(_) | LbPolicy::PickFirst { .. } => false,
    }
}

/// `hosts` with the share that each has of `whole`, by weight.
fn with_shares(hosts: Vec<Arc<Host>>, whole: f64) -> Vec<(Arc<Host>, f64)> {
    let sum: u64 = hosts.iter().map(|host| u64::from(host.weight())).sum();
    hosts
        .into_iter()
        .map(|host| {
            let share = f64::from(host.weight()) * whole / sum as f64;
            (host, share)
        })
        .collect()
}

fn census(localities: &[&LocalityHosts], by_weight: bool) -> Census {
    let mut census = Census::default();
    for host in localities.iter().flat_map(|locality| &locality.hosts) {
        census.members += 1;
        let weight = if by_weight { u64::from(host.weight()) } else { 1 };
        let availability = host.availability();
        if !host.state().has(HealthFlag::PendingActiveHc) {
            count(&mut census.hosts, availability, 1);
            count(&mut census.counted, availability, weight);
        }
    }
    census
}

fn count(tally: &mut Tally, availability: Availability, amount: u64) {
    tally.total += amount;
    match availability {
        Availability::Healthy => tally.healthy += amount,
        Availability::Degraded => tally.degraded += amount,
        Availability::Unhealthy => {}
    }
}

#[cfg(test)]
mod tests;
