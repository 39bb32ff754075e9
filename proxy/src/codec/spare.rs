//! Buffers for what is written, kept by each worker so that an idle connection holds none.
//!
//! One rule: a buffer that comes back is empty, and neither more nor larger ones are kept than the limits say.

use std::cell::RefCell;

use crate::limits::{SPARE_BUFFER_BYTES_MAX, SPARE_BUFFERS_MAX};

/// Room of a buffer that nobody used yet: a head with a small body.
const FIRST_BYTES: usize = 2 * 1024;

thread_local! {
    static SPARE: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// An empty buffer with some room.
#[must_use]
pub fn take() -> Vec<u8> {
    let spare = SPARE.with_borrow_mut(Vec::pop);
    spare.unwrap_or_else(|| Vec::with_capacity(FIRST_BYTES))
}

/// Keeps `buffer` for another connection of this worker, or frees it.
pub fn give(mut buffer: Vec<u8>) {
    if buffer.capacity() == 0 || buffer.capacity() > SPARE_BUFFER_BYTES_MAX {
        return;
    }
    buffer.clear();
    // A thread that is ending has no spare buffers any more, and needs none.
    let _ended = SPARE.try_with(|spare| {
        let mut spare = spare.borrow_mut();
        if spare.len() < SPARE_BUFFERS_MAX {
            spare.push(buffer);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_empty_and_not_too_many_are_kept() {
        let mut used = take();
        used.extend_from_slice(b"secret");
        let at = used.as_ptr();
        give(used);
        let again = take();
        assert!(again.is_empty() && again.as_ptr() == at, "the same memory, without what was in it");
        for _ in 0..2 * SPARE_BUFFERS_MAX {
            give(Vec::with_capacity(FIRST_BYTES));
        }
        give(Vec::with_capacity(2 * SPARE_BUFFER_BYTES_MAX));
        SPARE.with_borrow(|spare| {
            assert_eq!(spare.len(), SPARE_BUFFERS_MAX);
            assert!(spare.iter().all(|buffer| buffer.capacity() <= SPARE_BUFFER_BYTES_MAX));
        });
    }
}
