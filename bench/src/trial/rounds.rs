//! The rounds: everybody in turn, again and again, each time in fresh processes on the same core.

use std::collections::BTreeMap;

use super::measure;
use super::measurement::Measurement;
use super::stage::Pins;
use crate::contestant::Contestant;
use crate::process::folder::Folder;
use crate::work::quantity::Quantity;
use crate::work::scenario::Variant;

/// What came of a variant.
pub struct Outcome {
    /// Every measurement.
    pub measurements: Vec<Measurement>,
    /// Who was not measured, or not to the end, with the reason.
    pub absent: BTreeMap<&'static str, String>,
    /// Whether somebody failed who should have been able to.
    pub failed: bool,
}

/// Runs a variant's rounds with those of the contestants who take part in it.
pub fn run(
    contestants: &[Contestant],
    variant: &Variant,
    rounds: u32,
    pins: Pins,
    folder: &Folder,
) -> Result<Outcome, String> {
    let mut outcome = Outcome { measurements: Vec::new(), absent: BTreeMap::new(), failed: false };
    for contestant in contestants {
        if let Some(reason) = contestant.cannot(variant, folder)? {
            outcome.absent.insert(contestant.name, reason);
        } else if let Err(reason) = measure::probe(contestant, variant, pins, folder) {
            outcome.fail(contestant.name, reason);
        }
    }
    for round in 1..=rounds {
        // Each round begins with another one, so that nobody is always first after a pause.
        let mut order: Vec<&Contestant> = contestants.iter().collect();
        order.rotate_left((round as usize - 1) % contestants.len().max(1));
        for contestant in order {
            if outcome.absent.contains_key(contestant.name) {
                continue;
            }
            match measure::measure(contestant, round, variant, pins, folder) {
                Ok(measurement) => outcome.take(measurement, variant),
                Err(reason) => outcome.fail(contestant.name, reason),
            }
        }
        add_latency_over_direct(&mut outcome.measurements, round);
    }
    Ok(outcome)
}

impl Outcome {
    fn take(&mut self, measurement: Measurement, variant: &Variant) {
        // What is added over direct is known when the round is over; until then the next number tells most.
        let known = variant.shown.iter().find_map(|one| Some((one, measurement.numbers.get(one)?)));
        let shown = known.map(|(one, number)| format!("{} {}", one.show(*number), one.title(&variant.unit)));
        let shown = shown.unwrap_or_else(|| "measured".to_owned());
        eprintln!("  round {} {:10} {shown}", measurement.round, measurement.contestant);
        if measurement.failures > 0 {
            let first = measurement.first_failure.clone().unwrap_or_default();
            self.failed = true;
            eprintln!("  {}: {} failures, the first: {first}", measurement.contestant, measurement.failures);
        }
        self.measurements.push(measurement);
    }

    fn fail(&mut self, name: &'static str, reason: String) {
        eprintln!("  {name} failed: {reason}");
        self.failed = true;
        self.absent.insert(name, format!("failed: {reason}"));
    }
}

/// Subtracts what `direct` took in the same round.
fn add_latency_over_direct(measurements: &mut [Measurement], round: u32) {
    let direct = measurements.iter().find(|one| one.round == round && one.contestant == "direct");
    let Some(direct) = direct.and_then(|one| one.latency_micros) else { return };
    let added = [Quantity::AddedP50Micros, Quantity::AddedP99Micros, Quantity::AddedP999Micros];
    for measurement in measurements.iter_mut().filter(|one| one.round == round && one.contestant != "direct")
    {
        let Some(latency) = measurement.latency_micros else { continue };
        for (place, quantity) in added.into_iter().enumerate() {
            measurement.numbers.insert(quantity, latency[place] - direct[place]);
        }
    }
}
