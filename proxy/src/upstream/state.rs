//! What is known of an endpoint: its health with all reasons, its counters, its ejections.
//!
//! Shared by all workers and the background; every field is atomic, or locked only in the background.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;
use xds::model::EndpointHealth;

use super::outlier::monitor::Monitor;
use super::preference::Preference;
use super::stats::HostMetric;
use crate::observe::metrics::Counters;

/// Numbers states, so that a pool never mistakes a new endpoint at an old address for the old one.
static IDS: AtomicU64 = AtomicU64::new(1);

/// What is known of an endpoint.
#[derive(Debug)]
pub struct HostState {
    id: u64,
    flags: AtomicU32,
    active_requests: AtomicU32,
    connections: AtomicU32,
    stats: Arc<Counters<HostMetric>>,
    monitor: Monitor,
    checks: Box<[CheckVerdict]>,
    created: Instant,
    /// Milliseconds from `created` to the start of the current slow start.
    ramp_start: AtomicU64,
    preference: Preference,
}

#[derive(Debug)]
struct CheckVerdict {
    failed: AtomicBool,
    known: AtomicBool,
}

/// A reason for an endpoint's health; Envoy's flag of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HealthFlag {
    /// Fails its active checks, or did not pass the first one yet.
    FailedActiveHc = 1,
    /// Ejected.
    FailedOutlierCheck = 1 << 1,
    /// The control plane says so.
    FailedEdsHealth = 1 << 2,
    /// The control plane says so.
    DegradedEdsHealth = 1 << 3,
    /// Not counted before its first active check.
    PendingActiveHc = 1 << 4,
    /// Not in the configuration any more, but still passing its checks.
    PendingDynamicRemoval = 1 << 5,
    /// The control plane says so.
    EdsStatusDraining = 1 << 6,
    /// Gone from the cluster.
    Removed = 1 << 7,
}

/// What an endpoint may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Availability {
    /// Anything.
    Healthy,
    /// When too few are healthy.
    Degraded,
    /// Only in panic.
    Unhealthy,
}

impl HealthFlag {
    /// All, with the names that Envoy's `/clusters` shows.
    pub const ALL: [(Self, &'static str); 8] = [
        (Self::FailedActiveHc, "failed_active_hc"),
        (Self::FailedOutlierCheck, "failed_outlier_check"),
        (Self::FailedEdsHealth, "failed_eds_health"),
        (Self::DegradedEdsHealth, "degraded_eds_health"),
        (Self::PendingActiveHc, "pending_active_hc"),
        (Self::PendingDynamicRemoval, "pending_dynamic_removal"),
        (Self::EdsStatusDraining, "eds_status_draining"),
        (Self::Removed, "removed"),
    ];
}

impl HostState {
    /// A new endpoint with `checks` active checks; with any, it counts as failing until the first has passed.
    #[must_use]
    pub fn new(checks: usize, now: Instant) -> Self {
        let state = Self {
            id: IDS.fetch_add(1, Ordering::Relaxed),
            flags: AtomicU32::new(0),
            active_requests: AtomicU32::new(0),
            connections: AtomicU32::new(0),
            stats: Arc::new(Counters::new()),
            monitor: Monitor::default(),
            checks: (0..checks)
                .map(|_| CheckVerdict { failed: AtomicBool::new(true), known: AtomicBool::new(false) })
                .collect(),
            created: now,
            ramp_start: AtomicU64::new(0),
            preference: Preference::default(),
        };
        state.set(HealthFlag::FailedActiveHc, checks > 0);
        state
    }

    /// Unique in the process.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Its counters.
    #[must_use]
    pub fn stats(&self) -> &Arc<Counters<HostMetric>> {
        &self.stats
    }

    /// Its requests, for ejection.
    #[must_use]
    pub fn monitor(&self) -> &Monitor {
        &self.monitor
    }

    /// Its standing with `pick_first`.
    #[must_use]
    pub fn preference(&self) -> &Preference {
        &self.preference
    }

    /// Whether `flag` is set.
    #[must_use]
    pub fn has(&self, flag: HealthFlag) -> bool {
        self.flags.load(Ordering::Relaxed) & flag as u32 != 0
    }

    /// Sets or clears `flag`; whether that changed it.
    pub fn set(&self, flag: HealthFlag, on: bool) -> bool {
        let bit = flag as u32;
        let before = if on {
            self.flags.fetch_or(bit, Ordering::Relaxed)
        } else {
            self.flags.fetch_and(!bit, Ordering::Relaxed)
        };
        (before & bit != 0) != on
    }

    /// All flags as bits, to see whether any changed.
    #[must_use]
    pub fn flag_bits(&self) -> u32 {
        self.flags.load(Ordering::Relaxed)
    }

    /// The set flags' names.
    pub fn flags(&self) -> impl Iterator<Item = &'static str> {
        HealthFlag::ALL.into_iter().filter(|(flag, _)| self.has(*flag)).map(|(_, name)| name)
    }

