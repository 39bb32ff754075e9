//! The medians of a variant, one row per contestant.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::trial::measurement::Measurement;
use crate::work::quantity::Quantity;

/// The middle of a number over all rounds, and how far it went.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// The smallest.
    pub min: f64,
    /// The middle one.
    pub median: f64,
    /// The largest.
    pub max: f64,
}

/// What is known of one contestant.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// Who.
    pub contestant: &'static str,
    /// Its numbers.
    pub numbers: BTreeMap<Quantity, Spread>,
    /// Shares of the proxy's and the load's core that it and its load took, medians.
    pub proxy_share: f64,
    /// The share of the load's core.
    pub load_share: f64,
    /// Whether the load was the bottleneck in most rounds.
    pub bound_by_load: bool,
    /// Requests that failed in all rounds.
    pub failures: u64,
    /// Why it has no numbers, if it has none.
    pub absent: Option<String>,
}

impl Row {
    /// The median of a number.
    pub fn median(&self, quantity: Quantity) -> Option<f64> {
        self.numbers.get(&quantity).map(|spread| spread.median)
    }
}

/// One row for each name, in the order given; names without numbers and without a reason have none.
pub fn rows(
    names: &[&'static str],
    measurements: &[Measurement],
    absent: &BTreeMap<&'static str, String>,
) -> Vec<Row> {
    let row = |name: &&'static str| {
        let own: Vec<&Measurement> = measurements.iter().filter(|one| one.contestant == *name).collect();
        let absent = absent.get(name).cloned();
        if own.is_empty() && absent.is_none() {
            return None;
        }
        let bound = own.iter().filter(|one| one.cores.is_bound_by_load()).count();
        Some(Row {
            contestant: name,
            numbers: spreads(&own),
            proxy_share: middle(own.iter().map(|one| one.cores.proxy)),
            load_share: middle(own.iter().map(|one| one.cores.load)),
            bound_by_load: bound * 2 > own.len(),
            failures: own.iter().map(|one| one.failures).sum(),
            absent,
        })
    };
    names.iter().filter_map(row).collect()
}

/// The largest shares of the two cores that others took in any round.
pub fn others(measurements: &[Measurement]) -> (f64, f64) {
    let all = measurements.iter().map(|one| one.cores.others());
    all.fold((0.0, 0.0), |most, one| (f64::max(most.0, one.0), f64::max(most.1, one.1)))
}

fn spreads(own: &[&Measurement]) -> BTreeMap<Quantity, Spread> {
    let mut all: BTreeMap<Quantity, Vec<f64>> = BTreeMap::new();
    for measurement in own {
        for (quantity, number) in &measurement.numbers {
            all.entry(*quantity).or_default().push(*number);
        }
    }
    all.into_iter().filter_map(|(quantity, numbers)| Some((quantity, spread(numbers)?))).collect()
}

fn spread(mut numbers: Vec<f64>) -> Option<Spread> {
    numbers.sort_by(f64::total_cmp);
    let (min, max) = (*numbers.first()?, *numbers.last()?);
    let (upper, count) = (numbers.len() / 2, numbers.len());
    let median = if count % 2 == 1 { numbers[upper] } else { (numbers[upper - 1] + numbers[upper]) / 2.0 };
    Some(Spread { min, median, max })
}

fn middle(numbers: impl Iterator<Item = f64>) -> f64 {
    spread(numbers.collect()).map_or(0.0, |spread| spread.median)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one_or_between_the_two() {
        let median = |numbers: &[f64]| spread(numbers.to_vec()).map(|spread| spread.median);
        assert_eq!(median(&[50.0, 10.0, 12.0]), Some(12.0));
        assert_eq!(median(&[28.0, 20.0]), Some(24.0));
        assert_eq!(median(&[]), None);
    }
}
