//! What both sides of HTTP share (`Http1ProtocolOptions`, `Http2ProtocolOptions`, `HttpProtocolOptions`).

use std::time::Duration;

use envoy_types::pb::envoy::config::core::v3 as pb;
use envoy_types::pb::google::protobuf::UInt32Value;
use pb::http_protocol_options::HeadersWithUnderscoresAction;
use pb::http1_protocol_options::HeaderKeyFormat;
use pb::http1_protocol_options::header_key_format::HeaderFormat;

use super::headers;
use super::path::{Invalid, Path, absent, off};
use crate::model::{Http1Options, Http2Options, UnderscoreHeaders};

/// Envoy closes a connection without streams after this.
pub(super) const IDLE_TIMEOUT: Duration = Duration::from_secs(3600);

/// The smallest flow-control window (RFC 9113 section 6.9.2).
const WINDOW_BYTES_MIN: u32 = 65_535;

/// The largest number of HTTP/2's 31-bit fields.
const U31_MAX: u32 = (1 << 31) - 1;

/// HTTP/1 settings.
pub(super) fn http1(
    path: &Path<'_>,
    options: &Option<pb::Http1ProtocolOptions>,
) -> Result<Http1Options, Invalid> {
    let Some(options) = options else { return Ok(Http1Options::default()) };
    let pb::Http1ProtocolOptions {
        allow_absolute_url,
        accept_http_10,
        default_host_for_http_10,
        header_key_format,
        enable_trailers,
        allow_chunked_length,
        override_stream_error_on_invalid_http_message,
        send_fully_qualified_url,
        // Which of Envoy's parsers reads.
        use_balsa_parser: _,
        allow_custom_methods,
        ignore_http_11_upgrade,
    } = options;
    path.field("allow_absolute_url").on(allow_absolute_url.as_ref())?;
    absent!(path; allow_chunked_length, send_fully_qualified_url, allow_custom_methods, ignore_http_11_upgrade);
    off!(path; override_stream_error_on_invalid_http_message);
    Ok(Http1Options {
        accept_http_10: *accept_http_10,
        default_host_for_http_10: headers::value(
            &path.field("default_host_for_http_10"),
            default_host_for_http_10,
        )?,
        enable_trailers: *enable_trailers,
        proper_case_headers: proper_case(&path.field("header_key_format"), header_key_format)?,
    })
}

fn proper_case(path: &Path<'_>, format: &Option<HeaderKeyFormat>) -> Result<bool, Invalid> {
    let Some(HeaderKeyFormat { header_format }) = format else { return Ok(false) };
    match header_format {
        Some(HeaderFormat::ProperCaseWords(_)) => Ok(true),
        Some(HeaderFormat::StatefulFormatter(_)) => path.field("stateful_formatter").unsupported(),
        None => path.refuse("is empty; accepted: proper_case_words"),
    }
}

