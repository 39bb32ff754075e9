//! Trees of tests.

use super::choices::Choices;
use super::common;
use crate::model::{Branches, MatchInput, MatchTree, OnMatch, Predicate};

/// A tree of at most `depth` levels over some of `inputs`.
pub(super) fn tree<T>(
    from: &mut Choices<'_>,
    depth: u32,
    inputs: &[MatchInput],
    action: fn(&mut Choices<'_>) -> T,
) -> MatchTree<T> {
    let mut then = |from: &mut Choices<'_>| {
        if depth > 0 && from.flag() {
            OnMatch::Tree(Box::new(tree(from, depth - 1, inputs, action)))
        } else {
            OnMatch::Action(action(from))
        }
    };
    let map = |from: &mut Choices<'_>, then: &mut dyn FnMut(&mut Choices<'_>) -> OnMatch<T>| {
        from.some(2, |from| (from.text(), then(from))).into_iter().collect()
    };
    let branches = match from.between(0, 3) {
        0 => Branches::None,
        1 => Branches::List(from.some(2, |from| (predicate(from, 2, inputs), then(from)))),
        2 => Branches::Exact(from.one_of(inputs), map(from, &mut then)),
        _ => Branches::Prefix(from.one_of(inputs), map(from, &mut then)),
    };
    MatchTree { branches, on_no_match: from.maybe(then).map(Box::new) }
}

fn predicate(from: &mut Choices<'_>, depth: u32, inputs: &[MatchInput]) -> Predicate {
    let two = |from: &mut Choices<'_>| {
        (0..2).map(|_| predicate(from, depth - 1, inputs)).collect::<Vec<Predicate>>()
    };
    match from.between(0, if depth > 0 { 5 } else { 2 }) {
        0 => Predicate::Text(from.one_of(inputs), common::string_matcher(from)),
        1 => Predicate::Ip(from.one_of(inputs), from.some(2, common::cidr)),
        2 => Predicate::Metadata(common::metadata_matcher(from)),
        3 => Predicate::Any(two(from)),
        4 => Predicate::All(two(from)),
        _ => Predicate::Not(Box::new(predicate(from, depth - 1, inputs))),
    }
}
