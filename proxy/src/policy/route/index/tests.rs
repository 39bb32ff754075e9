//! The index against the walk that it stands in for.

use http::Method;
use proptest::prelude::*;
use xds::model::{HeaderMatcher, HeaderTest, PathMatch, Regex, RouteMatch};

use super::Index;
use crate::body::RequestHead;
use crate::observe::attributes::Attributes;
use crate::policy::draw::Draw;
use crate::policy::facts::path_only;
use crate::policy::route::matcher::Matcher;
use crate::policy::samples::{get, path_match};
use crate::runtime::RuntimeSnapshot;

fn compile(models: &[RouteMatch]) -> (Vec<Matcher>, Index) {
    let matchers: Vec<_> = models.iter().map(|model| Matcher::compile(model).unwrap()).collect();
    let index = Index::new(matchers.iter().map(|matcher| &matcher.path));
    (matchers, index)
}

fn walked(matchers: &[Matcher], head: &RequestHead) -> Option<usize> {
    let draw = Draw { random: 0, runtime: &RuntimeSnapshot::default() };
    matchers.iter().position(|matcher| matcher.is_match(head, path_only(&head.path), draw, &Attributes::NONE))
}

/// What the index says, and how many routes it asked.
fn indexed(matchers: &[Matcher], index: &Index, head: &RequestHead) -> (Option<usize>, usize) {
    let path = path_only(&head.path);
    let draw = Draw { random: 0, runtime: &RuntimeSnapshot::default() };
    let mut asked = 0;
    let found = index.first(path, |route| {
        asked += 1;
        matchers[route].is_match(head, path, draw, &Attributes::NONE)
    });
    (found, asked)
}

/// Texts of few letters, so that prefixes nest, repeat and differ by case only.
fn text() -> impl Strategy<Value = String> {
    "/[aAbé/]{0,5}"
}

fn path() -> impl Strategy<Value = PathMatch> {
    let regex = prop_oneof![
        text().prop_map(|text| format!("{text}[ab]*")),
        text().prop_map(|text| format!("{text}(/.*)?")),
        "[ab/]{1,2}".prop_map(|end| format!(".*{end}")),
        Just("/a|/b/.*".to_owned()),
        Just("(?i)/ab.*".to_owned()),
        Just("^/a$".to_owned()),
        Just("(|/a)/b?".to_owned()),
        Just(String::new()),
    ];
    prop_oneof![
        4 => text().prop_map(PathMatch::Prefix),
        1 => Just(PathMatch::Prefix(String::new())),
        4 => text().prop_map(PathMatch::Exact),
        4 => text().prop_map(|text| PathMatch::SeparatedPrefix(text.trim_end_matches('/').to_owned())),
        4 => regex.prop_map(|source| PathMatch::Regex(Regex::new(&source).unwrap())),
        1 => Just(PathMatch::Connect),
    ]
}

fn matches() -> impl Strategy<Value = RouteMatch> {
    let header = HeaderMatcher {
        name: "x".to_owned(),
        test: HeaderTest::Present(true),
        invert: false,
        treat_missing_header_as_empty: false,
    };
    (path(), any::<bool>(), any::<bool>()).prop_map(move |(path, case_sensitive, headers)| RouteMatch {
        case_sensitive: case_sensitive || matches!(path, PathMatch::Regex(_)),
        headers: if headers { vec![header.clone()] } else { Vec::new() },
        ..path_match(path)
    })
}

fn request() -> impl Strategy<Value = RequestHead> {
    let path = prop_oneof![8 => text(), 4 => "/[aAb/]{0,4}\\?[ab/]{0,2}", 1 => Just(String::new()), 1 => Just("*".to_owned())];
    (path, any::<bool>(), 0..4).prop_map(|(path, header, method)| RequestHead {
        method: if method == 0 || path.is_empty() { Method::CONNECT } else { Method::GET },
        ..get("h", &path, if header { &[("x", "1")] } else { &[] })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn an_index_finds_the_route_that_a_walk_finds(
        models in prop::collection::vec(matches(), 0..40),
        heads in prop::collection::vec(request(), 1..20),
    ) {
        let (matchers, index) = compile(&models);
        for head in &heads {
            let (found, _) = indexed(&matchers, &index, head);
            prop_assert_eq!(found, walked(&matchers, head), "{:?}", head);
        }
    }
}

/// Routes of one kind.
fn many(count: usize, path: impl Fn(usize) -> PathMatch, case_sensitive: bool) -> Vec<RouteMatch> {
    (0..count).map(|at| RouteMatch { case_sensitive, ..path_match(path(at)) }).collect()
}

#[test]
fn of_thousands_of_routes_one_is_asked() {
    let regex = |source: String| PathMatch::Regex(Regex::new(&source).unwrap());
    let tables = [
        ("exact", many(10_000, |at| PathMatch::Exact(format!("/svc/{at:05}/x")), true)),
        ("exact, any case", many(10_000, |at| PathMatch::Exact(format!("/SVC/{at:05}/x")), false)),
        ("prefix", many(10_000, |at| PathMatch::Prefix(format!("/svc/{at:05}/")), true)),
        ("prefix, any case", many(10_000, |at| PathMatch::Prefix(format!("/svc/{at:05}/")), false)),
        ("separated", many(10_000, |at| PathMatch::SeparatedPrefix(format!("/svc/{at:05}")), true)),
        ("expression with its own beginning", many(1_000, |at| regex(format!("/svc/{at:05}/[a-z]+")), true)),
        ("expression that begins as all do", many(1_000, |at| regex(format!("/[a-z]+/{at:05}/x")), true)),
    ];
    for (name, models) in tables {
        let (matchers, index) = compile(&models);
        for route in [0, matchers.len() - 1] {
            let head = get("h", &format!("/svc/{route:05}/x"), &[]);
            assert_eq!(indexed(&matchers, &index, &head), (Some(route), 1), "{name}, route {route}");
        }
    }
}

#[test]
fn a_nest_of_ten_thousand_prefixes_gives_the_first_that_is_configured() {
    let models: Vec<_> =
        (1..10_000).map(|len| path_match(PathMatch::Prefix("/".repeat(len)))).rev().collect();
    let (matchers, index) = compile(&models);
    let head = get("h", &"/".repeat(5_000), &[]);
    assert_eq!(indexed(&matchers, &index, &head), (Some(4_999), 1));
}
