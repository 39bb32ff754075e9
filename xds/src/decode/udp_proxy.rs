//! The UDP proxy: the only filter of a UDP listener that does not speak QUIC.

use std::time::Duration;

use envoy_types::pb::envoy::config::core::v3::UdpSocketConfig;
use envoy_types::pb::envoy::config::listener::v3 as listener;
use envoy_types::pb::envoy::extensions::filters::udp::udp_proxy::v3 as pb;
use envoy_types::pb::google::protobuf::Any;
use envoy_types::pb::xds::r#type::matcher::v3 as matcher;
use listener::listener_filter::ConfigType;
use matcher::matcher::on_match::OnMatch;
use pb::udp_proxy_config::hash_policy::PolicySpecifier;
use pb::udp_proxy_config::{HashPolicy, RouteSpecifier};

use super::any;
use super::path::{Invalid, Path, absent, off};
use crate::model::{ClusterName, Listener, UdpHash, UdpProxy};

/// Envoy's `idle_timeout`.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// The UDP proxy among a listener's filters, if there is one.
pub(super) fn among(
    path: &Path<'_>,
    filters: &[listener::ListenerFilter],
    socket: &Option<listener::UdpListenerConfig>,
) -> Result<Option<UdpProxy>, Invalid> {
    let at = path.field("listener_filters");
    for (index, filter) in filters.iter().enumerate() {
        let Some(ConfigType::TypedConfig(config)) = &filter.config_type else { continue };
        let at_filter = at.index(index);
        let at_config = at_filter.field("typed_config");
        let Some(proxy) = any::unpack_if::<pb::UdpProxyConfig>(&at_config, config)? else { continue };
        if filters.len() > 1 {
            return at.refuse(format!("has {} filters; a UDP proxy stands alone", filters.len()));
        }
        let listener::ListenerFilter { name, filter_disabled, config_type: _ } = filter;
        absent!(at_filter; filter_disabled);
        at_filter.field("name").non_empty(name)?;
        let bytes_max = socket_config(&path.field("udp_listener_config"), socket)?;
        return udp_proxy(&at_config, &proxy, bytes_max).map(Some);
    }
    Ok(None)
}

/// Refuses what a UDP proxy's listener cannot have.
pub(super) fn fits(path: &Path<'_>, listener: Listener) -> Result<Listener, Invalid> {
    if listener.udp.is_none() {
        return Ok(listener);
    }
    if !listener.filter_chains.is_empty() || listener.default_filter_chain.is_some() {
        return path.field("filter_chains").refuse("must be empty: a UDP proxy takes every datagram");
    }
    if listener.exact_balance {
        return path
            .field("connection_balance_config")
            .refuse("does not work on a UDP listener; leave it out");
    }
    if !listener.reuse_port {
        return path.field("enable_reuse_port").refuse("false is not accepted on a UDP listener");
    }
    Ok(listener)
}

fn udp_proxy(path: &Path<'_>, proxy: &pb::UdpProxyConfig, downstream: u16) -> Result<UdpProxy, Invalid> {
    let pb::UdpProxyConfig {
        stat_prefix,
        idle_timeout,
        use_original_src_ip,
        hash_policies,
        upstream_socket_config,
        use_per_packet_load_balancing,
        route_specifier,
        // Refused when set.
        access_log,
        proxy_access_log,
        session_filters,
        tunneling_config,
        access_log_options,
    } = proxy;
    absent!(path; use_original_src_ip, access_log, proxy_access_log, session_filters, tunneling_config,
        access_log_options);
    if hash_policies.len() > 1 {
        let found = hash_policies.len();
        return path.field("hash_policies").refuse(format!("has {found} policies; at most 1 is accepted"));
    }
    let hash = path.field("hash_policies").each(hash_policies, self::hash)?.pop();
    let (cluster, by_matcher) = route(path, route_specifier)?;
    Ok(UdpProxy {
        stat_prefix: path.field("stat_prefix").non_empty(stat_prefix)?,
        cluster,
        by_matcher,
        idle_timeout: path.field("idle_timeout").optional_positive(idle_timeout)?.unwrap_or(IDLE_TIMEOUT),
        hash,
        per_packet: *use_per_packet_load_balancing,
        downstream_bytes_max: downstream,
        upstream_bytes_max: upstream_bytes_max(
            &path.field("upstream_socket_config"),
            upstream_socket_config,
        )?,
    })
}

