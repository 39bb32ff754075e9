//! Buffers for relaying bytes, shared by all connections of a worker.
//!
//! The rule: an idle connection holds none. A direction takes a buffer when it reads and gives it back when nothing
//! is left in it; so the number in use is the number of directions whose receiver is slower than its sender.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};

use crate::limits::{COPY_BUFFER_BYTES, COPY_BUFFER_SMALL_BYTES, COPY_BUFFERS_KEPT, COPY_BUFFERS_LARGE_MAX};

thread_local! {
    static POOL: RefCell<Pool> = const { RefCell::new(Pool { idle: Vec::new(), large_in_use: 0 }) };
}

struct Pool {
    idle: Vec<Box<[u8]>>,
    large_in_use: usize,
}

/// A buffer of the worker that took it; given back when dropped.
#[derive(Debug)]
pub struct Buffer {
    bytes: Box<[u8]>,
    large: bool,
}

impl Buffer {
    /// A large buffer while fewer than [`COPY_BUFFERS_LARGE_MAX`] are in use on this worker (256 KB relay 3 x the
    /// bytes of 8 KB per CPU second), else a small one, so that many slow receivers together stay cheap.
    #[must_use]
    pub fn take() -> Self {
        POOL.with_borrow_mut(|pool| {
            if pool.large_in_use >= COPY_BUFFERS_LARGE_MAX {
                return Self { bytes: vec![0; COPY_BUFFER_SMALL_BYTES].into(), large: false };
            }
            pool.large_in_use += 1;
            let bytes = pool.idle.pop().unwrap_or_else(|| vec![0; COPY_BUFFER_BYTES].into());
            Self { bytes, large: true }
        })
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if !self.large {
            return;
        }
        // A thread that is ending has no pool any more, and needs none.
        let _ended = POOL.try_with(|pool| {
            let mut pool = pool.borrow_mut();
            pool.large_in_use -= 1;
            if pool.idle.len() < COPY_BUFFERS_KEPT {
                pool.idle.push(std::mem::take(&mut self.bytes));
            }
        });
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn past_the_limit_buffers_are_small() {
        let large: Vec<Buffer> = (0..COPY_BUFFERS_LARGE_MAX).map(|_| Buffer::take()).collect();
        assert!(large.iter().all(|buffer| buffer.len() == COPY_BUFFER_BYTES));
        assert_eq!(Buffer::take().len(), COPY_BUFFER_SMALL_BYTES);
        drop(large);
        assert_eq!(Buffer::take().len(), COPY_BUFFER_BYTES);
        POOL.with_borrow(|pool| assert!(pool.idle.len() <= COPY_BUFFERS_KEPT, "{} kept", pool.idle.len()));
    }
}
