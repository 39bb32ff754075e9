//! Gives memory that is free back to the system.
//!
//! The one file of this crate with unsafe code: the allocator's own functions have no safe wrapper.

#![allow(unsafe_code)]

/// Returns what the current thread has freed. To be called after work that needed much memory once: reading a
/// configuration takes the schema of every message that Envoy has, some 10 MB.
pub(super) fn give_back() {
    // SAFETY: takes no pointer, and may be called at any time from any thread; where mimalloc is not the process'
    // allocator it finds nothing to do.
    unsafe { libmimalloc_sys::mi_collect(true) };
}
