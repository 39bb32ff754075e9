//! Models of HTTP settings and of the connection manager.

use http::StatusCode;

use super::choices::Choices;
use super::{common, filter, route};
use crate::model::{
    BodyFormat, CodecType, DataSource, EdgeOptions, EscapedSlashes, ForwardClientCert, ForwardedCertFields,
    Http1Options, Http2Options, HttpConnectionManager, HttpFilter, HttpFilterKind, InternalAddressConfig,
    LocalReplies, LocalReplyMapper, OriginalIpDetection, PathNormalization, RouteConfigName, RouteSource,
    Router, SchemeTransformation, ServerHeader, StripPort, UnderscoreHeaders, UpgradeConfig, UpstreamHttp,
    UpstreamProtocol,
};

fn original_ip(from: &mut Choices<'_>) -> OriginalIpDetection {
    if from.flag() {
        let trusted_cidrs = from.list(2, common::cidr);
        OriginalIpDetection::Xff {
            trusted_hops: if trusted_cidrs.is_empty() { from.number() } else { 0 },
            trusted_cidrs,
            skip_append: from.flag(),
        }
    } else {
        let statuses = [StatusCode::FORBIDDEN, StatusCode::BAD_GATEWAY];
        OriginalIpDetection::CustomHeader {
            name: from.name(),
            trusted: from.flag(),
            reject: from.maybe(|from| from.one_of(&statuses)),
        }
    }
}

fn edge(from: &mut Choices<'_>, trusts_xff: bool) -> EdgeOptions {
    EdgeOptions {
        internal_addresses: InternalAddressConfig {
            unix_sockets: from.flag(),
            cidr_ranges: from.list(2, common::cidr),
        },
        original_ip_detection: if trusts_xff { Vec::new() } else { from.list(2, original_ip) },
        scheme: from.one_of(&[
            SchemeTransformation::Keep,
            SchemeTransformation::Http,
            SchemeTransformation::Https,
            SchemeTransformation::MatchUpstream,
        ]),
        early_header_mutations: from.list(2, filter::change),
    }
}

fn http1(from: &mut Choices<'_>) -> Http1Options {
    Http1Options {
        accept_http_10: from.flag(),
        default_host_for_http_10: from.text(),
        enable_trailers: from.flag(),
        proper_case_headers: from.flag(),
    }
}

fn http2(from: &mut Choices<'_>) -> Http2Options {
    let timeout = from.maybe(Choices::positive);
    Http2Options {
        max_concurrent_streams: from.maybe(|from| from.between(1, i32::MAX as u32)),
        initial_stream_window_size: from.maybe(|from| from.between(65_535, i32::MAX as u32)),
        initial_connection_window_size: from.maybe(|from| from.between(65_535, i32::MAX as u32)),
        keepalive_interval: timeout.and_then(|_| from.maybe(Choices::positive)),
        keepalive_timeout: timeout,
        allow_connect: from.flag(),
    }
}

pub(super) fn upstream(from: &mut Choices<'_>, tls: bool) -> UpstreamHttp {
    let protocols = [
        UpstreamProtocol::Http1,
        UpstreamProtocol::Http2,
        UpstreamProtocol::Downstream,
        UpstreamProtocol::Auto,
    ];
    let protocol = from.one_of(if tls { &protocols } else { &protocols[..3] });
    let both = http1(from);
    let multiplexed = http2(from);
    UpstreamHttp {
        protocol,
        idle_timeout: from.maybe(Choices::positive),
        max_connection_duration: from.maybe(Choices::positive),
        max_stream_duration: from.maybe(Choices::positive),
        max_requests_per_connection: from.maybe(|from| from.between(1, 1000)),
        // The settings of a version that is never spoken have no place to stand.
        http1: if protocol == UpstreamProtocol::Http2 { Http1Options::default() } else { both },
        http2: if protocol == UpstreamProtocol::Http1 { Http2Options::default() } else { multiplexed },
        auto_sni: from.flag(),
        auto_san_validation: from.flag(),
    }
}

pub(super) fn upgrades(from: &mut Choices<'_>) -> Vec<UpgradeConfig> {
    let types = [vec![], vec!["websocket"], vec!["connect", "websocket"]];
    let types = from.one_of(&types);
    types
        .into_iter()
        .map(|upgrade_type| UpgradeConfig { upgrade_type: upgrade_type.to_owned(), enabled: from.flag() })
        .collect()
}

