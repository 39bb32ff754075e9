//! What decides shares for one request: one random number, and the runtime values that may overrule the shares.

use xds::model::RuntimeFraction;

use crate::runtime::RuntimeSnapshot;

/// The same for every decision about a request, as in Envoy.
#[derive(Debug, Clone, Copy)]
pub struct Draw<'a> {
    /// Uniformly random.
    pub random: u64,
    /// Of the moment in which the request came.
    pub runtime: &'a RuntimeSnapshot,
}

impl Draw<'_> {
    /// Whether the request falls into a share.
    #[must_use]
    pub fn is_in(&self, share: &RuntimeFraction) -> bool {
        self.runtime.is_in(share, self.random)
    }
}
