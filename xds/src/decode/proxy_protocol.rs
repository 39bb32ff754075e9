//! The PROXY protocol, on listeners and towards endpoints.

use core::proxy_protocol_config::Version;
use core::proxy_protocol_pass_through_tl_vs::PassTlVsMatchType;
use envoy_types::pb::envoy::config::core::v3 as core;
use envoy_types::pb::envoy::extensions::filters::listener::proxy_protocol::v3 as listener;
use envoy_types::pb::envoy::extensions::transport_sockets::proxy_protocol::v3 as transport;

use super::path::{Invalid, Path, absent};
use crate::model::{
    ProxiedTransport, ProxyProtocolFilter, ProxyProtocolVersion, Tlv, TlvSelection, UpstreamTransport,
};

/// A listener filter.
pub(super) fn filter(
    path: &Path<'_>,
    filter: &listener::ProxyProtocol,
) -> Result<ProxyProtocolFilter, Invalid> {
    let listener::ProxyProtocol {
        rules,
        allow_requests_without_proxy_protocol,
        pass_through_tlvs,
        disallowed_versions,
        stat_prefix,
        tlv_location,
    } = filter;
    absent!(path; rules, tlv_location);
    Ok(ProxyProtocolFilter {
        allow_requests_without_proxy_protocol: *allow_requests_without_proxy_protocol,
        pass_through: selection(&path.field("pass_through_tlvs"), pass_through_tlvs)?,
        disallowed_versions: path
            .field("disallowed_versions")
            .each(disallowed_versions, |at, found| version(at, *found))?,
        stat_prefix: stat_prefix.clone(),
    })
}

/// A transport around `inner`, which is already decoded.
pub(super) fn transport(
    path: &Path<'_>,
    transport: &transport::ProxyProtocolUpstreamTransport,
    inner: UpstreamTransport,
) -> Result<ProxiedTransport, Invalid> {
    let transport::ProxyProtocolUpstreamTransport {
        config,
        // Decoded by the caller.
        transport_socket: _,
        allow_unspecified_address,
        tlv_as_pool_key,
    } = transport;
    let path = path.field("config");
    let none = core::ProxyProtocolConfig::default();
    let core::ProxyProtocolConfig { version: form, pass_through_tlvs, added_tlvs } =
        config.as_ref().unwrap_or(&none);
    Ok(ProxiedTransport {
        version: version(&path.field("version"), *form)?,
        pass_through: selection(&path.field("pass_through_tlvs"), pass_through_tlvs)?,
        added: path.field("added_tlvs").each(added_tlvs, tlv)?,
        allow_unspecified_address: *allow_unspecified_address,
        tlv_as_pool_key: *tlv_as_pool_key,
        inner,
    })
}

fn version(path: &Path<'_>, version: i32) -> Result<ProxyProtocolVersion, Invalid> {
    Ok(match path.known(version)? {
        Version::V1 => ProxyProtocolVersion::V1,
        Version::V2 => ProxyProtocolVersion::V2,
    })
}

fn selection(
    path: &Path<'_>,
    selection: &Option<core::ProxyProtocolPassThroughTlVs>,
) -> Result<TlvSelection, Invalid> {
    let Some(core::ProxyProtocolPassThroughTlVs { match_type, tlv_type }) = selection else {
        return Ok(TlvSelection::None);
    };
    match path.field("match_type").known(*match_type)? {
        PassTlVsMatchType::IncludeAll => {
            absent!(path; tlv_type);
            Ok(TlvSelection::All)
        }
        PassTlVsMatchType::Include => {
            let at = path.field("tlv_type");
            Ok(TlvSelection::Types(at.each(tlv_type, |at, kind| self::kind(at, *kind))?))
        }
    }
}

fn tlv(path: &Path<'_>, entry: &core::TlvEntry) -> Result<Tlv, Invalid> {
    let core::TlvEntry { r#type, value, format_string } = entry;
    absent!(path; format_string);
    if value.is_empty() {
        return path.field("value").refuse("must not be empty");
    }
    Ok(Tlv { kind: kind(&path.field("type"), *r#type)?, value: value.clone() })
}

fn kind(path: &Path<'_>, kind: u32) -> Result<u8, Invalid> {
    u8::try_from(kind).map_err(|_| path.invalid(format!("{kind} is not accepted; 0 to 255 are")))
}
