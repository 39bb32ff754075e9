//! Dynamic metadata made of fields and cookies.

use envoy_types::pb::envoy::extensions::filters::http::header_to_metadata::v3 as pb;
use pb::config::{KeyValuePair, Rule, ValueEncode, ValueType};

use super::super::matcher;
use crate::model::{
    HeaderToMetadata, MetadataFromValue, MetadataKind, MetadataPlace, MetadataRule, MetadataSource,
    MetadataText, MetadataWithoutValue,
};

pub(super) fn filter(filter: &HeaderToMetadata) -> pb::Config {
    let HeaderToMetadata { request_rules, response_rules, stat_prefix } = filter;
    pb::Config {
        request_rules: request_rules.iter().map(rule).collect(),
        response_rules: response_rules.iter().map(rule).collect(),
        stat_prefix: stat_prefix.clone(),
    }
}

fn rule(rule: &MetadataRule) -> Rule {
    let MetadataRule { source, on_present, on_missing } = rule;
    let (header, cookie, remove) = match source {
        MetadataSource::Header { name, remove } => (name.clone(), String::new(), *remove),
        MetadataSource::Cookie(name) => (String::new(), name.clone(), false),
    };
    Rule {
        header,
        cookie,
        on_header_present: on_present.as_ref().map(present),
        on_header_missing: on_missing.as_ref().map(missing),
        remove,
    }
}

fn present(pair: &MetadataFromValue) -> KeyValuePair {
    let MetadataFromValue { place: at, value } = pair;
    let (value, regex_value_rewrite) = match value {
        MetadataText::Own => (String::new(), None),
        MetadataText::Fixed(value) => (value.clone(), None),
        MetadataText::Rewritten { regex, substitution } => {
            (String::new(), Some(matcher::substitution(regex, substitution)))
        }
    };
    KeyValuePair { value, regex_value_rewrite, ..place(at) }
}

fn missing(pair: &MetadataWithoutValue) -> KeyValuePair {
    let MetadataWithoutValue { place: at, value } = pair;
    KeyValuePair { value: value.clone(), ..place(at) }
}

fn place(place: &MetadataPlace) -> KeyValuePair {
    let MetadataPlace { namespace, key, kind, base64 } = place;
    let kind = match kind {
        MetadataKind::Text => ValueType::String,
        MetadataKind::Number => ValueType::Number,
        MetadataKind::Encoded => ValueType::ProtobufValue,
    };
    let encode = if *base64 { ValueEncode::Base64 } else { ValueEncode::None };
    KeyValuePair {
        metadata_namespace: namespace.clone(),
        key: key.clone(),
        r#type: kind.into(),
        encode: encode.into(),
        ..Default::default()
    }
}
