//! In turn, by weight.

use std::sync::Arc;

use tokio::time::Instant;
use xds::model::SlowStart;

use super::slow_start;
use super::stride::Stride;
use crate::upstream::host::Host;

#[derive(Debug)]
pub(super) struct RoundRobin {
    stride: Stride,
    slow_start: Option<SlowStart>,
}

impl RoundRobin {
    pub(super) fn new(weights: impl Iterator<Item = u32>, slow_start: Option<SlowStart>, start: u64) -> Self {
        Self { stride: Stride::new(weights, start), slow_start }
    }

    pub(super) fn choose(&self, hosts: &[Arc<Host>], now: Instant) -> Option<usize> {
        match &self.slow_start {
            None => self.stride.next(),
            Some(config) => {
                let scale = |index: usize| slow_start::factor(config, hosts[index].state().ramped_for(now));
                self.stride.next_scaled(scale)
            }
        }
    }
}
