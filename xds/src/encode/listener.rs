//! Listeners and filter chains.

use envoy_types::pb::envoy::config::core::v3::TrafficDirection as PbDirection;
use envoy_types::pb::envoy::config::listener::v3 as pb;
use envoy_types::pb::envoy::extensions::filters::listener as extensions;
use extensions::http_inspector::v3::HttpInspector;
use extensions::original_dst::v3::OriginalDst;
use extensions::tls_inspector::v3::TlsInspector;
use pb::filter_chain_match::ConnectionSourceType;
use pb::listener::connection_balance_config::{BalanceType, ExactBalance};
use pb::listener::{ConnectionBalanceConfig, DrainType};

use super::access_log;
use super::address;
use super::hcm;
use super::network_filter;
use super::proxy_protocol;
use super::quic;
use super::scalar;
use super::tls;
use super::udp_proxy;
use crate::model::{
    Address, ApiListener, DownstreamTransport, FilterChain, FilterChainMatch, Listener, ListenerFilter,
    SourceType, TrafficDirection, TransportProtocol,
};

pub(super) fn listener(listener: &Listener) -> pb::Listener {
    #[rustfmt::skip]
    let Listener {
        name, address: bound, additional_addresses, filter_chains, default_filter_chain, listener_filters,
        listener_filters_timeout, continue_on_listener_filters_timeout, per_connection_buffer_limit_bytes,
        access_log, stat_prefix, traffic_direction, reuse_port, bind_to_port, exact_balance, tcp_backlog_size,
        quic, udp, drain_modify_only,
    } = listener;
    let direction = match traffic_direction {
        TrafficDirection::Unspecified => PbDirection::Unspecified,
        TrafficDirection::Inbound => PbDirection::Inbound,
        TrafficDirection::Outbound => PbDirection::Outbound,
    };
    let place = if quic.is_some() || udp.is_some() { address::udp } else { address::address };
    let additional =
        |more: &Address| pb::AdditionalAddress { address: Some(place(more)), ..Default::default() };
    let balance = ConnectionBalanceConfig { balance_type: Some(BalanceType::ExactBalance(ExactBalance {})) };
    let drain = if *drain_modify_only { DrainType::ModifyOnly } else { DrainType::Default };
    let backlog = Some(*tcp_backlog_size).filter(|size| *size != Listener::TCP_BACKLOG_SIZE);
    pb::Listener {
        name: name.to_string(),
        address: Some(place(bound)),
        additional_addresses: additional_addresses.iter().map(additional).collect(),
        stat_prefix: stat_prefix.clone(),
        filter_chains: filter_chains.iter().map(filter_chain).collect(),
        default_filter_chain: default_filter_chain.as_ref().map(filter_chain),
        per_connection_buffer_limit_bytes: scalar::uint32(*per_connection_buffer_limit_bytes),
        drain_type: drain.into(),
        listener_filters: listener_filters
            .iter()
            .map(listener_filter)
            .chain(udp.iter().map(udp_proxy::listener_filter))
            .collect(),
        listener_filters_timeout: scalar::span(*listener_filters_timeout),
        continue_on_listener_filters_timeout: *continue_on_listener_filters_timeout,
        traffic_direction: direction.into(),
        connection_balance_config: exact_balance.then_some(balance),
        enable_reuse_port: scalar::switch(*reuse_port),
        access_log: access_log::access_logs(access_log),
        tcp_backlog_size: backlog.and_then(scalar::uint32),
        bind_to_port: scalar::switch(*bind_to_port),
        udp_listener_config: quic
            .as_ref()
            .map(super::quic::udp_listener_config)
            .or_else(|| udp.as_ref().map(udp_proxy::udp_listener_config)),
        ..Default::default()
    }
}

pub(super) fn api_listener(listener: &ApiListener) -> pb::Listener {
    let ApiListener { name, address: bound, manager } = listener;
    let manager = scalar::any(&hcm::http_connection_manager(manager));
    pb::Listener {
        name: name.to_string(),
        address: bound.as_ref().map(address::address),
        api_listener: Some(pb::ApiListener { api_listener: Some(manager) }),
        ..Default::default()
    }
}

fn listener_filter(filter: &ListenerFilter) -> pb::ListenerFilter {
    let (name, config) = match filter {
        ListenerFilter::TlsInspector => {
            ("envoy.filters.listener.tls_inspector", scalar::any(&TlsInspector::default()))
        }
        ListenerFilter::HttpInspector => {
            ("envoy.filters.listener.http_inspector", scalar::any(&HttpInspector {}))
        }
        ListenerFilter::ProxyProtocol(filter) => {
            ("envoy.filters.listener.proxy_protocol", scalar::any(&proxy_protocol::filter(filter)))
        }
        ListenerFilter::OriginalDst => ("envoy.filters.listener.original_dst", scalar::any(&OriginalDst {})),
    };
    pb::ListenerFilter {
        name: name.to_owned(),
        config_type: Some(pb::listener_filter::ConfigType::TypedConfig(config)),
        ..Default::default()
    }
}

fn filter_chain(chain: &FilterChain) -> pb::FilterChain {
    let FilterChain { name, matches, transport, filters, filter, transport_socket_connect_timeout } = chain;
    let socket = match transport {
        DownstreamTransport::Plain => None,
        DownstreamTransport::Tls(context) => Some(tls::socket(&tls::downstream(context))),
        DownstreamTransport::Quic(context) => Some(quic::socket(context)),
    };
    pb::FilterChain {
        filter_chain_match: Some(chain_match(matches))
            .filter(|found| *found != pb::FilterChainMatch::default()),
        filters: filters
            .iter()
            .map(network_filter::before)
            .chain([network_filter::terminal(filter)])
            .collect(),
        transport_socket: socket,
        transport_socket_connect_timeout: scalar::unless_zero(*transport_socket_connect_timeout),
        name: name.clone(),
        ..Default::default()
    }
}

fn chain_match(matches: &FilterChainMatch) -> pb::FilterChainMatch {
    let FilterChainMatch {
        destination_port,
        prefix_ranges,
        server_names,
        transport_protocol,
        application_protocols,
        direct_source_prefix_ranges,
        source_type,
        source_prefix_ranges,
        source_ports,
    } = matches;
    let transport_protocol = match transport_protocol {
        None => "",
        Some(TransportProtocol::Tls) => "tls",
        Some(TransportProtocol::Quic) => "quic",
        Some(TransportProtocol::RawBuffer) => "raw_buffer",
    };
    let source_type = match source_type {
        SourceType::Any => ConnectionSourceType::Any,
        SourceType::SameIpOrLoopback => ConnectionSourceType::SameIpOrLoopback,
        SourceType::External => ConnectionSourceType::External,
    };
    pb::FilterChainMatch {
        destination_port: destination_port.map(u32::from).and_then(scalar::uint32),
        prefix_ranges: prefix_ranges.iter().map(address::cidr).collect(),
        direct_source_prefix_ranges: direct_source_prefix_ranges.iter().map(address::cidr).collect(),
        source_type: source_type.into(),
        source_prefix_ranges: source_prefix_ranges.iter().map(address::cidr).collect(),
        source_ports: source_ports.iter().copied().map(u32::from).collect(),
        server_names: server_names.clone(),
        transport_protocol: transport_protocol.to_owned(),
        application_protocols: application_protocols.clone(),
        ..Default::default()
    }
}
