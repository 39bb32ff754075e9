//! What one contestant has cost in one round.

use serde::Serialize;

/// One contestant in one round.
#[derive(Debug, Clone, Serialize)]
pub struct Measurement {
    /// Who.
    pub contestant: &'static str,
    /// Which round, from 1.
    pub round: usize,
    /// CPU time of the proxy per request.
    pub cpu_micros: f64,
    /// Requests per second.
    pub requests_per_second: f64,
    /// Requests that failed.
    pub failures: u64,
    /// Resident memory at the end.
    pub resident_bytes: u64,
}
