//! Rules that make descriptors (`envoy.config.route.v3.RateLimit`), and token buckets.

use std::time::Duration;

use envoy_types::pb::envoy::config::route::v3 as pb;
use envoy_types::pb::envoy::r#type::metadata::v3::MetadataKey;
use envoy_types::pb::envoy::r#type::v3::{HttpStatus, TokenBucket as PbBucket};
use envoy_types::pb::google::protobuf::UInt32Value;
use http::StatusCode;
use pb::rate_limit::action::meta_data::Source;
use pb::rate_limit::action::{self, ActionSpecifier};
use pb::rate_limit::{Action, XRateLimitOption};

use super::headers;
use super::matcher;
use super::metadata_matcher;
use super::path::{Invalid, Path, absent};
use super::scalar;
use crate::model::{DescriptorAction, RateLimit, TokenBucket};

/// The highest stage there is.
const STAGE_MAX: u32 = 10;
/// The shortest interval, as in Envoy.
const FILL_INTERVAL_MIN: Duration = Duration::from_millis(50);

/// A rule.
pub(super) fn rate_limit(path: &Path<'_>, rule: &pb::RateLimit) -> Result<RateLimit, Invalid> {
    let pb::RateLimit {
        stage,
        actions,
        disable_key,
        limit,
        hits_addend,
        apply_on_stream_done,
        x_ratelimit_option,
    } = rule;
    absent!(path; disable_key, limit, hits_addend);
    path.field("apply_on_stream_done").absent(apply_on_stream_done)?;
    let at = path.field("x_ratelimit_option");
    if at.known::<XRateLimitOption>(*x_ratelimit_option)? != XRateLimitOption::Unspecified {
        return at.unsupported();
    }
    let at = path.field("actions");
    if actions.is_empty() {
        return at.refuse("must not be empty");
    }
    Ok(RateLimit { stage: self::stage(&path.field("stage"), stage)?, actions: at.each(actions, action)? })
}

/// A stage; zero if not said.
pub(super) fn stage(path: &Path<'_>, stage: &Option<UInt32Value>) -> Result<u32, Invalid> {
    Ok(path.ranged(stage, 0..=STAGE_MAX)?.unwrap_or_default())
}

/// A number of a stage.
pub(super) fn stage_number(path: &Path<'_>, stage: u32) -> Result<u32, Invalid> {
    path.within(stage, &(0..=STAGE_MAX))
}

fn action(path: &Path<'_>, action: &Action) -> Result<DescriptorAction, Invalid> {
    use ActionSpecifier as S;
    let Action { action_specifier } = action;
    Ok(match action_specifier {
        Some(S::DestinationCluster(action::DestinationCluster {})) => DescriptorAction::DestinationCluster,
        Some(S::RequestHeaders(action::RequestHeaders { header_name, descriptor_key, skip_if_absent })) => {
            let path = path.field("request_headers");
            DescriptorAction::RequestHeader {
                name: headers::name_or_pseudo(&path.field("header_name"), header_name)?,
                key: path.field("descriptor_key").non_empty(descriptor_key)?,
                skip_if_absent: *skip_if_absent,
            }
        }
        Some(S::QueryParameters(found)) => {
            let action::QueryParameters { query_parameter_name, descriptor_key, skip_if_absent } = found;
            let path = path.field("query_parameters");
            DescriptorAction::QueryParameter {
                name: path.field("query_parameter_name").non_empty(query_parameter_name)?,
                key: path.field("descriptor_key").non_empty(descriptor_key)?,
                skip_if_absent: *skip_if_absent,
            }
        }
        Some(S::RemoteAddress(action::RemoteAddress {})) => DescriptorAction::RemoteAddress,
        Some(S::MaskedRemoteAddress(found)) => masked(&path.field("masked_remote_address"), found)?,
        Some(S::GenericKey(found)) => {
            let action::GenericKey { descriptor_value, default_value, descriptor_key } = found;
            let path = path.field("generic_key");
            absent!(path; default_value);
            DescriptorAction::GenericKey {
                key: key(descriptor_key, "generic_key"),
                value: path.field("descriptor_value").non_empty(descriptor_value)?,
            }
        }
        Some(S::HeaderValueMatch(found)) => header_match(&path.field("header_value_match"), found)?,
        Some(S::QueryParameterValueMatch(found)) => {
            query_match(&path.field("query_parameter_value_match"), found)?
        }
        Some(S::SourceCluster(_)) => return path.field("source_cluster").unsupported(),
        Some(S::DynamicMetadata(found)) => {
            let action::DynamicMetaData { descriptor_key, metadata_key, default_value } = found;
            let path = path.field("dynamic_metadata");
            metadata(&path, descriptor_key, metadata_key.as_ref(), default_value, false)?
        }
        Some(S::Metadata(found)) => {
            let action::MetaData { descriptor_key, metadata_key, default_value, source, skip_if_absent } =
                found;
            let path = path.field("metadata");
            let at = path.field("source");
            if at.known::<Source>(*source)? != Source::Dynamic {
                return at.refuse("is not supported here but for DYNAMIC");
            }
            metadata(&path, descriptor_key, metadata_key.as_ref(), default_value, *skip_if_absent)?
        }
        Some(S::Extension(_)) => return path.field("extension").unsupported(),
        Some(S::RemoteAddressMatch(_)) => return path.field("remote_address_match").unsupported(),
        None => {
            return path.refuse(
                "is empty; accepted: destination_cluster, request_headers, query_parameters, remote_address, \
                 masked_remote_address, generic_key, header_value_match, query_parameter_value_match, \
                 metadata",
            );
        }
    })
}

