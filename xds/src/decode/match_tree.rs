//! Trees of tests (`xds.type.matcher.v3.Matcher`); each user names the inputs that mean something to it.

use std::collections::{BTreeMap, HashMap};

use envoy_types::pb::envoy::extensions::matching::common_inputs::network::v3 as network;
use envoy_types::pb::envoy::extensions::matching::input_matchers::{ip::v3::Ip, metadata::v3::Metadata};
use envoy_types::pb::envoy::r#type::matcher::v3 as http;
use envoy_types::pb::google::protobuf::Any;
use envoy_types::pb::xds::core::v3::TypedExtensionConfig;
use envoy_types::pb::xds::r#type::matcher::v3 as pb;
use network::dynamic_metadata_input::path_segment::Segment;
use pb::matcher::matcher_list::predicate::single_predicate::Matcher as Test;
use pb::matcher::matcher_list::predicate::{MatchType, PredicateList, SinglePredicate};
use pb::matcher::matcher_tree::{MatchMap, TreeType};
use pb::matcher::{MatcherType, on_match};

use super::address;
use super::any;
use super::headers;
use super::matcher;
use super::metadata_matcher;
use super::path::{Invalid, Path, absent};
use crate::model::{
    Branches, MatchInput, MatchTree, MetadataKey, MetadataMatcher, OnMatch, Predicate, StringMatcher,
};

/// What a tree of one kind is made of.
pub(super) struct Kind<'a, T> {
    /// Whether an input has a value where the tree is asked.
    pub(super) accepts: fn(&MatchInput) -> bool,
    /// The names of those that have, for errors.
    pub(super) accepted: &'a str,
    /// What is done.
    pub(super) action: &'a dyn Fn(&Path<'_>, &str, &Any) -> Result<T, Invalid>,
}

/// A tree.
pub(super) fn tree<T>(
    path: &Path<'_>,
    tree: &pb::Matcher,
    kind: &Kind<'_, T>,
) -> Result<MatchTree<T>, Invalid> {
    let pb::Matcher { on_no_match: otherwise, matcher_type } = tree;
    let branches = match matcher_type {
        None => Branches::None,
        Some(MatcherType::MatcherList(pb::matcher::MatcherList { matchers })) => {
            let at = path.field("matcher_list");
            let at = at.field("matchers");
            if matchers.is_empty() {
                return at.refuse("must not be empty");
            }
            Branches::List(at.each(matchers, |at, found| {
                let pb::matcher::matcher_list::FieldMatcher { predicate: test, on_match: then } = found;
                let at_test = at.field("predicate");
                let at_then = at.field("on_match");
                let test = predicate(&at_test, at_test.required(test)?, kind)?;
                Ok((test, on_match(&at_then, at_then.required(then)?, kind)?))
            })?)
        }
        Some(MatcherType::MatcherTree(found)) => map(&path.field("matcher_tree"), found, kind)?,
    };
    let at = path.field("on_no_match");
    let on_no_match = otherwise.as_ref().map(|then| on_match(&at, then, kind)).transpose()?;
    Ok(MatchTree { branches, on_no_match: on_no_match.map(Box::new) })
}

fn map<T>(
    path: &Path<'_>,
    tree: &pb::matcher::MatcherTree,
    kind: &Kind<'_, T>,
) -> Result<Branches<T>, Invalid> {
    let pb::matcher::MatcherTree { input: found, tree_type } = tree;
    let at = path.field("input");
    let input = text_input(&at, at.required(found)?, kind)?;
    match tree_type {
        Some(TreeType::ExactMatchMap(MatchMap { map })) => {
            Ok(Branches::Exact(input, members(&path.field("exact_match_map"), map, kind)?))
        }
        Some(TreeType::PrefixMatchMap(MatchMap { map })) => {
            Ok(Branches::Prefix(input, members(&path.field("prefix_match_map"), map, kind)?))
        }
        Some(TreeType::CustomMatch(_)) => path.field("custom_match").unsupported(),
        None => path.refuse("is empty; accepted: exact_match_map, prefix_match_map"),
    }
}

fn members<T>(
    path: &Path<'_>,
    map: &HashMap<String, pb::matcher::OnMatch>,
    kind: &Kind<'_, T>,
) -> Result<BTreeMap<String, OnMatch<T>>, Invalid> {
    let path = path.field("map");
    if map.is_empty() {
        return path.refuse("must not be empty");
    }
    map.iter().map(|(key, then)| Ok((key.clone(), on_match(&path.key(key), then, kind)?))).collect()
}

