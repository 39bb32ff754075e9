//! Pins this thread to one core; what it starts from then on inherits the pin.
//!
//! The one file of this crate with unsafe code: the standard library has no call for the affinity of a thread.

#![allow(unsafe_code)]

/// Lets the calling thread, and the processes it starts, run on this core only.
pub fn to_core(core: usize) -> Result<(), String> {
    if core >= libc::CPU_SETSIZE as usize {
        return Err(format!("core {core}: the kernel knows cores below {}", libc::CPU_SETSIZE));
    }
    // SAFETY: cpu_set_t is a plain array of integers, for which all zeros is a value: the empty set.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    // SAFETY: `core` is below CPU_SETSIZE, so the bit lies inside the set.
    unsafe { libc::CPU_SET(core, &mut set) };
    // SAFETY: the pointer and the size are those of a set that lives until the call returns; 0 is this thread.
    let result = unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &set) };
    if result == 0 {
        return Ok(());
    }
    Err(format!("cannot pin to core {core}: {}", std::io::Error::last_os_error()))
}
