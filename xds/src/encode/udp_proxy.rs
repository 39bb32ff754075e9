//! The UDP proxy.

use envoy_types::pb::envoy::config::core::v3::UdpSocketConfig;
use envoy_types::pb::envoy::config::listener::v3 as listener;
use envoy_types::pb::envoy::extensions::filters::udp::udp_proxy::v3 as pb;
use envoy_types::pb::xds::core::v3::TypedExtensionConfig;
use envoy_types::pb::xds::r#type::matcher::v3 as matcher;
use matcher::matcher::on_match::OnMatch;
use pb::udp_proxy_config::hash_policy::PolicySpecifier;
use pb::udp_proxy_config::{HashPolicy, RouteSpecifier};

use super::scalar;
use crate::model::{UdpHash, UdpProxy};

pub(super) fn listener_filter(proxy: &UdpProxy) -> listener::ListenerFilter {
    listener::ListenerFilter {
        name: "envoy.filters.udp_listener.udp_proxy".to_owned(),
        config_type: Some(listener::listener_filter::ConfigType::TypedConfig(scalar::any(&udp_proxy(proxy)))),
        ..Default::default()
    }
}

pub(super) fn udp_listener_config(proxy: &UdpProxy) -> listener::UdpListenerConfig {
    listener::UdpListenerConfig {
        downstream_socket_config: socket(proxy.downstream_bytes_max),
        ..Default::default()
    }
}

#[expect(deprecated, reason = "cluster is what most configurations have")]
fn udp_proxy(proxy: &UdpProxy) -> pb::UdpProxyConfig {
    let UdpProxy {
        stat_prefix,
        cluster,
        by_matcher,
        idle_timeout,
        hash,
        per_packet,
        // Of the socket.
        downstream_bytes_max: _,
        upstream_bytes_max,
    } = proxy;
    let route = match cluster {
        Some(name) if !by_matcher => RouteSpecifier::Cluster(name.to_string()),
        cluster => RouteSpecifier::Matcher(matcher::Matcher {
            on_no_match: cluster.as_ref().map(|name| Box::new(on_no_match(name.as_str()))),
            matcher_type: None,
        }),
    };
    pb::UdpProxyConfig {
        stat_prefix: stat_prefix.clone(),
        idle_timeout: scalar::span(*idle_timeout),
        hash_policies: hash.iter().map(self::hash).collect(),
        upstream_socket_config: (*upstream_bytes_max < u16::MAX).then(|| UdpSocketConfig {
            max_rx_datagram_size: scalar::uint64((*upstream_bytes_max).into()),
            prefer_gro: scalar::switch(false),
        }),
        use_per_packet_load_balancing: *per_packet,
        route_specifier: Some(route),
        ..Default::default()
    }
}

fn on_no_match(cluster: &str) -> matcher::matcher::OnMatch {
    let route = pb::Route { cluster: cluster.to_owned() };
    matcher::matcher::OnMatch {
        on_match: Some(OnMatch::Action(TypedExtensionConfig {
            name: "route".to_owned(),
            typed_config: Some(scalar::any(&route)),
        })),
        ..Default::default()
    }
}

fn hash(hash: &UdpHash) -> HashPolicy {
    let specifier = match hash {
        UdpHash::SourceIp => PolicySpecifier::SourceIp(true),
        UdpHash::Key(key) => PolicySpecifier::Key(key.clone()),
    };
    HashPolicy { policy_specifier: Some(specifier) }
}

fn socket(bytes_max: u16) -> Option<UdpSocketConfig> {
    Some(UdpSocketConfig { max_rx_datagram_size: scalar::uint64(bytes_max.into()), prefer_gro: None })
}
