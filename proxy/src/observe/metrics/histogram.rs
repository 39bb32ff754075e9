//! Durations in Envoy's default buckets.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::worker::{self, stripe, stripes};

/// Upper bounds in milliseconds, Envoy's defaults; a last bucket takes the rest.
pub const BUCKETS_MILLIS: [f64; 19] = [
    0.5,
    1.0,
    5.0,
    10.0,
    25.0,
    50.0,
    100.0,
    250.0,
    500.0,
    1000.0,
    2500.0,
    5000.0,
    10_000.0,
    30_000.0,
    60_000.0,
    300_000.0,
    600_000.0,
    1_800_000.0,
    3_600_000.0,
];

const CELLS: usize = BUCKETS_MILLIS.len() + 2;

#[repr(align(64))]
#[derive(Debug)]
struct Stripe([AtomicU64; CELLS]);

/// How often durations fell into each bucket.
#[derive(Debug)]
pub struct Histogram {
    stripes: Box<[Stripe]>,
}

/// A histogram's state, added up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HistogramSum {
    /// Observations per bucket, not cumulative; one more than there are bounds.
    pub buckets: [u64; BUCKETS_MILLIS.len() + 1],
    /// Sum of all observations.
    pub sum_micros: u64,
}

impl HistogramSum {
    /// How many observations there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }
}

impl Histogram {
    /// Empty.
    #[must_use]
    pub fn new() -> Self {
        let stripes = (0..stripes()).map(|_| Stripe(std::array::from_fn(|_| AtomicU64::new(0)))).collect();
        Self { stripes }
    }

    /// Counts one observation.
    pub fn record(&self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let millis = duration.as_secs_f64() * 1e3;
        let bucket = BUCKETS_MILLIS.iter().position(|bound| millis <= *bound).unwrap_or(BUCKETS_MILLIS.len());
        let stripe = stripe(self.stripes.len());
        let cells = &self.stripes[stripe].0;
        worker::add(&cells[bucket], stripe, 1);
        worker::add(&cells[CELLS - 1], stripe, micros);
    }

    /// The sum over all workers.
    #[must_use]
    pub fn sum(&self) -> HistogramSum {
        let mut sum = HistogramSum::default();
        for stripe in &self.stripes {
            for (total, cell) in sum.buckets.iter_mut().zip(&stripe.0) {
                *total += cell.load(Ordering::Relaxed);
            }
            sum.sum_micros += stripe.0[CELLS - 1].load(Ordering::Relaxed);
        }
        sum
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self::new()
    }
}
