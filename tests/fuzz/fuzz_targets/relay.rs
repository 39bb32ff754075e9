//! The whole relay with both peers scripted.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::relay::check(data));
