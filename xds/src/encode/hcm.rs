//! The HTTP connection manager and its filters.

use envoy_types::pb::envoy::config::core::v3::HttpProtocolOptions;
use envoy_types::pb::envoy::config::core::v3::http_protocol_options::HeadersWithUnderscoresAction;
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3 as pb;
use pb::http_connection_manager as inner;
use pb::http_connection_manager::{RouteSpecifier, StripPortMode};

use super::access_log;
use super::filter;
use super::hcm_edge as edge;
use super::http_options as options;
use super::local_reply;
use super::route;
use super::scalar;
use super::source;
use crate::model::{
    CodecType, EdgeOptions, EscapedSlashes, ForwardClientCert, ForwardedCertFields, HttpConnectionManager,
    RouteSource, ServerHeader, StripPort, UnderscoreHeaders, UpgradeConfig,
};

pub(super) fn http_connection_manager(manager: &HttpConnectionManager) -> pb::HttpConnectionManager {
    #[rustfmt::skip]
    let HttpConnectionManager {
        stat_prefix, codec_type, routes, http_filters, idle_timeout, max_connection_duration,
        max_stream_duration, max_requests_per_connection, max_headers_count, headers_with_underscores,
        max_request_headers_kb, stream_idle_timeout, request_timeout, request_headers_timeout, drain_timeout,
        delayed_close_timeout, http1, http2, use_remote_address, xff_num_trusted_hops, skip_xff_append, via,
        server_name, server_header, generate_request_id, preserve_external_request_id,
        always_set_request_id_in_response, append_x_forwarded_port, path, strip_port, strip_trailing_host_dot,
        upgrades, access_log, forward_client_cert, forwarded_cert_fields, proxy_100_continue, local_replies,
        edge: EdgeOptions { internal_addresses, original_ip_detection, scheme, early_header_mutations },
    } = manager;
    let common = HttpProtocolOptions {
        idle_timeout: scalar::limit(*idle_timeout),
        max_connection_duration: max_connection_duration.and_then(scalar::span),
        max_headers_count: scalar::uint32(*max_headers_count),
        max_stream_duration: max_stream_duration.and_then(scalar::span),
        headers_with_underscores_action: underscores(*headers_with_underscores).into(),
        max_requests_per_connection: max_requests_per_connection.and_then(scalar::uint32),
        ..Default::default()
    };
    pb::HttpConnectionManager {
        codec_type: codec(*codec_type).into(),
        stat_prefix: stat_prefix.clone(),
        http_filters: http_filters.iter().map(filter::http_filter).collect(),
        common_http_protocol_options: Some(common),
        http_protocol_options: Some(options::http1(http1)),
        http2_protocol_options: Some(options::http2(http2)),
        server_name: server_name.clone(),
        server_header_transformation: self::server_header(*server_header).into(),
        max_request_headers_kb: scalar::uint32(*max_request_headers_kb),
        stream_idle_timeout: scalar::limit(*stream_idle_timeout),
        request_timeout: scalar::limit(*request_timeout),
        request_headers_timeout: scalar::limit(*request_headers_timeout),
        drain_timeout: scalar::span(*drain_timeout),
        delayed_close_timeout: scalar::limit(*delayed_close_timeout),
        access_log: access_log::access_logs(access_log),
        local_reply_config: local_reply::local_replies(local_replies),
        use_remote_address: scalar::switch(*use_remote_address),
        xff_num_trusted_hops: *xff_num_trusted_hops,
        skip_xff_append: *skip_xff_append,
        via: via.clone(),
        internal_address_config: Some(edge::internal_addresses(internal_addresses)),
        original_ip_detection_extensions: original_ip_detection.iter().map(edge::original_ip).collect(),
        scheme_header_transformation: edge::scheme(*scheme),
        early_header_mutation_extensions: edge::early_mutations(early_header_mutations),
        generate_request_id: scalar::switch(*generate_request_id),
        preserve_external_request_id: *preserve_external_request_id,
        always_set_request_id_in_response: *always_set_request_id_in_response,
        forward_client_cert_details: client_cert(*forward_client_cert).into(),
        set_current_client_cert_details: cert_fields(forwarded_cert_fields),
        proxy_100_continue: *proxy_100_continue,
        upgrade_configs: upgrades.iter().map(upgrade).collect(),
        normalize_path: scalar::switch(path.normalize),
        merge_slashes: path.merge_slashes,
        path_with_escaped_slashes_action: escaped_slashes(path.escaped_slashes).into(),
        strip_matching_host_port: *strip_port == StripPort::Matching,
        strip_port_mode: (*strip_port == StripPort::Any).then_some(StripPortMode::StripAnyHostPort(true)),
        strip_trailing_host_dot: *strip_trailing_host_dot,
        append_x_forwarded_port: *append_x_forwarded_port,
        route_specifier: Some(self::routes(routes)),
        ..Default::default()
    }
}

