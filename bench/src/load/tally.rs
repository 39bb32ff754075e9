//! What has been asked, answered and failed.

use std::cell::{Cell, RefCell};

/// Failures are told one by one up to this many.
const FAILURES_TOLD: u64 = 10;

/// The counts of one load, shared by its connections.
pub struct Tally {
    permits: Cell<u64>,
    in_steps: bool,
    answered: Cell<u64>,
    bytes: Cell<u64>,
    failures: Cell<u64>,
    first_failure: RefCell<Option<String>>,
}

impl Tally {
    /// At most so many requests; in steps means that all answers are waited for before more is asked.
    pub fn new(permits: u64, in_steps: bool) -> Self {
        Self {
            permits: Cell::new(permits),
            in_steps,
            answered: Cell::new(0),
            bytes: Cell::new(0),
            failures: Cell::new(0),
            first_failure: RefCell::new(None),
        }
    }

    /// Whether one more may be asked; counts it.
    pub fn permit(&self) -> bool {
        let left = self.permits.get();
        self.permits.set(left.saturating_sub(1));
        left > 0
    }

    /// Whether all answers are waited for before more is asked.
    pub fn in_steps(&self) -> bool {
        self.in_steps
    }

    /// An answer with so many bytes of payload.
    pub fn answered(&self, bytes: u64) {
        self.answered.set(self.answered.get() + 1);
        self.bytes.set(self.bytes.get() + bytes);
    }

    /// A request or connection that failed.
    pub fn failed(&self, reason: &str) {
        let failures = self.failures.get() + 1;
        self.failures.set(failures);
        if failures <= FAILURES_TOLD {
            eprintln!("load: {reason}");
        }
        self.first_failure.borrow_mut().get_or_insert_with(|| reason.to_owned());
    }

    /// Answers and their bytes so far.
    pub fn so_far(&self) -> (u64, u64) {
        (self.answered.get(), self.bytes.get())
    }

    /// Failures, and what the first one was.
    pub fn failures(&self) -> (u64, Option<String>) {
        (self.failures.get(), self.first_failure.borrow().clone())
    }
}
