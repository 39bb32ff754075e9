//! HTTP towards endpoints: `HttpProtocolOptions` among the extension options, or a cluster's older fields.

use std::collections::HashMap;

use envoy_types::pb::envoy::config::core::v3 as core;
use envoy_types::pb::envoy::extensions::upstreams::http::v3 as pb;
use envoy_types::pb::google::protobuf::{Any, UInt32Value};
use pb::http_protocol_options::{UpstreamProtocolOptions, explicit_http_config::ProtocolConfig};

use super::any;
use super::http_options::{self as options, Common};
use super::path::{Invalid, Path, absent};
use crate::model::{Http1Options, Http2Options, UnderscoreHeaders, UpstreamHttp, UpstreamProtocol};

/// The key under which a cluster's HTTP options stand.
const OPTIONS: &str = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

/// A cluster's older fields.
pub(super) struct Fields<'a> {
    pub(super) common: &'a Option<core::HttpProtocolOptions>,
    pub(super) upstream: &'a Option<core::UpstreamHttpProtocolOptions>,
    pub(super) http1: &'a Option<core::Http1ProtocolOptions>,
    pub(super) http2: &'a Option<core::Http2ProtocolOptions>,
    /// `protocol_selection` is `USE_DOWNSTREAM_PROTOCOL`.
    pub(super) as_downstream: bool,
    pub(super) max_requests_per_connection: &'a Option<UInt32Value>,
}

/// HTTP towards a cluster's endpoints.
pub(super) fn upstream_http(
    path: &Path<'_>,
    typed: &HashMap<String, Any>,
    older: &Fields<'_>,
) -> Result<UpstreamHttp, Invalid> {
    let at = path.field("typed_extension_protocol_options");
    let mut keys: Vec<&String> = typed.keys().filter(|key| *key != OPTIONS).collect();
    keys.sort_unstable();
    if let Some(key) = keys.first() {
        return at.key(key).refuse(format!("is not supported here; accepted: {OPTIONS}"));
    }
    let Some(config) = typed.get(OPTIONS) else { return from_older(path, older) };
    let at = at.key(OPTIONS);
    if older.common.is_some()
        || older.upstream.is_some()
        || older.http1.is_some()
        || older.http2.is_some()
        || older.as_downstream
        || older.max_requests_per_connection.is_some()
    {
        return at.refuse("and the cluster's deprecated HTTP options are both set; keep this one");
    }
    match any::unpack_if::<pb::HttpProtocolOptions>(&at, config)? {
        Some(options) => from_typed(&at, &options),
        None => any::unknown(&at, OPTIONS, config, "HttpProtocolOptions"),
    }
}

fn from_older(path: &Path<'_>, older: &Fields<'_>) -> Result<UpstreamHttp, Invalid> {
    let protocol = match (older.as_downstream, older.http1, older.http2) {
        (true, _, _) => UpstreamProtocol::Downstream,
        (false, Some(_), Some(_)) => {
            let reason =
                "and http_protocol_options are both set; keep one, or select USE_DOWNSTREAM_PROTOCOL";
            return path.field("http2_protocol_options").refuse(reason);
        }
        (false, _, Some(_)) => UpstreamProtocol::Http2,
        (false, _, None) => UpstreamProtocol::Http1,
    };
    let common = common(&path.field("common_http_protocol_options"), older.common)?;
    let requests = options::unless_zero(older.max_requests_per_connection);
    if requests.is_some() && common.max_requests_per_connection.is_some() {
        return path
            .field("max_requests_per_connection")
            .refuse("is set twice; keep common_http_protocol_options");
    }
    let http = UpstreamHttp {
        max_requests_per_connection: requests.or(common.max_requests_per_connection),
        ..with_common(protocol, &common)
    };
    let http = UpstreamHttp {
        http1: options::http1(&path.field("http_protocol_options"), older.http1)?,
        http2: options::http2(&path.field("http2_protocol_options"), older.http2)?,
        ..http
    };
    with_names(&path.field("upstream_http_protocol_options"), older.upstream, http)
}

fn from_typed(path: &Path<'_>, typed: &pb::HttpProtocolOptions) -> Result<UpstreamHttp, Invalid> {
    let pb::HttpProtocolOptions {
        common_http_protocol_options,
        upstream_http_protocol_options,
        http_filters,
        header_validation_config,
        outlier_detection,
        request_mirror_policies,
        hash_policy,
        retry_policy,
        upstream_protocol_options,
    } = typed;
    absent!(path; http_filters, header_validation_config, outlier_detection, request_mirror_policies,
        hash_policy, retry_policy);
    let common = common(&path.field("common_http_protocol_options"), common_http_protocol_options)?;
    let (protocol, http1, http2) = protocol(path, upstream_protocol_options)?;
    let http = UpstreamHttp { http1, http2, ..with_common(protocol, &common) };
    with_names(&path.field("upstream_http_protocol_options"), upstream_http_protocol_options, http)
}

