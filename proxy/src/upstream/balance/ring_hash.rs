//! Ketama: a ring of hashes of the endpoints, the same ring that Envoy builds.

use xds::model::{self, HashFunction};

use super::hash::{murmur_hash2, xx_hash64};

#[derive(Debug)]
pub(super) struct RingHash {
    /// Hash and endpoint, by hash.
    ring: Box<[(u64, u32)]>,
}

impl RingHash {
    /// A ring over keys with their shares, which add up to 1.
    pub(super) fn new(settings: &model::RingHash, keys: &[(String, f64)]) -> Self {
        let least = keys.iter().map(|(_, share)| *share).fold(1.0, f64::min);
        if keys.is_empty() || least <= 0.0 {
            return Self { ring: Box::default() };
        }
        // The lightest endpoint gets a whole number of entries, unless that makes the ring too large.
        let scale = ((least * settings.minimum_ring_size as f64).ceil() / least)
            .min(settings.maximum_ring_size as f64);
        let mut ring = Vec::with_capacity(scale.ceil() as usize);
        let mut target = 0.0;
        let mut text = String::new();
        for (index, (key, share)) in (0_u32..).zip(keys) {
            target += scale * share;
            let mut entry = 0_u64;
            while (ring.len() as f64) < target {
                text.clear();
                text.push_str(key);
                text.push('_');
                text.push_str(&entry.to_string());
                ring.push((hash(settings.hash_function, text.as_bytes()), index));
                entry += 1;
            }
        }
        ring.sort_unstable();
        Self { ring: ring.into() }
    }

    /// The endpoint at the first hash not below `hash`; later attempts go on along the ring.
    pub(super) fn choose(&self, hash: u64, attempt: u32) -> Option<usize> {
        if self.ring.is_empty() {
            return None;
        }
        let first = self.ring.partition_point(|(entry, _)| *entry < hash);
        let position = (first + attempt as usize) % self.ring.len();
        usize::try_from(self.ring[position].1).ok()
    }
}

fn hash(function: HashFunction, bytes: &[u8]) -> u64 {
    match function {
        HashFunction::XxHash => xx_hash64(bytes, 0),
        HashFunction::MurmurHash2 => murmur_hash2(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(count: usize) -> Vec<(String, f64)> {
        (0..count).map(|n| (format!("127.0.0.1:{}", 90 + n), 1.0 / count as f64)).collect()
    }

    fn ring(minimum: u64, maximum: u64, keys: &[(String, f64)]) -> RingHash {
        let settings = model::RingHash {
            minimum_ring_size: minimum,
            maximum_ring_size: maximum,
            hash_function: HashFunction::XxHash,
        };
        RingHash::new(&settings, keys)
    }

    // The ring of Envoy's own test: six endpoints, twelve entries, their hashes and their order.
    #[test]
    fn the_ring_is_the_one_envoy_builds() {
        let built = ring(12, 8 << 20, &keys(6));
        let ports: Vec<_> = built.ring.iter().map(|(_, host)| 90 + host).collect();
        assert_eq!(ports, [94, 92, 90, 95, 93, 91, 91, 93, 95, 92, 94, 90], "{:?}", built.ring);
        assert_eq!(built.ring[0].0, 833_437_586_790_550_860);
        assert_eq!(built.ring[11].0, 16_117_243_373_044_804_889);
        let port = |hash| 90 + built.choose(hash, 0).unwrap();
        assert_eq!([port(0), port(3_551_244_743_356_806_947), port(u64::MAX)], [94, 95, 94]);
        assert_eq!(built.choose(0, 1), Some(2), "a second attempt takes the next entry");
    }

    #[test]
    fn the_ring_has_the_size_asked_for_and_never_more() {
        assert_eq!(ring(1024, 8 << 20, &keys(3)).ring.len(), 1026, "a whole number for each of three");
        assert_eq!(ring(1024, 10, &keys(3)).ring.len(), 10);
    }

    #[test]
    fn weights_give_entries() {
        let weighted = vec![("a".to_owned(), 0.25), ("b".to_owned(), 0.75)];
        let built = ring(100, 8 << 20, &weighted);
        let heavy = built.ring.iter().filter(|(_, host)| *host == 1).count();
        assert_eq!((built.ring.len(), heavy), (100, 75));
    }

    #[test]
    fn losing_an_endpoint_only_moves_its_own_hashes() {
        let (before, after) = (ring(1024, 8 << 20, &keys(5)), ring(1024, 8 << 20, &keys(4)));
        let mut rng = fastrand::Rng::with_seed(1);
        let moved = (0..10_000)
            .filter(|_| {
                let hash = rng.u64(..);
                let old = before.choose(hash, 0);
                old != Some(4) && old != after.choose(hash, 0)
            })
            .count();
        // The entries per endpoint differ a little (205 of five, 256 of four), which moves some.
        assert!(moved < 2_000, "{moved} of 10,000 hashes of endpoints that stayed were moved");
    }
}
