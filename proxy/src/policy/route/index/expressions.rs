//! Routes by regular expression: looked up by the text that every match begins with.
//!
//! One rule: where a set cannot be built, its expressions are candidates wherever they may match.

use std::collections::BTreeMap;

use regex::{RegexSet, RegexSetBuilder};
use regex_syntax::hir::literal::Extractor;
use xds::model::Regex;

use super::candidates::{Candidates, Hits};
use super::trie::Trie;

/// How many expressions that begin alike are asked one by one: each costs 320 instructions, a set of ten 1,500.
const ALONE_MAX: usize = 8;

/// How many expressions a set holds: one state of its automaton names all that may still match, and the automaton's
/// memory must hold the states that live paths need.
const SET_MAX: usize = 512;

/// What the program, and what each thread's automaton of one set may take.
const SET_BYTES_MAX: usize = 2 * 1024 * 1024;

#[derive(Debug)]
pub(super) struct Expressions {
    /// Beginnings and the routes that are asked one by one.
    alone: Trie,
    /// Beginnings and their sets.
    shared: Trie,
    sets: Vec<Set>,
}

#[derive(Debug)]
struct Set {
    set: RegexSet,
    /// The route of each expression.
    routes: Box<[u32]>,
}

impl Expressions {
    /// `routes` are in ascending order.
    pub(super) fn compile(routes: &[(u32, &Regex)]) -> Self {
        let mut beginnings: BTreeMap<Vec<u8>, Vec<(u32, &Regex)>> = BTreeMap::new();
        for (route, regex) in routes {
            beginnings.entry(beginning(regex)).or_default().push((*route, regex));
        }
        let mut made = Self { alone: Trie::new(), shared: Trie::new(), sets: Vec::new() };
        for (beginning, routes) in beginnings {
            if routes.len() <= ALONE_MAX {
                made.add_alone(&beginning, &routes);
                continue;
            }
            for routes in routes.chunks(SET_MAX) {
                made.add_set(&beginning, routes);
            }
        }
        made
    }

    fn add_alone(&mut self, beginning: &[u8], routes: &[(u32, &Regex)]) {
        for (route, _) in routes {
            self.alone.add(beginning, *route);
        }
    }

    fn add_set(&mut self, beginning: &[u8], routes: &[(u32, &Regex)]) {
        let built = RegexSetBuilder::new(routes.iter().map(|(_, regex)| regex.whole()))
            .size_limit(SET_BYTES_MAX)
            .dfa_size_limit(SET_BYTES_MAX)
            .build();
        let (Ok(set), Ok(number)) = (built, u32::try_from(self.sets.len())) else {
            return self.add_alone(beginning, routes);
        };
        self.shared.add(beginning, number);
        self.sets.push(Set { set, routes: routes.iter().map(|(route, _)| *route).collect() });
    }

    /// Adds the routes that may take `path` to the candidates, and those that sets found to `hits`.
    pub(super) fn look_up<'a>(&'a self, path: &str, candidates: &mut Candidates<'a>, hits: &mut Hits) {
        if !self.alone.is_empty() {
            self.alone.walk(path.as_bytes(), |routes| candidates.add(routes));
        }
        if self.sets.is_empty() {
            return;
        }
        self.shared.walk(path.as_bytes(), |sets| {
            for Set { set, routes } in sets.iter().map(|set| &self.sets[*set as usize]) {
                hits.extend(set.matches(path).iter().map(|at| routes[at]));
            }
        });
        hits.sort_unstable();
    }
}

/// The longest text that every match begins with; empty where there is none.
fn beginning(regex: &Regex) -> Vec<u8> {
    let Ok(hir) = regex_syntax::parse(regex.as_str()) else { return Vec::new() };
    let literals = Extractor::new().extract(&hir);
    literals.longest_common_prefix().unwrap_or_default().to_vec()
}
