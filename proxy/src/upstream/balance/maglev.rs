//! Maglev: a lookup table that gives every endpoint its share of the slots, filled as Envoy fills it
//! (<https://research.google/pubs/maglev-a-fast-and-reliable-software-network-load-balancer/>).

use super::hash::xx_hash64;

#[derive(Debug)]
pub(super) struct Maglev {
    table: Box<[u32]>,
}

struct Filler {
    host: u32,
    offset: u64,
    skip: u64,
    share: f64,
    target: f64,
    next: u64,
}

const EMPTY: u32 = u32::MAX;

impl Maglev {
    /// A table of `size` slots, a prime, over keys with their shares.
    pub(super) fn new(size: u64, keys: &[(String, f64)]) -> Self {
        let heaviest = keys.iter().map(|(_, share)| *share).fold(0.0, f64::max);
        if size < 2 || heaviest <= 0.0 {
            return Self { table: Box::default() };
        }
        let mut fillers: Vec<_> = (0..)
            .zip(keys)
            .filter(|(_, (_, share))| *share > 0.0)
            .map(|(host, (key, share))| (key, host, *share))
            .collect();
        // The table depends on the order: by key, so that every proxy builds the same.
        fillers.sort_by(|left, right| left.0.cmp(right.0));
        let mut fillers: Vec<_> = fillers
            .into_iter()
            .map(|(key, host, share)| Filler {
                host,
                offset: xx_hash64(key.as_bytes(), 0) % size,
                skip: xx_hash64(key.as_bytes(), 1) % (size - 1) + 1,
                share,
                target: 0.0,
                next: 0,
            })
            .collect();
        let mut table = vec![EMPTY; usize::try_from(size).unwrap_or(0)];
        fill(&mut table, &mut fillers, heaviest);
        Self { table: table.into() }
    }

    /// The endpoint of `hash`'s slot; later attempts look elsewhere.
    pub(super) fn choose(&self, hash: u64, attempt: u32) -> Option<usize> {
        if self.table.is_empty() {
            return None;
        }
        let hash = if attempt == 0 { hash } else { hash ^ (u64::MAX - u64::from(attempt) + 1) };
        let slot = usize::try_from(hash % self.table.len() as u64).ok()?;
        usize::try_from(self.table[slot]).ok()
    }
}

/// Every endpoint in turn takes the next free slot of its own permutation; lighter ones sit out rounds.
fn fill(table: &mut [u32], fillers: &mut [Filler], heaviest: f64) {
    let size = table.len() as u64;
    let mut filled = 0;
    let mut round = 1.0;
    loop {
        for filler in fillers.iter_mut() {
            if filled == size {
                return;
            }
            if round * filler.share < filler.target {
                continue;
            }
            filler.target += heaviest;
            let slot = loop {
                let slot = (filler.offset + filler.skip * filler.next) % size;
                filler.next += 1;
                let slot = usize::try_from(slot).unwrap_or(0);
                if table[slot] == EMPTY {
                    break slot;
                }
            };
            table[slot] = filler.host;
            filled += 1;
        }
        round += 1.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(count: usize) -> Vec<(String, f64)> {
        (0..count).map(|n| (format!("127.0.0.1:{}", 90 + n), 1.0 / count as f64)).collect()
    }

    // The table of Envoy's own test: six endpoints in seven slots.
    #[test]
    fn the_table_is_the_one_envoy_builds() {
        let ports: Vec<_> = Maglev::new(7, &keys(6)).table.iter().map(|host| 90 + host).collect();
        assert_eq!(ports, [92, 94, 90, 91, 95, 90, 93]);
    }

    #[test]
    fn the_table_does_not_depend_on_the_order_of_endpoints() {
        let forward = keys(5);
        let backward: Vec<_> = forward.iter().rev().cloned().collect();
        let names = |keys: &[(String, f64)]| -> Vec<String> {
            Maglev::new(251, keys).table.iter().map(|host| keys[*host as usize].0.clone()).collect()
        };
        assert_eq!(names(&forward), names(&backward));
    }

    #[test]
    fn shares_give_slots() {
        let weighted = vec![("a".to_owned(), 0.2), ("b".to_owned(), 0.8)];
        let table = Maglev::new(65_537, &weighted).table;
        let light = table.iter().filter(|host| **host == 0).count();
        assert!((13_000..13_215).contains(&light), "{light} of 65,537 slots for a fifth");
    }

    #[test]
    fn losing_an_endpoint_moves_little_else() {
        let (before, after) = (Maglev::new(65_537, &keys(5)), Maglev::new(65_537, &keys(4)));
        let moved = (0..65_537_u64)
            .filter(|hash| {
                let old = before.choose(*hash, 0);
                old != Some(4) && old != after.choose(*hash, 0)
            })
            .count();
        assert!(moved < 8_000, "{moved} slots of endpoints that stayed were moved");
    }

    #[test]
    fn another_attempt_mostly_finds_another_endpoint() {
        let table = Maglev::new(65_537, &keys(10));
        let same = (0..10_000_u64).filter(|hash| table.choose(*hash, 0) == table.choose(*hash, 1)).count();
        assert!(same < 2_000, "{same} of 10,000 second attempts chose the same endpoint");
    }
}
