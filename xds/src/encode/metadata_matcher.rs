//! Tests on metadata, and where its values stand.

use envoy_types::pb::envoy::r#type::matcher::v3 as pb;
use envoy_types::pb::envoy::r#type::metadata::v3 as key_pb;
use envoy_types::pb::envoy::r#type::v3::DoubleRange;
use pb::metadata_matcher::{PathSegment, path_segment};
use pb::value_matcher::{MatchPattern, NullMatch};
use pb::{double_matcher, list_matcher};

use super::matcher;
use crate::model::{MetadataKey, MetadataMatcher, ValueMatcher};

pub(super) fn metadata(matcher: &MetadataMatcher) -> pb::MetadataMatcher {
    let MetadataMatcher { key: MetadataKey { namespace, path }, value: test, invert } = matcher;
    let segment = |name: &String| PathSegment { segment: Some(path_segment::Segment::Key(name.clone())) };
    pb::MetadataMatcher {
        filter: namespace.clone(),
        path: path.iter().map(segment).collect(),
        value: Some(value(test)),
        invert: *invert,
    }
}

pub(super) fn value(matcher: &ValueMatcher) -> pb::ValueMatcher {
    let number = |pattern| MatchPattern::DoubleMatch(pb::DoubleMatcher { match_pattern: Some(pattern) });
    let pattern = match matcher {
        ValueMatcher::Null => MatchPattern::NullMatch(NullMatch {}),
        ValueMatcher::Exact(exact) => number(double_matcher::MatchPattern::Exact(*exact)),
        ValueMatcher::Range { start, end } => {
            number(double_matcher::MatchPattern::Range(DoubleRange { start: *start, end: *end }))
        }
        ValueMatcher::Text(test) => MatchPattern::StringMatch(matcher::string(test)),
        ValueMatcher::Bool(truth) => MatchPattern::BoolMatch(*truth),
        ValueMatcher::Present(present) => MatchPattern::PresentMatch(*present),
        ValueMatcher::Item(item) => {
            let one_of = list_matcher::MatchPattern::OneOf(Box::new(value(item)));
            MatchPattern::ListMatch(Box::new(pb::ListMatcher { match_pattern: Some(one_of) }))
        }
        ValueMatcher::Any(tests) => {
            MatchPattern::OrMatch(pb::OrMatcher { value_matchers: tests.iter().map(value).collect() })
        }
    };
    pb::ValueMatcher { match_pattern: Some(pattern) }
}

pub(super) fn key(key: &MetadataKey) -> key_pb::MetadataKey {
    use key_pb::metadata_key::{PathSegment, path_segment::Segment};
    let MetadataKey { namespace, path } = key;
    let segment = |name: &String| PathSegment { segment: Some(Segment::Key(name.clone())) };
    key_pb::MetadataKey { key: namespace.clone(), path: path.iter().map(segment).collect() }
}