fn underscores(action: UnderscoreHeaders) -> HeadersWithUnderscoresAction {
    match action {
        UnderscoreHeaders::Allow => HeadersWithUnderscoresAction::Allow,
        UnderscoreHeaders::RejectRequest => HeadersWithUnderscoresAction::RejectRequest,
        UnderscoreHeaders::DropHeader => HeadersWithUnderscoresAction::DropHeader,
    }
}

fn codec(codec: CodecType) -> inner::CodecType {
    match codec {
        CodecType::Auto => inner::CodecType::Auto,
        CodecType::Http1 => inner::CodecType::Http1,
        CodecType::Http2 => inner::CodecType::Http2,
        CodecType::Http3 => inner::CodecType::Http3,
    }
}

fn server_header(header: ServerHeader) -> inner::ServerHeaderTransformation {
    match header {
        ServerHeader::Overwrite => inner::ServerHeaderTransformation::Overwrite,
        ServerHeader::AppendIfAbsent => inner::ServerHeaderTransformation::AppendIfAbsent,
        ServerHeader::PassThrough => inner::ServerHeaderTransformation::PassThrough,
    }
}

fn escaped_slashes(action: EscapedSlashes) -> inner::PathWithEscapedSlashesAction {
    match action {
        EscapedSlashes::KeepUnchanged => inner::PathWithEscapedSlashesAction::KeepUnchanged,
        EscapedSlashes::RejectRequest => inner::PathWithEscapedSlashesAction::RejectRequest,
        EscapedSlashes::UnescapeAndRedirect => inner::PathWithEscapedSlashesAction::UnescapeAndRedirect,
        EscapedSlashes::UnescapeAndForward => inner::PathWithEscapedSlashesAction::UnescapeAndForward,
    }
}

fn client_cert(details: ForwardClientCert) -> inner::ForwardClientCertDetails {
    match details {
        ForwardClientCert::Sanitize => inner::ForwardClientCertDetails::Sanitize,
        ForwardClientCert::ForwardOnly => inner::ForwardClientCertDetails::ForwardOnly,
        ForwardClientCert::AppendForward => inner::ForwardClientCertDetails::AppendForward,
        ForwardClientCert::SanitizeSet => inner::ForwardClientCertDetails::SanitizeSet,
        ForwardClientCert::AlwaysForwardOnly => inner::ForwardClientCertDetails::AlwaysForwardOnly,
    }
}

fn cert_fields(fields: &ForwardedCertFields) -> Option<inner::SetCurrentClientCertDetails> {
    let ForwardedCertFields { subject, cert, chain, dns, uri } = fields;
    let details = inner::SetCurrentClientCertDetails {
        subject: scalar::if_on(*subject),
        cert: *cert,
        chain: *chain,
        dns: *dns,
        uri: *uri,
        ..Default::default()
    };
    Some(details).filter(|details| *details != inner::SetCurrentClientCertDetails::default())
}

fn routes(routes: &RouteSource) -> RouteSpecifier {
    match routes {
        RouteSource::Inline(table) => RouteSpecifier::RouteConfig(route::route_configuration(table)),
        RouteSource::Rds { name, source } => RouteSpecifier::Rds(pb::Rds {
            config_source: Some(source::config_source(source)),
            route_config_name: name.to_string(),
        }),
    }
}

fn upgrade(upgrade: &UpgradeConfig) -> inner::UpgradeConfig {
    let UpgradeConfig { upgrade_type, enabled } = upgrade;
    inner::UpgradeConfig {
        upgrade_type: upgrade_type.clone(),
        enabled: scalar::switch(*enabled),
        ..Default::default()
    }
}