#[expect(deprecated, reason = "cluster is what most configurations have")]
fn route(
    path: &Path<'_>,
    specifier: &Option<RouteSpecifier>,
) -> Result<(Option<ClusterName>, bool), Invalid> {
    match specifier {
        Some(RouteSpecifier::Cluster(name)) => {
            let name = path.field("cluster").non_empty(name)?;
            Ok((Some(ClusterName::new(name)), false))
        }
        Some(RouteSpecifier::Matcher(found)) => {
            matched(&path.field("matcher"), found).map(|cluster| (cluster, true))
        }
        None => path.refuse("has no route; accepted: cluster, matcher"),
    }
}

fn matched(path: &Path<'_>, found: &matcher::Matcher) -> Result<Option<ClusterName>, Invalid> {
    let matcher::Matcher { on_no_match, matcher_type } = found;
    if matcher_type.is_some() {
        return path.refuse("tests of datagrams are not supported here; accepted: on_no_match alone");
    }
    let Some(on_no_match) = on_no_match else { return Ok(None) };
    let path = path.field("on_no_match");
    let matcher::matcher::OnMatch { keep_matching, on_match } = &**on_no_match;
    absent!(path; keep_matching);
    match on_match {
        Some(OnMatch::Action(action)) => {
            let path = path.field("action");
            let envoy_types::pb::xds::core::v3::TypedExtensionConfig { name, typed_config } = action;
            let at = path.field("typed_config");
            let config: &Any = at.required(typed_config)?;
            match any::unpack_if::<pb::Route>(&at, config)? {
                Some(pb::Route { cluster }) => {
                    let name = at.field("cluster").non_empty(&cluster)?;
                    Ok(Some(ClusterName::new(name)))
                }
                None => any::unknown(&at, name, config, "envoy.extensions.filters.udp.udp_proxy.v3.Route"),
            }
        }
        Some(OnMatch::Matcher(_)) => path.field("matcher").unsupported(),
        None => path.refuse("is empty; accepted: action"),
    }
}

fn hash(path: &Path<'_>, policy: &HashPolicy) -> Result<UdpHash, Invalid> {
    match &policy.policy_specifier {
        Some(PolicySpecifier::SourceIp(true)) => Ok(UdpHash::SourceIp),
        Some(PolicySpecifier::SourceIp(false)) => path.field("source_ip").refuse("must be true"),
        Some(PolicySpecifier::Key(key)) => path.field("key").non_empty(key).map(UdpHash::Key),
        None => path.refuse("is empty; accepted: source_ip, key"),
    }
}

fn socket_config(path: &Path<'_>, config: &Option<listener::UdpListenerConfig>) -> Result<u16, Invalid> {
    let Some(config) = config else { return Ok(UdpProxy::DATAGRAM_BYTES_MAX) };
    let listener::UdpListenerConfig {
        downstream_socket_config,
        quic_options,
        udp_packet_packet_writer_config,
    } = config;
    absent!(path; quic_options, udp_packet_packet_writer_config);
    bytes_max(&path.field("downstream_socket_config"), downstream_socket_config)
}

/// Envoy takes datagrams of endpoints together by default (GRO), and then of any length.
fn upstream_bytes_max(path: &Path<'_>, config: &Option<UdpSocketConfig>) -> Result<u16, Invalid> {
    let one_by_one = UdpSocketConfig { prefer_gro: None, ..config.unwrap_or_default() };
    let bytes = bytes_max(path, &Some(one_by_one))?;
    let together = config.as_ref().and_then(|config| config.prefer_gro.as_ref()).is_none_or(|gro| gro.value);
    Ok(if together { u16::MAX } else { bytes })
}

fn bytes_max(path: &Path<'_>, config: &Option<UdpSocketConfig>) -> Result<u16, Invalid> {
    let Some(config) = config else { return Ok(UdpProxy::DATAGRAM_BYTES_MAX) };
    let UdpSocketConfig { max_rx_datagram_size, prefer_gro } = config;
    off!(path; prefer_gro);
    let at = path.field("max_rx_datagram_size");
    let size = at.ranged_u64(max_rx_datagram_size, 1..=65_535)?;
    Ok(size.and_then(|size| u16::try_from(size).ok()).unwrap_or(UdpProxy::DATAGRAM_BYTES_MAX))
}
