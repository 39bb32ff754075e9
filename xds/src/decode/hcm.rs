//! The HTTP connection manager.

use std::time::Duration;

use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3 as pb;
use pb::http_connection_manager as inner;
use pb::http_connection_manager::{RouteSpecifier, StripPortMode};

use super::access_log;
use super::filter;
use super::hcm_edge as edge;
use super::headers;
use super::http_options as options;
use super::local_reply;
use super::path::{Invalid, Path, absent, off};
use super::quic;
use super::route_config;
use super::scalar::switch;
use super::source;
use super::upgrade;
use crate::model::{
    CodecType, HttpConnectionManager, RouteConfigName, RouteSource, ServerHeader, StripPort, UpgradeConfig,
};

/// Envoy's `stream_idle_timeout`.
const STREAM_IDLE_TIMEOUT: Duration = Duration::from_secs(300);

/// Envoy's `drain_timeout`.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);

/// Envoy's `delayed_close_timeout`.
const DELAYED_CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Everything a chain says about HTTP.
pub(super) fn http_connection_manager(
    path: &Path<'_>,
    manager: &pb::HttpConnectionManager,
) -> Result<HttpConnectionManager, Invalid> {
    #[rustfmt::skip]
    let pb::HttpConnectionManager {
        codec_type, stat_prefix, http_filters, route_specifier, access_log, upgrade_configs,
        common_http_protocol_options, http_protocol_options, http2_protocol_options, http3_protocol_options,
        max_request_headers_kb, stream_idle_timeout, request_timeout, request_headers_timeout, drain_timeout,
        delayed_close_timeout, server_name, server_header_transformation, use_remote_address, xff_num_trusted_hops,
        skip_xff_append, generate_request_id, preserve_external_request_id, always_set_request_id_in_response,
        forward_client_cert_details, set_current_client_cert_details, proxy_100_continue, normalize_path,
        merge_slashes, path_with_escaped_slashes_action, strip_matching_host_port, strip_port_mode,
        strip_trailing_host_dot, append_x_forwarded_port, via, local_reply_config,
        // Of the edge, converted by it.
        original_ip_detection_extensions: _, early_header_mutation_extensions: _, internal_address_config: _,
        scheme_header_transformation: _, request_id_extension: _,
        // We keep no filter state, so there is none to add or leave out.
        add_proxy_protocol_connection_state: _,
        // Refused when set.
        add_user_agent, tracing, http1_safe_max_connection_duration,
        stream_flush_timeout, drain_timeout_jitter, access_log_flush_interval,
        flush_access_log_on_new_request, access_log_options, forward_client_cert_matcher,
        represent_ipv4_remote_address_as_ipv4_mapped_ipv6,
        stream_error_on_invalid_http_message, path_normalization_options, proxy_status_config,
        typed_header_validation_config, append_local_overload, forward_proto_config,
    } = manager;
    absent!(path; tracing, http1_safe_max_connection_duration, stream_flush_timeout,
        drain_timeout_jitter, access_log_flush_interval, flush_access_log_on_new_request, access_log_options,
        forward_client_cert_matcher, represent_ipv4_remote_address_as_ipv4_mapped_ipv6,
        path_normalization_options, proxy_status_config, typed_header_validation_config,
        append_local_overload, forward_proto_config);
    off!(path; add_user_agent, stream_error_on_invalid_http_message);
    quic::http3(&path.field("http3_protocol_options"), http3_protocol_options)?;
    let common = options::common(&path.field("common_http_protocol_options"), common_http_protocol_options)?;
    let span = |name, span, default| path.field(name).limit(span, default);
    #[rustfmt::skip]
    let manager = HttpConnectionManager {
        stat_prefix: path.field("stat_prefix").non_empty(stat_prefix)?, codec_type: codec(&path.field("codec_type"), *codec_type)?,
        routes: routes(path, route_specifier)?,
        http_filters: filter::http_filters(&path.field("http_filters"), http_filters)?,
        idle_timeout: common.idle_timeout, max_connection_duration: common.max_connection_duration,
        max_stream_duration: common.max_stream_duration, max_requests_per_connection: common.max_requests_per_connection,
        max_headers_count: common.max_headers_count.unwrap_or(100), headers_with_underscores: common.headers_with_underscores,
        max_request_headers_kb: path.field("max_request_headers_kb").ranged(max_request_headers_kb, 1..=8192)?.unwrap_or(60),
        stream_idle_timeout: span("stream_idle_timeout", stream_idle_timeout, Some(STREAM_IDLE_TIMEOUT))?,
        request_timeout: span("request_timeout", request_timeout, None)?,
        request_headers_timeout: span("request_headers_timeout", request_headers_timeout, None)?,
        drain_timeout: path.field("drain_timeout").optional(drain_timeout)?.unwrap_or(DRAIN_TIMEOUT),
        delayed_close_timeout: span("delayed_close_timeout", delayed_close_timeout, Some(DELAYED_CLOSE_TIMEOUT))?,
        http1: options::http1(&path.field("http_protocol_options"), http_protocol_options)?,
        http2: options::http2(&path.field("http2_protocol_options"), http2_protocol_options)?,
        use_remote_address: switch(use_remote_address, false),
        edge: edge::options(path, manager)?, xff_num_trusted_hops: *xff_num_trusted_hops, skip_xff_append: *skip_xff_append,
        via: headers::value(&path.field("via"), via)?,
        server_name: self::server_name(&path.field("server_name"), server_name)?,
        server_header: server_header(&path.field("server_header_transformation"), *server_header_transformation)?,
        generate_request_id: switch(generate_request_id, true),
        preserve_external_request_id: *preserve_external_request_id, always_set_request_id_in_response: *always_set_request_id_in_response,
        append_x_forwarded_port: *append_x_forwarded_port, proxy_100_continue: *proxy_100_continue,
        path: edge::normalization(path, normalize_path, *merge_slashes, *path_with_escaped_slashes_action)?,
        strip_port: strip_port(path, *strip_matching_host_port, strip_port_mode)?, strip_trailing_host_dot: *strip_trailing_host_dot,
        upgrades: upgrades(&path.field("upgrade_configs"), upgrade_configs)?,
        access_log: access_log::access_logs(&path.field("access_log"), access_log)?,
        local_replies: local_reply::local_replies(&path.field("local_reply_config"), local_reply_config)?,
        forward_client_cert: edge::forward_client_cert(&path.field("forward_client_cert_details"), *forward_client_cert_details)?,
        forwarded_cert_fields: edge::cert_fields(&path.field("set_current_client_cert_details"), set_current_client_cert_details)?,
    };
    Ok(manager)
}

