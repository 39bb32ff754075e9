//! The table: medians with their spread, and ratios to Envoy, as Markdown.

use crate::measurement::Measurement;

const ENVOY: &str = "envoy";

/// One line per contestant, in the order given.
pub fn render(names: &[&str], measurements: &[Measurement]) -> String {
    let envoy = median(&values(ENVOY, measurements, |one| one.cpu_micros));
    let mut lines = vec![
        "| proxy | CPU µs per request (min-max) | of Envoy | requests/s | RSS MB |".to_owned(),
        "|---|--:|--:|--:|--:|".to_owned(),
    ];
    for name in names {
        let cpu = values(name, measurements, |one| one.cpu_micros);
        let Some(middle) = median(&cpu) else { continue };
        let ratio = envoy.map_or("-".to_owned(), |envoy| format!("{:.2}", middle / envoy));
        let rate = median(&values(name, measurements, |one| one.requests_per_second)).unwrap_or(0.0);
        let memory = median(&values(name, measurements, |one| one.resident_bytes as f64)).unwrap_or(0.0);
        let (low, high) = (cpu.first().copied().unwrap_or(0.0), cpu.last().copied().unwrap_or(0.0));
        let memory = memory / (1024.0 * 1024.0);
        lines.push(format!(
            "| {name} | {middle:.1} ({low:.1}-{high:.1}) | {ratio} | {rate:.0} | {memory:.1} |"
        ));
    }
    lines.join("\n")
}

/// The numbers of one contestant, smallest first.
fn values(name: &str, measurements: &[Measurement], number: impl Fn(&Measurement) -> f64) -> Vec<f64> {
    let mut values: Vec<f64> = measurements.iter().filter(|one| one.contestant == name).map(number).collect();
    values.sort_by(f64::total_cmp);
    values
}

fn median(sorted: &[f64]) -> Option<f64> {
    let count = sorted.len();
    match count {
        0 => None,
        _ if count % 2 == 1 => Some(sorted[count / 2]),
        _ => Some((sorted[count / 2 - 1] + sorted[count / 2]) / 2.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(contestant: &'static str, cpu_micros: f64) -> Measurement {
        let (round, requests_per_second, failures, resident_bytes) = (1, 1000.0, 0, 1024 * 1024);
        Measurement { contestant, round, cpu_micros, requests_per_second, failures, resident_bytes }
    }

    #[test]
    fn ratios_are_of_medians_and_spread_is_shown() {
        let all = [10.0, 12.0, 50.0].map(|cpu| measured("tombolo", cpu));
        let all: Vec<_> = all.into_iter().chain([20.0, 28.0].map(|cpu| measured("envoy", cpu))).collect();
        let table = render(&["tombolo", "envoy"], &all);
        assert!(table.contains("| tombolo | 12.0 (10.0-50.0) | 0.50 | 1000 | 1.0 |"), "{table}");
        assert!(table.contains("| envoy | 24.0 (20.0-28.0) | 1.00 |"), "{table}");
    }

    #[test]
    fn without_envoy_there_is_no_ratio() {
        let table = render(&["tombolo"], &[measured("tombolo", 9.0)]);
        assert!(table.contains("| - |"), "{table}");
    }
}
