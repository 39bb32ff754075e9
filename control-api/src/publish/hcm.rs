//! HTTP on a listener: at the edge, where clients are strangers, and inside, from a gateway.
//!
//! One rule: what one gateway has written into a request, the next one leaves as it is.

use envoy_types::pb::envoy::config::core::v3 as core;
use envoy_types::pb::envoy::extensions::filters::http::router::v3::Router;
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3 as hcm;
use hcm::http_connection_manager::{CodecType, RouteSpecifier, ServerHeaderTransformation, UpgradeConfig};

use super::name;
use super::pack;

/// For the site's own clients: the peer's address is the client's, paths are normalised.
pub fn edge(routes: RouteSpecifier) -> hcm::HttpConnectionManager {
    hcm::HttpConnectionManager {
        use_remote_address: pack::boolean(true),
        normalize_path: pack::boolean(true),
        ..shared(name::GATEWAY, routes)
    }
}

/// For the other gateways.
pub fn inner(routes: RouteSpecifier) -> hcm::HttpConnectionManager {
    hcm::HttpConnectionManager {
        use_remote_address: pack::boolean(false),
        skip_xff_append: true,
        generate_request_id: pack::boolean(false),
        ..shared(name::MESH, routes)
    }
}

fn shared(stat_prefix: &str, routes: RouteSpecifier) -> hcm::HttpConnectionManager {
    let router = Router { suppress_envoy_headers: true, ..Default::default() };
    hcm::HttpConnectionManager {
        stat_prefix: stat_prefix.into(),
        codec_type: CodecType::Auto.into(),
        route_specifier: Some(routes),
        http_filters: vec![hcm::HttpFilter {
            name: "envoy.filters.http.router".into(),
            config_type: Some(hcm::http_filter::ConfigType::TypedConfig(pack::any(&router))),
            ..Default::default()
        }],
        http_protocol_options: Some(core::Http1ProtocolOptions {
            enable_trailers: true,
            ..Default::default()
        }),
        http2_protocol_options: Some(core::Http2ProtocolOptions {
            // WebSockets over HTTP/2 are extended CONNECTs (RFC 8441).
            allow_connect: true,
            ..Default::default()
        }),
        server_header_transformation: ServerHeaderTransformation::PassThrough.into(),
        upgrade_configs: vec![UpgradeConfig { upgrade_type: "websocket".into(), ..Default::default() }],
        ..Default::default()
    }
}
