//! What clients may send: the table, a file per subject, and its tests.

use std::collections::BTreeMap;

use harness::known::{self, Both};

use super::case::{Case, assert_many_and_named, wanted};
use super::lane;
use super::outcome::Outcome;
use super::run::{self, WAYS, Way};

mod lengths;

mod codings;

mod chunks;

mod lines;

mod fields;

mod hosts;

mod forms;

mod pipelines;

mod upgrades;

mod sizes;

mod large;

mod cut;

const CASES_MIN: usize = 200;

/// Every case.
fn cases() -> Vec<Case> {
    let subjects = [
        lengths::cases,
        codings::cases,
        chunks::cases,
        lines::cases,
        fields::cases,
        hosts::cases,
        forms::cases,
        pipelines::cases,
        upgrades::cases,
        sizes::cases,
        large::cases,
        cut::cases,
    ];
    subjects.into_iter().flat_map(|cases| cases()).filter(|case| wanted(&case.name)).collect()
}

#[test]
fn the_attacks_are_many_and_every_one_has_its_own_name() {
    assert_many_and_named(cases().iter().map(|case| case.name.as_str()), CASES_MIN);
}

#[test]
fn no_request_is_smuggled_and_every_doubt_ends_the_connection() {
    let cases = cases();
    let jobs: Vec<(&Case, Way)> = cases.iter().flat_map(|case| WAYS.map(|way| (case, way))).collect();
    let outcomes = lane::tombolo().all(&jobs, |lane, (case, way)| run::case(lane, case, *way));
    let mut wrong = Vec::new();
    for ((case, way), outcome) in jobs.iter().zip(&outcomes) {
        let problem = smuggled(outcome);
        let line = outcome.line();
        if line != case.expected || problem.is_some() {
            let (name, expected) = (&case.name, &case.expected);
            wrong.push(format!("{name}, {way:?}: {problem:?}\n  expected {expected}\n  got      {line}"));
        }
    }
    println!("{} cases, {} runs", cases.len(), jobs.len());
    assert!(wrong.is_empty(), "{} of {} runs:\n{}", wrong.len(), jobs.len(), wrong.join("\n"));
}

/// Where Envoy's outcome depends on what it sees first: the end of the client's side, for which it closes, or the
/// backend's answer. Ours does not: RFC 9112 §9.6 lets a client that ended its side still be answered.
const RACES: [&str; 2] = ["attack: cut behind a whole request", "attack: cut behind a request, in the next"];

#[test]
fn envoy_agrees_or_the_difference_is_explained() {
    let Some(mut envoy) = lane::envoy() else { return };
    let cases = cases();
    let outcomes = envoy.all(&cases, |lane, case| run::case(lane, case, Way::InTurn));
    let different = cases
        .iter()
        .zip(&outcomes)
        .filter(|(case, outcome)| outcome.line() != case.expected && !RACES.contains(&case.name.as_str()));
    let found: BTreeMap<String, Both> = different
        .map(|(case, outcome)| {
            (case.name.clone(), Both { envoy: outcome.line(), ours: case.expected.clone() })
        })
        .collect();
    known::judge("attack: ", &found);
}

/// What no table can excuse.
fn smuggled(outcome: &Outcome) -> Option<&'static str> {
    let refused = outcome.statuses.iter().filter(|status| **status >= 300).count();
    let answered = outcome.statuses.iter().filter(|status| **status >= 200).count() - refused;
    if outcome.requests().any(|request| request.target.contains("smuggled")) {
        return Some("a request was smuggled");
    }
    if outcome.seen.iter().any(|seen| matches!(seen.what, harness::raw_backend::What::Wrong(..))) {
        return Some("the backend received what no reader may accept");
    }
    // A request that reached the backend may stay unanswered when its client goes away; never more than one.
    (outcome.requests().count() > answered + 1).then_some("more requests at the backend than were answered")
}
