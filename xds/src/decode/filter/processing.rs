//! What an external processor answers (`envoy.service.ext_proc.v3`).
//!
//! Nothing is refused here: what an answer may not hold is for who asked to say, and to count.

use std::collections::BTreeMap;
use std::time::Duration;

use envoy_types::pb::envoy::config::core::v3 as core;
use envoy_types::pb::envoy::service::ext_proc::v3 as pb;
use envoy_types::pb::envoy::r#type::v3::HttpStatus;
use envoy_types::pb::google::protobuf::value::Kind;
use envoy_types::pb::google::protobuf::{Duration as Span, Struct};
use pb::body_mutation::Mutation;
use pb::common_response::ResponseStatus;
use pb::processing_response::Response;

use super::super::metadata;
use super::super::path::Path;
use super::ext_proc;
use crate::model::{
    FieldMutation, FieldSet, Half, ImmediateAnswer, PartAnswer, ProcessorAnswer, ProcessorSaid, Value,
};

/// What a service answers.
pub(in crate::decode) fn answer(answer: &pb::ProcessingResponse) -> ProcessorAnswer {
    let pb::ProcessingResponse {
        dynamic_metadata,
        mode_override,
        override_message_timeout,
        response,
        // Typed metadata has no namespace that may be received; the others are Envoy's plans.
        typed_dynamic_metadata: _,
        request_drain: _,
        request_drain_requests: _,
        request_drain_responses: _,
        server_window_update: _,
    } = answer;
    let of_head = |found: &pb::HeadersResponse| part(found.response.as_ref());
    let of_body = |found: &pb::BodyResponse| part(found.response.as_ref());
    let of_trailers = |found: &pb::TrailersResponse| found.header_mutation.as_ref().map(mutation);
    ProcessorAnswer {
        metadata: dynamic_metadata.as_ref().map(noted).unwrap_or_default(),
        mode: mode_override.as_ref().and_then(ext_proc::wanted),
        timeout: override_message_timeout.as_ref().map(time),
        said: match response {
            Some(Response::RequestHeaders(found)) => ProcessorSaid::Headers(Half::Request, of_head(found)),
            Some(Response::ResponseHeaders(found)) => ProcessorSaid::Headers(Half::Response, of_head(found)),
            Some(Response::RequestBody(found)) => ProcessorSaid::Body(Half::Request, of_body(found)),
            Some(Response::ResponseBody(found)) => ProcessorSaid::Body(Half::Response, of_body(found)),
            Some(Response::RequestTrailers(found)) => {
                ProcessorSaid::Trailers(Half::Request, of_trailers(found))
            }
            Some(Response::ResponseTrailers(found)) => {
                ProcessorSaid::Trailers(Half::Response, of_trailers(found))
            }
            Some(Response::ImmediateResponse(found)) => ProcessorSaid::Immediate(Box::new(immediate(found))),
            Some(Response::StreamedImmediateResponse(_)) | None => ProcessorSaid::Nothing,
        },
    }
}

/// Objects by namespace; what is no object is an empty one, as in Envoy.
fn noted(found: &Struct) -> BTreeMap<String, BTreeMap<String, Value>> {
    let object = |value: &envoy_types::pb::google::protobuf::Value| match &value.kind {
        Some(Kind::StructValue(inner)) => metadata::object(&Path::ROOT, inner).unwrap_or_default(),
        _ => BTreeMap::new(),
    };
    found.fields.iter().map(|(name, value)| (name.clone(), object(value))).collect()
}

fn time(span: &Span) -> Result<Duration, ()> {
    Path::ROOT.duration(span).map_err(|_| ())
}

fn part(found: Option<&pb::CommonResponse>) -> PartAnswer {
    let Some(pb::CommonResponse { status, header_mutation, body_mutation, clear_route_cache, trailers: _ }) =
        found
    else {
        return PartAnswer::default();
    };
    PartAnswer {
        replaces: *status == i32::from(ResponseStatus::ContinueAndReplace),
        fields: header_mutation.as_ref().map(mutation),
        body: body_mutation.as_ref().map(|found| match &found.mutation {
            Some(Mutation::Body(bytes)) => Some(bytes.clone()),
            Some(Mutation::ClearBody(true)) => Some(Vec::new()),
            Some(Mutation::ClearBody(false) | Mutation::StreamedResponse(_)) | None => None,
        }),
        clear_route_cache: *clear_route_cache,
    }
}

fn mutation(found: &pb::HeaderMutation) -> FieldMutation {
    let pb::HeaderMutation { set_headers, remove_headers } = found;
    FieldMutation { set: set_headers.iter().filter_map(set).collect(), remove: remove_headers.clone() }
}

/// A field to set; `None` where there is none.
fn set(option: &core::HeaderValueOption) -> Option<FieldSet> {
    // As in Envoy, `append` alone says what becomes of other values, and `raw_value` is the only value.
    let core::HeaderValueOption { header, append, append_action: _, keep_empty_value: _ } = option;
    let core::HeaderValue { key, value: _, raw_value } = header.as_ref()?;
    let append = append.is_some_and(|append| append.value);
    Some(FieldSet { name: key.clone(), value: raw_value.clone(), append })
}

fn immediate(found: &pb::ImmediateResponse) -> ImmediateAnswer {
    let pb::ImmediateResponse { status, headers, body, grpc_status, details } = found;
    ImmediateAnswer {
        status: status.as_ref().map(|HttpStatus { code }| *code),
        fields: headers.as_ref().map(mutation),
        body: body.clone(),
        grpc_status: grpc_status.map(|found| found.status),
        details: details.clone(),
    }
}