/// HTTP/2 settings.
pub(super) fn http2(
    path: &Path<'_>,
    options: &Option<pb::Http2ProtocolOptions>,
) -> Result<Http2Options, Invalid> {
    let Some(options) = options else { return Ok(Http2Options::default()) };
    let pb::Http2ProtocolOptions {
        hpack_table_size,
        max_concurrent_streams,
        initial_stream_window_size,
        initial_connection_window_size,
        allow_connect,
        allow_metadata,
        max_outbound_frames,
        max_outbound_control_frames,
        max_consecutive_inbound_frames_with_empty_payload,
        max_inbound_priority_frames_per_stream,
        max_inbound_window_update_frames_per_data_frame_sent,
        stream_error_on_invalid_http_messaging,
        override_stream_error_on_invalid_http_message,
        custom_settings_parameters,
        connection_keepalive,
        // Which of Envoy's codecs runs.
        use_oghttp2_codec: _,
        max_metadata_size,
        enable_huffman_encoding,
        max_header_field_size_kb,
        disallow_obs_text,
        stream_reset_burst,
        stream_reset_rate,
    } = options;
    absent!(path; hpack_table_size, allow_metadata, max_outbound_frames, max_outbound_control_frames,
        max_consecutive_inbound_frames_with_empty_payload, max_inbound_priority_frames_per_stream,
        max_inbound_window_update_frames_per_data_frame_sent, stream_error_on_invalid_http_messaging,
        custom_settings_parameters, max_metadata_size, max_header_field_size_kb, stream_reset_burst,
        stream_reset_rate);
    off!(path; override_stream_error_on_invalid_http_message, disallow_obs_text);
    path.field("enable_huffman_encoding").on(enable_huffman_encoding.as_ref())?;
    let window = |name, size| path.field(name).ranged(size, WINDOW_BYTES_MIN..=U31_MAX);
    let at = path.field("connection_keepalive");
    let (keepalive_interval, keepalive_timeout) = match connection_keepalive {
        Some(settings) => keepalive(&at, settings)?,
        None => (None, None),
    };
    Ok(Http2Options {
        max_concurrent_streams: path
            .field("max_concurrent_streams")
            .ranged(max_concurrent_streams, 1..=U31_MAX)?,
        initial_stream_window_size: window("initial_stream_window_size", initial_stream_window_size)?,
        initial_connection_window_size: window(
            "initial_connection_window_size",
            initial_connection_window_size,
        )?,
        keepalive_interval,
        keepalive_timeout,
        allow_connect: *allow_connect,
    })
}

fn keepalive(
    path: &Path<'_>,
    settings: &pb::KeepaliveSettings,
) -> Result<(Option<Duration>, Option<Duration>), Invalid> {
    let pb::KeepaliveSettings { interval, timeout, interval_jitter, connection_idle_interval } = settings;
    absent!(path; interval_jitter, connection_idle_interval);
    let at = path.field("timeout");
    let timeout = at.positive(at.required(timeout)?)?;
    Ok((path.field("interval").optional_positive(interval)?, Some(timeout)))
}

/// What `HttpProtocolOptions` says on either side.
pub(super) struct Common {
    pub(super) idle_timeout: Option<Duration>,
    pub(super) max_connection_duration: Option<Duration>,
    pub(super) max_stream_duration: Option<Duration>,
    pub(super) max_requests_per_connection: Option<u32>,
    pub(super) max_headers_count: Option<u32>,
    pub(super) headers_with_underscores: UnderscoreHeaders,
}

/// Settings of any HTTP version.
pub(super) fn common(path: &Path<'_>, options: &Option<pb::HttpProtocolOptions>) -> Result<Common, Invalid> {
    let defaults = pb::HttpProtocolOptions::default();
    let pb::HttpProtocolOptions {
        idle_timeout,
        max_connection_duration,
        max_connection_duration_jitter,
        max_headers_count,
        max_response_headers_kb,
        max_stream_duration,
        headers_with_underscores_action,
        max_requests_per_connection,
    } = options.as_ref().unwrap_or(&defaults);
    absent!(path; max_connection_duration_jitter, max_response_headers_kb);
    let headers_with_underscores =
        match path.field("headers_with_underscores_action").known(*headers_with_underscores_action)? {
            HeadersWithUnderscoresAction::Allow => UnderscoreHeaders::Allow,
            HeadersWithUnderscoresAction::RejectRequest => UnderscoreHeaders::RejectRequest,
            HeadersWithUnderscoresAction::DropHeader => UnderscoreHeaders::DropHeader,
        };
    Ok(Common {
        idle_timeout: path.field("idle_timeout").limit(idle_timeout, Some(IDLE_TIMEOUT))?,
        max_connection_duration: path
            .field("max_connection_duration")
            .optional_positive(max_connection_duration)?,
        max_stream_duration: path.field("max_stream_duration").limit(max_stream_duration, None)?,
        max_requests_per_connection: unless_zero(max_requests_per_connection),
        max_headers_count: path.field("max_headers_count").ranged(max_headers_count, 1..=u32::MAX)?,
        headers_with_underscores,
    })
}

/// A count where zero means no limit.
pub(super) fn unless_zero(count: &Option<UInt32Value>) -> Option<u32> {
    count.as_ref().map(|count| count.value).filter(|count| *count > 0)
}
