//! Blocks of counters and gauges: one block for each thing that is counted (a cluster, a listener).

use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};

use super::worker::{self, stripe, stripes};

/// Whether a metric only grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
}

/// A metric of a set.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Envoy's name within its scope, e.g. `upstream_rq_total`.
    pub name: &'static str,
    /// Its kind.
    pub kind: Kind,
    /// One line for the docs and the scrape.
    pub help: &'static str,
}

/// The metrics that one kind of thing has: an enum without fields, numbered from zero.
pub trait MetricSet: Copy + Send + Sync + 'static {
    /// All of them, in the order of [`MetricSet::index`].
    const METRICS: &'static [Metric];

    /// The position in [`MetricSet::METRICS`].
    fn index(self) -> usize;
}

/// A cache line of cells, so that two workers never write the same line.
#[repr(align(64))]
#[derive(Debug, Default)]
struct Line([AtomicU64; 8]);

/// The metrics of one thing.
#[derive(Debug)]
pub struct Counters<S> {
    lines: Box<[Line]>,
    lines_per_stripe: usize,
    set: PhantomData<S>,
}

impl<S: MetricSet> Counters<S> {
    /// All zero.
    #[must_use]
    pub fn new() -> Self {
        let lines_per_stripe = S::METRICS.len().div_ceil(8).max(1);
        let lines = (0..lines_per_stripe * stripes()).map(|_| Line::default()).collect();
        Self { lines, lines_per_stripe, set: PhantomData }
    }

    /// Adds one.
    pub fn inc(&self, metric: S) {
        self.add(metric, 1);
    }

    /// Adds `amount`.
    pub fn add(&self, metric: S, amount: u64) {
        let stripe = stripe(self.lines.len() / self.lines_per_stripe);
        let index = metric.index();
        let cell = &self.lines[stripe * self.lines_per_stripe + index / 8].0[index % 8];
        worker::add(cell, stripe, amount);
    }

    /// Takes one off a gauge; any worker may, the sum stays right.
    pub fn dec(&self, metric: S) {
        self.add(metric, 1_u64.wrapping_neg());
    }

    /// The sum over all workers; a gauge is never below zero when its users pair `inc` and `dec`.
    #[must_use]
    pub fn get(&self, metric: S) -> u64 {
        self.sum(metric.index())
    }

    /// Every metric with its value.
    pub fn visit(&self, mut visitor: impl FnMut(&'static Metric, u64)) {
        for (index, metric) in S::METRICS.iter().enumerate() {
            visitor(metric, self.sum(index));
        }
    }

    fn sum(&self, index: usize) -> u64 {
        self.lines
            .chunks(self.lines_per_stripe)
            .map(|stripe| stripe[index / 8].0[index % 8].load(Ordering::Relaxed))
            .fold(0, u64::wrapping_add)
    }
}

impl<S: MetricSet> Default for Counters<S> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy)]
    enum Door {
        Opened,
        Inside,
    }

    impl MetricSet for Door {
        const METRICS: &'static [Metric] = &[
            Metric { name: "opened", kind: Kind::Counter, help: "" },
            Metric { name: "inside", kind: Kind::Gauge, help: "" },
        ];

        fn index(self) -> usize {
            self as usize
        }
    }

    #[test]
    fn a_gauge_may_fall_on_another_thread_than_it_rose() {
        let doors = std::sync::Arc::new(Counters::<Door>::new());
        doors.inc(Door::Inside);
        doors.add(Door::Opened, 2);
        let other = std::sync::Arc::clone(&doors);
        std::thread::spawn(move || {
            super::super::enter_worker(0);
            other.dec(Door::Inside);
        })
        .join()
        .unwrap();
        assert_eq!((doors.get(Door::Opened), doors.get(Door::Inside)), (2, 0));
    }
}
