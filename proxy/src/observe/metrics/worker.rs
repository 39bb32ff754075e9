//! Which cells belong to the current thread.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Stripes of every block made from now on; one is for all threads that are not workers.
static STRIPES: AtomicUsize = AtomicUsize::new(1);

thread_local! {
    static STRIPE: Cell<usize> = const { Cell::new(0) };
}

/// Says how many workers there will be. Called once, before the first counter is made; blocks made earlier
/// are shared by all threads, which is correct but slower.
pub fn set_workers(workers: usize) {
    STRIPES.store(workers + 1, Ordering::Relaxed);
}

/// Makes the current thread the worker `index`, counted from zero.
pub fn enter_worker(index: usize) {
    STRIPE.set(index + 1);
}

pub(super) fn stripes() -> usize {
    STRIPES.load(Ordering::Relaxed)
}

/// The current thread's stripe among `count`.
pub(super) fn stripe(count: usize) -> usize {
    let stripe = STRIPE.get();
    if stripe < count { stripe } else { 0 }
}

/// Adds to a cell of `stripe`. A worker's own cells are written by nobody else, so that no locked instruction is
/// needed; those who read see one value or the next.
pub(super) fn add(cell: &AtomicU64, stripe: usize, amount: u64) {
    if stripe == 0 {
        cell.fetch_add(amount, Ordering::Relaxed);
    } else {
        cell.store(cell.load(Ordering::Relaxed).wrapping_add(amount), Ordering::Relaxed);
    }
}
