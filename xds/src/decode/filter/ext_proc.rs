//! Requests and responses that a service processes (`envoy.extensions.filters.http.ext_proc.v3`).

use std::time::Duration;

use envoy_types::pb::envoy::config::common::mutation_rules::v3 as rules;
use envoy_types::pb::envoy::extensions::filters::http::ext_proc::v3 as pb;
use envoy_types::pb::envoy::r#type::matcher::v3::ListStringMatcher;
use http::StatusCode;
use pb::ext_proc_per_route::Override;
use pb::external_processor::RouteCacheAction as PbAction;
use pb::metadata_options::MetadataNamespaces;
use pb::processing_mode::{BodySendMode, HeaderSendMode};

use super::super::path::{Invalid, Path, absent};
use super::super::scalar::switch;
use super::super::{grpc_service, headers, matcher, rate_limit};
use crate::model::{
    BodyMode, ExtProcOverrides, ExtProcPerRoute, ExternalProcessor, ForwardRules, MutationRules,
    ProcessingMode, ProcessorAttribute, ProcessorNamespaces, RouteCacheAction, SendMode, StringMatcher,
};

/// Envoy's time for an answer.
const MESSAGE_TIMEOUT: Duration = Duration::from_millis(200);
/// Envoy's time after which a service that only watches is heard no more.
const DEFERRED_CLOSE: Duration = Duration::from_secs(5);
/// The longest time that a service may ask for, as in Envoy.
const MESSAGE_TIMEOUT_MAX: Duration = Duration::from_secs(3600);

/// The filter in a chain.
pub(super) fn filter(path: &Path<'_>, filter: &pb::ExternalProcessor) -> Result<ExternalProcessor, Invalid> {
    #[rustfmt::skip]
    let pb::ExternalProcessor {
        grpc_service, failure_mode_allow, processing_mode, request_attributes, response_attributes, message_timeout,
        stat_prefix, mutation_rules, max_message_timeout, forward_rules, allow_mode_override,
        disable_immediate_response, metadata_options, observability_mode, disable_clear_route_cache,
        route_cache_action, deferred_close_timeout, allowed_override_modes, status_on_error,
        allow_content_length_header,
        // Nothing is traced.
        emit_client_span: _,
        // Refused when set.
        http_service, filter_metadata, send_body_without_waiting_for_header_response, processing_request_modifier,
        on_processing_response,
    } = filter;
    absent!(path; http_service, filter_metadata, send_body_without_waiting_for_header_response,
        processing_request_modifier, on_processing_response);
    let at_service = path.field("grpc_service");
    let at_mode = path.field("processing_mode");
    let modes = path.field("allowed_override_modes").each(allowed_override_modes, mode)?;
    Ok(ExternalProcessor {
        service: grpc_service::grpc_service(&at_service, at_service.required(grpc_service)?)?,
        failure_mode_allow: *failure_mode_allow,
        mode: processing_mode.as_ref().map(|found| mode(&at_mode, found)).transpose()?.unwrap_or_default(),
        request_attributes: path.field("request_attributes").each(request_attributes, attribute)?,
        response_attributes: path.field("response_attributes").each(response_attributes, attribute)?,
        message_timeout: timeout(&path.field("message_timeout"), message_timeout)?.unwrap_or(MESSAGE_TIMEOUT),
        max_message_timeout: timeout(&path.field("max_message_timeout"), max_message_timeout)?
            .unwrap_or_default(),
        stat_prefix: stat_prefix.clone(),
        rules: mutation_rules_or_none(&path.field("mutation_rules"), mutation_rules.as_ref())?,
        forward: forward_rules_or_none(&path.field("forward_rules"), forward_rules.as_ref())?,
        mode_override: allow_mode_override.then_some(modes),
        disable_immediate_response: *disable_immediate_response,
        metadata: namespaces(&path.field("metadata_options"), metadata_options.as_ref())?,
        observability_mode: *observability_mode,
        route_cache: route_cache(path, *route_cache_action, *disable_clear_route_cache)?,
        deferred_close_timeout: path
            .field("deferred_close_timeout")
            .optional(deferred_close_timeout)?
            .unwrap_or(DEFERRED_CLOSE),
        status_on_error: rate_limit::status(&path.field("status_on_error"), status_on_error.as_ref())?
            .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        allow_content_length: *allow_content_length_header,
    })
}

