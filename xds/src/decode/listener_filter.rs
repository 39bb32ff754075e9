//! Listener filters. As in Envoy, a TLS inspector is added when a chain needs what it finds and none is there.

use envoy_types::pb::envoy::config::listener::v3 as pb;
use envoy_types::pb::envoy::extensions::filters::listener as extensions;
use envoy_types::pb::google::protobuf::Any;
use extensions::http_inspector::v3::HttpInspector;
use extensions::original_dst::v3::OriginalDst;
use extensions::proxy_protocol::v3::ProxyProtocol;
use extensions::tls_inspector::v3::TlsInspector;
use pb::listener_filter::ConfigType;

use super::any;
use super::path::{Invalid, Path, absent, off};
use super::proxy_protocol;
use crate::model::{FilterChain, ListenerFilter, TransportProtocol};

/// A listener filter.
pub(super) fn listener_filter(
    path: &Path<'_>,
    filter: &pb::ListenerFilter,
) -> Result<ListenerFilter, Invalid> {
    let pb::ListenerFilter { name, filter_disabled, config_type } = filter;
    absent!(path; filter_disabled);
    path.field("name").non_empty(name)?;
    let at = path.field("typed_config");
    match config_type {
        Some(ConfigType::TypedConfig(config)) => kind(&at, name, config),
        Some(ConfigType::ConfigDiscovery(_)) => path.field("config_discovery").unsupported(),
        None => at.refuse(format!("is required for {name:?}")),
    }
}

fn kind(path: &Path<'_>, name: &str, config: &Any) -> Result<ListenerFilter, Invalid> {
    if let Some(inspector) = any::unpack_if::<TlsInspector>(path, config)? {
        return tls_inspector(path, &inspector);
    }
    if let Some(HttpInspector {}) = any::unpack_if(path, config)? {
        return Ok(ListenerFilter::HttpInspector);
    }
    if let Some(proxy) = any::unpack_if::<ProxyProtocol>(path, config)? {
        let filter = proxy_protocol::filter(path, &proxy)?;
        return Ok(ListenerFilter::ProxyProtocol(Box::new(filter)));
    }
    if let Some(OriginalDst {}) = any::unpack_if(path, config)? {
        return Ok(ListenerFilter::OriginalDst);
    }
    any::unknown(path, name, config, "TlsInspector, HttpInspector, ProxyProtocol, OriginalDst")
}

fn tls_inspector(path: &Path<'_>, inspector: &TlsInspector) -> Result<ListenerFilter, Invalid> {
    let TlsInspector {
        enable_ja3_fingerprinting,
        enable_ja4_fingerprinting,
        // Only how much is read at first; a ClientHello is always read to its end.
        initial_read_buffer_size: _,
        close_connection_on_client_hello_parsing_errors,
        max_client_hello_size,
    } = inspector;
    off!(path; enable_ja3_fingerprinting, enable_ja4_fingerprinting);
    absent!(path; close_connection_on_client_hello_parsing_errors, max_client_hello_size);
    Ok(ListenerFilter::TlsInspector)
}

/// Adds a TLS inspector at the end when `chains` match on what only it finds; QUIC finds it by itself.
pub(super) fn add_inspector(filters: &mut Vec<ListenerFilter>, chains: &[FilterChain], quic: bool) {
    let needed = chains.iter().map(|chain| &chain.matches).any(|matches| match matches.transport_protocol {
        Some(TransportProtocol::Tls) => true,
        Some(TransportProtocol::RawBuffer | TransportProtocol::Quic) => false,
        None => !matches.server_names.is_empty() || !matches.application_protocols.is_empty(),
    });
    if needed && !quic && !filters.contains(&ListenerFilter::TlsInspector) {
        filters.push(ListenerFilter::TlsInspector);
    }
}
