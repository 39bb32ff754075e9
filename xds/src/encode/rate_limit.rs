//! Rules that make descriptors, and token buckets.

use envoy_types::pb::envoy::config::route::v3 as pb;
use envoy_types::pb::envoy::r#type::v3::TokenBucket as PbBucket;
use pb::rate_limit::Action;
use pb::rate_limit::action::{self, ActionSpecifier};

use super::{matcher, metadata_matcher, scalar};
use crate::model::{DescriptorAction, RateLimit, TokenBucket};

pub(super) fn rate_limit(rule: &RateLimit) -> pb::RateLimit {
    let RateLimit { stage, actions } = rule;
    let action = |action: &DescriptorAction| Action { action_specifier: Some(self::action(action)) };
    pb::RateLimit {
        stage: scalar::uint32(*stage),
        actions: actions.iter().map(action).collect(),
        ..Default::default()
    }
}

fn action(action: &DescriptorAction) -> ActionSpecifier {
    match action {
        DescriptorAction::DestinationCluster => {
            ActionSpecifier::DestinationCluster(action::DestinationCluster {})
        }
        DescriptorAction::RequestHeader { name, key, skip_if_absent } => {
            ActionSpecifier::RequestHeaders(action::RequestHeaders {
                header_name: name.clone(),
                descriptor_key: key.clone(),
                skip_if_absent: *skip_if_absent,
            })
        }
        DescriptorAction::QueryParameter { name, key, skip_if_absent } => {
            ActionSpecifier::QueryParameters(action::QueryParameters {
                query_parameter_name: name.clone(),
                descriptor_key: key.clone(),
                skip_if_absent: *skip_if_absent,
            })
        }
        DescriptorAction::RemoteAddress => ActionSpecifier::RemoteAddress(action::RemoteAddress {}),
        DescriptorAction::MaskedRemoteAddress { v4_bits, v6_bits } => {
            ActionSpecifier::MaskedRemoteAddress(action::MaskedRemoteAddress {
                v4_prefix_mask_len: scalar::uint32((*v4_bits).into()),
                v6_prefix_mask_len: scalar::uint32((*v6_bits).into()),
            })
        }
        DescriptorAction::GenericKey { key, value } => ActionSpecifier::GenericKey(action::GenericKey {
            descriptor_value: value.clone(),
            descriptor_key: key.clone(),
            ..Default::default()
        }),
        DescriptorAction::HeaderValueMatch { key, value, expect_match, headers } => {
            ActionSpecifier::HeaderValueMatch(action::HeaderValueMatch {
                descriptor_value: value.clone(),
                descriptor_key: key.clone(),
                expect_match: scalar::switch(*expect_match),
                headers: headers.iter().map(matcher::header).collect(),
                ..Default::default()
            })
        }
        DescriptorAction::QueryParameterValueMatch { key, value, expect_match, query_parameters } => {
            ActionSpecifier::QueryParameterValueMatch(action::QueryParameterValueMatch {
                descriptor_value: value.clone(),
                descriptor_key: key.clone(),
                expect_match: scalar::switch(*expect_match),
                query_parameters: query_parameters.iter().map(matcher::query).collect(),
                ..Default::default()
            })
        }
        DescriptorAction::Metadata { key, at, default_value, skip_if_absent } => {
            ActionSpecifier::Metadata(action::MetaData {
                descriptor_key: key.clone(),
                metadata_key: Some(metadata_matcher::key(at)),
                default_value: default_value.clone(),
                skip_if_absent: *skip_if_absent,
                ..Default::default()
            })
        }
    }
}

pub(super) fn token_bucket(bucket: TokenBucket) -> PbBucket {
    let TokenBucket { max_tokens, tokens_per_fill, fill_interval } = bucket;
    PbBucket {
        max_tokens,
        tokens_per_fill: scalar::uint32(tokens_per_fill),
        fill_interval: scalar::span(fill_interval),
    }
}
