//! What `pick_first` remembers of an endpoint: whether it is the one that is kept, and when it last failed.
//!
//! It belongs to the endpoint, not to the balancer, so that it outlives the sets of endpoints.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Numbers failures in the order in which they happen.
static FAILURES: AtomicU64 = AtomicU64::new(1);

/// An endpoint's standing.
#[derive(Debug, Default)]
pub struct Preference {
    kept: AtomicBool,
    failed: AtomicU64,
}

impl Preference {
    /// Whether requests stay with it.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.kept.load(Ordering::Relaxed)
    }

    /// Requests are to stay with it.
    pub fn keep(&self) {
        self.kept.store(true, Ordering::Relaxed);
    }

    /// Requests need not stay with it any more.
    pub fn let_go(&self) {
        self.kept.store(false, Ordering::Relaxed);
    }

    /// It could not be reached: whoever failed longer ago, or never, comes first now.
    pub fn fail(&self) {
        self.failed.store(FAILURES.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        self.let_go();
    }

    /// When it last failed, as a number that grows; 0 is never.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }
}