/// The filter on a host or route.
pub(super) fn per_route(path: &Path<'_>, settings: &pb::ExtProcPerRoute) -> Result<ExtProcPerRoute, Invalid> {
    let pb::ExtProcPerRoute { r#override } = settings;
    let found = match r#override {
        Some(Override::Disabled(true)) => return Ok(ExtProcPerRoute::Disabled),
        Some(Override::Disabled(false)) => return path.field("disabled").refuse("must be true or left out"),
        Some(Override::Overrides(found)) => found,
        None => return path.refuse("is empty; accepted: disabled, overrides"),
    };
    let path = path.field("overrides");
    let pb::ExtProcOverrides {
        processing_mode,
        grpc_service,
        metadata_options,
        grpc_initial_metadata,
        failure_mode_allow,
        // Nothing is traced.
        emit_client_span: _,
        // Refused when set; Envoy does not have the first three either.
        async_mode,
        request_attributes,
        response_attributes,
        processing_request_modifier,
    } = found;
    absent!(path; async_mode, request_attributes, response_attributes, processing_request_modifier);
    let (at_mode, at_service) = (path.field("processing_mode"), path.field("grpc_service"));
    Ok(ExtProcPerRoute::Overrides(ExtProcOverrides {
        mode: processing_mode.as_ref().map(|found| mode(&at_mode, found)).transpose()?,
        service: grpc_service
            .as_ref()
            .map(|found| grpc_service::grpc_service(&at_service, found))
            .transpose()?,
        initial_metadata: path
            .field("grpc_initial_metadata")
            .each(grpc_initial_metadata, headers::literal_value)?,
        metadata: namespaces(&path.field("metadata_options"), metadata_options.as_ref())?,
        failure_mode_allow: failure_mode_allow.map(|switch| switch.value),
    }))
}

/// What a service is sent.
fn mode(path: &Path<'_>, mode: &pb::ProcessingMode) -> Result<ProcessingMode, Invalid> {
    let pb::ProcessingMode {
        request_header_mode,
        response_header_mode,
        request_body_mode,
        response_body_mode,
        request_trailer_mode,
        response_trailer_mode,
    } = mode;
    let send = |name: &str, mode: i32| Ok(send_mode(path.field(name).known(mode)?));
    let body = |name: &str, mode: i32| {
        let at = path.field(name);
        let found = at.known::<BodySendMode>(mode)?;
        body_mode(found).ok_or_else(|| at.invalid(format!("{} is not supported here", found.as_str_name())))
    };
    Ok(ProcessingMode {
        request_headers: send("request_header_mode", *request_header_mode)?,
        response_headers: send("response_header_mode", *response_header_mode)?,
        request_body: body("request_body_mode", *request_body_mode)?,
        response_body: body("response_body_mode", *response_body_mode)?,
        request_trailers: send("request_trailer_mode", *request_trailer_mode)?,
        response_trailers: send("response_trailer_mode", *response_trailer_mode)?,
    })
}

/// What a service wants to be sent; `None` for what is not supported.
pub(super) fn wanted(found: &pb::ProcessingMode) -> Option<ProcessingMode> {
    mode(&Path::ROOT, found).ok()
}

fn send_mode(mode: HeaderSendMode) -> SendMode {
    match mode {
        HeaderSendMode::Default => SendMode::Default,
        HeaderSendMode::Send => SendMode::Send,
        HeaderSendMode::Skip => SendMode::Skip,
    }
}

fn body_mode(mode: BodySendMode) -> Option<BodyMode> {
    Some(match mode {
        BodySendMode::None => BodyMode::None,
        BodySendMode::Streamed => BodyMode::Streamed,
        BodySendMode::Buffered => BodyMode::Buffered,
        BodySendMode::BufferedPartial => BodyMode::BufferedPartial,
        BodySendMode::FullDuplexStreamed | BodySendMode::Grpc => return None,
    })
}

