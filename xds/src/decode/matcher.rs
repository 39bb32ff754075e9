//! Tests on texts, headers and query parameters; regular expressions are compiled here, once.

use envoy_types::pb::envoy::config::route::v3 as pb;
use envoy_types::pb::envoy::r#type::matcher::v3 as text;
use envoy_types::pb::envoy::r#type::v3::Int64Range;
use pb::header_matcher::HeaderMatchSpecifier;
use pb::query_parameter_matcher::QueryParameterMatchSpecifier;
use text::string_matcher::MatchPattern;

use super::headers;
use super::path::{Invalid, Path, absent};
use crate::model::{
    CookieMatcher, HeaderMatcher, HeaderTest, QueryMatcher, QueryTest, Regex, StringMatcher, StringPattern,
};

/// Longest name of a query parameter, as in Envoy.
const QUERY_NAME_BYTES_MAX: usize = 1024;

/// Longest name of a cookie, as in Envoy.
const COOKIE_NAME_BYTES_MAX: usize = 1024;

/// A regular expression.
pub(super) fn regex(path: &Path<'_>, matcher: &text::RegexMatcher) -> Result<Regex, Invalid> {
    let text::RegexMatcher { regex, engine_type } = matcher;
    if let Some(text::regex_matcher::EngineType::GoogleRe2(re2)) = engine_type {
        // An empty google_re2 names the only engine there is.
        let text::regex_matcher::GoogleRe2 { max_program_size } = re2;
        absent!(path.field("google_re2"); max_program_size);
    }
    let path = path.field("regex");
    path.non_empty(regex)?;
    Regex::new(regex).map_err(|error| {
        let reason = error.lines().last().unwrap_or_default().trim();
        path.invalid(format!("{regex:?} is not a regular expression: {reason}"))
    })
}

/// A regular expression and what its matches become; every group the substitution names must exist.
pub(super) fn substitution(
    path: &Path<'_>,
    rewrite: &text::RegexMatchAndSubstitute,
) -> Result<(Regex, String), Invalid> {
    let text::RegexMatchAndSubstitute { pattern, substitution } = rewrite;
    let at = path.field("pattern");
    let regex = regex(&at, at.required(pattern)?)?;
    let at = path.field("substitution");
    headers::value(&at, substitution)?;
    let mut chars = substitution.chars();
    while let Some(char) = chars.next() {
        if char != '\\' {
            continue;
        }
        match chars.next().map(|next| (next, next.to_digit(10))) {
            Some((_, Some(group))) if group as usize > regex.groups() => {
                let groups = regex.groups();
                return at.refuse(format!("names group \\{group}, but {:?} has {groups}", regex.as_str()));
            }
            Some((_, Some(_)) | ('\\', None)) => {}
            _ => return at.refuse("holds a backslash that is followed by neither a digit nor a backslash"),
        }
    }
    Ok((regex, substitution.clone()))
}

/// A test on a text.
pub(super) fn string(path: &Path<'_>, matcher: &text::StringMatcher) -> Result<StringMatcher, Invalid> {
    let text::StringMatcher { ignore_case, match_pattern } = matcher;
    let pattern = match match_pattern {
        Some(MatchPattern::Exact(text)) => StringPattern::Exact(text.clone()),
        Some(MatchPattern::Prefix(text)) => StringPattern::Prefix(path.field("prefix").non_empty(text)?),
        Some(MatchPattern::Suffix(text)) => StringPattern::Suffix(path.field("suffix").non_empty(text)?),
        Some(MatchPattern::Contains(text)) => {
            StringPattern::Contains(path.field("contains").non_empty(text)?)
        }
        Some(MatchPattern::SafeRegex(matcher)) => {
            if *ignore_case {
                let hint = "does not apply to safe_regex; write (?i) in the expression";
                return path.field("ignore_case").refuse(hint);
            }
            StringPattern::Regex(regex(&path.field("safe_regex"), matcher)?)
        }
        Some(MatchPattern::Custom(_)) => return path.field("custom").unsupported(),
        None => {
            return path.refuse("is empty; accepted: exact, prefix, suffix, contains, safe_regex");
        }
    };
    Ok(StringMatcher { pattern, ignore_case: *ignore_case })
}

