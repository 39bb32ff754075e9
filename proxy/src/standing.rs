//! Whether this proxy lets itself be found healthy: the operator's word.

use std::sync::atomic::{AtomicBool, Ordering};

/// The operator's word, shared by who hears it and who keeps to it.
#[derive(Debug, Default)]
pub struct Standing {
    failing: AtomicBool,
}

impl Standing {
    /// Whether the operator made the proxy report itself unhealthy (`/healthcheck/fail`).
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.failing.load(Ordering::Acquire)
    }

    /// Makes the proxy report itself unhealthy, or ends that.
    pub fn set_failing(&self, failing: bool) {
        self.failing.store(failing, Ordering::Release);
    }
}
