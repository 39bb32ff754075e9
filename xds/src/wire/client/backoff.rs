//! How long to wait before a stream is opened again: exponential, with full jitter.

use std::time::Duration;

/// The bounds of the waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The longest first wait.
    pub base: Duration,
    /// The longest wait at all.
    pub max: Duration,
}

impl Default for Backoff {
    /// Envoy's own: 500 ms, 30 s.
    fn default() -> Self {
        Self { base: Duration::from_millis(500), max: Duration::from_secs(30) }
    }
}

impl Backoff {
    /// The wait after this many failures in a row; `random` lies in 0..1. Full jitter, so that a fleet that lost
    /// its control plane at one moment does not come back at one moment.
    pub fn wait(&self, failures: u32, random: f64) -> Duration {
        let ceiling = self.base.saturating_mul(1_u32.checked_shl(failures.min(31)).unwrap_or(u32::MAX));
        // A tenth at least: a hot loop against a control plane that refuses at once helps nobody.
        ceiling.min(self.max).mul_f64(random.clamp(0.1, 1.0))
    }
}
