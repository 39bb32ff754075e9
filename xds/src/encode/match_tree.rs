//! Trees of tests.

use std::collections::{BTreeMap, HashMap};

use envoy_types::pb::envoy::extensions::matching::common_inputs::{network::v3 as network, ssl::v3 as ssl};
use envoy_types::pb::envoy::extensions::matching::input_matchers::{ip::v3::Ip, metadata::v3::Metadata};
use envoy_types::pb::envoy::r#type::matcher::v3 as http;
use envoy_types::pb::google::protobuf::Any;
use envoy_types::pb::xds::core::v3::TypedExtensionConfig;
use envoy_types::pb::xds::r#type::matcher::v3 as pb;
use network::dynamic_metadata_input::{PathSegment, path_segment};
use pb::matcher::matcher_list::predicate::single_predicate::Matcher as Test;
use pb::matcher::matcher_list::predicate::{MatchType, PredicateList, SinglePredicate};
use pb::matcher::matcher_tree::{MatchMap, TreeType};
use pb::matcher::{MatcherType, on_match};

use super::address;
use super::metadata_matcher;
use super::scalar;
use crate::model::{
    Branches, MatchInput, MatchTree, MetadataKey, MetadataMatcher, OnMatch, Predicate, StringMatcher,
    StringPattern,
};

/// A tree; `action` says what is done.
pub(super) fn tree<T>(tree: &MatchTree<T>, action: &dyn Fn(&T) -> Any) -> pb::Matcher {
    let MatchTree { branches, on_no_match: otherwise } = tree;
    let map = |input, tree_type| {
        let tree = pb::matcher::MatcherTree { input: Some(self::input(input)), tree_type: Some(tree_type) };
        Some(MatcherType::MatcherTree(tree))
    };
    let matcher_type = match branches {
        Branches::None => None,
        Branches::List(list) => {
            let matchers = list.iter().map(|(test, then)| pb::matcher::matcher_list::FieldMatcher {
                predicate: Some(predicate(test)),
                on_match: Some(on_match(then, action)),
            });
            Some(MatcherType::MatcherList(pb::matcher::MatcherList { matchers: matchers.collect() }))
        }
        Branches::Exact(input, found) => map(input, TreeType::ExactMatchMap(members(found, action))),
        Branches::Prefix(input, found) => map(input, TreeType::PrefixMatchMap(members(found, action))),
    };
    let on_no_match = otherwise.as_ref().map(|then| Box::new(on_match(then, action)));
    pb::Matcher { on_no_match, matcher_type }
}

fn members<T>(map: &BTreeMap<String, OnMatch<T>>, action: &dyn Fn(&T) -> Any) -> MatchMap {
    let map: HashMap<_, _> = map.iter().map(|(key, then)| (key.clone(), on_match(then, action))).collect();
    MatchMap { map }
}

fn on_match<T>(then: &OnMatch<T>, action: &dyn Fn(&T) -> Any) -> pb::matcher::OnMatch {
    let then = match then {
        OnMatch::Tree(inner) => on_match::OnMatch::Matcher(Box::new(tree(inner, action))),
        OnMatch::Action(found) => on_match::OnMatch::Action(extension("action", action(found))),
    };
    pb::matcher::OnMatch { keep_matching: false, on_match: Some(then) }
}