    /// What it may be used for now.
    #[must_use]
    pub fn availability(&self) -> Availability {
        use HealthFlag as F;
        const UNHEALTHY: u32 = F::FailedActiveHc as u32
            | F::FailedOutlierCheck as u32
            | F::FailedEdsHealth as u32
            | F::EdsStatusDraining as u32;
        let flags = self.flags.load(Ordering::Relaxed);
        if flags & UNHEALTHY != 0 {
            Availability::Unhealthy
        } else if flags & F::DegradedEdsHealth as u32 != 0 {
            Availability::Degraded
        } else {
            Availability::Healthy
        }
    }

    /// Takes over what the control plane says; whether that changed anything.
    pub fn apply(&self, health: EndpointHealth) -> bool {
        use EndpointHealth as H;
        let failed = matches!(health, H::Unhealthy | H::Timeout);
        let mut changed = self.set(HealthFlag::FailedEdsHealth, failed);
        changed |= self.set(HealthFlag::DegradedEdsHealth, health == H::Degraded);
        changed | self.set(HealthFlag::EdsStatusDraining, health == H::Draining)
    }

    /// Takes over the verdict of active check number `check`; whether the endpoint's health changed.
    pub fn apply_check(&self, check: usize, healthy: bool, now: Instant) -> bool {
        if let Some(verdict) = self.checks.get(check) {
            verdict.failed.store(!healthy, Ordering::Relaxed);
            verdict.known.store(true, Ordering::Relaxed);
        }
        let failed = self.checks.iter().any(|verdict| verdict.failed.load(Ordering::Relaxed));
        let mut changed = self.set(HealthFlag::FailedActiveHc, failed);
        if changed && !failed {
            let since = now.saturating_duration_since(self.created);
            self.ramp_start.store(u64::try_from(since.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
        }
        if self.is_checked() {
            changed |= self.set(HealthFlag::PendingActiveHc, false);
        }
        changed
    }

    /// Takes the endpoint's active checks as passed: it is not checked at all.
    pub fn leave_unchecked(&self) {
        for verdict in &self.checks {
            verdict.failed.store(false, Ordering::Relaxed);
            verdict.known.store(true, Ordering::Relaxed);
        }
        self.set(HealthFlag::FailedActiveHc, false);
        self.set(HealthFlag::PendingActiveHc, false);
    }

    /// Whether every active check has given a verdict.
    #[must_use]
    pub fn is_checked(&self) -> bool {
        self.checks.iter().all(|verdict| verdict.known.load(Ordering::Relaxed))
    }

    /// How long it has been in slow start, or past it.
    #[must_use]
    pub fn ramped_for(&self, now: Instant) -> Duration {
        let start = Duration::from_millis(self.ramp_start.load(Ordering::Relaxed));
        now.saturating_duration_since(self.created).saturating_sub(start)
    }

    /// Requests in flight.
    #[must_use]
    pub fn active_requests(&self) -> u32 {
        self.active_requests.load(Ordering::Relaxed)
    }

    /// Connections open or being opened.
    #[must_use]
    pub fn connections(&self) -> u32 {
        self.connections.load(Ordering::Relaxed)
    }

    /// A request begins; paired with [`Self::end_request`].
    pub fn begin_request(&self) {
        self.active_requests.fetch_add(1, Ordering::Relaxed);
        self.stats.inc(HostMetric::RqTotal);
        self.stats.inc(HostMetric::RqActive);
    }

    /// A request ended.
    pub fn end_request(&self) {
        self.active_requests.fetch_sub(1, Ordering::Relaxed);
        self.stats.dec(HostMetric::RqActive);
    }

    /// A connection begins; paired with [`Self::end_connection`].
    pub fn begin_connection(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
        self.stats.inc(HostMetric::CxTotal);
        self.stats.inc(HostMetric::CxActive);
    }

    /// A connection ended.
    pub fn end_connection(&self) {
        self.connections.fetch_sub(1, Ordering::Relaxed);
        self.stats.dec(HostMetric::CxActive);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_reason_must_be_gone_before_an_endpoint_is_healthy() {
        let now = Instant::now();
        let state = HostState::new(2, now);
        assert_eq!(state.availability(), Availability::Unhealthy, "before its first check");
        state.apply_check(0, true, now);
        assert_eq!(state.availability(), Availability::Unhealthy, "one of two checks passed");
        assert!(state.apply_check(1, true, now), "the second check changes the health");
        assert_eq!(state.availability(), Availability::Healthy);
        state.set(HealthFlag::FailedOutlierCheck, true);
        state.apply(EndpointHealth::Degraded);
        assert_eq!(state.availability(), Availability::Unhealthy, "ejection weighs more than degraded");
        state.set(HealthFlag::FailedOutlierCheck, false);
        assert_eq!(state.availability(), Availability::Degraded);
        assert!(state.apply(EndpointHealth::Draining), "a new word of the control plane is a change");
        assert_eq!(state.availability(), Availability::Unhealthy, "draining takes no new work");
        assert_eq!(state.flags().collect::<Vec<_>>(), ["eds_status_draining"]);
    }

    #[tokio::test(start_paused = true)]
    async fn slow_start_begins_again_when_an_endpoint_recovers() {
        let created = Instant::now();
        let state = HostState::new(1, created);
        let later = created + Duration::from_secs(60);
        state.apply_check(0, true, later);
        assert_eq!(state.ramped_for(later + Duration::from_secs(5)), Duration::from_secs(5));
    }
}
