//! Requests and responses that a service processes.

use envoy_types::pb::envoy::config::common::mutation_rules::v3 as rules;
use envoy_types::pb::envoy::extensions::filters::http::ext_proc::v3 as pb;
use envoy_types::pb::envoy::r#type::matcher::v3::ListStringMatcher;
use envoy_types::pb::envoy::r#type::v3::HttpStatus;
use envoy_types::pb::google::protobuf::BoolValue;
use pb::ext_proc_per_route::Override;
use pb::external_processor::RouteCacheAction as PbAction;
use pb::metadata_options::MetadataNamespaces;
use pb::processing_mode::{BodySendMode, HeaderSendMode};

use super::super::{grpc_service, headers, matcher, scalar};
use crate::model::{
    BodyMode, ExtProcOverrides, ExtProcPerRoute, ExternalProcessor, ForwardRules, MutationRules,
    ProcessingMode, ProcessorAttribute, ProcessorNamespaces, RouteCacheAction, SendMode, StringMatcher,
};

pub(super) fn filter(filter: &ExternalProcessor) -> pb::ExternalProcessor {
    let ExternalProcessor {
        service,
        failure_mode_allow,
        mode,
        request_attributes,
        response_attributes,
        message_timeout,
        max_message_timeout,
        stat_prefix,
        rules,
        forward,
        mode_override,
        disable_immediate_response,
        metadata,
        observability_mode,
        route_cache,
        deferred_close_timeout,
        status_on_error,
        allow_content_length,
    } = filter;
    let attributes = |found: &[ProcessorAttribute]| found.iter().map(|one| one.name().to_owned()).collect();
    let route_cache_action = match route_cache {
        RouteCacheAction::AsAsked => PbAction::Default,
        RouteCacheAction::Clear => PbAction::Clear,
        RouteCacheAction::Retain => PbAction::Retain,
    };
    pb::ExternalProcessor {
        grpc_service: Some(grpc_service::grpc_service(service)),
        failure_mode_allow: *failure_mode_allow,
        processing_mode: Some(self::mode(*mode)),
        request_attributes: attributes(request_attributes),
        response_attributes: attributes(response_attributes),
        message_timeout: scalar::span(*message_timeout),
        max_message_timeout: scalar::span(*max_message_timeout),
        stat_prefix: stat_prefix.clone(),
        mutation_rules: Some(mutation_rules(rules)),
        forward_rules: Some(forward_rules(forward)),
        allow_mode_override: mode_override.is_some(),
        allowed_override_modes: mode_override.iter().flatten().map(|found| self::mode(*found)).collect(),
        disable_immediate_response: *disable_immediate_response,
        metadata_options: namespaces(metadata),
        observability_mode: *observability_mode,
        route_cache_action: route_cache_action.into(),
        deferred_close_timeout: scalar::span(*deferred_close_timeout),
        status_on_error: Some(HttpStatus { code: i32::from(status_on_error.as_u16()) }),
        allow_content_length_header: *allow_content_length,
        ..Default::default()
    }
}

pub(super) fn per_route(settings: &ExtProcPerRoute) -> pb::ExtProcPerRoute {
    let found = match settings {
        ExtProcPerRoute::Disabled => Override::Disabled(true),
        ExtProcPerRoute::Overrides(found) => Override::Overrides(overrides(found)),
    };
    pb::ExtProcPerRoute { r#override: Some(found) }
}

fn overrides(found: &ExtProcOverrides) -> pb::ExtProcOverrides {
    let ExtProcOverrides { mode, service, initial_metadata, metadata, failure_mode_allow } = found;
    pb::ExtProcOverrides {
        processing_mode: mode.map(self::mode),
        grpc_service: service.as_ref().map(grpc_service::grpc_service),
        grpc_initial_metadata: initial_metadata
            .iter()
            .map(|(name, value)| headers::literal(name, value))
            .collect(),
        metadata_options: namespaces(metadata),
        failure_mode_allow: failure_mode_allow.map(|value| BoolValue { value }),
        ..Default::default()
    }
}

fn mode(mode: ProcessingMode) -> pb::ProcessingMode {
    let ProcessingMode {
        request_headers,
        response_headers,
        request_body,
        response_body,
        request_trailers,
        response_trailers,
    } = mode;
    let send = |mode: SendMode| {
        i32::from(match mode {
            SendMode::Default => HeaderSendMode::Default,
            SendMode::Send => HeaderSendMode::Send,
            SendMode::Skip => HeaderSendMode::Skip,
        })
    };
    pb::ProcessingMode {
        request_header_mode: send(request_headers),
        response_header_mode: send(response_headers),
        request_body_mode: body_mode(request_body).into(),
        response_body_mode: body_mode(response_body).into(),
        request_trailer_mode: send(request_trailers),
        response_trailer_mode: send(response_trailers),
    }
}

/// How a body is sent.
pub(super) fn body_mode(mode: BodyMode) -> BodySendMode {
    match mode {
        BodyMode::None => BodySendMode::None,
        BodyMode::Streamed => BodySendMode::Streamed,
        BodyMode::Buffered => BodySendMode::Buffered,
        BodyMode::BufferedPartial => BodySendMode::BufferedPartial,
    }
}

fn mutation_rules(found: &MutationRules) -> rules::HeaderMutationRules {
    let MutationRules {
        allow_all_routing,
        allow_envoy,
        disallow_system,
        disallow_all,
        allow_expression,
        disallow_expression,
        disallow_is_error,
    } = found;
    rules::HeaderMutationRules {
        allow_all_routing: scalar::switch(*allow_all_routing),
        allow_envoy: scalar::switch(*allow_envoy),
        disallow_system: scalar::switch(*disallow_system),
        disallow_all: scalar::switch(*disallow_all),
        allow_expression: allow_expression.as_ref().map(matcher::regex),
        disallow_expression: disallow_expression.as_ref().map(matcher::regex),
        disallow_is_error: scalar::switch(*disallow_is_error),
    }
}

fn forward_rules(found: &ForwardRules) -> pb::HeaderForwardingRules {
    let ForwardRules { allowed, disallowed } = found;
    let names = |names: &[StringMatcher]| {
        let patterns = names.iter().map(matcher::string).collect::<Vec<_>>();
        (!patterns.is_empty()).then_some(ListStringMatcher { patterns })
    };
    pb::HeaderForwardingRules { allowed_headers: names(allowed), disallowed_headers: names(disallowed) }
}

fn namespaces(found: &ProcessorNamespaces) -> Option<pb::MetadataOptions> {
    let ProcessorNamespaces { forwarded, received } = found;
    let untyped = |names: &Option<Vec<String>>| {
        names.clone().map(|untyped| MetadataNamespaces { untyped, ..Default::default() })
    };
    Some(pb::MetadataOptions {
        forwarding_namespaces: untyped(forwarded),
        receiving_namespaces: untyped(received),
        ..Default::default()
    })
}
