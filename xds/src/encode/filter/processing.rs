//! What an external processor is asked (`envoy.service.ext_proc.v3`).

use std::collections::HashMap;

use envoy_types::pb::envoy::config::core::v3 as core;
use envoy_types::pb::envoy::service::ext_proc::v3 as pb;
use pb::processing_request::Request;

use super::super::metadata;
use super::ext_proc::body_mode;
use crate::model::{Half, ProcessorPart, ProcessorQuestion};

/// Under which attributes stand.
const NAMESPACE: &str = "envoy.filters.http.ext_proc";

/// A part of a message.
pub(in crate::encode) fn question(question: ProcessorQuestion) -> pb::ProcessingRequest {
    let ProcessorQuestion { half, part, metadata, attributes, observability_mode, body_modes } = question;
    let request = match (part, half) {
        (ProcessorPart::Headers(found, end), half) => {
            let headers =
                pb::HttpHeaders { headers: Some(fields(found)), end_of_stream: end, ..Default::default() };
            match half {
                Half::Request => Request::RequestHeaders(headers),
                Half::Response => Request::ResponseHeaders(headers),
            }
        }
        (ProcessorPart::Body(body, end_of_stream), half) => {
            let body = pb::HttpBody { body, end_of_stream, ..Default::default() };
            match half {
                Half::Request => Request::RequestBody(body),
                Half::Response => Request::ResponseBody(body),
            }
        }
        (ProcessorPart::Trailers(found), half) => {
            let trailers = pb::HttpTrailers { trailers: Some(fields(found)) };
            match half {
                Half::Request => Request::RequestTrailers(trailers),
                Half::Response => Request::ResponseTrailers(trailers),
            }
        }
    };
    pb::ProcessingRequest {
        metadata_context: Some(metadata::metadata(&metadata).unwrap_or_default()),
        attributes: attributes.map_or_else(HashMap::new, |found| {
            HashMap::from([(NAMESPACE.to_owned(), metadata::object(&found))])
        }),
        observability_mode,
        protocol_config: body_modes.map(|(request, response)| pb::ProtocolConfiguration {
            request_body_mode: body_mode(request).into(),
            response_body_mode: body_mode(response).into(),
            send_body_without_waiting_for_header_response: false,
        }),
        request: Some(request),
        ..Default::default()
    }
}

fn fields(found: Vec<(String, Vec<u8>)>) -> core::HeaderMap {
    let field =
        |(key, raw_value): (String, Vec<u8>)| core::HeaderValue { key, raw_value, ..Default::default() };
    core::HeaderMap { headers: found.into_iter().map(field).collect() }
}
