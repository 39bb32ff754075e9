//! What was counted before, and whether it still holds.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// How far a count may be from its record, either way: fewer is good news that must be recorded, or the gate
/// would let the same amount slip back in unseen.
const TOLERANCE_PERCENT: u64 = 3;

/// Instructions per request by scenario and variant.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The profile that was counted.
    profile: String,
    /// The day, UTC.
    date: String,
    /// Instructions per request.
    instructions: BTreeMap<String, u64>,
}

impl Record {
    /// An empty one of today.
    pub fn new(profile: &str) -> Self {
        let date = time::OffsetDateTime::now_utc().date().to_string();
        Self { profile: profile.to_owned(), date, instructions: BTreeMap::new() }
    }

    /// Reads a record.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
        serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))
    }

    /// Writes it.
    pub fn write(&self, path: &Path) -> Result<(), String> {
        let text = serde_json::to_string_pretty(self).map_err(|e| e.to_string())?;
        std::fs::write(path, text + "\n").map_err(|e| format!("{}: {e}", path.display()))
    }

    /// Takes note of a count.
    pub fn put(&mut self, name: String, per_request: f64) {
        self.instructions.insert(name, per_request.round().max(0.0) as u64);
    }
}

/// The counts, beside the record if there is one, as Markdown.
pub fn table(counted: &Record, known: Option<&Record>) -> String {
    let mut lines = vec![
        "| scenario | instructions per request | recorded | change |".to_owned(),
        "|---|--:|--:|--:|".to_owned(),
    ];
    for (name, count) in &counted.instructions {
        let known = known.and_then(|known| known.instructions.get(name));
        let recorded = known.map_or_else(|| "–".to_owned(), u64::to_string);
        let change =
            known.map_or_else(|| "–".to_owned(), |known| format!("{:+.1} %", change(*count, *known) * 100.0));
        lines.push(format!("| {name} | {count} | {recorded} | {change} |"));
    }
    lines.join("\n")
}

/// Fails when a count is not recorded or too far from its record.
pub fn judge(counted: &Record, known: &Record) -> Result<(), String> {
    if counted.profile != known.profile {
        return Err(format!("the record is of profile {}, not {}", known.profile, counted.profile));
    }
    let judge_one = |(name, count): (&String, &u64)| match known.instructions.get(name) {
        None => Some(format!("{name} is not recorded")),
        Some(known) if count.abs_diff(*known) * 100 > known * TOLERANCE_PERCENT => {
            Some(format!("{name}: {count} instructions, {known} recorded"))
        }
        Some(_) => None,
    };
    let found: Vec<String> = counted.instructions.iter().filter_map(judge_one).collect();
    if found.is_empty() {
        return Ok(());
    }
    let remedy = "if that is meant, write a new record with --record";
    Err(format!("more than {TOLERANCE_PERCENT} % from the record: {}; {remedy}", found.join("; ")))
}

fn change(count: u64, known: u64) -> f64 {
    if known == 0 { f64::INFINITY } else { count as f64 / known as f64 - 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(counts: &[(&str, u64)]) -> Record {
        let instructions = counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
        Record { profile: "release".to_owned(), date: "2026-11-21".to_owned(), instructions }
    }

    #[test]
    fn three_percent_either_way_is_let_through_and_more_is_not() {
        let known = record(&[("a", 1000)]);
        for (count, holds) in [(970, true), (1030, true), (969, false), (1031, false)] {
            assert_eq!(judge(&record(&[("a", count)]), &known).is_ok(), holds, "{count}");
        }
    }

    #[test]
    fn what_is_not_recorded_and_another_profile_do_not_pass() {
        assert!(judge(&record(&[("b", 1)]), &record(&[("a", 1)])).is_err());
        let dist = Record { profile: "dist".to_owned(), ..record(&[("a", 1)]) };
        assert!(judge(&record(&[("a", 1)]), &dist).is_err());
    }
}
