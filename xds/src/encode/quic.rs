//! QUIC of a listener: its settings and its transport socket.

use envoy_types::pb::envoy::config::core::v3 as core;
use envoy_types::pb::envoy::config::listener::v3 as pb;
use envoy_types::pb::envoy::extensions::transport_sockets::quic::v3::QuicDownstreamTransport;

use super::scalar;
use super::tls;
use crate::model::{DownstreamTls, QuicOptions};

pub(super) fn udp_listener_config(options: &QuicOptions) -> pb::UdpListenerConfig {
    let QuicOptions {
        max_concurrent_streams,
        initial_stream_window_size,
        initial_connection_window_size,
        idle_timeout,
        handshake_timeout,
        active_migration,
    } = options;
    let limits = core::QuicProtocolOptions {
        max_concurrent_streams: max_concurrent_streams.and_then(scalar::uint32),
        initial_stream_window_size: initial_stream_window_size.and_then(scalar::uint32),
        initial_connection_window_size: initial_connection_window_size.and_then(scalar::uint32),
        ..Default::default()
    };
    let options = pb::QuicProtocolOptions {
        quic_protocol_options: Some(limits).filter(|limits| *limits != core::QuicProtocolOptions::default()),
        idle_timeout: scalar::span(*idle_timeout),
        crypto_handshake_timeout: scalar::span(*handshake_timeout),
        send_disable_active_migration: scalar::switch(!active_migration),
        ..Default::default()
    };
    pb::UdpListenerConfig { quic_options: Some(options), ..Default::default() }
}

pub(super) fn socket(context: &DownstreamTls) -> core::TransportSocket {
    let transport = QuicDownstreamTransport {
        downstream_tls_context: Some(tls::downstream(context)),
        ..Default::default()
    };
    core::TransportSocket {
        name: "envoy.transport_sockets.quic".to_owned(),
        config_type: Some(core::transport_socket::ConfigType::TypedConfig(scalar::any(&transport))),
    }
}
