//! HTTP settings of either side.

use envoy_types::pb::envoy::config::core::v3 as pb;
use pb::http1_protocol_options::HeaderKeyFormat;
use pb::http1_protocol_options::header_key_format::{HeaderFormat, ProperCaseWords};

use super::scalar;
use crate::model::{Http1Options, Http2Options};

pub(super) fn http1(options: &Http1Options) -> pb::Http1ProtocolOptions {
    let Http1Options { accept_http_10, default_host_for_http_10, enable_trailers, proper_case_headers } =
        options;
    pb::Http1ProtocolOptions {
        accept_http_10: *accept_http_10,
        default_host_for_http_10: default_host_for_http_10.clone(),
        header_key_format: proper_case_headers.then_some(HeaderKeyFormat {
            header_format: Some(HeaderFormat::ProperCaseWords(ProperCaseWords {})),
        }),
        enable_trailers: *enable_trailers,
        ..Default::default()
    }
}

pub(super) fn http2(options: &Http2Options) -> pb::Http2ProtocolOptions {
    let Http2Options {
        max_concurrent_streams,
        initial_stream_window_size,
        initial_connection_window_size,
        keepalive_interval,
        keepalive_timeout,
        allow_connect,
    } = options;
    let keepalive = pb::KeepaliveSettings {
        interval: keepalive_interval.and_then(scalar::span),
        timeout: keepalive_timeout.and_then(scalar::span),
        ..Default::default()
    };
    pb::Http2ProtocolOptions {
        max_concurrent_streams: max_concurrent_streams.and_then(scalar::uint32),
        initial_stream_window_size: initial_stream_window_size.and_then(scalar::uint32),
        initial_connection_window_size: initial_connection_window_size.and_then(scalar::uint32),
        allow_connect: *allow_connect,
        connection_keepalive: Some(keepalive)
            .filter(|settings| *settings != pb::KeepaliveSettings::default()),
        ..Default::default()
    }
}