fn protocol(
    path: &Path<'_>,
    options: &Option<UpstreamProtocolOptions>,
) -> Result<(UpstreamProtocol, Http1Options, Http2Options), Invalid> {
    match options {
        Some(UpstreamProtocolOptions::ExplicitHttpConfig(config)) => {
            explicit(&path.field("explicit_http_config"), config)
        }
        Some(UpstreamProtocolOptions::UseDownstreamProtocolConfig(config)) => {
            let path = path.field("use_downstream_protocol_config");
            let pb::http_protocol_options::UseDownstreamHttpConfig {
                http_protocol_options,
                http2_protocol_options,
                http3_protocol_options,
            } = config;
            absent!(path; http3_protocol_options);
            let http1 = options::http1(&path.field("http_protocol_options"), http_protocol_options)?;
            let http2 = options::http2(&path.field("http2_protocol_options"), http2_protocol_options)?;
            Ok((UpstreamProtocol::Downstream, http1, http2))
        }
        Some(UpstreamProtocolOptions::AutoConfig(config)) => {
            let path = path.field("auto_config");
            let pb::http_protocol_options::AutoHttpConfig {
                http_protocol_options,
                http2_protocol_options,
                http3_protocol_options,
                alternate_protocols_cache_options,
            } = config;
            absent!(path; http3_protocol_options, alternate_protocols_cache_options);
            let http1 = options::http1(&path.field("http_protocol_options"), http_protocol_options)?;
            let http2 = options::http2(&path.field("http2_protocol_options"), http2_protocol_options)?;
            Ok((UpstreamProtocol::Auto, http1, http2))
        }
        None => path.refuse(
            "has no protocol; accepted: explicit_http_config, use_downstream_protocol_config, auto_config",
        ),
    }
}

fn explicit(
    path: &Path<'_>,
    config: &pb::http_protocol_options::ExplicitHttpConfig,
) -> Result<(UpstreamProtocol, Http1Options, Http2Options), Invalid> {
    let pb::http_protocol_options::ExplicitHttpConfig { protocol_config } = config;
    match protocol_config {
        Some(ProtocolConfig::HttpProtocolOptions(http1)) => {
            let http1 = options::http1(&path.field("http_protocol_options"), &Some(http1.clone()))?;
            Ok((UpstreamProtocol::Http1, http1, Http2Options::default()))
        }
        Some(ProtocolConfig::Http2ProtocolOptions(http2)) => {
            let http2 = options::http2(&path.field("http2_protocol_options"), &Some(http2.clone()))?;
            Ok((UpstreamProtocol::Http2, Http1Options::default(), http2))
        }
        Some(ProtocolConfig::Http3ProtocolOptions(_)) => path.field("http3_protocol_options").unsupported(),
        None => path.refuse("is empty; accepted: http_protocol_options, http2_protocol_options"),
    }
}

/// The common options of a cluster: those that only concern requests from clients are refused.
fn common(path: &Path<'_>, options: &Option<core::HttpProtocolOptions>) -> Result<Common, Invalid> {
    let common = options::common(path, options)?;
    path.field("max_headers_count").absent(&common.max_headers_count)?;
    if common.headers_with_underscores != UnderscoreHeaders::Allow {
        return path.field("headers_with_underscores_action").unsupported();
    }
    Ok(common)
}

fn with_common(protocol: UpstreamProtocol, common: &Common) -> UpstreamHttp {
    UpstreamHttp {
        protocol,
        idle_timeout: common.idle_timeout,
        max_connection_duration: common.max_connection_duration,
        max_stream_duration: common.max_stream_duration,
        max_requests_per_connection: common.max_requests_per_connection,
        http1: Http1Options::default(),
        http2: Http2Options::default(),
        auto_sni: false,
        auto_san_validation: false,
    }
}

fn with_names(
    path: &Path<'_>,
    options: &Option<core::UpstreamHttpProtocolOptions>,
    http: UpstreamHttp,
) -> Result<UpstreamHttp, Invalid> {
    let Some(core::UpstreamHttpProtocolOptions { auto_sni, auto_san_validation, override_auto_sni_header }) =
        options
    else {
        return Ok(http);
    };
    absent!(path; override_auto_sni_header);
    Ok(UpstreamHttp { auto_sni: *auto_sni, auto_san_validation: *auto_san_validation, ..http })
}
