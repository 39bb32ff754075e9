//! The differences from Envoy that are meant, of the tests whose cases come to one line: rows of four columns in
//! `differences.md`.
//!
//! One rule: a row states both outcomes to the letter, so that a change on either side is seen.

use std::collections::BTreeMap;

use crate::workspace::root;

/// Both outcomes of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Both {
    /// What comes of it there.
    pub envoy: String,
    /// What comes of it here.
    pub ours: String,
}

/// Fails, for the cases whose names begin with `prefix`, with rows ready for the file if what was found is not what stands there.
pub fn judge(prefix: &str, found: &BTreeMap<String, Both>) {
    let known = read(prefix);
    let mut wrong = Vec::new();
    for (case, both) in found {
        if known.get(case) != Some(both) {
            wrong.push(format!("| {case} | {} | {} | |", escaped(&both.envoy), escaped(&both.ours)));
        }
    }
    for case in known.keys().filter(|case| !found.contains_key(*case)) {
        wrong.push(format!("no longer different, delete: {case}"));
    }
    assert!(wrong.is_empty(), "tests/interop/differences.md:\n{}", wrong.join("\n"));
}

fn read(prefix: &str) -> BTreeMap<String, Both> {
    let path = root().join("tests/interop/differences.md");
    let text = std::fs::read_to_string(path).expect("the explanations are part of the tests");
    let rows = text.lines().filter(|line| line.starts_with(&format!("| {prefix}")));
    let row = |line: &str| {
        let cells: Vec<String> = line
            .replace("\\|", "\0")
            .trim_matches('|')
            .split('|')
            .map(|cell| cell.trim().trim_matches('`').replace('\0', "|"))
            .collect();
        let [case, envoy, ours, why] = cells.as_slice() else { panic!("four columns are wanted: {line}") };
        assert!(!why.is_empty(), "a reason is wanted: {line}");
        (case.clone(), Both { envoy: envoy.clone(), ours: ours.clone() })
    };
    rows.map(row).collect()
}

fn escaped(line: &str) -> String {
    format!("`{}`", line.replace('|', "\\|"))
}