fn on_match<T>(
    path: &Path<'_>,
    then: &pb::matcher::OnMatch,
    kind: &Kind<'_, T>,
) -> Result<OnMatch<T>, Invalid> {
    let pb::matcher::OnMatch { keep_matching, on_match } = then;
    absent!(path; keep_matching);
    Ok(match on_match {
        Some(on_match::OnMatch::Matcher(inner)) => {
            OnMatch::Tree(Box::new(tree(&path.field("matcher"), inner, kind)?))
        }
        Some(on_match::OnMatch::Action(TypedExtensionConfig { name, typed_config })) => {
            let at = path.field("action");
            let at = at.field("typed_config");
            OnMatch::Action((kind.action)(&at, name, at.required(typed_config)?)?)
        }
        None => return path.refuse("is empty; accepted: matcher, action"),
    })
}

fn predicate<T>(
    path: &Path<'_>,
    predicate: &pb::matcher::matcher_list::Predicate,
    kind: &Kind<'_, T>,
) -> Result<Predicate, Invalid> {
    let pb::matcher::matcher_list::Predicate { match_type } = predicate;
    let several = |name: &str, PredicateList { predicate }: &PredicateList| {
        let path = path.field(name);
        let path = path.field("predicate");
        if predicate.len() < 2 {
            return path.refuse(format!("has {} predicates; at least 2 are needed", predicate.len()));
        }
        path.each(predicate, |at, inner| self::predicate(at, inner, kind))
    };
    match match_type {
        Some(MatchType::SinglePredicate(found)) => single(&path.field("single_predicate"), found, kind),
        Some(MatchType::OrMatcher(list)) => several("or_matcher", list).map(Predicate::Any),
        Some(MatchType::AndMatcher(list)) => several("and_matcher", list).map(Predicate::All),
        Some(MatchType::NotMatcher(inner)) => {
            let inner = self::predicate(&path.field("not_matcher"), inner, kind)?;
            Ok(Predicate::Not(Box::new(inner)))
        }
        None => path.refuse("is empty; accepted: single_predicate, or_matcher, and_matcher, not_matcher"),
    }
}

fn single<T>(path: &Path<'_>, found: &SinglePredicate, kind: &Kind<'_, T>) -> Result<Predicate, Invalid> {
    let SinglePredicate { input: found, matcher: test } = found;
    let at = path.field("input");
    let found = at.required(found)?;
    match test {
        Some(Test::ValueMatch(test)) => {
            let input = text_input(&at, found, kind)?;
            Ok(Predicate::Text(input, string(&path.field("value_match"), test)?))
        }
        Some(Test::CustomMatch(TypedExtensionConfig { name, typed_config })) => {
            let at_test = path.field("custom_match");
            let at_test = at_test.field("typed_config");
            let test = at_test.required(typed_config)?;
            if let Some(Ip { cidr_ranges, stat_prefix }) = any::unpack_if(&at_test, test)? {
                at_test.field("stat_prefix").non_empty(&stat_prefix)?;
                let at_ranges = at_test.field("cidr_ranges");
                if cidr_ranges.is_empty() {
                    return at_ranges.refuse("must not be empty");
                }
                let blocks = at_ranges.each(&cidr_ranges, address::cidr)?;
                return Ok(Predicate::Ip(text_input(&at, found, kind)?, blocks));
            }
            if let Some(Metadata { value, invert }) = any::unpack_if(&at_test, test)? {
                let at_value = at_test.field("value");
                let value = metadata_matcher::value(&at_value, at_value.required(&value)?)?;
                return Ok(Predicate::Metadata(MetadataMatcher {
                    key: metadata_key(&at, found)?,
                    value,
                    invert,
                }));
            }
            any::unknown(&at_test, name, test, "Ip, Metadata")
        }
        None => path.refuse("has no matcher; accepted: value_match, custom_match"),
    }
}

/// The two texts' tests are the same but for their package.
fn string(path: &Path<'_>, test: &pb::StringMatcher) -> Result<StringMatcher, Invalid> {
    use http::string_matcher::MatchPattern as To;
    use pb::string_matcher::MatchPattern as From;
    let pb::StringMatcher { ignore_case, match_pattern } = test;
    let match_pattern = match match_pattern {
        None => None,
        Some(From::Exact(text)) => Some(To::Exact(text.clone())),
        Some(From::Prefix(text)) => Some(To::Prefix(text.clone())),
        Some(From::Suffix(text)) => Some(To::Suffix(text.clone())),
        Some(From::Contains(text)) => Some(To::Contains(text.clone())),
        Some(From::SafeRegex(pb::RegexMatcher { regex, engine_type })) => {
            let at = path.field("safe_regex");
            // It says nothing, and Envoy asks for it all the same.
            at.field("google_re2").required(engine_type)?;
            Some(To::SafeRegex(http::RegexMatcher { regex: regex.clone(), engine_type: None }))
        }
        Some(From::Custom(_)) => return path.field("custom").unsupported(),
    };
    matcher::string(path, &http::StringMatcher { ignore_case: *ignore_case, match_pattern })
}

