//! The PROXY protocol, on listeners and towards endpoints.

use core::proxy_protocol_config::Version;
use core::proxy_protocol_pass_through_tl_vs::PassTlVsMatchType;
use envoy_types::pb::envoy::config::core::v3 as core;
use envoy_types::pb::envoy::extensions::filters::listener::proxy_protocol::v3 as listener;
use envoy_types::pb::envoy::extensions::transport_sockets::proxy_protocol::v3 as transport;

use crate::model::{ProxiedTransport, ProxyProtocolFilter, ProxyProtocolVersion, Tlv, TlvSelection};

pub(super) fn filter(filter: &ProxyProtocolFilter) -> listener::ProxyProtocol {
    let ProxyProtocolFilter {
        allow_requests_without_proxy_protocol,
        pass_through,
        disallowed_versions,
        stat_prefix,
    } = filter;
    listener::ProxyProtocol {
        allow_requests_without_proxy_protocol: *allow_requests_without_proxy_protocol,
        pass_through_tlvs: selection(pass_through),
        disallowed_versions: disallowed_versions.iter().map(|found| version(*found)).collect(),
        stat_prefix: stat_prefix.clone(),
        ..Default::default()
    }
}

/// A transport around `inner`.
pub(super) fn transport(
    proxied: &ProxiedTransport,
    inner: core::TransportSocket,
) -> transport::ProxyProtocolUpstreamTransport {
    let ProxiedTransport {
        version: form,
        pass_through,
        added,
        allow_unspecified_address,
        tlv_as_pool_key,
        inner: _,
    } = proxied;
    transport::ProxyProtocolUpstreamTransport {
        config: Some(core::ProxyProtocolConfig {
            version: version(*form),
            pass_through_tlvs: selection(pass_through),
            added_tlvs: added.iter().map(tlv).collect(),
        }),
        transport_socket: Some(inner),
        allow_unspecified_address: *allow_unspecified_address,
        tlv_as_pool_key: *tlv_as_pool_key,
    }
}

fn version(version: ProxyProtocolVersion) -> i32 {
    match version {
        ProxyProtocolVersion::V1 => Version::V1.into(),
        ProxyProtocolVersion::V2 => Version::V2.into(),
    }
}

fn selection(selection: &TlvSelection) -> Option<core::ProxyProtocolPassThroughTlVs> {
    let (match_type, kinds): (_, &[u8]) = match selection {
        TlvSelection::None => return None,
        TlvSelection::All => (PassTlVsMatchType::IncludeAll, &[]),
        TlvSelection::Types(kinds) => (PassTlVsMatchType::Include, kinds),
    };
    Some(core::ProxyProtocolPassThroughTlVs {
        match_type: match_type.into(),
        tlv_type: kinds.iter().map(|kind| u32::from(*kind)).collect(),
    })
}

fn tlv(tlv: &Tlv) -> core::TlvEntry {
    let Tlv { kind, value } = tlv;
    core::TlvEntry { r#type: u32::from(*kind), value: value.clone(), format_string: None }
}
