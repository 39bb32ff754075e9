//! Models of the filter that lets a service process, and what it and its service say to each other.

use std::collections::BTreeMap;

use envoy_types::pb::envoy::config::core::v3 as core;
use envoy_types::pb::envoy::service::ext_proc::v3 as service;
use envoy_types::pb::google::protobuf::{BoolValue, Duration as Span};
use http::StatusCode;
use prost::Message;
use service::processing_request::Request;
use service::processing_response::Response;

use super::choices::Choices;
use super::{common, rate_limit};
use crate::model::{
    BodyMode, ExtProcOverrides, ExtProcPerRoute, ExternalProcessor, FieldMutation, FieldSet, ForwardRules,
    Half, Metadata, MutationRules, PartAnswer, ProcessingMode, ProcessorAttribute, ProcessorNamespaces,
    ProcessorPart, ProcessorQuestion, ProcessorSaid, RouteCacheAction, SendMode, Value,
};
use crate::{decode, encode};

/// The filter in a chain.
pub(super) fn filter(from: &mut Choices<'_>) -> ExternalProcessor {
    let attribute = |from: &mut Choices<'_>| from.one_of(&ProcessorAttribute::ALL);
    ExternalProcessor {
        service: rate_limit::grpc_service(from),
        failure_mode_allow: from.flag(),
        mode: mode(from),
        request_attributes: from.list(3, attribute),
        response_attributes: from.list(3, attribute),
        message_timeout: from.positive(),
        max_message_timeout: from.positive(),
        stat_prefix: from.text(),
        rules: MutationRules {
            allow_all_routing: from.flag(),
            allow_envoy: from.flag(),
            disallow_system: from.flag(),
            disallow_all: from.flag(),
            allow_expression: from.maybe(common::regex),
            disallow_expression: from.maybe(common::regex),
            disallow_is_error: from.flag(),
        },
        forward: ForwardRules {
            allowed: from.list(2, common::string_matcher),
            disallowed: from.list(2, common::string_matcher),
        },
        mode_override: from.maybe(|from| from.list(2, mode)),
        disable_immediate_response: from.flag(),
        metadata: namespaces(from),
        observability_mode: from.flag(),
        route_cache: from.one_of(&[
            RouteCacheAction::AsAsked,
            RouteCacheAction::Clear,
            RouteCacheAction::Retain,
        ]),
        deferred_close_timeout: from.duration(),
        status_on_error: from.one_of(&[StatusCode::INTERNAL_SERVER_ERROR, StatusCode::BAD_GATEWAY]),
        allow_content_length: from.flag(),
    }
}

/// The filter on a host or route.
pub(super) fn per_route(from: &mut Choices<'_>) -> ExtProcPerRoute {
    if from.flag() {
        return ExtProcPerRoute::Disabled;
    }
    ExtProcPerRoute::Overrides(ExtProcOverrides {
        mode: from.maybe(mode),
        service: from.maybe(rate_limit::grpc_service),
        initial_metadata: from.list(2, |from| (from.name(), from.name())),
        metadata: namespaces(from),
        failure_mode_allow: from.maybe(Choices::flag),
    })
}

fn mode(from: &mut Choices<'_>) -> ProcessingMode {
    let send = |from: &mut Choices<'_>| from.one_of(&[SendMode::Default, SendMode::Send, SendMode::Skip]);
    let body = |from: &mut Choices<'_>| {
        from.one_of(&[BodyMode::None, BodyMode::Streamed, BodyMode::Buffered, BodyMode::BufferedPartial])
    };
    ProcessingMode {
        request_headers: send(from),
        response_headers: send(from),
        request_body: body(from),
        response_body: body(from),
        request_trailers: send(from),
        response_trailers: send(from),
    }
}

fn namespaces(from: &mut Choices<'_>) -> ProcessorNamespaces {
    let names = |from: &mut Choices<'_>| from.list(2, Choices::name);
    ProcessorNamespaces { forwarded: from.maybe(names), received: from.maybe(names) }
}