fn metadata_key(path: &Path<'_>, found: &TypedExtensionConfig) -> Result<MetadataKey, Invalid> {
    let TypedExtensionConfig { name, typed_config } = found;
    let path = path.field("typed_config");
    let any = path.required(typed_config)?;
    let Some(network::DynamicMetadataInput { filter, path: segments }) = any::unpack_if(&path, any)? else {
        return any::unknown(&path, name, any, "DynamicMetadataInput, which this test asks for");
    };
    let at = path.field("path");
    if segments.is_empty() {
        return at.refuse("must not be empty");
    }
    Ok(MetadataKey {
        namespace: path.field("filter").non_empty(&filter)?,
        path: at.each(&segments, |at, segment| {
            let network::dynamic_metadata_input::PathSegment { segment } = segment;
            match segment {
                Some(Segment::Key(key)) => at.field("key").non_empty(key),
                None => at.refuse("is empty; accepted: key"),
            }
        })?,
    })
}

/// An input whose value is a text.
fn text_input<T>(
    path: &Path<'_>,
    found: &TypedExtensionConfig,
    kind: &Kind<'_, T>,
) -> Result<MatchInput, Invalid> {
    let TypedExtensionConfig { name, typed_config } = found;
    let path = path.field("typed_config");
    let any = path.required(typed_config)?;
    match input(&path, any)?.filter(kind.accepts) {
        Some(input) => Ok(input),
        None => any::unknown(&path, name, any, kind.accepted),
    }
}

fn input(path: &Path<'_>, any: &Any) -> Result<Option<MatchInput>, Invalid> {
    let package = any.type_url.rsplit('/').next().unwrap_or_default();
    let (package, name) = package.rsplit_once('.').unwrap_or_default();
    let input = match (package, name) {
        ("envoy.type.matcher.v3", "HttpRequestHeaderMatchInput") => {
            let http::HttpRequestHeaderMatchInput { header_name } = any::unpack(path, any)?;
            MatchInput::RequestHeader(headers::name_or_pseudo(&path.field("header_name"), &header_name)?)
        }
        ("envoy.type.matcher.v3", "HttpResponseHeaderMatchInput") => {
            let http::HttpResponseHeaderMatchInput { header_name } = any::unpack(path, any)?;
            MatchInput::ResponseHeader(headers::name_or_pseudo(&path.field("header_name"), &header_name)?)
        }
        ("envoy.type.matcher.v3", "HttpRequestQueryParamMatchInput") => {
            let http::HttpRequestQueryParamMatchInput { query_param } = any::unpack(path, any)?;
            MatchInput::QueryParameter(path.field("query_param").non_empty(&query_param)?)
        }
        ("envoy.type.matcher.v3", "HttpResponseStatusCodeMatchInput") => MatchInput::StatusCode,
        ("envoy.type.matcher.v3", "HttpResponseStatusCodeClassMatchInput") => MatchInput::StatusClass,
        ("envoy.extensions.matching.common_inputs.network.v3", name) => match name {
            "DestinationIPInput" => MatchInput::DestinationIp,
            "DestinationPortInput" => MatchInput::DestinationPort,
            "SourceIPInput" => MatchInput::SourceIp,
            "SourcePortInput" => MatchInput::SourcePort,
            "DirectSourceIPInput" => MatchInput::DirectSourceIp,
            "ServerNameInput" => MatchInput::ServerName,
            "FilterStateInput" => {
                let network::FilterStateInput { key, field } = any::unpack(path, any)?;
                path.field("field").absent(&field)?;
                MatchInput::FilterState(path.field("key").non_empty(&key)?)
            }
            _ => return Ok(None),
        },
        ("envoy.extensions.matching.common_inputs.ssl.v3", name) => match name {
            "UriSanInput" => MatchInput::UriSans,
            "DnsSanInput" => MatchInput::DnsSans,
            "SubjectInput" => MatchInput::Subject,
            _ => return Ok(None),
        },
        _ => return Ok(None),
    };
    Ok(Some(input))
}
