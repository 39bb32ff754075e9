//! What one contestant has cost in one round.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::work::quantity::Quantity;

/// One contestant in one round.
#[derive(Debug, Clone, Serialize)]
pub struct Measurement {
    /// Who.
    pub contestant: &'static str,
    /// Which round, from 1.
    pub round: u32,
    /// Requests, handshakes or messages that were answered as they should be.
    pub answered: u64,
    /// Those that failed.
    pub failures: u64,
    /// What the first failure was.
    pub first_failure: Option<String>,
    /// The numbers.
    pub numbers: BTreeMap<Quantity, f64>,
    /// Latency in microseconds at the 50th, 99th and 99.9th percentile, where it is measured.
    pub latency_micros: Option<[f64; 3]>,
    /// How the two cores were used.
    pub cores: Cores,
}

/// Shares of the measured time, from 0 to 1.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Cores {
    /// The contestant, of the proxy's core.
    pub proxy: f64,
    /// Load generator and backend, of their core.
    pub load: f64,
    /// Everybody, of the proxy's core.
    pub proxy_core_busy: f64,
    /// Everybody, of the load's core.
    pub load_core_busy: f64,
}

/// A core with less than this share of time left has none.
const SATURATED: f64 = 0.95;

impl Cores {
    /// Whether the load's core had no time left while the proxy's had: then a faster proxy would show no more.
    pub fn is_bound_by_load(&self) -> bool {
        self.load_core_busy >= SATURATED && self.proxy_core_busy < SATURATED
    }

    /// The share of each core that others took: the neighbours' builds.
    pub fn others(&self) -> (f64, f64) {
        let rest = |busy: f64, ours: f64| (busy - ours).max(0.0);
        (rest(self.proxy_core_busy, self.proxy), rest(self.load_core_busy, self.load))
    }
}
