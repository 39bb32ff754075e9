//! The least loaded of a few drawn at random ("power of two choices").
//!
//! Candidates are drawn by weight and compared by active requests per weight. At rest every candidate ties and
//! the first one wins, so that the shares are the weights; under load the endpoints' load per weight evens out,
//! which is what Envoy's weighted schedule of weight / active^bias comes to.

use std::sync::Arc;

use tokio::time::Instant;
use xds::model::{self, SlowStart};

use super::slow_start;
use crate::upstream::host::Host;

/// How often an endpoint in slow start may be redrawn.
const REDRAWS_MAX: u32 = 8;

#[derive(Debug)]
pub(super) struct LeastRequest {
    choices: u32,
    bias: f64,
    slow_start: Option<SlowStart>,
    /// Running sums of the weights; empty when all are equal.
    sums: Box<[u64]>,
}

impl LeastRequest {
    pub(super) fn new(settings: &model::LeastRequest, weights: impl Iterator<Item = u32>) -> Self {
        let weights: Vec<_> = weights.collect();
        let equal = weights.windows(2).all(|pair| pair[0] == pair[1]);
        let mut sum = 0;
        let mut sums = Vec::new();
        if !equal {
            for weight in weights {
                sum += u64::from(weight);
                sums.push(sum);
            }
        }
        Self {
            choices: settings.choice_count.max(1),
            bias: settings.active_request_bias,
            slow_start: settings.slow_start,
            sums: sums.into(),
        }
    }

    pub(super) fn choose(&self, hosts: &[Arc<Host>], now: Instant, rng: &mut fastrand::Rng) -> Option<usize> {
        let mut best: Option<(usize, f64)> = None;
        for _ in 0..self.choices {
            let candidate = self.draw_ramped(hosts, now, rng);
            let load = self.load(&hosts[candidate]);
            if best.is_none_or(|(_, least)| load < least) {
                best = Some((candidate, load));
            }
        }
        best.map(|(index, _)| index)
    }

    fn load(&self, host: &Host) -> f64 {
        let active = f64::from(host.active_requests());
        if self.sums.is_empty() {
            return active;
        }
        if self.bias <= 0.0 {
            // Without a bias active requests do not count: a tie.
            return 0.0;
        }
        active.powf(self.bias) / f64::from(host.weight())
    }

    fn draw_ramped(&self, hosts: &[Arc<Host>], now: Instant, rng: &mut fastrand::Rng) -> usize {
        let mut candidate = self.draw(hosts.len(), rng);
        let Some(config) = &self.slow_start else { return candidate };
        for _ in 0..REDRAWS_MAX {
            if rng.f64() < slow_start::factor(config, hosts[candidate].state().ramped_for(now)) {
                break;
            }
            candidate = self.draw(hosts.len(), rng);
        }
        candidate
    }

    fn draw(&self, hosts: usize, rng: &mut fastrand::Rng) -> usize {
        match self.sums.last() {
            None => rng.usize(..hosts),
            Some(total) => {
                let ticket = rng.u64(..*total);
                self.sums.partition_point(|sum| *sum <= ticket)
            }
        }
    }
}
