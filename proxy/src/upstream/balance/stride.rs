//! Weighted rotation without locks: static stride scheduling.
//!
//! A shared counter walks over the entries again and again; entry `i` is taken in `weight[i]` of every
//! `max weight` rounds, evenly spread. Over a whole cycle the shares are exact, and neighbours alternate.

use std::sync::atomic::{AtomicU64, Ordering};

/// A rotation over entries with weights.
#[derive(Debug)]
pub struct Stride {
    weights: Box<[u32]>,
    max: u32,
    position: AtomicU64,
}

impl Stride {
    /// A rotation that begins at `start`; entries without weight are never taken.
    #[must_use]
    pub fn new(weights: impl IntoIterator<Item = u32>, start: u64) -> Self {
        let weights: Box<[u32]> = weights.into_iter().collect();
        let max = weights.iter().copied().max().unwrap_or(0);
        Self { weights, max, position: AtomicU64::new(start >> START_BITS_UNUSED) }
    }

    /// The weights as shares of the largest, for weights that are not whole numbers.
    #[must_use]
    pub fn of_shares(shares: &[f64], start: u64) -> Self {
        let largest = shares.iter().copied().fold(0.0, f64::max);
        let scale = if largest > 0.0 { f64::from(SCALED_MAX) / largest } else { 0.0 };
        Self::new(shares.iter().map(|share| (share * scale).round() as u32), start)
    }

    /// The next entry; `None` if no entry has weight.
    pub fn next(&self) -> Option<usize> {
        self.walk(1, |_, weight| weight)
    }

    /// The next entry when the weight of entry `i` is only `scale(i)` (0 to 1) of what it was made with.
    pub fn next_scaled(&self, scale: impl Fn(usize) -> f64) -> Option<usize> {
        self.walk(u64::from(SCALED_MAX), |entry, weight| {
            (weight as f64 * scale(entry).clamp(0.0, 1.0)).ceil() as u64
        })
    }

    /// Goes on until an entry takes its turn; weights count `precision` times.
    fn walk(&self, precision: u64, effective: impl Fn(usize, u64) -> u64) -> Option<usize> {
        let max = u64::from(self.max) * precision;
        if max == 0 {
            return None;
        }
        let len = self.weights.len() as u64;
        let mut last = None;
        // Unscaled, one entry of every round has full weight. Scaled, give up after some rounds and take any.
        for _ in 0..len * SCALED_ROUNDS {
            let position = self.position.fetch_add(1, Ordering::Relaxed);
            let (round, index) = (position / len, position % len);
            let entry = usize::try_from(index).ok()?;
            let whole = u64::from(self.weights[entry]) * precision;
            if whole == 0 {
                continue;
            }
            let weight = effective(entry, whole);
            // Entries of one weight start at different phases, so that they do not come in a bunch.
            let phase = (mul_mod(weight, round, max) + mul_mod(index, max / 2, max)) % max;
            if phase + weight >= max {
                return Some(entry);
            }
            last = Some(entry);
        }
        last
    }
}

fn mul_mod(left: u64, right: u64, modulus: u64) -> u64 {
    let product = u128::from(left) * u128::from(right) % u128::from(modulus);
    u64::try_from(product).unwrap_or(0)
}

/// How far a start is cut down, so that the counter does not wrap.
const START_BITS_UNUSED: u32 = 16;

/// What the largest share is scaled to.
const SCALED_MAX: u32 = 10_000;

/// Rounds to look for an entry whose scaled weight takes its turn.
const SCALED_ROUNDS: u64 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(stride: &Stride, picks: usize) -> Vec<usize> {
        let mut counts = vec![0; stride.weights.len()];
        for _ in 0..picks {
            counts[stride.next().unwrap()] += 1;
        }
        counts
    }

    #[test]
    fn equal_weights_take_turns() {
        let stride = Stride::new([7, 7, 7], 0);
        let picks: Vec<_> = (0..7).filter_map(|_| stride.next()).collect();
        assert_eq!(picks, [0, 1, 2, 0, 1, 2, 0]);
    }

    #[test]
    fn shares_are_exact_over_a_cycle_from_any_start() {
        for start in [0, 1 << 16, 5 << 16, 12345 << 16] {
            let stride = Stride::new([1, 2, 5], start);
            assert_eq!(counts(&stride, 8 * 50), [50, 100, 250], "start {start}");
        }
    }

    #[test]
    fn a_light_entry_is_not_starved_and_a_heavy_one_does_not_burst() {
        let stride = Stride::new([1, 9], 0);
        let picks: Vec<_> = (0..100).filter_map(|_| stride.next()).collect();
        let longest = picks.split(|pick| *pick == 0).map(<[usize]>::len).max();
        assert_eq!(longest, Some(9), "nine of the heavy one between two of the light one");
    }

    #[test]
    fn an_entry_without_weight_is_never_taken() {
        assert_eq!(counts(&Stride::new([0, 3, 0, 1], 0), 40), [0, 30, 0, 10]);
        assert_eq!(Stride::new([0, 0], 0).next(), None);
        assert_eq!(Stride::new([], 0).next(), None);
    }

    #[test]
    fn broken_shares_keep_their_proportion() {
        let stride = Stride::of_shares(&[0.7, 1.4, 0.0], 0);
        assert_eq!(counts(&stride, 300), [100, 200, 0]);
    }

    #[test]
    fn a_scaled_entry_comes_less_often() {
        let stride = Stride::new([10, 10], 0);
        let scale = |entry| if entry == 0 { 0.1 } else { 1.0 };
        let first = (0..1100).filter(|_| stride.next_scaled(scale) == Some(0)).count();
        assert_eq!(first, 100, "one of eleven");
    }

    #[test]
    fn all_entries_scaled_to_almost_nothing_still_give_one() {
        let stride = Stride::new([1000, 1000], 0);
        assert!(stride.next_scaled(|_| 0.000_1).is_some());
    }
}
