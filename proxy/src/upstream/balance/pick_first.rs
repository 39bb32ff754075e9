//! The first endpoint that can be reached, kept until it cannot (gRFC A62).
//!
//! gRPC tries the addresses in order while a call waits; here the attempt whose connection fails ends, and the next
//! one goes to the next endpoint, so that a retry policy decides whether the request is sent again.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::upstream::host::Host;

#[derive(Debug)]
pub(super) struct PickFirst {
    /// In which order endpoints are tried.
    order: Box<[usize]>,
    /// Where in `order` the kept one was found last.
    place: AtomicUsize,
}

impl PickFirst {
    /// Over `hosts` endpoints in their order, or in one drawn from `seed`.
    pub(super) fn new(hosts: usize, shuffle: bool, seed: u64) -> Self {
        let mut order: Box<[usize]> = (0..hosts).collect();
        if shuffle {
            fastrand::Rng::with_seed(seed).shuffle(&mut order);
        }
        Self { order, place: AtomicUsize::new(0) }
    }

    /// The kept endpoint; the one after it, and so on, where a request was turned down before.
    pub(super) fn choose(&self, hosts: &[Arc<Host>], attempt: u32) -> Option<usize> {
        let kept = |place: &usize| hosts[self.order[*place]].state().preference().is_kept();
        let last = self.place.load(Ordering::Relaxed);
        let place = if kept(&last) { last } else { self.settle(hosts, kept)? };
        let attempt = usize::try_from(attempt).unwrap_or(0);
        self.order.get((place + attempt) % self.order.len()).copied()
    }

    /// Finds the kept endpoint, or makes it the one that failed longest ago; the first of several.
    fn settle(&self, hosts: &[Arc<Host>], kept: impl Fn(&usize) -> bool) -> Option<usize> {
        let preference = |place: &usize| hosts[self.order[*place]].state().preference();
        let found = (0..self.order.len()).find(kept);
        let place = found.or_else(|| (0..self.order.len()).min_by_key(|place| preference(place).failed()))?;
        preference(&place).keep();
        self.place.store(place, Ordering::Relaxed);
        Some(place)
    }
}
