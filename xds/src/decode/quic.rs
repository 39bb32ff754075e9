//! QUIC listeners: `udp_listener_config.quic_options`, the transport socket, and what a listener must and must not have
//! because its connections are QUIC (RFC 9000, RFC 9114).

use std::time::Duration;

use envoy_types::pb::envoy::config::core::v3 as core;
use envoy_types::pb::envoy::config::listener::v3 as pb;
use envoy_types::pb::envoy::extensions::transport_sockets::quic::v3::QuicDownstreamTransport;

use super::path::{Invalid, Path, absent, off};
use super::scalar::switch;
use super::tls;
use crate::model::{
    CodecType, DownstreamTls, DownstreamTransport, FilterChain, Listener, NetworkFilter, QuicOptions,
    TlsVersion,
};

/// Envoy's `idle_timeout`.
const IDLE_TIMEOUT: Duration = Duration::from_secs(300);

/// Envoy's `crypto_handshake_timeout`.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(20);

/// Envoy's largest `initial_stream_window_size`, 16 MiB.
const STREAM_WINDOW_BYTES_MAX: u32 = 16 * 1024 * 1024;

/// Envoy's largest `initial_connection_window_size`, 24 MiB.
const CONNECTION_WINDOW_BYTES_MAX: u32 = 24 * 1024 * 1024;

/// Settings of a UDP listener; nothing for a listener of TCP.
pub(super) fn options(
    path: &Path<'_>,
    config: &Option<pb::UdpListenerConfig>,
) -> Result<Option<QuicOptions>, Invalid> {
    let Some(config) = config else { return Ok(None) };
    let pb::UdpListenerConfig { downstream_socket_config, quic_options, udp_packet_packet_writer_config } =
        config;
    absent!(path; udp_packet_packet_writer_config);
    if let Some(config) = downstream_socket_config {
        // Datagrams are taken together whenever the kernel offers it.
        let core::UdpSocketConfig { max_rx_datagram_size, prefer_gro: _ } = config;
        let at = path.field("downstream_socket_config");
        absent!(at; max_rx_datagram_size);
    }
    let path = path.field("quic_options");
    let Some(options) = quic_options else {
        return path.refuse("is required: a UDP listener serves QUIC or nothing here");
    };
    let pb::QuicProtocolOptions {
        quic_protocol_options,
        idle_timeout,
        crypto_handshake_timeout,
        // Paces one turn of Envoy's event loop.
        packets_to_read_to_connection_count_ratio: _,
        send_disable_active_migration,
        reject_new_connections,
        // Refused when set.
        enabled,
        crypto_stream_config,
        proof_source_config,
        connection_id_generator_config,
        server_preferred_address_config,
        connection_debug_visitor_config,
        save_cmsg_config,
        max_sessions_per_event_loop,
    } = options;
    absent!(path; enabled, crypto_stream_config, proof_source_config, connection_id_generator_config,
        server_preferred_address_config, connection_debug_visitor_config, save_cmsg_config,
        max_sessions_per_event_loop, reject_new_connections);
    let options = QuicOptions {
        idle_timeout: path.field("idle_timeout").optional_positive(idle_timeout)?.unwrap_or(IDLE_TIMEOUT),
        handshake_timeout: path
            .field("crypto_handshake_timeout")
            .optional_positive(crypto_handshake_timeout)?
            .unwrap_or(HANDSHAKE_TIMEOUT),
        active_migration: !switch(send_disable_active_migration, false),
        ..QuicOptions::default()
    };
    match quic_protocol_options {
        Some(limits) => with_limits(&path.field("quic_protocol_options"), limits, options).map(Some),
        None => Ok(Some(options)),
    }
}

fn with_limits(
    path: &Path<'_>,
    limits: &core::QuicProtocolOptions,
    options: QuicOptions,
) -> Result<QuicOptions, Invalid> {
    let core::QuicProtocolOptions {
        max_concurrent_streams,
        initial_stream_window_size,
        initial_connection_window_size,
        // Refused when set.
        num_timeouts_to_trigger_port_migration,
        connection_keepalive,
        connection_options,
        client_connection_options,
        idle_network_timeout,
        max_packet_length,
        client_packet_writer,
        connection_migration,
        memory_reduction_timeout,
        enable_scone,
    } = limits;
    absent!(path; num_timeouts_to_trigger_port_migration, connection_keepalive, connection_options,
        client_connection_options, idle_network_timeout, max_packet_length, client_packet_writer,
        connection_migration, memory_reduction_timeout, enable_scone);
    let size = |name, value, max| path.field(name).ranged(value, 1..=max);
    Ok(QuicOptions {
        max_concurrent_streams: size("max_concurrent_streams", max_concurrent_streams, u32::MAX)?,
        initial_stream_window_size: size(
            "initial_stream_window_size",
            initial_stream_window_size,
            STREAM_WINDOW_BYTES_MAX,
        )?,
        initial_connection_window_size: size(
            "initial_connection_window_size",
            initial_connection_window_size,
            CONNECTION_WINDOW_BYTES_MAX,
        )?,
        ..options
    })
}

