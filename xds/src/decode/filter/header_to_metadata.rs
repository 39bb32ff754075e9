//! Dynamic metadata made of fields and cookies (`envoy.extensions.filters.http.header_to_metadata.v3`).

use envoy_types::pb::envoy::extensions::filters::http::header_to_metadata::v3 as pb;
use pb::config::{KeyValuePair, Rule, ValueEncode, ValueType};

use super::super::path::{Invalid, Path, absent};
use super::super::{headers, matcher};
use crate::model::{
    HeaderToMetadata, MetadataFromValue, MetadataKind, MetadataPlace, MetadataRule, MetadataSource,
    MetadataText, MetadataWithoutValue,
};

/// The filter in a chain.
pub(super) fn filter(path: &Path<'_>, filter: &pb::Config) -> Result<HeaderToMetadata, Invalid> {
    let pb::Config { request_rules, response_rules, stat_prefix } = filter;
    Ok(HeaderToMetadata {
        request_rules: path
            .field("request_rules")
            .each(request_rules, |path, found| rule(path, found, headers::name_or_pseudo))?,
        response_rules: path
            .field("response_rules")
            .each(response_rules, |path, found| rule(path, found, headers::name))?,
        stat_prefix: stat_prefix.clone(),
    })
}

/// The filter on a host or route, which must say something there, as in Envoy.
pub(super) fn per_route(path: &Path<'_>, filter: &pb::Config) -> Result<HeaderToMetadata, Invalid> {
    if filter.request_rules.is_empty() && filter.response_rules.is_empty() {
        return path.refuse("needs request_rules or response_rules");
    }
    self::filter(path, filter)
}

fn rule(
    path: &Path<'_>,
    rule: &Rule,
    name: fn(&Path<'_>, &str) -> Result<String, Invalid>,
) -> Result<MetadataRule, Invalid> {
    let Rule { header, cookie, on_header_present, on_header_missing, remove } = rule;
    let source = match (header.as_str(), cookie.as_str()) {
        (header, "") => {
            let name = name(&path.field("header"), header)?;
            if *remove && name.starts_with(':') {
                return path.field("remove").refuse(format!("{name:?} cannot be removed"));
            }
            MetadataSource::Header { name, remove: *remove }
        }
        ("", _) if *remove => return path.field("remove").refuse("a cookie cannot be removed"),
        ("", cookie) => MetadataSource::Cookie(headers::value(&path.field("cookie"), cookie)?),
        _ => return path.refuse("has both header and cookie; keep one"),
    };
    if on_header_present.is_none() && on_header_missing.is_none() {
        return path.refuse("needs on_header_present or on_header_missing");
    }
    let at = path.field("on_header_present");
    let on_present = on_header_present.as_ref().map(|pair| present(&at, pair)).transpose()?;
    let at = path.field("on_header_missing");
    let on_missing = on_header_missing.as_ref().map(|pair| missing(&at, pair)).transpose()?;
    Ok(MetadataRule { source, on_present, on_missing })
}

fn present(path: &Path<'_>, pair: &KeyValuePair) -> Result<MetadataFromValue, Invalid> {
    let KeyValuePair { metadata_namespace, key, value, regex_value_rewrite, r#type, encode } = pair;
    let text = match (value.as_str(), regex_value_rewrite) {
        ("", None) => MetadataText::Own,
        ("", Some(rewrite)) => {
            let (regex, substitution) = matcher::substitution(&path.field("regex_value_rewrite"), rewrite)?;
            MetadataText::Rewritten { regex, substitution }
        }
        (value, None) => MetadataText::Fixed(value.to_owned()),
        (_, Some(_)) => return path.refuse("has both value and regex_value_rewrite; keep one"),
    };
    Ok(MetadataFromValue { place: place(path, metadata_namespace, key, *r#type, *encode)?, value: text })
}

fn missing(path: &Path<'_>, pair: &KeyValuePair) -> Result<MetadataWithoutValue, Invalid> {
    let KeyValuePair { metadata_namespace, key, value, regex_value_rewrite, r#type, encode } = pair;
    absent!(path; regex_value_rewrite);
    Ok(MetadataWithoutValue {
        place: place(path, metadata_namespace, key, *r#type, *encode)?,
        value: path.field("value").non_empty(value)?,
    })
}

fn place(
    path: &Path<'_>,
    namespace: &str,
    key: &str,
    kind: i32,
    encode: i32,
) -> Result<MetadataPlace, Invalid> {
    let kind = match path.field("type").known(kind)? {
        ValueType::String => MetadataKind::Text,
        ValueType::Number => MetadataKind::Number,
        ValueType::ProtobufValue => MetadataKind::Encoded,
    };
    Ok(MetadataPlace {
        namespace: namespace.to_owned(),
        key: path.field("key").non_empty(key)?,
        kind,
        base64: path.field("encode").known::<ValueEncode>(encode)? == ValueEncode::Base64,
    })
}
