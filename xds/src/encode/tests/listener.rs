//! Models of listeners, filter chains and the TCP proxy.

use super::choices::Choices;
use super::{common, filter, manager, metadata, tls};
use crate::model::{
    Address, ApiListener, ClusterName, CodecType, ConnectionFilter, ConnectionLimit, ConnectionRateLimit,
    ConnectionState, DownstreamTransport, FilterChain, FilterChainMatch, HashPolicy, HashSource, Listener,
    ListenerFilter, ListenerName, NetworkFilter, ProxyProtocolFilter, QuicOptions, RuntimeSwitch, SourceType,
    TcpProxy, TcpTarget, TrafficDirection, TransportProtocol, UdpHash, UdpProxy,
};

fn tcp_proxy(from: &mut Choices<'_>) -> TcpProxy {
    let target = if from.flag() {
        TcpTarget::Weighted(from.some(3, |from| (ClusterName::new(from.name()), from.between(1, 100))))
    } else {
        TcpTarget::Cluster(ClusterName::new(from.name()))
    };
    TcpProxy {
        stat_prefix: from.name(),
        target,
        idle_timeout: from.maybe(Choices::positive),
        max_connect_attempts: from.between(1, 9),
        max_downstream_connection_duration: from.maybe(Choices::positive),
        access_log: from.list(1, common::access_log),
        hash_policy: from.list(1, |from| {
            let source =
                if from.flag() { HashSource::FilterState(from.name()) } else { HashSource::SourceIp };
            HashPolicy { source, terminal: false }
        }),
    }
}

fn distinct<T: PartialEq>(from: &mut Choices<'_>, make: fn(&mut Choices<'_>) -> T) -> Vec<T> {
    let mut list = from.list(2, make);
    list.dedup();
    list
}

fn chain_match(from: &mut Choices<'_>) -> FilterChainMatch {
    FilterChainMatch {
        destination_port: from.maybe(Choices::port),
        prefix_ranges: distinct(from, common::cidr),
        // A name of its own keeps the chains apart.
        server_names: from.some(2, |from| {
            let name = from.name();
            if from.flag() { format!("*.{name}") } else { name }
        }),
        transport_protocol: from.maybe(|from| {
            from.one_of(&[TransportProtocol::Tls, TransportProtocol::Quic, TransportProtocol::RawBuffer])
        }),
        application_protocols: from.list(2, Choices::name),
        direct_source_prefix_ranges: distinct(from, common::cidr),
        source_type: from.one_of(&[SourceType::Any, SourceType::SameIpOrLoopback, SourceType::External]),
        source_prefix_ranges: distinct(from, common::cidr),
        source_ports: distinct(from, |from| from.port()),
    }
}

fn connection_filter(from: &mut Choices<'_>) -> ConnectionFilter {
    match from.between(0, 3) {
        0 => ConnectionFilter::State(ConnectionState {
            on_new_connection: from.list(2, metadata::filter_state_value),
            on_downstream_tls_handshake: from.list(1, metadata::filter_state_value),
        }),
        1 => ConnectionFilter::Limit(ConnectionLimit {
            stat_prefix: from.name(),
            max_connections: from.between(1, u32::MAX).into(),
            delay: from.duration(),
            enabled: runtime_switch(from),
        }),
        2 => ConnectionFilter::Rate(ConnectionRateLimit {
            stat_prefix: from.name(),
            token_bucket: filter::token_bucket(from),
            enabled: runtime_switch(from),
            share_key: from.text(),
        }),
        _ => ConnectionFilter::SniCluster,
    }
}

fn runtime_switch(from: &mut Choices<'_>) -> RuntimeSwitch {
    if from.flag() { RuntimeSwitch { default: from.flag(), key: from.name() } } else { RuntimeSwitch::ON }
}

fn filter_chain(from: &mut Choices<'_>, matches: FilterChainMatch) -> FilterChain {
    let transport = from.maybe(tls::downstream);
    FilterChain {
        name: from.text(),
        matches,
        transport: transport
            .map_or(DownstreamTransport::Plain, |tls| DownstreamTransport::Tls(Box::new(tls))),
        filters: from.list(3, connection_filter),
        filter: match from.between(0, 5) {
            0 | 1 => NetworkFilter::Http(Box::new(manager::http_connection_manager(from))),
            2 | 3 => NetworkFilter::Tcp(Box::new(tcp_proxy(from))),
            4 => NetworkFilter::Echo,
            _ => NetworkFilter::Direct(from.maybe(common::data_source)),
        },
        transport_socket_connect_timeout: from.duration(),
    }
}