fn router(from: &mut Choices<'_>) -> HttpFilter {
    let router = Router {
        suppress_envoy_headers: from.flag(),
        strict_check_headers: from
            .list(2, |from| from.one_of(&["x-envoy-max-retries", "x-envoy-retry-on"]).to_owned()),
        upstream_log: from.list(1, common::access_log),
    };
    HttpFilter { name: from.name(), kind: HttpFilterKind::Router(router), disabled: false }
}

fn path(from: &mut Choices<'_>) -> PathNormalization {
    PathNormalization {
        normalize: from.flag(),
        merge_slashes: from.flag(),
        escaped_slashes: from.one_of(&[
            EscapedSlashes::KeepUnchanged,
            EscapedSlashes::RejectRequest,
            EscapedSlashes::UnescapeAndRedirect,
            EscapedSlashes::UnescapeAndForward,
        ]),
    }
}

fn local_replies(from: &mut Choices<'_>) -> LocalReplies {
    let format = |from: &mut Choices<'_>| BodyFormat {
        format: common::body_format(from),
        content_type: from.maybe(Choices::name),
    };
    LocalReplies {
        mappers: from.list(2, |from| LocalReplyMapper {
            filter: common::log_filter(from, 1),
            status: from.maybe(|from| from.one_of(&[StatusCode::OK, StatusCode::IM_A_TEAPOT])),
            body: from.maybe(|from| DataSource::Inline(from.text().into_bytes())),
            body_format: from.maybe(format),
            headers: from.list(2, route::header_add),
        }),
        body_format: from.maybe(format),
    }
}

fn routes(from: &mut Choices<'_>) -> RouteSource {
    if from.flag() {
        RouteSource::Rds { name: RouteConfigName::new(from.name()), source: common::config_source(from) }
    } else {
        RouteSource::Inline(Box::new(route::route_configuration(from)))
    }
}

pub(super) fn http_connection_manager(from: &mut Choices<'_>) -> HttpConnectionManager {
    let routes = routes(from);
    let certs = [
        ForwardClientCert::Sanitize,
        ForwardClientCert::ForwardOnly,
        ForwardClientCert::AppendForward,
        ForwardClientCert::SanitizeSet,
        ForwardClientCert::AlwaysForwardOnly,
    ];
    let underscores =
        [UnderscoreHeaders::Allow, UnderscoreHeaders::RejectRequest, UnderscoreHeaders::DropHeader];
    let trusts_xff = from.flag();
    HttpConnectionManager {
        stat_prefix: from.name(),
        codec_type: from.one_of(&[CodecType::Auto, CodecType::Http1, CodecType::Http2]),
        routes,
        http_filters: {
            let mut filters = from.list(3, filter::http_filter);
            filters.push(router(from));
            filters
        },
        idle_timeout: from.maybe(Choices::positive),
        max_connection_duration: from.maybe(Choices::positive),
        max_stream_duration: from.maybe(Choices::positive),
        max_requests_per_connection: from.maybe(|from| from.between(1, 1000)),
        max_headers_count: from.between(1, 500),
        headers_with_underscores: from.one_of(&underscores),
        max_request_headers_kb: from.between(1, 8192),
        stream_idle_timeout: from.maybe(Choices::positive),
        request_timeout: from.maybe(Choices::positive),
        request_headers_timeout: from.maybe(Choices::positive),
        drain_timeout: from.duration(),
        delayed_close_timeout: from.maybe(Choices::positive),
        http1: http1(from),
        http2: http2(from),
        edge: edge(from, trusts_xff),
        use_remote_address: trusts_xff,
        xff_num_trusted_hops: if trusts_xff { from.number() } else { 0 },
        skip_xff_append: from.flag(),
        via: from.text(),
        server_name: from.name(),
        server_header: from.one_of(&[
            ServerHeader::Overwrite,
            ServerHeader::AppendIfAbsent,
            ServerHeader::PassThrough,
        ]),
        generate_request_id: from.flag(),
        preserve_external_request_id: from.flag(),
        always_set_request_id_in_response: from.flag(),
        append_x_forwarded_port: from.flag(),
        path: path(from),
        strip_port: from.one_of(&[StripPort::None, StripPort::Matching, StripPort::Any]),
        strip_trailing_host_dot: from.flag(),
        upgrades: upgrades(from),
        access_log: from.list(2, common::access_log),
        local_replies: local_replies(from),
        forward_client_cert: from.one_of(&certs),
        forwarded_cert_fields: ForwardedCertFields {
            subject: from.flag(),
            cert: from.flag(),
            chain: from.flag(),
            dns: from.flag(),
            uri: from.flag(),
        },
        proxy_100_continue: from.flag(),
    }
}
