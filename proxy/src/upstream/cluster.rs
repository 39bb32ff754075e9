//! A cluster at run time: its endpoints, how one is chosen, what is counted, and what limits it.
//!
//! Shared by all workers. The set of endpoints is swapped as a whole; a pick reads it once and takes no lock.

mod rules;

mod durations;

mod calls;

mod shown;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;
use tokio::time::Instant;
use xds::model::{self, Discovery, LoadAssignment, RoutingPriority};

use self::rules::Rules;
use super::circuit::Circuit;
use super::host::Host;
use super::membership::{self, Change, LocalityMembers, Membership};
use super::outlier::monitor::Outcome;
use super::outlier::{self, Detector};
use super::set::{EndpointSet, PickContext, Picked, SetTally, Terms, needs_time};
use super::state::HealthFlag;
use super::stats::{ClusterMetric, HostMetric};
use super::transport::Transports;
use crate::error::{Error, Reason};
use crate::observe::metrics::{Counters, Registry};
use crate::runtime::LiveRuntime;

pub use self::calls::{Call, CallMetric, Calls};
pub use self::durations::ClusterHistograms;

/// A cluster.
#[derive(Debug)]
pub struct Cluster {
    model: Arc<model::Cluster>,
    transports: Transports,
    stats: Arc<Counters<ClusterMetric>>,
    histograms: ClusterHistograms,
    circuits: [Arc<Circuit>; 2],
    outliers: Option<Rules>,
    calls: Arc<Calls>,
    set: ArcSwap<EndpointSet>,
    membership: Mutex<Members>,
    needs_time: bool,
    made: Instant,
    changed: Arc<Notify>,
    ready: watch::Sender<bool>,
    background: Mutex<Option<AbortHandle>>,
}

#[derive(Debug, Default)]
struct Members {
    membership: Membership,
    shown: SetTally,
}

impl Cluster {
    /// A cluster by `model`, with the endpoints that stand in it; `runtime` may overrule its limits. Nothing runs
    /// yet: see `start`.
    ///
    /// # Errors
    /// What of `model` this proxy cannot do.
    pub fn new(
        model: Arc<model::Cluster>,
        transports: Transports,
        registry: &Registry,
        runtime: &Arc<LiveRuntime>,
    ) -> Result<Arc<Self>, Error> {
        check(&model, &transports)?;
        let stats = Arc::new(Counters::new());
        let histograms = ClusterHistograms::new();
        shown::register(&model, registry, &stats, &histograms);
        let calls = Calls::new(shown::scope(&model), registry);
        let breakers = &model.circuit_breakers;
        let circuits =
            [(RoutingPriority::Default, &breakers.default), (RoutingPriority::High, &breakers.high)];
        let circuits = circuits.map(|(priority, thresholds)| {
            let (name, runtime) = (model.name.as_str(), Arc::clone(runtime));
            Circuit::new(name, priority, thresholds.clone(), Arc::clone(&stats), runtime)
        });
        let outliers = model.outlier_detection.clone();
        let outliers = outliers.map(|configured| Rules::new(configured, Arc::clone(runtime)));
        let cluster = Arc::new(Self {
            set: ArcSwap::from_pointee(EndpointSet::new(&model.load_balancing, &Terms::default(), &[], 0)),
            needs_time: needs_time(&model.load_balancing.policy),
            made: Instant::now(),
            transports,
            stats,
            histograms,
            calls,
            circuits,
            outliers,
            membership: Mutex::default(),
            changed: Arc::new(Notify::new()),
            ready: watch::Sender::new(false),
            background: Mutex::new(None),
            model,
        });
        if let Discovery::Static(assignment) = &cluster.model.discovery {
            cluster.update_endpoints(assignment);
        }
        Ok(cluster)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.model.name.as_str()
    }

    /// The model it was made of.
    #[must_use]
    pub fn model(&self) -> &Arc<model::Cluster> {
        &self.model
    }

    /// Whether some of its endpoints are told who asked.
    #[must_use]
    pub fn tells_origin(&self) -> bool {
        self.transports.tell_origin()
    }

    /// Its counters.
    #[must_use]
    pub fn stats(&self) -> &Arc<Counters<ClusterMetric>> {
        &self.stats
    }

    /// Its durations.
    #[must_use]
    pub fn histograms(&self) -> &ClusterHistograms {
        &self.histograms
    }

    /// Its calls of gRPC, as far as a filter counts them.
    #[must_use]
    pub fn calls(&self) -> &Calls {
        &self.calls
    }

