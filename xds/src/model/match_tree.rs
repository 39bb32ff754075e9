//! Trees of tests whose leaves say what is done (`xds.type.matcher.v3.Matcher`).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;

use super::{Cidr, Metadata, MetadataMatcher, StringMatcher};

/// A tree; `T` is what is done.
#[derive(Debug, Clone, PartialEq)]
pub struct MatchTree<T> {
    /// The tests at its root.
    pub branches: Branches<T>,
    /// When none of them takes what is tested.
    pub on_no_match: Option<Box<OnMatch<T>>>,
}

/// The tests of one node.
#[derive(Debug, Clone, PartialEq)]
pub enum Branches<T> {
    /// None: `on_no_match` takes everything.
    None,
    /// Tests in order; never empty.
    List(Vec<(Predicate, OnMatch<T>)>),
    /// The value that is equal; never empty.
    Exact(MatchInput, BTreeMap<String, OnMatch<T>>),
    /// The longest text that the value begins with; if what is there takes nothing, the next shorter one; never
    /// empty.
    Prefix(MatchInput, BTreeMap<String, OnMatch<T>>),
}

/// What follows a test that passed: what is done, or what decides it.
#[derive(Debug, Clone, PartialEq)]
pub enum OnMatch<T> {
    /// Another tree; where it finds nothing, the search goes on behind it.
    Tree(Box<MatchTree<T>>),
    /// This.
    Action(T),
}

/// A test.
#[derive(Debug, Clone, PartialEq)]
pub enum Predicate {
    /// A value passes; one that is missing never does.
    Text(MatchInput, StringMatcher),
    /// An address is in one of these blocks.
    Ip(MatchInput, Vec<Cidr>),
    /// A value of the dynamic metadata passes.
    Metadata(MetadataMatcher),
    /// One of them passes.
    Any(Vec<Predicate>),
    /// All of them pass.
    All(Vec<Predicate>),
    /// It does not pass.
    Not(Box<Predicate>),
}

/// What is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MatchInput {
    /// A field of the request, or a pseudo-header; lower case. Several fields of the name are joined by commas.
    RequestHeader(String),
    /// A field of the response; lower case.
    ResponseHeader(String),
    /// A parameter of the query, the first of its name.
    QueryParameter(String),
    /// The response's status: `200`.
    StatusCode,
    /// The class of the response's status: `2xx`.
    StatusClass,
    /// The text of an object of the filter state.
    FilterState(String),
    /// Where the client connected to.
    DestinationIp,
    /// Its port.
    DestinationPort,
    /// The client's address, by what is trusted of PROXY protocol and `x-forwarded-for`.
    SourceIp,
    /// Its port.
    SourcePort,
    /// The address of the connection's other end.
    DirectSourceIp,
    /// The server name asked for in the ClientHello.
    ServerName,
    /// URI SANs of the client's certificate, joined by commas.
    UriSans,
    /// DNS SANs of the client's certificate, joined by commas.
    DnsSans,
    /// The subject of the client's certificate.
    Subject,
}

/// What a tree is asked about.
pub trait MatchData {
    /// The value of an input, if there is one.
    fn value(&self, input: &MatchInput) -> Option<Cow<'_, str>>;

    /// The dynamic metadata.
    fn metadata(&self) -> &Metadata;
}

impl<T> MatchTree<T> {
    /// What is done with `data`; `None` when nothing takes it.
    pub fn find<'a>(&'a self, data: &impl MatchData) -> Option<&'a T> {
        self.branches.find(data).or_else(|| self.on_no_match.as_ref()?.find(data))
    }

    /// The same tree with what is done replaced.
    ///
    /// # Errors
    /// The first that `convert` gives.
    pub fn try_map<U, E>(&self, convert: &mut impl FnMut(&T) -> Result<U, E>) -> Result<MatchTree<U>, E> {
        let named = |map: &BTreeMap<String, OnMatch<T>>, convert: &mut _| {
            map.iter().map(|(key, then)| Ok((key.clone(), then.try_map(convert)?))).collect::<Result<_, E>>()
        };
        let branches = match &self.branches {
            Branches::None => Branches::None,
            Branches::List(list) => Branches::List(
                list.iter()
                    .map(|(predicate, then)| Ok((predicate.clone(), then.try_map(convert)?)))
                    .collect::<Result<_, E>>()?,
            ),
            Branches::Exact(input, map) => Branches::Exact(input.clone(), named(map, convert)?),
            Branches::Prefix(input, map) => Branches::Prefix(input.clone(), named(map, convert)?),
        };
        let on_no_match = self.on_no_match.as_ref().map(|then| then.try_map(convert)).transpose()?;
        Ok(MatchTree { branches, on_no_match: on_no_match.map(Box::new) })
    }

    /// Everything that may be done.
    pub fn actions(&self) -> Vec<&T> {
        let inner: Vec<&OnMatch<T>> = match &self.branches {
            Branches::None => Vec::new(),
            Branches::List(list) => list.iter().map(|(_, then)| then).collect(),
            Branches::Exact(_, map) | Branches::Prefix(_, map) => map.values().collect(),
        };
        let all = inner.into_iter().chain(self.on_no_match.as_deref());
        all.flat_map(|then| match then {
            OnMatch::Tree(tree) => tree.actions(),
            OnMatch::Action(action) => vec![action],
        })
        .collect()
    }
}