fn predicate(test: &Predicate) -> pb::matcher::matcher_list::Predicate {
    let single = |input, matcher| {
        MatchType::SinglePredicate(SinglePredicate { input: Some(input), matcher: Some(matcher) })
    };
    let list = |list: &[Predicate]| PredicateList { predicate: list.iter().map(predicate).collect() };
    let custom = |name, any| Test::CustomMatch(extension(name, any));
    let match_type = match test {
        Predicate::Text(found, matcher) => single(input(found), Test::ValueMatch(string(matcher))),
        Predicate::Ip(found, blocks) => {
            let ranges = blocks.iter().map(address::cidr).collect();
            let test = Ip { cidr_ranges: ranges, stat_prefix: "ip".to_owned() };
            single(input(found), custom("ip", scalar::any(&test)))
        }
        Predicate::Metadata(MetadataMatcher { key: MetadataKey { namespace, path }, value, invert }) => {
            let segment =
                |name: &String| PathSegment { segment: Some(path_segment::Segment::Key(name.clone())) };
            let input = network::DynamicMetadataInput {
                filter: namespace.clone(),
                path: path.iter().map(segment).collect(),
            };
            let test = Metadata { value: Some(metadata_matcher::value(value)), invert: *invert };
            single(extension("metadata", scalar::any(&input)), custom("metadata", scalar::any(&test)))
        }
        Predicate::Any(inner) => MatchType::OrMatcher(list(inner)),
        Predicate::All(inner) => MatchType::AndMatcher(list(inner)),
        Predicate::Not(inner) => MatchType::NotMatcher(Box::new(predicate(inner))),
    };
    pb::matcher::matcher_list::Predicate { match_type: Some(match_type) }
}

fn string(matcher: &StringMatcher) -> pb::StringMatcher {
    use pb::string_matcher::MatchPattern;
    let StringMatcher { pattern, ignore_case } = matcher;
    let pattern = match pattern {
        StringPattern::Exact(text) => MatchPattern::Exact(text.clone()),
        StringPattern::Prefix(text) => MatchPattern::Prefix(text.clone()),
        StringPattern::Suffix(text) => MatchPattern::Suffix(text.clone()),
        StringPattern::Contains(text) => MatchPattern::Contains(text.clone()),
        StringPattern::Regex(regex) => MatchPattern::SafeRegex(pb::RegexMatcher {
            regex: regex.as_str().to_owned(),
            engine_type: Some(pb::regex_matcher::EngineType::GoogleRe2(pb::regex_matcher::GoogleRe2 {})),
        }),
    };
    pb::StringMatcher { ignore_case: *ignore_case, match_pattern: Some(pattern) }
}

fn input(input: &MatchInput) -> TypedExtensionConfig {
    let any = match input.clone() {
        MatchInput::RequestHeader(header_name) => {
            scalar::any(&http::HttpRequestHeaderMatchInput { header_name })
        }
        MatchInput::ResponseHeader(header_name) => {
            scalar::any(&http::HttpResponseHeaderMatchInput { header_name })
        }
        MatchInput::QueryParameter(query_param) => {
            scalar::any(&http::HttpRequestQueryParamMatchInput { query_param })
        }
        MatchInput::StatusCode => scalar::any(&http::HttpResponseStatusCodeMatchInput {}),
        MatchInput::StatusClass => scalar::any(&http::HttpResponseStatusCodeClassMatchInput {}),
        MatchInput::FilterState(key) => scalar::any(&network::FilterStateInput { key, ..Default::default() }),
        MatchInput::DestinationIp => scalar::any(&network::DestinationIpInput {}),
        MatchInput::DestinationPort => scalar::any(&network::DestinationPortInput {}),
        MatchInput::SourceIp => scalar::any(&network::SourceIpInput {}),
        MatchInput::SourcePort => scalar::any(&network::SourcePortInput {}),
        MatchInput::DirectSourceIp => scalar::any(&network::DirectSourceIpInput {}),
        MatchInput::ServerName => scalar::any(&network::ServerNameInput {}),
        MatchInput::UriSans => scalar::any(&ssl::UriSanInput {}),
        MatchInput::DnsSans => scalar::any(&ssl::DnsSanInput {}),
        MatchInput::Subject => scalar::any(&ssl::SubjectInput {}),
    };
    extension("input", any)
}

fn extension(name: &str, config: Any) -> TypedExtensionConfig {
    TypedExtensionConfig { name: name.to_owned(), typed_config: Some(config) }
}