    /// Its endpoints now.
    #[must_use]
    pub fn endpoints(&self) -> Arc<EndpointSet> {
        self.set.load_full()
    }

    /// Its circuit breakers for requests of `priority`.
    #[must_use]
    pub fn circuit(&self, priority: RoutingPriority) -> &Arc<Circuit> {
        match priority {
            RoutingPriority::Default => &self.circuits[0],
            RoutingPriority::High => &self.circuits[1],
        }
    }

    /// Makes `assignment` the cluster's endpoints. An endpoint whose address stays keeps its counters, health,
    /// ejections and connections.
    pub fn update_endpoints(&self, assignment: &LoadAssignment) {
        self.stats.inc(ClusterMetric::UpdateAttempt);
        self.stats.inc(ClusterMetric::UpdateSuccess);
        self.apply(membership::terms(assignment), membership::by_address(assignment));
    }

    /// Makes `members` the cluster's endpoints.
    pub(super) fn apply(&self, terms: Terms, members: Vec<LocalityMembers>) {
        if members.iter().all(|locality| locality.endpoints.is_empty()) {
            self.stats.inc(ClusterMetric::UpdateEmpty);
        }
        let mut locked = self.members();
        let change = locked.membership.apply(&self.model, &self.transports, terms, members, Instant::now());
        match change {
            Change::None => self.stats.inc(ClusterMetric::UpdateNoRebuild),
            Change::Terms => self.rebuild(&mut locked),
            Change::Members => {
                self.stats.inc(ClusterMetric::MembershipChange);
                self.rebuild(&mut locked);
            }
        }
        drop(locked);
        self.check_ready();
        self.changed.notify_one();
    }

    /// Chooses an endpoint for a request.
    ///
    /// # Errors
    /// `NoHealthyUpstream` when none may be chosen, `DropOverload` when the control plane wants the request
    /// refused (`drop_overloads`).
    pub fn pick(&self, context: &PickContext<'_>, rng: &mut fastrand::Rng) -> Result<Picked, Error> {
        let set = self.set.load();
        if let Some(category) = set.drops(rng) {
            self.stats.inc(ClusterMetric::UpstreamRqDropOverload);
            let detail = format!("drop_overload: category {category} of cluster {}", self.name());
            return Err(Error::new(Reason::DropOverload, detail));
        }
        // Reading the clock is a tenth of a pick; only slow start needs it.
        let now = if self.needs_time { Instant::now() } else { self.made };
        let active = self.circuits.iter().map(|circuit| circuit.requests()).sum();
        let Some(picked) = set.pick(context, now, active, rng) else {
            self.stats.inc(ClusterMetric::UpstreamCxNoneHealthy);
            let detail = format!("no endpoint of cluster {} may be chosen", self.name());
            return Err(Error::new(Reason::NoHealthyUpstream, detail));
        };
        if picked.panic {
            self.stats.inc(ClusterMetric::LbHealthyPanic);
        }
        Ok(picked)
    }

    /// Tells how a request to `host` ended, for outlier detection and the endpoint's counters. `Pools` does it
    /// for what it sees; a caller that gives up waiting reports `TimedOut` itself.
    pub fn report(&self, host: &Host, outcome: Outcome) {
        let stats = host.state().stats();
        match outcome {
            Outcome::Response(status) if status < 500 => stats.inc(HostMetric::RqSuccess),
            Outcome::Response(_) | Outcome::Failed => stats.inc(HostMetric::RqError),
            Outcome::TimedOut => {
                stats.inc(HostMetric::RqTimeout);
                stats.inc(HostMetric::RqError);
            }
            Outcome::Connected | Outcome::ConnectedFinal => {}
        }
        if let Some(rules) = &self.outliers
            && host.state().monitor().record(outcome, &rules.load().rules)
        {
            self.changed.notify_one();
        }
    }

