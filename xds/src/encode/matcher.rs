//! Tests on texts, headers and query parameters.

use envoy_types::pb::envoy::config::route::v3 as pb;
use envoy_types::pb::envoy::r#type::matcher::v3 as text;
use envoy_types::pb::envoy::r#type::v3::Int64Range;
use pb::header_matcher::HeaderMatchSpecifier;
use pb::query_parameter_matcher::QueryParameterMatchSpecifier;
use text::string_matcher::MatchPattern;

use crate::model::{
    CookieMatcher, HeaderMatcher, HeaderTest, QueryMatcher, QueryTest, Regex, StringMatcher, StringPattern,
};

pub(super) fn regex(regex: &Regex) -> text::RegexMatcher {
    text::RegexMatcher { regex: regex.as_str().to_owned(), ..Default::default() }
}

pub(super) fn substitution(expression: &Regex, substitution: &str) -> text::RegexMatchAndSubstitute {
    text::RegexMatchAndSubstitute { pattern: Some(regex(expression)), substitution: substitution.to_owned() }
}

pub(super) fn string(matcher: &StringMatcher) -> text::StringMatcher {
    let StringMatcher { pattern, ignore_case } = matcher;
    let pattern = match pattern {
        StringPattern::Exact(text) => MatchPattern::Exact(text.clone()),
        StringPattern::Prefix(text) => MatchPattern::Prefix(text.clone()),
        StringPattern::Suffix(text) => MatchPattern::Suffix(text.clone()),
        StringPattern::Contains(text) => MatchPattern::Contains(text.clone()),
        StringPattern::Regex(expression) => MatchPattern::SafeRegex(regex(expression)),
    };
    text::StringMatcher { ignore_case: *ignore_case, match_pattern: Some(pattern) }
}

pub(super) fn header(matcher: &HeaderMatcher) -> pb::HeaderMatcher {
    let HeaderMatcher { name, test, invert, treat_missing_header_as_empty } = matcher;
    let specifier = match test {
        HeaderTest::Text(matcher) => HeaderMatchSpecifier::StringMatch(string(matcher)),
        HeaderTest::Range { start, end } => {
            HeaderMatchSpecifier::RangeMatch(Int64Range { start: *start, end: *end })
        }
        HeaderTest::Present(present) => HeaderMatchSpecifier::PresentMatch(*present),
    };
    pb::HeaderMatcher {
        name: name.clone(),
        invert_match: *invert,
        treat_missing_header_as_empty: *treat_missing_header_as_empty,
        header_match_specifier: Some(specifier),
    }
}

pub(super) fn query(matcher: &QueryMatcher) -> pb::QueryParameterMatcher {
    let QueryMatcher { name, test } = matcher;
    let specifier = match test {
        QueryTest::Text(matcher) => QueryParameterMatchSpecifier::StringMatch(string(matcher)),
        QueryTest::Present(present) => QueryParameterMatchSpecifier::PresentMatch(*present),
    };
    pb::QueryParameterMatcher { name: name.clone(), query_parameter_match_specifier: Some(specifier) }
}

pub(super) fn cookie(matcher: &CookieMatcher) -> pb::CookieMatcher {
    let CookieMatcher { name, text, invert } = matcher;
    pb::CookieMatcher { name: name.clone(), string_match: Some(string(text)), invert_match: *invert }
}