/// The transport socket of a QUIC listener's chain.
pub(super) fn transport(
    path: &Path<'_>,
    transport: &QuicDownstreamTransport,
) -> Result<DownstreamTls, Invalid> {
    let QuicDownstreamTransport {
        downstream_tls_context,
        // Early data is never accepted: a server may always decline it, and it can be replayed (RFC 8470).
        enable_early_data: _,
        enable_resumption,
    } = transport;
    let at = path.field("downstream_tls_context");
    let mut context = tls::downstream(&at, at.required(downstream_tls_context)?)?;
    if context.common.maximum_version == Some(TlsVersion::Tls12) {
        let at = at.field("common_tls_context.tls_params.tls_maximum_protocol_version");
        return at.refuse("TLSv1_2 is below what QUIC needs; accepted: TLS_AUTO, TLSv1_3");
    }
    if !switch(enable_resumption, true) {
        context.disable_stateful_session_resumption = true;
        context.disable_stateless_session_resumption = true;
    }
    Ok(context)
}

/// What a listener must be, because it serves QUIC or because it does not.
pub(super) fn fits(path: &Path<'_>, listener: Listener) -> Result<Listener, Invalid> {
    let chains = path.field("filter_chains");
    for (index, chain) in listener.filter_chains.iter().enumerate() {
        chain_fits(&chains.index(index), chain, listener.quic.is_some())?;
    }
    if let Some(chain) = &listener.default_filter_chain {
        chain_fits(&path.field("default_filter_chain"), chain, listener.quic.is_some())?;
    }
    if listener.quic.is_none() {
        return Ok(listener);
    }
    if !listener.listener_filters.is_empty() {
        return path.field("listener_filters").refuse("are not run on a QUIC listener; leave them out");
    }
    if listener.exact_balance {
        return path
            .field("connection_balance_config")
            .refuse("does not work on a QUIC listener; leave it out");
    }
    if !listener.reuse_port {
        return path.field("enable_reuse_port").refuse("false is not accepted on a QUIC listener");
    }
    Ok(listener)
}

fn chain_fits(path: &Path<'_>, chain: &FilterChain, quic: bool) -> Result<(), Invalid> {
    let secured = matches!(chain.transport, DownstreamTransport::Quic(_));
    let codec = match &chain.filter {
        NetworkFilter::Http(manager) => Some(manager.codec_type),
        NetworkFilter::Tcp(_) | NetworkFilter::Echo | NetworkFilter::Direct(_) => None,
    };
    let filters = path.field("filters");
    let first = filters.index(0);
    let filter = first.field("typed_config");
    match (quic, secured, codec) {
        (true, true, Some(CodecType::Auto | CodecType::Http3)) => {}
        (true, false, _) => {
            return path
                .field("transport_socket")
                .refuse("is no QuicDownstreamTransport, on a QUIC listener");
        }
        (true, true, Some(CodecType::Http1 | CodecType::Http2)) => {
            return filter.field("codec_type").refuse("is not spoken over QUIC; accepted: AUTO, HTTP3");
        }
        (true, true, None) => return filter.refuse("cannot serve QUIC; accepted: HttpConnectionManager"),
        (false, true, _) => {
            return path
                .field("transport_socket")
                .refuse("is QuicDownstreamTransport, which needs udp_listener_config.quic_options");
        }
        (false, false, Some(CodecType::Http3)) => {
            return filter.field("codec_type").refuse("HTTP3 needs udp_listener_config.quic_options");
        }
        (false, false, _) => {}
    }
    if quic && !chain.matches.server_names.is_empty() {
        // The chain's keys read the ClientHello, so it is chosen before; its certificates are chosen by name.
        let at = path.field("filter_chain_match");
        let at = at.field("server_names");
        return at
            .refuse("is not supported on a QUIC listener; one chain may have a certificate for each name");
    }
    Ok(())
}

/// `http3_protocol_options` of a connection manager: what QUIC itself does stands in the listener.
pub(super) fn http3(path: &Path<'_>, options: &Option<core::Http3ProtocolOptions>) -> Result<(), Invalid> {
    let Some(options) = options else { return Ok(()) };
    let core::Http3ProtocolOptions {
        // Neither side is offered a table, so there is none to turn off.
        disable_qpack: _,
        quic_protocol_options,
        override_stream_error_on_invalid_http_message,
        allow_extended_connect,
        allow_metadata,
        disable_connection_flow_control_for_streams,
        disallow_obs_text,
    } = options;
    if quic_protocol_options.is_some() {
        return path.field("quic_protocol_options").refuse(
            "is not read here; set udp_listener_config.quic_options.quic_protocol_options of the listener",
        );
    }
    absent!(path; allow_extended_connect, allow_metadata, disable_connection_flow_control_for_streams);
    off!(path; override_stream_error_on_invalid_http_message, disallow_obs_text);
    Ok(())
}
