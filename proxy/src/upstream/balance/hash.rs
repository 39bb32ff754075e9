//! The hash functions that Envoy's rings use; the same input gives the same number here and there.

use xxhash_rust::xxh64::xxh64;

/// The seed of libstdc++'s `std::hash`, which Envoy's MurmurHash2 rings keep.
const STD_HASH_SEED: u64 = 0xc70f_6907;

/// xxHash64.
#[must_use]
pub fn xx_hash64(bytes: &[u8], seed: u64) -> u64 {
    xxh64(bytes, seed)
}

/// MurmurHash64A with the seed of `std::hash`.
#[must_use]
pub fn murmur_hash2(bytes: &[u8]) -> u64 {
    const MUL: u64 = 0xc6a4_a793_5bd1_e995;
    let shift_mix = |value: u64| value ^ (value >> 47);
    let mut hash = STD_HASH_SEED ^ (bytes.len() as u64).wrapping_mul(MUL);
    let mut words = bytes.chunks_exact(8);
    for word in &mut words {
        let word = word.iter().rev().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
        let mixed = shift_mix(word.wrapping_mul(MUL)).wrapping_mul(MUL);
        hash = (hash ^ mixed).wrapping_mul(MUL);
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        let word = rest.iter().rev().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
        hash = (hash ^ word).wrapping_mul(MUL);
    }
    shift_mix(shift_mix(hash).wrapping_mul(MUL))
}

#[cfg(test)]
mod tests {
    use super::*;

    // Known answers: std::hash of libstdc++ for the first, Envoy's own tests for both.
    #[test]
    fn hashes_are_the_ones_other_implementations_give() {
        for (text, want) in [
            ("foo", 9_631_199_822_919_835_226),
            ("bar", 11_474_628_671_133_349_555),
            ("127.0.0.1:80", 13_283_929_605_236_901_753),
            ("", 6_142_509_188_972_423_790),
            ("12345678", 10_113_836_418_918_046_885),
            ("123456789", 12_315_982_496_267_331_008),
        ] {
            assert_eq!(murmur_hash2(text.as_bytes()), want, "murmur hash of {text:?}");
        }
        assert_eq!(xx_hash64(b"foo", 0), 3_728_699_739_546_630_719);
        assert_eq!(xx_hash64(b"bar", 0), 5_234_164_152_756_840_025);
    }
}
