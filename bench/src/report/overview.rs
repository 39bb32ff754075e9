//! Every scenario of a run in one table: a row per variant, a column per contestant, medians of the number that is
//! compared, and the targets.

use super::summary::Row;
use super::verdict::{OURS, Verdict};
use crate::options::PEERS;
use crate::work::scenario::Variant;

/// The table's rows so far.
pub struct Overview {
    contestants: Vec<&'static str>,
    lines: Vec<String>,
}

impl Overview {
    /// An empty one.
    pub fn new() -> Self {
        let contestants = [OURS].into_iter().chain(PEERS.iter().copied()).chain(["floor"]).collect();
        Self { contestants, lines: Vec::new() }
    }

    /// Adds a variant.
    pub fn add(&mut self, scenario: &str, variant: &Variant, rows: &[Row], verdicts: &[Verdict]) {
        let compared = variant.compared();
        let cell = |name: &&str| {
            let row = rows.iter().find(|row| row.contestant == *name);
            let median = row.and_then(|row| row.median(compared));
            median.map_or_else(|| "–".to_owned(), |median| compared.show(median))
        };
        let numbers: Vec<String> = self.contestants.iter().map(cell).collect();
        let target = |verdict: &Verdict| {
            let of = if verdict.beside == OURS { String::new() } else { format!("{} ", verdict.beside) };
            format!("{of}{}", verdict.text)
        };
        let targets: Vec<String> = verdicts.iter().map(target).collect();
        let title = compared.title(&variant.unit);
        self.lines.push(format!(
            "| {scenario}, {} | {title} | {} | {} |",
            variant.name,
            numbers.join(" | "),
            targets.join("; ")
        ));
    }

    /// The table, once it says more than the tables before it.
    pub fn render(&self) -> Option<String> {
        if self.lines.len() < 2 {
            return None;
        }
        let head =
            format!("| scenario | number | {} | targets of ours to it |", self.contestants.join(" | "));
        let rule = format!("|---|---|{}---|", "--:|".repeat(self.contestants.len()));
        Some([head, rule].into_iter().chain(self.lines.iter().cloned()).collect::<Vec<_>>().join("\n"))
    }
}