fn metadata(
    path: &Path<'_>,
    key: &str,
    at: Option<&MetadataKey>,
    default_value: &str,
    skip_if_absent: bool,
) -> Result<DescriptorAction, Invalid> {
    let at_key = path.field("metadata_key");
    let at = at.ok_or_else(|| at_key.invalid("is required"))?;
    Ok(DescriptorAction::Metadata {
        key: path.field("descriptor_key").non_empty(key)?,
        at: metadata_matcher::key(&at_key, at)?,
        default_value: default_value.to_owned(),
        skip_if_absent,
    })
}

fn key(text: &str, otherwise: &str) -> String {
    if text.is_empty() { otherwise.to_owned() } else { text.to_owned() }
}

fn masked(path: &Path<'_>, found: &action::MaskedRemoteAddress) -> Result<DescriptorAction, Invalid> {
    let action::MaskedRemoteAddress { v4_prefix_mask_len, v6_prefix_mask_len } = found;
    let bits = |name: &str, len: &Option<UInt32Value>, max: u8| -> Result<u8, Invalid> {
        let found = path.field(name).ranged(len, 0..=u32::from(max))?;
        Ok(found.and_then(|bits| u8::try_from(bits).ok()).unwrap_or(max))
    };
    Ok(DescriptorAction::MaskedRemoteAddress {
        v4_bits: bits("v4_prefix_mask_len", v4_prefix_mask_len, 32)?,
        v6_bits: bits("v6_prefix_mask_len", v6_prefix_mask_len, 128)?,
    })
}

fn header_match(path: &Path<'_>, found: &action::HeaderValueMatch) -> Result<DescriptorAction, Invalid> {
    let action::HeaderValueMatch { descriptor_value, default_value, descriptor_key, expect_match, headers } =
        found;
    absent!(path; default_value);
    let at = path.field("headers");
    if headers.is_empty() {
        return at.refuse("must not be empty");
    }
    Ok(DescriptorAction::HeaderValueMatch {
        key: key(descriptor_key, "header_match"),
        value: path.field("descriptor_value").non_empty(descriptor_value)?,
        expect_match: scalar::switch(expect_match, true),
        headers: at.each(headers, matcher::header)?,
    })
}

fn query_match(
    path: &Path<'_>,
    found: &action::QueryParameterValueMatch,
) -> Result<DescriptorAction, Invalid> {
    let action::QueryParameterValueMatch {
        descriptor_value,
        default_value,
        descriptor_key,
        expect_match,
        query_parameters,
    } = found;
    absent!(path; default_value);
    let at = path.field("query_parameters");
    if query_parameters.is_empty() {
        return at.refuse("must not be empty");
    }
    Ok(DescriptorAction::QueryParameterValueMatch {
        key: key(descriptor_key, "query_match"),
        value: path.field("descriptor_value").non_empty(descriptor_value)?,
        expect_match: scalar::switch(expect_match, true),
        query_parameters: at.each(query_parameters, matcher::query)?,
    })
}

/// How many may pass.
pub(super) fn token_bucket(path: &Path<'_>, bucket: &PbBucket) -> Result<TokenBucket, Invalid> {
    let PbBucket { max_tokens, tokens_per_fill, fill_interval } = bucket;
    let at = path.field("fill_interval");
    let interval = at.duration(at.required(fill_interval)?)?;
    if interval < FILL_INTERVAL_MIN {
        return at.refuse(format!("{interval:?} is not accepted; 50 ms or more is"));
    }
    Ok(TokenBucket {
        max_tokens: path.field("max_tokens").within(*max_tokens, &(1..=u32::MAX))?,
        tokens_per_fill: path.field("tokens_per_fill").ranged(tokens_per_fill, 1..=u32::MAX)?.unwrap_or(1),
        fill_interval: interval,
    })
}

/// The status of what is over a limit: below 400 it is 429, as in Envoy.
pub(super) fn limited_status(path: &Path<'_>, status: Option<&HttpStatus>) -> Result<StatusCode, Invalid> {
    let found = self::status(path, status)?.filter(|status| status.as_u16() >= 400);
    Ok(found.unwrap_or(StatusCode::TOO_MANY_REQUESTS))
}

/// A status, if one is said.
pub(super) fn status(path: &Path<'_>, status: Option<&HttpStatus>) -> Result<Option<StatusCode>, Invalid> {
    let Some(HttpStatus { code }) = status else { return Ok(None) };
    let status = u16::try_from(*code).ok().and_then(|code| StatusCode::from_u16(code).ok());
    match status.filter(|status| status.as_u16() < 600) {
        Some(status) => Ok(Some(status)),
        None if *code == 0 => Ok(None),
        None => path.field("code").refuse(format!("{code} is not a status; 100 to 599 are")),
    }
}