impl<T> Branches<T> {
    fn find<'a>(&'a self, data: &impl MatchData) -> Option<&'a T> {
        match self {
            Self::None => None,
            Self::List(list) => list
                .iter()
                .filter(|(predicate, _)| predicate.is_match(data))
                .find_map(|(_, then)| then.find(data)),
            Self::Exact(input, map) => map.get(&*data.value(input)?)?.find(data),
            Self::Prefix(input, map) => {
                let value = data.value(input)?;
                let mut starts = (0..=value.len()).rev().filter_map(|end| map.get(value.get(..end)?));
                starts.find_map(|then| then.find(data))
            }
        }
    }
}

impl<T> OnMatch<T> {
    fn find<'a>(&'a self, data: &impl MatchData) -> Option<&'a T> {
        match self {
            Self::Tree(tree) => tree.find(data),
            Self::Action(action) => Some(action),
        }
    }

    fn try_map<U, E>(&self, convert: &mut impl FnMut(&T) -> Result<U, E>) -> Result<OnMatch<U>, E> {
        Ok(match self {
            Self::Tree(tree) => OnMatch::Tree(Box::new(tree.try_map(convert)?)),
            Self::Action(action) => OnMatch::Action(convert(action)?),
        })
    }
}

impl Predicate {
    /// Whether `data` passes.
    pub fn is_match(&self, data: &impl MatchData) -> bool {
        match self {
            Self::Text(input, matcher) => data.value(input).is_some_and(|value| matcher.is_match(&value)),
            Self::Ip(input, blocks) => data
                .value(input)
                .and_then(|value| value.parse::<IpAddr>().ok())
                .is_some_and(|ip| blocks.iter().any(|block| block.contains(ip))),
            Self::Metadata(matcher) => matcher.is_match(data.metadata()),
            Self::Any(inner) => inner.iter().any(|predicate| predicate.is_match(data)),
            Self::All(inner) => inner.iter().all(|predicate| predicate.is_match(data)),
            Self::Not(inner) => !inner.is_match(data),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every input has the same value.
    struct All(&'static str, Metadata);

    impl MatchData for All {
        fn value(&self, _: &MatchInput) -> Option<Cow<'_, str>> {
            Some(self.0).filter(|value| !value.is_empty()).map(Cow::Borrowed)
        }

        fn metadata(&self) -> &Metadata {
            &self.1
        }
    }

    fn nowhere() -> OnMatch<&'static str> {
        OnMatch::Tree(Box::new(tree(Branches::None, None)))
    }

    fn tree(branches: Branches<&'static str>, otherwise: Option<&'static str>) -> MatchTree<&'static str> {
        MatchTree { branches, on_no_match: otherwise.map(|name| Box::new(OnMatch::Action(name))) }
    }

    fn named<const N: usize>(
        map: [(&str, OnMatch<&'static str>); N],
    ) -> BTreeMap<String, OnMatch<&'static str>> {
        map.into_iter().map(|(key, then)| (key.to_owned(), then)).collect()
    }

    fn is(text: &str) -> Predicate {
        Predicate::Text(MatchInput::ServerName, StringMatcher::exact(text))
    }

    fn found(tree: &MatchTree<&'static str>, value: &'static str) -> Option<&'static str> {
        tree.find(&All(value, Metadata::default())).copied()
    }

    #[test]
    fn the_longest_beginning_wins_and_a_shorter_one_stands_in() {
        let map = named([
            ("/a", OnMatch::Action("a")),
            ("/a/b", nowhere()),
            ("/a/b/c", OnMatch::Action("abc")),
            ("/b", OnMatch::Action("b")),
        ]);
        let tree = tree(Branches::Prefix(MatchInput::ServerName, map), Some("no"));
        for (value, expected) in [
            ("/a/b/c/d", "abc"),
            ("/a/b/x", "a"),
            ("/a", "a"),
            ("/az", "a"),
            ("/", "no"),
            ("", "no"),
            ("/b", "b"),
        ] {
            assert_eq!(found(&tree, value), Some(expected), "{value}");
        }
    }

    #[test]
    fn a_list_goes_on_behind_a_tree_that_finds_nothing() {
        let inner =
            tree(Branches::Exact(MatchInput::ServerName, named([("x", OnMatch::Action("inner"))])), None);
        let nested = OnMatch::Tree(Box::new(inner));
        let any = || Predicate::Any(vec![is("x"), is("y"), is("z")]);
        let list = vec![
            (any(), nested),
            (is("y"), nowhere()),
            (Predicate::Not(Box::new(is("z"))), OnMatch::Action("not z")),
        ];
        let tree = tree(Branches::List(list), Some("no"));
        for (value, expected) in [("x", "inner"), ("y", "not z"), ("z", "no"), ("", "not z")] {
            assert_eq!(found(&tree, value), Some(expected), "{value}");
        }
        assert_eq!(tree.actions(), [&"inner", &"not z", &"no"]);
    }

    #[test]
    fn addresses_are_in_blocks() {
        let blocks = vec![Cidr::new(IpAddr::from([10, 0, 0, 0]), 8).unwrap()];
        let within = Predicate::All(vec![Predicate::Ip(MatchInput::SourceIp, blocks)]);
        for (value, expected) in [("10.1.2.3", true), ("11.1.2.3", false), ("x", false), ("", false)] {
            assert_eq!(within.is_match(&All(value, Metadata::default())), expected, "{value}");
        }
    }
}
