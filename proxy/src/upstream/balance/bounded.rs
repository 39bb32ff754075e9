//! Bounded load for hash balancers (`hash_balance_factor`; <https://arxiv.org/abs/1608.01350>): an endpoint that
//! has more than its share of the active requests passes new ones on.

#[derive(Debug)]
pub(super) struct Bounded {
    factor: u64,
    shares: Box<[f64]>,
}

impl Bounded {
    pub(super) fn new(factor: u32, shares: impl Iterator<Item = f64>) -> Self {
        Self { factor: u64::from(factor), shares: shares.collect() }
    }

    /// `chosen`, or the first endpoint with room in a random order that only depends on `hash`, or the least
    /// overloaded one.
    pub(super) fn instead_of(
        &self,
        chosen: usize,
        hash: u64,
        cluster_active: u64,
        active: impl Fn(usize) -> u64,
    ) -> usize {
        let overload = |index: usize| self.overload(self.shares[index], active(index), cluster_active);
        let first = overload(chosen);
        if first <= 1.0 {
            return chosen;
        }
        let mut order: Vec<usize> = (0..self.shares.len()).filter(|index| *index != chosen).collect();
        fastrand::Rng::with_seed(hash).shuffle(&mut order);
        let mut least = (chosen, first);
        for index in order {
            let overload = overload(index);
            if overload <= 1.0 {
                return index;
            }
            if overload < least.1 {
                least = (index, overload);
            }
        }
        least.0
    }

    fn overload(&self, share: f64, active: u64, cluster_active: u64) -> f64 {
        let slots = ((cluster_active + 1) * self.factor).div_ceil(100);
        let slots = (slots as f64 * share).ceil().max(1.0);
        active as f64 / slots
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overloaded_endpoint_passes_to_the_same_other_one_for_the_same_hash() {
        let bounded = Bounded::new(150, [0.25; 4].into_iter());
        let active = [10, 0, 0, 0];
        let pick = |hash| bounded.instead_of(0, hash, 10, |index| active[index]);
        assert_ne!(pick(7), 0, "five slots for ten requests");
        assert_eq!(pick(7), pick(7), "the order only depends on the hash");
        let others: std::collections::BTreeSet<_> = (0..100).map(pick).collect();
        assert_eq!(others.len(), 3, "different hashes go to different endpoints");
    }

    #[test]
    fn within_its_bound_an_endpoint_keeps_its_requests() {
        let bounded = Bounded::new(200, [0.5, 0.5].into_iter());
        assert_eq!(bounded.instead_of(1, 3, 4, |index| [0, 4][index]), 1, "four of five slots");
    }

    #[test]
    fn when_all_are_overloaded_the_least_overloaded_is_taken() {
        let bounded = Bounded::new(100, [0.9, 0.1].into_iter());
        assert_eq!(bounded.instead_of(0, 1, 9, |index| [90, 2][index]), 1);
    }
}