    /// Whether it may be used: its endpoints are known and each was checked once.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        *self.ready.borrow()
    }

    /// Resolves when the cluster may be used. Cancel safe.
    pub async fn ready(&self) {
        let mut ready = self.ready.subscribe();
        // The sender lives as long as the cluster.
        let _alive = ready.wait_for(|ready| *ready).await;
    }

    /// Lets the cluster be used with what it has: the first answer did not come in time.
    pub fn give_up_warming(&self) {
        self.ready.send_replace(true);
    }

    /// Ends its background work and lets its connections end once they are idle. For a cluster that is not in
    /// the configuration any more; dropping it does the same.
    pub fn retire(&self) {
        if let Some(task) = self.background.lock().unwrap_or_else(PoisonError::into_inner).take() {
            task.abort();
        }
        self.members().membership.remove_all();
    }

    /// What happens in the background: judges runs of failures, and with `tick` also rates, and makes a new set
    /// if health changed.
    pub fn maintain(&self, now: Instant, tick: bool, rng: &mut fastrand::Rng) {
        if let Some(rules) = &self.outliers {
            let (set, current) = (self.endpoints(), rules.load());
            let config = &current.rules;
            let detector = Detector { config, hosts: set.hosts(), stats: &self.stats, now };
            detector.judge_runs(rng);
            if tick {
                detector.tick(rng);
            }
        }
        self.refresh();
    }

    /// How often rates are judged; `None` where none are.
    #[must_use]
    pub fn judgement_interval(&self) -> Option<Duration> {
        self.outliers.as_ref().map(|rules| rules.load().rules.interval)
    }

    /// Takes over the verdict of active check number `check` on `host`.
    pub fn checked(&self, host: &Host, check: usize, healthy: bool) {
        let now = Instant::now();
        let mut changed = host.state().apply_check(check, healthy, now);
        let uneject = self
            .model
            .outlier_detection
            .as_ref()
            .is_some_and(|config| config.successful_active_health_check_uneject_host);
        if healthy
            && uneject
            && host.state().has(HealthFlag::FailedOutlierCheck)
            && !host.state().has(HealthFlag::FailedActiveHc)
        {
            changed |= outlier::uneject(host, now);
        }
        if changed {
            self.refresh();
        }
        self.check_ready();
    }

    /// Makes a new set if any endpoint's health is not what the set was made with.
    fn refresh(&self) {
        let mut locked = self.members();
        let went = locked.membership.drop_failed();
        if went {
            self.stats.inc(ClusterMetric::MembershipChange);
        }
        if went || !self.set.load().is_current() {
            self.rebuild(&mut locked);
        }
    }

    fn rebuild(&self, members: &mut Members) {
        let localities = members.membership.localities();
        let terms = members.membership.terms();
        let set = EndpointSet::new(&self.model.load_balancing, terms, &localities, fastrand::u64(..));
        let (old, new) = (std::mem::replace(&mut members.shown, set.tally()), set.tally());
        let checks = !self.model.health_checks.is_empty();
        for (metric, old, new) in [
            (ClusterMetric::MembershipTotal, old.total, new.total),
            (ClusterMetric::MembershipHealthy, old.healthy, new.healthy),
            (ClusterMetric::MembershipDegraded, old.degraded, new.degraded),
            (ClusterMetric::MembershipExcluded, old.excluded, new.excluded),
            (ClusterMetric::EjectionsActive, old.ejected, new.ejected),
        ] {
            // Gauges are sums of wrapping parts: a negative difference is added as well.
            self.stats.add(metric, new.wrapping_sub(old));
        }
        if checks {
            self.stats.add(ClusterMetric::HealthCheckHealthy, new.passing.wrapping_sub(old.passing));
        }
        self.set.store(Arc::new(set));
    }

    fn check_ready(&self) {
        if self.is_ready() || !self.members().membership.is_known() {
            return;
        }
        if self.endpoints().hosts().iter().all(|host| host.state().is_checked()) {
            self.ready.send_replace(true);
        }
    }

    fn members(&self) -> MutexGuard<'_, Members> {
        self.membership.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes the background task.
    pub(super) fn changed(&self) -> &Arc<Notify> {
        &self.changed
    }

    /// Makes `task` the cluster's background work; an earlier one ends.
    pub(super) fn run_in_background(&self, task: AbortHandle) {
        let mut background = self.background.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(earlier) = background.replace(task) {
            earlier.abort();
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.retire();
    }
}

/// Refuses what this proxy cannot do.
fn check(model: &model::Cluster, transports: &Transports) -> Result<(), Error> {
    let refuse = |what: &str| Err(Error::new(Reason::Internal, format!("cluster {}: {what}", model.name)));
    if model.http.http1.proper_case_headers {
        return refuse("header_key_format proper_case_words towards endpoints is not supported");
    }
    if transports.matches.len() != model.transport_matches.len() {
        return refuse("transport_socket_matches and their transports differ in number");
    }
    Ok(())
}

#[cfg(test)]
mod tests;
