//! Tests on metadata, and where its values stand.

use envoy_types::pb::envoy::r#type::matcher::v3 as pb;
use envoy_types::pb::envoy::r#type::metadata::v3 as key_pb;
use envoy_types::pb::envoy::r#type::v3::DoubleRange;
use pb::metadata_matcher::{PathSegment, path_segment};
use pb::value_matcher::{MatchPattern, NullMatch};
use pb::{double_matcher, list_matcher};

use super::matcher;
use super::path::{Invalid, Path};
use crate::model::{MetadataKey, MetadataMatcher, ValueMatcher};

/// A test on metadata.
pub(super) fn metadata(path: &Path<'_>, matcher: &pb::MetadataMatcher) -> Result<MetadataMatcher, Invalid> {
    let pb::MetadataMatcher { filter, path: segments, value: test, invert } = matcher;
    let at = path.field("path");
    if segments.is_empty() {
        return at.refuse("must not be empty");
    }
    let key = MetadataKey {
        namespace: path.field("filter").non_empty(filter)?,
        path: at.each(segments, |at, PathSegment { segment }| match segment {
            Some(path_segment::Segment::Key(key)) => at.field("key").non_empty(key),
            None => at.refuse("is empty; accepted: key"),
        })?,
    };
    let at = path.field("value");
    Ok(MetadataMatcher { key, value: value(&at, at.required(test)?)?, invert: *invert })
}

/// A test on a value.
pub(super) fn value(path: &Path<'_>, matcher: &pb::ValueMatcher) -> Result<ValueMatcher, Invalid> {
    let pb::ValueMatcher { match_pattern } = matcher;
    Ok(match match_pattern {
        Some(MatchPattern::NullMatch(NullMatch {})) => ValueMatcher::Null,
        Some(MatchPattern::DoubleMatch(found)) => number(&path.field("double_match"), found)?,
        Some(MatchPattern::StringMatch(found)) => {
            ValueMatcher::Text(matcher::string(&path.field("string_match"), found)?)
        }
        Some(MatchPattern::BoolMatch(truth)) => ValueMatcher::Bool(*truth),
        Some(MatchPattern::PresentMatch(present)) => ValueMatcher::Present(*present),
        Some(MatchPattern::ListMatch(found)) => {
            let pb::ListMatcher { match_pattern } = &**found;
            let path = path.field("list_match");
            match match_pattern {
                Some(list_matcher::MatchPattern::OneOf(found)) => {
                    ValueMatcher::Item(Box::new(value(&path.field("one_of"), found)?))
                }
                None => return path.refuse("is empty; accepted: one_of"),
            }
        }
        Some(MatchPattern::OrMatch(pb::OrMatcher { value_matchers })) => {
            let path = path.field("or_match");
            let path = path.field("value_matchers");
            if value_matchers.len() < 2 {
                let found = value_matchers.len();
                return path.refuse(format!("has {found} matchers; at least 2 are needed"));
            }
            ValueMatcher::Any(path.each(value_matchers, value)?)
        }
        None => {
            return path.refuse(
                "is empty; accepted: null_match, double_match, string_match, bool_match, present_match, \
                 list_match, or_match",
            );
        }
    })
}

fn number(path: &Path<'_>, matcher: &pb::DoubleMatcher) -> Result<ValueMatcher, Invalid> {
    let pb::DoubleMatcher { match_pattern } = matcher;
    match match_pattern {
        Some(double_matcher::MatchPattern::Exact(number)) => Ok(ValueMatcher::Exact(*number)),
        Some(double_matcher::MatchPattern::Range(DoubleRange { start, end })) => {
            Ok(ValueMatcher::Range { start: *start, end: *end })
        }
        None => path.refuse("is empty; accepted: range, exact"),
    }
}

/// Where a value stands.
pub(super) fn key(path: &Path<'_>, key: &key_pb::MetadataKey) -> Result<MetadataKey, Invalid> {
    use key_pb::metadata_key::{PathSegment, path_segment::Segment};
    let key_pb::MetadataKey { key, path: segments } = key;
    let at = path.field("path");
    if segments.is_empty() {
        return at.refuse("must not be empty");
    }
    Ok(MetadataKey {
        namespace: path.field("key").non_empty(key)?,
        path: at.each(segments, |at, PathSegment { segment }| match segment {
            Some(Segment::Key(key)) => at.field("key").non_empty(key),
            Some(Segment::Index(_)) => at.field("index").unsupported(),
            None => at.refuse("is empty; accepted: key"),
        })?,
    })
}
