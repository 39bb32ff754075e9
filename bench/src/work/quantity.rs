//! What can be told of a contestant: each number with its unit, and which way is better.

use serde::{Deserialize, Serialize};

/// A number of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// CPU time of the proxy per request, handshake or message, microseconds.
    CpuMicros,
    /// Payload bytes passed on per second of the proxy's CPU time, in 10⁹ bytes.
    GbPerCpuSecond,
    /// Payload bytes that arrived per second, in 10⁹ bytes.
    GbPerSecond,
    /// CPU time of load generator and backend per 10⁹ payload bytes, seconds: what the two ends pay.
    EndsCpuSecondsPerGb,
    /// Requests, handshakes or messages per second.
    PerSecond,
    /// Resident memory that one idle connection adds, KiB.
    KbPerConnection,
    /// Resident memory before the first connection, MiB.
    StartMb,
    /// Resident memory at the end, MiB.
    ResidentMb,
    /// Median latency above that of the backend asked directly, microseconds.
    AddedP50Micros,
    /// The same at the 99th percentile.
    AddedP99Micros,
    /// The same at the 99.9th percentile.
    AddedP999Micros,
    /// The latency itself at the 99th percentile, microseconds.
    P99Micros,
}

impl Quantity {
    /// The head of its column; `unit` is what is counted.
    pub fn title(self, unit: &str) -> String {
        let fixed = match self {
            Quantity::CpuMicros => return format!("CPU µs per {unit}"),
            Quantity::PerSecond => return format!("{unit}s per second"),
            Quantity::GbPerCpuSecond => "GB per CPU-second",
            Quantity::GbPerSecond => "GB/s end to end",
            Quantity::EndsCpuSecondsPerGb => "CPU s per GB at the ends",
            Quantity::KbPerConnection => "KB per connection",
            Quantity::StartMb => "RSS MB at start",
            Quantity::ResidentMb => "RSS MB",
            Quantity::AddedP50Micros => "p50 added µs",
            Quantity::AddedP99Micros => "p99 added µs",
            Quantity::AddedP999Micros => "p99.9 added µs",
            Quantity::P99Micros => "p99 µs",
        };
        fixed.to_owned()
    }

    /// Digits after the point that mean something.
    pub fn decimals(self) -> usize {
        match self {
            Quantity::GbPerCpuSecond | Quantity::GbPerSecond | Quantity::EndsCpuSecondsPerGb => 2,
            Quantity::CpuMicros | Quantity::KbPerConnection | Quantity::StartMb | Quantity::ResidentMb => 1,
            Quantity::PerSecond
            | Quantity::AddedP50Micros
            | Quantity::AddedP99Micros
            | Quantity::AddedP999Micros
            | Quantity::P99Micros => 0,
        }
    }

    /// Whether more of it is better.
    pub fn more_is_better(self) -> bool {
        matches!(self, Quantity::GbPerCpuSecond | Quantity::GbPerSecond | Quantity::PerSecond)
    }

    /// The number as the table shows it.
    pub fn show(self, number: f64) -> String {
        format!("{number:.*}", self.decimals())
    }
}