fn codec(path: &Path<'_>, codec: i32) -> Result<CodecType, Invalid> {
    match path.known(codec)? {
        inner::CodecType::Auto => Ok(CodecType::Auto),
        inner::CodecType::Http1 => Ok(CodecType::Http1),
        inner::CodecType::Http2 => Ok(CodecType::Http2),
        inner::CodecType::Http3 => Ok(CodecType::Http3),
    }
}

fn routes(path: &Path<'_>, specifier: &Option<RouteSpecifier>) -> Result<RouteSource, Invalid> {
    match specifier {
        Some(RouteSpecifier::RouteConfig(table)) => {
            let table = route_config::route_configuration(&path.field("route_config"), table)?;
            Ok(RouteSource::Inline(Box::new(table)))
        }
        Some(RouteSpecifier::Rds(rds)) => {
            let pb::Rds { config_source, route_config_name } = rds;
            let path = path.field("rds");
            let at = path.field("config_source");
            let source = source::config_source(&at, at.required(config_source)?)?;
            let name = path.field("route_config_name").non_empty(route_config_name)?;
            Ok(RouteSource::Rds { name: RouteConfigName::new(name), source })
        }
        Some(RouteSpecifier::ScopedRoutes(_)) => path.field("scoped_routes").unsupported(),
        None => path.refuse("has no routes; accepted: rds, route_config"),
    }
}

fn server_name(path: &Path<'_>, name: &str) -> Result<String, Invalid> {
    headers::value(path, if name.is_empty() { "envoy" } else { name })
}

fn server_header(path: &Path<'_>, transformation: i32) -> Result<ServerHeader, Invalid> {
    Ok(match path.known(transformation)? {
        inner::ServerHeaderTransformation::Overwrite => ServerHeader::Overwrite,
        inner::ServerHeaderTransformation::AppendIfAbsent => ServerHeader::AppendIfAbsent,
        inner::ServerHeaderTransformation::PassThrough => ServerHeader::PassThrough,
    })
}

fn strip_port(path: &Path<'_>, matching: bool, mode: &Option<StripPortMode>) -> Result<StripPort, Invalid> {
    match mode {
        Some(StripPortMode::StripAnyHostPort(true)) if matching => {
            path.field("strip_any_host_port").refuse("and strip_matching_host_port are both set; keep one")
        }
        Some(StripPortMode::StripAnyHostPort(true)) => Ok(StripPort::Any),
        Some(StripPortMode::StripAnyHostPort(false)) | None if matching => Ok(StripPort::Matching),
        Some(StripPortMode::StripAnyHostPort(false)) | None => Ok(StripPort::None),
    }
}

fn upgrades(path: &Path<'_>, upgrades: &[inner::UpgradeConfig]) -> Result<Vec<UpgradeConfig>, Invalid> {
    let configs = path.each(upgrades, |at, config| {
        let inner::UpgradeConfig { upgrade_type, filters, enabled } = config;
        absent!(at; filters);
        upgrade::upgrade(at, upgrade_type, enabled)
    })?;
    upgrade::distinct(path, &configs)?;
    Ok(configs)
}