fn listener_filter(from: &mut Choices<'_>) -> ListenerFilter {
    match from.between(0, 2) {
        0 => ListenerFilter::HttpInspector,
        1 => ListenerFilter::OriginalDst,
        _ => ListenerFilter::ProxyProtocol(Box::new(ProxyProtocolFilter {
            allow_requests_without_proxy_protocol: from.flag(),
            pass_through: common::tlv_selection(from),
            disallowed_versions: from.list(2, common::proxy_protocol_version),
            stat_prefix: from.text(),
        })),
    }
}

pub(super) fn api_listener(from: &mut Choices<'_>) -> ApiListener {
    ApiListener {
        name: ListenerName::new(from.name()),
        address: from.maybe(common::listen_address),
        manager: manager::http_connection_manager(from),
    }
}

pub(super) fn listener(from: &mut Choices<'_>) -> Listener {
    let listener = tcp_listener(from);
    let is_socket = |place: &Address| matches!(place, Address::Socket(_));
    let sockets = is_socket(&listener.address) && listener.additional_addresses.iter().all(is_socket);
    match from.between(0, 3) {
        1 if sockets => over_quic(from, listener),
        2 if sockets => of_datagrams(from, listener),
        _ => listener,
    }
}

/// The same listener as far as one of a UDP proxy can be.
fn of_datagrams(from: &mut Choices<'_>, listener: Listener) -> Listener {
    let (cluster, hash) = (from.maybe(Choices::name), from.maybe(Choices::name));
    let udp = UdpProxy {
        stat_prefix: from.name(),
        by_matcher: cluster.is_none() || from.flag(),
        cluster: cluster.map(ClusterName::new),
        idle_timeout: from.positive(),
        hash: hash.map(|key| if from.flag() { UdpHash::SourceIp } else { UdpHash::Key(key) }),
        per_packet: from.flag(),
        downstream_bytes_max: from.port(),
        upstream_bytes_max: from.port(),
    };
    Listener {
        udp: Some(udp),
        filter_chains: Vec::new(),
        default_filter_chain: None,
        listener_filters: Vec::new(),
        exact_balance: false,
        reuse_port: true,
        ..listener
    }
}

/// The same listener as far as one for QUIC can be.
fn over_quic(from: &mut Choices<'_>, listener: Listener) -> Listener {
    let mut manager = manager::http_connection_manager(from);
    manager.codec_type = from.one_of(&[CodecType::Auto, CodecType::Http3]);
    let mut tls = tls::downstream(from);
    tls.common.maximum_version = None;
    let chain = FilterChain {
        transport: DownstreamTransport::Quic(Box::new(tls)),
        filter: NetworkFilter::Http(Box::new(manager)),
        ..filter_chain(from, FilterChainMatch::default())
    };
    Listener {
        filter_chains: vec![chain],
        default_filter_chain: None,
        listener_filters: Vec::new(),
        reuse_port: true,
        exact_balance: false,
        quic: Some(QuicOptions {
            max_concurrent_streams: from.maybe(|from| from.between(1, 4096)),
            initial_stream_window_size: from.maybe(|from| from.between(1, 16 * 1024 * 1024)),
            initial_connection_window_size: from.maybe(|from| from.between(1, 24 * 1024 * 1024)),
            idle_timeout: from.positive(),
            handshake_timeout: from.positive(),
            active_migration: from.flag(),
        }),
        ..listener
    }
}

fn tcp_listener(from: &mut Choices<'_>) -> Listener {
    let directions = [TrafficDirection::Unspecified, TrafficDirection::Inbound, TrafficDirection::Outbound];
    // Chains match on server names, so the inspector is there.
    let mut listener_filters = vec![ListenerFilter::TlsInspector];
    listener_filters.extend(from.list(2, listener_filter));
    Listener {
        name: ListenerName::new(from.name()),
        address: common::listen_address(from),
        additional_addresses: from.list(2, common::listen_address),
        filter_chains: from.some(3, |from| {
            let matches = chain_match(from);
            filter_chain(from, matches)
        }),
        default_filter_chain: from.maybe(|from| filter_chain(from, FilterChainMatch::default())),
        listener_filters,
        listener_filters_timeout: from.duration(),
        continue_on_listener_filters_timeout: from.flag(),
        per_connection_buffer_limit_bytes: from.number(),
        access_log: from.list(2, common::access_log),
        stat_prefix: from.text(),
        traffic_direction: from.one_of(&directions),
        reuse_port: from.flag(),
        bind_to_port: from.flag(),
        exact_balance: from.flag(),
        tcp_backlog_size: from.maybe(|from| from.between(1, 4096)).unwrap_or(Listener::TCP_BACKLOG_SIZE),
        quic: None,
        udp: None,
        drain_modify_only: from.flag(),
    }
}
