//! Which routes a path may take, without asking each: exact paths by hash, prefixes by a trie, regular expressions
//! by what they begin with and, where many begin alike, by sets.
//!
//! One rule: the index only narrows. It names candidates in the order of the configuration, never leaving out one
//! whose path test would pass, and the route's own matcher has the word; so an index can cost time, never a wrong
//! route.

mod candidates;
mod expressions;
mod trie;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::HashMap;

use foldhash::fast::RandomState;

use self::candidates::{Candidates, Hits};
use self::expressions::Expressions;
use self::trie::Trie;
use super::path::{Need, PathTest};

/// From how many routes on an index is faster than asking each in turn. Of 12 prefixes, the walk to the first costs
/// 230 instructions and to the last 990, the index 620 to any; with expressions the index wins from 2 on.
const ROUTES_MIN: usize = 12;

/// Where to look for the routes of a virtual host.
#[derive(Debug)]
pub(super) struct Index {
    /// Paths as they are.
    as_written: Paths,
    /// Paths in lower case, for routes that ignore case.
    lower: Paths,
    expressions: Expressions,
    /// Routes that may take any path, or none.
    rest: Vec<u32>,
}

#[derive(Debug)]
struct Paths {
    exact: HashMap<Box<[u8]>, Vec<u32>, RandomState>,
    prefixes: Trie,
}

impl Index {
    /// An index of routes by their path tests; `None` where so few are asked faster one by one.
    pub(super) fn compile<'a>(tests: impl ExactSizeIterator<Item = &'a PathTest>) -> Option<Self> {
        if tests.len() < ROUTES_MIN || u32::try_from(tests.len()).is_err() {
            return None;
        }
        Some(Self::new(tests))
    }

    fn new<'a>(tests: impl Iterator<Item = &'a PathTest>) -> Self {
        let (mut as_written, mut lower) = (Paths::new(), Paths::new());
        let mut expressions = Vec::new();
        let mut rest = Vec::new();
        for (route, test) in (0..).zip(tests) {
            let paths = if test.ignores_case() { &mut lower } else { &mut as_written };
            let key = |text: &str| match test.ignores_case() {
                true => text.to_ascii_lowercase().into_bytes(),
                false => text.as_bytes().to_vec(),
            };
            match test.need() {
                Need::Exact(text) => paths.exact.entry(key(text).into()).or_default().push(route),
                Need::Start(text) => paths.prefixes.add(&key(text), route),
                Need::Regex(regex) => expressions.push((route, regex)),
                Need::Nothing => rest.push(route),
            }
        }
        Self { as_written, lower, expressions: Expressions::compile(&expressions), rest }
    }

    /// The first route that `takes` the request; `path` has no query, and is empty for a CONNECT request without
    /// one.
    pub(super) fn first(&self, path: &str, takes: impl FnMut(usize) -> bool) -> Option<usize> {
        let mut hits = Hits::new();
        let mut candidates = Candidates::default();
        candidates.add(&self.rest);
        if !path.is_empty() {
            self.as_written.look_up(path.as_bytes(), &mut candidates);
            if !self.lower.is_empty() {
                self.lower.look_up(&in_lower_case(path), &mut candidates);
            }
            self.expressions.look_up(path, &mut candidates, &mut hits);
        }
        candidates.add(&hits);
        candidates.first(takes)
    }
}

impl Paths {
    fn new() -> Self {
        Self { exact: HashMap::default(), prefixes: Trie::new() }
    }

    fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.prefixes.is_empty()
    }

    fn look_up<'a>(&'a self, path: &[u8], candidates: &mut Candidates<'a>) {
        if let Some(routes) = self.exact.get(path) {
            candidates.add(routes);
        }
        self.prefixes.walk(path, |routes| candidates.add(routes));
    }
}

fn in_lower_case(path: &str) -> Cow<'_, [u8]> {
    if path.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(path.to_ascii_lowercase().into_bytes())
    } else {
        Cow::Borrowed(path.as_bytes())
    }
}
