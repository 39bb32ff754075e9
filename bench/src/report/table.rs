//! The table of a variant, as Markdown.

use super::summary::{Row, Spread};
use super::verdict::{OURS, Verdict, ratio};
use crate::work::quantity::Quantity;
use crate::work::scenario::Variant;

/// The table, and below it the reasons for what is missing in it.
pub fn render(variant: &Variant, rows: &[Row], verdicts: &[Verdict], others: (f64, f64)) -> String {
    let (compared, rest) = (variant.compared(), &variant.shown[1..]);
    let with_cores = rows.iter().any(|row| row.proxy_share > 0.0);
    let mut lines = head(variant, with_cores);
    let mut notes = Vec::new();
    for row in rows {
        if let Some(reason) = &row.absent {
            notes.push(format!("{}: – {reason}", row.contestant));
        }
        if row.numbers.is_empty() {
            let empty = " – |".repeat(rest.len() + 3 + usize::from(with_cores));
            lines.push(format!("| {} |{empty}", row.contestant));
            continue;
        }
        lines.push(line(row, rows, compared, rest, verdicts, with_cores));
        if row.bound_by_load {
            notes.push(format!(
                "{}: † the load's core was full while the proxy's was not: throughput is the load generator's",
                row.contestant
            ));
        }
        if row.failures > 0 {
            notes.push(format!(
                "{}: {} requests failed: its numbers do not count",
                row.contestant, row.failures
            ));
        }
    }
    if others.0 >= 0.1 || others.1 >= 0.1 {
        let (proxy, load) = (others.0 * 100.0, others.1 * 100.0);
        notes.push(format!(
            "others used up to {proxy:.0} % of the proxy's core and {load:.0} % of the load's: CPU counts, throughput and latency suffer"
        ));
    }
    if !notes.is_empty() {
        lines.push(String::new());
        lines.extend(notes.into_iter().map(|note| format!("- {}", note.replace('\n', " "))));
    }
    lines.join("\n")
}

fn head(variant: &Variant, with_cores: bool) -> Vec<String> {
    let (compared, rest, unit) = (variant.compared(), &variant.shown[1..], &variant.unit);
    let mut titles = vec![
        "proxy".to_owned(),
        format!("{} (min-max)", compared.title(unit)),
        "ours to it".to_owned(),
        "target".to_owned(),
    ];
    titles.extend(rest.iter().map(|quantity| quantity.title(unit)));
    if with_cores {
        titles.push("cores % proxy, load".to_owned());
    }
    let rule = "--:|".repeat(rest.len() + usize::from(with_cores));
    vec![format!("| {} |", titles.join(" | ")), format!("|---|--:|--:|---|{rule}")]
}

fn line(
    row: &Row,
    rows: &[Row],
    compared: Quantity,
    rest: &[Quantity],
    verdicts: &[Verdict],
    with_cores: bool,
) -> String {
    let spread = |Spread { min, median, max }: Spread| {
        format!("{} ({}-{})", compared.show(median), compared.show(min), compared.show(max))
    };
    let ours_to_it = ratio(rows, compared, row.contestant).filter(|_| row.contestant != OURS);
    let targets: Vec<&str> = verdicts
        .iter()
        .filter(|verdict| verdict.beside == row.contestant)
        .map(|verdict| verdict.text.as_str())
        .collect();
    let dash = || "–".to_owned();
    let mut cells = vec![
        row.contestant.to_owned(),
        row.numbers.get(&compared).map_or_else(dash, |found| spread(*found)),
        ours_to_it.map_or_else(dash, |ratio| format!("{ratio:.2}")),
        targets.join("; "),
    ];
    cells.extend(
        rest.iter().map(|quantity| row.median(*quantity).map_or_else(dash, |number| quantity.show(number))),
    );
    if with_cores {
        let mark = if row.bound_by_load { " †" } else { "" };
        cells.push(format!("{:.0}, {:.0}{mark}", row.proxy_share * 100.0, row.load_share * 100.0));
    }
    format!("| {} |", cells.join(" | "))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::report::verdict::judge;
    use crate::work::load::Load;
    use crate::work::setup::{Protocol, Setup};
    use crate::work::target::{Limit, Target};

    fn variant() -> Variant {
        let (front, back, hop, conditions) = (Protocol::Http1, Protocol::Http1, None, Vec::new());
        let target =
            Target { quantity: Quantity::CpuMicros, of: Some("envoy".to_owned()), limit: Limit::AtMost(0.4) };
        Variant {
            name: "1 KB".to_owned(),
            unit: "request".to_owned(),
            setup: Setup { front, mtls: false, back, hop, conditions },
            load: Load::Nothing,
            warm_up_millis: 0,
            measured_millis: 0,
            shown: vec![Quantity::CpuMicros, Quantity::PerSecond],
            beside: Vec::new(),
            cannot: BTreeMap::new(),
            targets: vec![target],
        }
    }

    fn row(contestant: &'static str, cpu: f64, absent: Option<&str>) -> Row {
        let spread = |median: f64| Spread { min: median - 1.0, median, max: median + 2.0 };
        let numbers = [(Quantity::CpuMicros, spread(cpu)), (Quantity::PerSecond, spread(1000.0))];
        let numbers = if absent.is_some() { BTreeMap::new() } else { BTreeMap::from(numbers) };
        let absent = absent.map(str::to_owned);
        Row {
            contestant,
            numbers,
            proxy_share: 0.99,
            load_share: 0.5,
            bound_by_load: false,
            failures: 0,
            absent,
        }
    }

    #[test]
    fn ratio_and_target_stand_beside_the_peer_and_a_gap_has_its_reason() {
        let variant = variant();
        let rows = [
            row("tombolo", 12.0, None),
            row("envoy", 24.0, None),
            row("nginx", 0.0, Some("has no such thing")),
        ];
        let table = render(&variant, &rows, &judge(&variant, &rows), (0.0, 0.0));
        assert!(table.contains("| tombolo | 12.0 (11.0-14.0) | – |  | 1000 | 99, 50 |"), "{table}");
        assert!(
            table.contains("| envoy | 24.0 (23.0-26.0) | 0.50 | ≤ 0.4: **missed** | 1000 | 99, 50 |"),
            "{table}"
        );
        assert!(table.contains("| nginx | – | – | – | – | – |"), "{table}");
        assert!(table.contains("- nginx: – has no such thing"), "{table}");
    }

    #[test]
    fn neighbours_are_named_when_they_take_a_tenth_of_a_core() {
        let variant = variant();
        let rows = [row("tombolo", 12.0, None)];
        assert!(!render(&variant, &rows, &[], (0.05, 0.05)).contains("others"));
        assert!(
            render(&variant, &rows, &[], (0.05, 0.3))
                .contains("others used up to 5 % of the proxy's core and 30 %")
        );
    }
}