/// A test on a header.
pub(super) fn header(path: &Path<'_>, matcher: &pb::HeaderMatcher) -> Result<HeaderMatcher, Invalid> {
    let pb::HeaderMatcher { name, invert_match, treat_missing_header_as_empty, header_match_specifier } =
        matcher;
    let name = headers::name_or_pseudo(&path.field("name"), name)?;
    let plain = |pattern| HeaderTest::Text(StringMatcher { pattern, ignore_case: false });
    let test = match header_match_specifier {
        None => HeaderTest::Present(true),
        Some(HeaderMatchSpecifier::PresentMatch(present)) => HeaderTest::Present(*present),
        Some(HeaderMatchSpecifier::RangeMatch(Int64Range { start, end })) => {
            HeaderTest::Range { start: *start, end: *end }
        }
        Some(HeaderMatchSpecifier::StringMatch(matcher)) => {
            HeaderTest::Text(string(&path.field("string_match"), matcher)?)
        }
        // The forms below are deprecated in favour of string_match.
        Some(HeaderMatchSpecifier::ExactMatch(text)) => plain(StringPattern::Exact(text.clone())),
        Some(HeaderMatchSpecifier::PrefixMatch(text)) => {
            plain(StringPattern::Prefix(path.field("prefix_match").non_empty(text)?))
        }
        Some(HeaderMatchSpecifier::SuffixMatch(text)) => {
            plain(StringPattern::Suffix(path.field("suffix_match").non_empty(text)?))
        }
        Some(HeaderMatchSpecifier::ContainsMatch(text)) => {
            plain(StringPattern::Contains(path.field("contains_match").non_empty(text)?))
        }
        Some(HeaderMatchSpecifier::SafeRegexMatch(matcher)) => {
            plain(StringPattern::Regex(regex(&path.field("safe_regex_match"), matcher)?))
        }
    };
    Ok(HeaderMatcher {
        name,
        test,
        invert: *invert_match,
        treat_missing_header_as_empty: *treat_missing_header_as_empty,
    })
}

/// A test on a query parameter.
pub(super) fn query(path: &Path<'_>, matcher: &pb::QueryParameterMatcher) -> Result<QueryMatcher, Invalid> {
    let pb::QueryParameterMatcher { name, query_parameter_match_specifier } = matcher;
    let at = path.field("name");
    let name = at.non_empty(name)?;
    if name.len() > QUERY_NAME_BYTES_MAX {
        return at.refuse(format!("has {} bytes; at most {QUERY_NAME_BYTES_MAX} are accepted", name.len()));
    }
    let test = match query_parameter_match_specifier {
        None => QueryTest::Present(true),
        Some(QueryParameterMatchSpecifier::PresentMatch(present)) => QueryTest::Present(*present),
        Some(QueryParameterMatchSpecifier::StringMatch(matcher)) => {
            QueryTest::Text(string(&path.field("string_match"), matcher)?)
        }
    };
    Ok(QueryMatcher { name, test })
}

/// A test on a cookie.
pub(super) fn cookie(path: &Path<'_>, matcher: &pb::CookieMatcher) -> Result<CookieMatcher, Invalid> {
    let pb::CookieMatcher { name, string_match, invert_match } = matcher;
    let at = path.field("name");
    let name = at.non_empty(name)?;
    if name.len() > COOKIE_NAME_BYTES_MAX {
        return at.refuse(format!("has {} bytes; at most {COOKIE_NAME_BYTES_MAX} are accepted", name.len()));
    }
    let at = path.field("string_match");
    Ok(CookieMatcher { name, text: string(&at, at.required(string_match)?)?, invert: *invert_match })
}
