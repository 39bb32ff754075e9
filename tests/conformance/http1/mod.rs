//! HTTP/1.1 (RFC 9110 and 9112): correct messages in raw bytes, what the backend sees of them and what the client gets.
//!
//! What is not correct is `tests/integration/attacks`. One rule: a row states both sides to the letter; where Envoy
//! answers otherwise, `tests/interop/differences.md` says why ours is right.

use std::collections::{BTreeMap, BTreeSet};

use harness::known::{self, Both};

use case::Case;

mod lane;

mod case;

mod line;

mod exchange;

mod table;

const CASES_MIN: usize = 150;

/// Every case; `TOMBOLO_CASES` narrows them to names that contain its text.
fn cases() -> Vec<Case> {
    let wanted = std::env::var("TOMBOLO_CASES").unwrap_or_default();
    table::all().into_iter().filter(|case| case.name.contains(&wanted)).collect()
}

#[test]
fn the_table_is_long_and_every_case_has_a_name_and_a_section() {
    let cases = table::all();
    let names: BTreeSet<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names.len(), cases.len(), "names used twice");
    assert!(cases.len() >= CASES_MIN, "{} cases, {CASES_MIN} at least", cases.len());
    for case in cases {
        let known = case.section.starts_with("9110 §") || case.section.starts_with("9112 §");
        assert!(known, "{}: {} is no section", case.name, case.section);
    }
}

#[test]
fn every_correct_message_passes_as_the_rfc_says() {
    let cases = cases();
    let lines = lane::tombolo().all(&cases, exchange::run);
    let wrong: Vec<String> = cases
        .iter()
        .zip(lines)
        .filter(|(case, line)| case.expected != *line)
        .map(|(case, line)| {
            format!("{} (RFC {}):\n  expected {}\n  got      {line}", case.name, case.section, case.expected)
        })
        .collect();
    println!("{} cases", cases.len());
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn envoy_passes_messages_alike_or_the_difference_is_explained() {
    let Some(mut envoy) = lane::envoy() else { return };
    let cases = cases();
    let lines = envoy.all(&cases, exchange::run);
    let different = cases.iter().zip(lines).filter(|(case, line)| case.expected != *line);
    let found: BTreeMap<String, Both> = different
        .map(|(case, line)| (case.name.clone(), Both { envoy: line, ours: case.expected.clone() }))
        .collect();
    known::judge("http1: ", &found);
}
