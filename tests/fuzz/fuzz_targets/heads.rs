//! Request and response heads.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::heads::check(data));
