//! What one endpoint's requests came to, counted by the workers and judged by the detector.
//!
//! Recording is a few atomic operations. One rule: a worker never ejects; it notes that a run of failures is
//! complete, and the detector, which sees all endpoints, decides.

use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use xds::model::OutlierDetection;

/// How a request, or an attempt to connect, ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A response with this status (for gRPC, the status that its code stands for).
    Response(u16),
    /// A connection was established for a protocol whose own success is told apart.
    Connected,
    /// A connection was established, and nothing more is known (TCP proxying).
    ConnectedFinal,
    /// The connection failed, or ended before the response did.
    Failed,
    /// No answer in time.
    TimedOut,
}

/// A run of failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Run {
    /// Server errors.
    Consecutive5xx,
    /// 502, 503 and 504.
    ConsecutiveGatewayFailure,
    /// Failures without a response.
    ConsecutiveLocalOriginFailure,
}

/// An endpoint's counts.
#[derive(Debug, Default)]
pub struct Monitor {
    server_errors: AtomicU32,
    gateway_errors: AtomicU32,
    local_failures: AtomicU32,
    runs: AtomicU8,
    external: Window,
    local: Window,
    ejection: Mutex<Ejection>,
}

/// Requests since the last interval.
#[derive(Debug, Default)]
pub struct Window {
    total: AtomicU64,
    success: AtomicU64,
}

/// An endpoint's ejections; only the detector looks at it.
#[derive(Debug, Default, Clone)]
pub struct Ejection {
    /// When it was ejected, while it is.
    pub since: Option<Instant>,
    /// How often the base time counts.
    pub backoff: u32,
    /// Added to this ejection's time.
    pub jitter: Duration,
    /// When it came back.
    pub until: Option<Instant>,
    /// How often it was ejected.
    pub count: u64,
}

impl Run {
    /// All of them.
    pub const ALL: [Self; 3] =
        [Self::Consecutive5xx, Self::ConsecutiveGatewayFailure, Self::ConsecutiveLocalOriginFailure];

    fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl Window {
    fn record(&self, success: bool) {
        self.total.fetch_add(1, Ordering::Relaxed);
        if success {
            self.success.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Requests and successes since the last call.
    pub fn take(&self) -> (u64, u64) {
        // Total first: a request between the two counts as a success of the next window, never over 100 %.
        let total = self.total.swap(0, Ordering::Relaxed);
        let success = self.success.swap(0, Ordering::Relaxed).min(total);
        (total, success)
    }
}

impl Monitor {
    /// Counts an outcome; whether a run of failures became complete, so that the detector should look.
    pub fn record(&self, outcome: Outcome, config: &OutlierDetection) -> bool {
        if config.split_external_local_origin_errors {
            return match outcome {
                Outcome::Response(status) => self.response(status, config),
                Outcome::Connected | Outcome::ConnectedFinal => {
                    self.local.record(true);
                    self.local_failures.store(0, Ordering::Relaxed);
                    false
                }
                Outcome::Failed | Outcome::TimedOut => self.local_failure(config),
            };
        }
        match outcome {
            Outcome::Response(status) => self.response(status, config),
            Outcome::Connected => false,
            Outcome::ConnectedFinal => self.response(200, config),
            Outcome::Failed => self.response(503, config),
            Outcome::TimedOut => self.response(504, config),
        }
    }

    fn response(&self, status: u16, config: &OutlierDetection) -> bool {
        let failed = (500..600).contains(&status);
        self.external.record(!failed);
        if !failed {
            // Loads first: on a healthy endpoint no line is written.
            reset(&self.server_errors);
            reset(&self.gateway_errors);
            return false;
        }
        let mut complete = false;
        if matches!(status, 502..=504) {
            complete |= self.lengthen(
                &self.gateway_errors,
                config.consecutive_gateway_failure,
                Run::ConsecutiveGatewayFailure,
            );
        } else {
            reset(&self.gateway_errors);
        }
        complete | self.lengthen(&self.server_errors, config.consecutive_5xx, Run::Consecutive5xx)
    }

    fn local_failure(&self, config: &OutlierDetection) -> bool {
        self.local.record(false);
        self.lengthen(
            &self.local_failures,
            config.consecutive_local_origin_failure,
            Run::ConsecutiveLocalOriginFailure,
        )
    }

    fn lengthen(&self, length: &AtomicU32, complete: u32, run: Run) -> bool {
        let reached = length.fetch_add(1, Ordering::Relaxed) + 1 == complete;
        if reached {
            self.runs.fetch_or(run.bit(), Ordering::Release);
        }
        reached
    }

    /// The complete runs since the last call; their lengths start again.
    pub fn take_runs(&self) -> Vec<Run> {
        let bits = self.runs.swap(0, Ordering::Acquire);
        let runs: Vec<_> = Run::ALL.into_iter().filter(|run| bits & run.bit() != 0).collect();
        for run in &runs {
            self.length(*run).store(0, Ordering::Relaxed);
        }
        runs
    }

    /// Forgets all runs, as after an ejection: a few new failures must not eject again.
    pub fn forget_runs(&self) {
        for run in Run::ALL {
            self.length(run).store(0, Ordering::Relaxed);
        }
        self.runs.store(0, Ordering::Relaxed);
    }

    /// Requests by the endpoint's answers.
    pub fn external(&self) -> &Window {
        &self.external
    }

    /// Requests by whether they reached the endpoint.
    pub fn local(&self) -> &Window {
        &self.local
    }

    /// The ejections.
    pub fn ejection(&self) -> MutexGuard<'_, Ejection> {
        self.ejection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn length(&self, run: Run) -> &AtomicU32 {
        match run {
            Run::Consecutive5xx => &self.server_errors,
            Run::ConsecutiveGatewayFailure => &self.gateway_errors,
            Run::ConsecutiveLocalOriginFailure => &self.local_failures,
        }
    }
}

fn reset(length: &AtomicU32) {
    if length.load(Ordering::Relaxed) != 0 {
        length.store(0, Ordering::Relaxed);
    }
}