#[allow(clippy::ptr_arg, reason = "what the elements of a list are")]
fn attribute(path: &Path<'_>, name: &String) -> Result<ProcessorAttribute, Invalid> {
    match ProcessorAttribute::ALL.into_iter().find(|known| known.name() == name) {
        Some(known) => Ok(known),
        None => {
            let known: Vec<_> = ProcessorAttribute::ALL.iter().map(|known| known.name()).collect();
            path.refuse(format!("{name:?} is not supported here; accepted: {}", known.join(", ")))
        }
    }
}

fn timeout(
    path: &Path<'_>,
    span: &Option<envoy_types::pb::google::protobuf::Duration>,
) -> Result<Option<Duration>, Invalid> {
    match path.optional(span)? {
        Some(found) if found > MESSAGE_TIMEOUT_MAX => {
            path.refuse(format!("{found:?} is too long; 0 s to {MESSAGE_TIMEOUT_MAX:?} are accepted"))
        }
        found => Ok(found),
    }
}

fn mutation_rules_or_none(
    path: &Path<'_>,
    found: Option<&rules::HeaderMutationRules>,
) -> Result<MutationRules, Invalid> {
    let Some(rules::HeaderMutationRules {
        allow_all_routing,
        allow_envoy,
        disallow_system,
        disallow_all,
        allow_expression,
        disallow_expression,
        disallow_is_error,
    }) = found
    else {
        return Ok(MutationRules::default());
    };
    let expression = |name: &str, found: &Option<_>| {
        let at = path.field(name);
        found.as_ref().map(|found| matcher::regex(&at, found)).transpose()
    };
    Ok(MutationRules {
        allow_all_routing: switch(allow_all_routing, false),
        allow_envoy: switch(allow_envoy, false),
        disallow_system: switch(disallow_system, false),
        disallow_all: switch(disallow_all, false),
        allow_expression: expression("allow_expression", allow_expression)?,
        disallow_expression: expression("disallow_expression", disallow_expression)?,
        disallow_is_error: switch(disallow_is_error, false),
    })
}

fn forward_rules_or_none(
    path: &Path<'_>,
    found: Option<&pb::HeaderForwardingRules>,
) -> Result<ForwardRules, Invalid> {
    let Some(pb::HeaderForwardingRules { allowed_headers, disallowed_headers }) = found else {
        return Ok(ForwardRules::default());
    };
    let names = |name: &str, found: &Option<ListStringMatcher>| -> Result<Vec<StringMatcher>, Invalid> {
        let Some(ListStringMatcher { patterns }) = found else { return Ok(Vec::new()) };
        path.field(name).field("patterns").each(patterns, matcher::string)
    };
    Ok(ForwardRules {
        allowed: names("allowed_headers", allowed_headers)?,
        disallowed: names("disallowed_headers", disallowed_headers)?,
    })
}

fn namespaces(path: &Path<'_>, found: Option<&pb::MetadataOptions>) -> Result<ProcessorNamespaces, Invalid> {
    let Some(pb::MetadataOptions {
        forwarding_namespaces,
        receiving_namespaces,
        cluster_metadata_forwarding_namespaces,
    }) = found
    else {
        return Ok(ProcessorNamespaces::default());
    };
    absent!(path; cluster_metadata_forwarding_namespaces);
    let untyped = |name: &str, found: &Option<MetadataNamespaces>| {
        let Some(MetadataNamespaces { untyped, typed }) = found else { return Ok(None) };
        let at = path.field(name);
        absent!(at; typed);
        Ok(Some(untyped.clone()))
    };
    Ok(ProcessorNamespaces {
        forwarded: untyped("forwarding_namespaces", forwarding_namespaces)?,
        received: untyped("receiving_namespaces", receiving_namespaces)?,
    })
}

fn route_cache(path: &Path<'_>, action: i32, disabled: bool) -> Result<RouteCacheAction, Invalid> {
    let at = path.field("route_cache_action");
    match at.known::<PbAction>(action)? {
        PbAction::Default if disabled => Ok(RouteCacheAction::Retain),
        _ if disabled => at.refuse("and disable_clear_route_cache are both set; keep route_cache_action"),
        PbAction::Default => Ok(RouteCacheAction::AsAsked),
        PbAction::Clear => Ok(RouteCacheAction::Clear),
        PbAction::Retain => Ok(RouteCacheAction::Retain),
    }
}