fn asked(half: Half, part: ProcessorPart) -> service::ProcessingRequest {
    let question = ProcessorQuestion {
        half,
        part,
        metadata: Metadata([("n".to_owned(), BTreeMap::from([("a".to_owned(), Value::Bool(true))]))].into()),
        attributes: Some(BTreeMap::from([("request.path".to_owned(), Value::String("/".to_owned()))])),
        observability_mode: true,
        body_modes: Some((BodyMode::Streamed, BodyMode::BufferedPartial)),
    };
    service::ProcessingRequest::decode(&encode::processor_question(question)[..]).unwrap()
}

#[test]
fn a_question_says_which_part_of_which_message_it_is() {
    for half in [Half::Request, Half::Response] {
        let fields = vec![(":x".to_owned(), b"\xff".to_vec())];
        let told = |found: &Option<core::HeaderMap>| {
            let field = &found.as_ref().unwrap().headers[0];
            assert_eq!((field.key.as_str(), &field.raw_value[..]), (":x", &b"\xff"[..]));
        };
        let head = asked(half, ProcessorPart::Headers(fields.clone(), true));
        match (half, head.request.unwrap()) {
            (Half::Request, Request::RequestHeaders(found))
            | (Half::Response, Request::ResponseHeaders(found)) => {
                told(&found.headers);
                assert!(found.end_of_stream);
            }
            other => panic!("{other:?}"),
        }
        match (half, asked(half, ProcessorPart::Body(b"abc".to_vec(), false)).request.unwrap()) {
            (Half::Request, Request::RequestBody(found)) | (Half::Response, Request::ResponseBody(found)) => {
                assert_eq!((&found.body[..], found.end_of_stream), (&b"abc"[..], false));
            }
            other => panic!("{other:?}"),
        }
        match (half, asked(half, ProcessorPart::Trailers(fields)).request.unwrap()) {
            (Half::Request, Request::RequestTrailers(found))
            | (Half::Response, Request::ResponseTrailers(found)) => told(&found.trailers),
            other => panic!("{other:?}"),
        }
        assert!(head.observability_mode && head.metadata_context.unwrap().filter_metadata.contains_key("n"));
        assert!(head.attributes["envoy.filters.http.ext_proc"].fields.contains_key("request.path"));
        let modes = head.protocol_config.unwrap();
        assert_eq!((modes.request_body_mode, modes.response_body_mode), (1, 3));
    }
}

fn said(message: service::ProcessingResponse) -> crate::model::ProcessorAnswer {
    decode::processor_answer(&message.encode_to_vec()).unwrap()
}

#[test]
#[allow(deprecated, reason = "it is still what counts")]
fn an_answer_is_read_as_far_as_it_is_known() {
    let option = core::HeaderValueOption {
        header: Some(core::HeaderValue { key: "A".into(), value: "x".into(), raw_value: b"y".to_vec() }),
        append: Some(BoolValue { value: true }),
        append_action: 77,
        keep_empty_value: false,
    };
    let common = service::CommonResponse {
        status: 1,
        header_mutation: Some(service::HeaderMutation {
            set_headers: vec![option],
            remove_headers: vec!["b".into()],
        }),
        body_mutation: Some(service::BodyMutation {
            mutation: Some(service::body_mutation::Mutation::ClearBody(true)),
        }),
        clear_route_cache: true,
        ..Default::default()
    };
    let answer = said(service::ProcessingResponse {
        response: Some(Response::RequestHeaders(service::HeadersResponse { response: Some(common) })),
        override_message_timeout: Some(Span { seconds: -1, nanos: 0 }),
        ..Default::default()
    });
    let field = FieldSet { name: "A".to_owned(), value: b"y".to_vec(), append: true };
    let expected = PartAnswer {
        replaces: true,
        fields: Some(FieldMutation { set: vec![field], remove: vec!["b".to_owned()] }),
        body: Some(Some(Vec::new())),
        clear_route_cache: true,
    };
    assert_eq!(answer.said, ProcessorSaid::Headers(Half::Request, expected));
    assert_eq!(answer.timeout, Some(Err(())));
    assert_eq!(said(service::ProcessingResponse::default()).said, ProcessorSaid::Nothing);
    assert!(decode::processor_answer(b"\xff").is_err());
}
