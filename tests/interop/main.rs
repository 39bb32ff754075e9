//! Beside real Envoy: the same bootstrap, the same requests, the same answers and the same sight for backends.
//!
//! One rule: where we differ, `differences.md` says so and why; a line there that no longer holds is a failure.

mod case;

mod cases;

mod service;

mod side;

mod outcome;

mod compare;

mod known;

mod counted;

mod standing;

mod load_reports;

mod mirroring;

mod runtime_discovery;

mod configs;

mod corpus;

mod handshakes;

mod network;

mod mesh;

use std::collections::BTreeSet;

use case::Case;
use compare::{Difference, differences};
use side::Side;

const CASES_MIN: usize = 2000;

#[test]
fn the_table_is_long_and_every_case_has_its_own_name() {
    let cases = cases::all();
    let names: BTreeSet<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    let twice: Vec<&str> = names.iter().copied().filter(|name| count(&cases, name) > 1).collect();
    assert!(twice.is_empty(), "names used twice: {twice:?}");
    assert!(cases.len() >= CASES_MIN, "{} cases, {CASES_MIN} at least", cases.len());
}

/// What Envoy itself does not do twice alike cannot be asked of us.
#[test]
fn envoy_answers_twice_alike() {
    let (Some(mut one), Some(mut two)) = (Side::envoy(), Side::envoy()) else { return };
    let found = run(&mut one, &mut two);
    assert!(found.is_empty(), "{}", compare::table("envoy", "envoy again", &found));
}

#[test]
fn tombolo_answers_as_envoy_does() {
    let Some(mut envoy) = Side::envoy() else { return };
    let mut tombolo = Side::tombolo();
    let found = run(&mut envoy, &mut tombolo);
    let judged = known::judge(found);
    let table = compare::table("envoy", "tombolo", &judged.unexpected);
    assert!(judged.unexpected.is_empty(), "{table}");
    assert!(
        judged.stale.is_empty(),
        "no longer different, delete from differences.md:\n{}",
        judged.stale.join("\n")
    );
}

/// Runs every case on both sides; `TOMBOLO_CASES` narrows them to names that contain its text.
fn run(left: &mut Side, right: &mut Side) -> Vec<Difference> {
    let wanted = std::env::var("TOMBOLO_CASES").unwrap_or_default();
    let mut found = Vec::new();
    for case in cases::all().iter().filter(|case| case.name.contains(&wanted)) {
        let (one, two) = both(case, left, right);
        found.extend(differences(case, &one, &two));
        left.assert_running(&case.name);
        right.assert_running(&case.name);
    }
    found
}

/// At the same time, because much of the work is waiting.
fn both(case: &Case, left: &Side, right: &Side) -> (outcome::Outcome, outcome::Outcome) {
    std::thread::scope(|scope| {
        let other = scope.spawn(|| outcome::of(case, right));
        let one = outcome::of(case, left);
        (one, other.join().expect("a case ends in an outcome"))
    })
}

fn count(cases: &[Case], name: &str) -> usize {
    cases.iter().filter(|case| case.name == name).count()
}
