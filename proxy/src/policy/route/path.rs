//! Whether a route's path test passes.

use xds::model::{PathMatch, Regex};

use crate::policy::facts::path_only;

/// A compiled path test.
#[derive(Debug)]
pub(super) struct PathTest {
    kind: Kind,
    ignore_case: bool,
}

#[derive(Debug)]
enum Kind {
    Prefix(String),
    Exact(String),
    SeparatedPrefix(String),
    Regex(Regex),
    Connect,
}

/// What a path must have.
#[derive(Debug, Clone, Copy)]
pub(super) enum Need<'a> {
    /// This, and no more.
    Exact(&'a str),
    /// This at its start.
    Start(&'a str),
    /// It must match as a whole.
    Regex(&'a Regex),
    /// Nothing.
    Nothing,
}

impl PathTest {
    pub(super) fn compile(model: &PathMatch, case_sensitive: bool) -> Self {
        let kind = match model {
            PathMatch::Prefix(text) => Kind::Prefix(text.clone()),
            PathMatch::Exact(text) => Kind::Exact(text.clone()),
            PathMatch::SeparatedPrefix(text) => Kind::SeparatedPrefix(text.clone()),
            PathMatch::Regex(regex) => Kind::Regex(regex.clone()),
            PathMatch::Connect => Kind::Connect,
        };
        Self { kind, ignore_case: !case_sensitive }
    }

    /// What a path needs to have for the test to pass; it may need more.
    pub(super) fn need(&self) -> Need<'_> {
        match &self.kind {
            Kind::Prefix(text) | Kind::SeparatedPrefix(text) => Need::Start(text),
            Kind::Exact(text) => Need::Exact(text),
            Kind::Regex(regex) => Need::Regex(regex),
            Kind::Connect => Need::Nothing,
        }
    }

    /// Whether ASCII case does not count.
    pub(super) fn ignores_case(&self) -> bool {
        self.ignore_case
    }

    /// Whether `path`, without query, passes; `connect` says that the method is CONNECT. A CONNECT request has no
    /// path, so that only the CONNECT test can take it.
    pub(super) fn is_match(&self, path: &str, connect: bool) -> bool {
        if let Kind::Connect = self.kind {
            return connect;
        }
        if path.is_empty() {
            return false;
        }
        match &self.kind {
            Kind::Prefix(prefix) => self.starts_with(path, prefix),
            Kind::Exact(exact) => path.len() == exact.len() && self.starts_with(path, exact),
            Kind::SeparatedPrefix(prefix) => {
                self.starts_with(path, prefix)
                    && matches!(path.as_bytes().get(prefix.len()), None | Some(b'/'))
            }
            Kind::Regex(regex) => regex.is_match(path),
            Kind::Connect => connect,
        }
    }

    /// How much of `path` a prefix rewrite replaces.
    pub(super) fn matched_len(&self, path: &str) -> usize {
        match &self.kind {
            Kind::Prefix(text) | Kind::SeparatedPrefix(text) => text.len(),
            Kind::Exact(_) | Kind::Regex(_) | Kind::Connect => path_only(path).len(),
        }
    }

    fn starts_with(&self, path: &str, start: &str) -> bool {
        let Some(head) = path.as_bytes().get(..start.len()) else { return false };
        if self.ignore_case { head.eq_ignore_ascii_case(start.as_bytes()) } else { head == start.as_bytes() }
    }
}
