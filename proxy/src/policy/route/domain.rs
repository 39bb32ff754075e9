//! Which virtual host an authority belongs to: exact name, longest suffix wildcard, longest prefix wildcard, `*`.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use xds::model::Domain;

use crate::error::Invalid;
use crate::policy::port::port_start;

type Names = HashMap<Box<str>, usize, RandomState>;

/// The domains of all virtual hosts; values are positions of virtual hosts.
#[derive(Debug, Default)]
pub(super) struct Domains {
    exact: Names,
    /// By length, longest first.
    suffixes: Vec<(usize, Names)>,
    prefixes: Vec<(usize, Names)>,
    any: Option<usize>,
    ignore_port: bool,
}

impl Domains {
    pub(super) fn new(ignore_port: bool) -> Self {
        Self { ignore_port, ..Self::default() }
    }

    pub(super) fn add(&mut self, domain: &Domain, host: usize) -> Result<(), Invalid> {
        let (before, text) = match domain {
            Domain::Any => (self.any.replace(host), "*"),
            Domain::Exact(name) => (self.exact.insert(name.as_str().into(), host), name.as_str()),
            Domain::Suffix(end) => (insert(&mut self.suffixes, end, host), end.as_str()),
            Domain::Prefix(start) => (insert(&mut self.prefixes, start, host), start.as_str()),
        };
        match before {
            None => Ok(()),
            Some(_) => Err(Invalid::new(
                "domains",
                format!("the domain {text:?} stands more than once; each may stand in one virtual host only"),
            )),
        }
    }

    /// The virtual host for `authority`.
    pub(super) fn find(&self, authority: &str) -> Option<usize> {
        if self.exact.is_empty() && self.suffixes.is_empty() && self.prefixes.is_empty() {
            return self.any;
        }
        if authority.is_empty() {
            return None;
        }
        let host = if self.ignore_port { without_port(authority) } else { authority };
        if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
            self.find_lower(&host.to_ascii_lowercase())
        } else {
            self.find_lower(host)
        }
    }

    fn find_lower(&self, host: &str) -> Option<usize> {
        if let Some(found) = self.exact.get(host) {
            return Some(*found);
        }
        let suffix = |length: usize| host.get(host.len() - length..);
        let prefix = |length: usize| host.get(..length);
        wildcard(&self.suffixes, host, suffix).or_else(|| wildcard(&self.prefixes, host, prefix)).or(self.any)
    }
}

/// The longest wildcard that fits; its star takes at least one character.
fn wildcard<'a>(
    by_length: &[(usize, Names)],
    host: &str,
    part: impl Fn(usize) -> Option<&'a str>,
) -> Option<usize> {
    by_length
        .iter()
        .filter(|(length, _)| *length < host.len())
        .find_map(|(length, names)| names.get(part(*length)?).copied())
}

fn insert(by_length: &mut Vec<(usize, Names)>, text: &str, host: usize) -> Option<usize> {
    let at = by_length.binary_search_by(|(length, _)| text.len().cmp(length));
    let at = at.unwrap_or_else(|at| {
        by_length.insert(at, (text.len(), Names::default()));
        at
    });
    by_length[at].1.insert(text.into(), host)
}

/// The host of an authority; the colons of an IPv6 literal are no port's.
#[must_use]
fn without_port(authority: &str) -> &str {
    match port_start(authority) {
        Some(at) => &authority[..at],
        None => authority,
    }
}
