//! How many connections may be open, by a name.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A limit on open connections; shared by all that count towards it, over all workers.
#[derive(Debug)]
pub struct ConnectionLimit {
    name: &'static str,
    max: usize,
    open: AtomicUsize,
}

/// One open connection in the count.
#[derive(Debug)]
pub struct Open(Arc<ConnectionLimit>);

impl ConnectionLimit {
    /// At most `max` connections; `name` is what logs call the limit.
    #[must_use]
    pub fn new(name: &'static str, max: usize) -> Arc<Self> {
        Arc::new(Self { name, max, open: AtomicUsize::new(0) })
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Connections open now.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Counts one more connection; `None` at the limit.
    #[must_use]
    pub fn admit(self: &Arc<Self>) -> Option<Open> {
        let more = |open: usize| (open < self.max).then_some(open + 1);
        self.open.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        Some(Open(self.clone()))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}
