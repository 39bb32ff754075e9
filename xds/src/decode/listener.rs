//! Listeners (`envoy.config.listener.v3.Listener`).

use std::time::Duration;

use envoy_types::pb::envoy::config::core::v3::TrafficDirection as PbDirection;
use envoy_types::pb::envoy::config::listener::v3 as pb;
use envoy_types::pb::google::protobuf::BoolValue;
use pb::listener::connection_balance_config::BalanceType;
use pb::listener::{ConnectionBalanceConfig, DeprecatedV1, DrainType};

use super::access_log;
use super::address::{self, Use};
use super::filter_chain;
use super::listener_filter;
use super::path::{Invalid, Path, absent, off};
use super::quic;
use super::scalar::switch;
use super::udp_proxy;
use crate::model::{Address, Listener, ListenerName, QuicOptions, TrafficDirection, UdpProxy};

/// Envoy's `listener_filters_timeout`.
const LISTENER_FILTERS_TIMEOUT: Duration = Duration::from_secs(15);

/// Envoy's `per_connection_buffer_limit_bytes`.
const BUFFER_LIMIT_BYTES: u32 = 1024 * 1024;

/// A listener; one of a bootstrap without a name is called by its address.
pub(super) fn listener(
    path: &Path<'_>,
    listener: &pb::Listener,
    unnamed: Unnamed,
) -> Result<Listener, Invalid> {
    #[rustfmt::skip]
    let pb::Listener {
        name, address, additional_addresses, stat_prefix, filter_chains, default_filter_chain,
        per_connection_buffer_limit_bytes, drain_type, listener_filters, listener_filters_timeout,
        continue_on_listener_filters_timeout, traffic_direction, connection_balance_config, reuse_port,
        enable_reuse_port, access_log, tcp_backlog_size, bind_to_port, deprecated_v1, udp_listener_config,
        // Free fields, which no filter here reads.
        metadata: _,
        // Paces one turn of Envoy's event loop; our acceptors yield by themselves.
        max_connections_to_accept_per_socket_event: _,
        // There is neither a limit over all connections nor an overload manager to leave out.
        ignore_global_conn_limit: _, bypass_overload_manager: _,
        // Refused when set.
        stats_matcher, fcds_config, filter_chain_matcher, use_original_dst,
        per_connection_buffer_high_watermark_timeout, transparent, freebind, socket_options,
        tcp_fast_open_queue_length, api_listener, enable_mptcp, tcp_keepalive, listener_specifier,
    } = listener;
    absent!(path; stats_matcher, fcds_config, filter_chain_matcher,
        per_connection_buffer_high_watermark_timeout, socket_options, tcp_fast_open_queue_length,
        enable_mptcp, tcp_keepalive);
    off!(path; use_original_dst, transparent, freebind);
    if api_listener.is_some() {
        return path.field("api_listener").refuse("makes a listener without sockets, which is none of these");
    }
    path.field("internal_listener").absent(listener_specifier)?;
    let (quic, udp, usage) = datagrams(path, listener_filters, udp_listener_config)?;
    let at = path.field("address");
    let bound = address::address(&at, at.required(address)?, usage)?;
    let (filter_chains, default_filter_chain) =
        filter_chain::filter_chains(path, filter_chains, default_filter_chain, udp.is_some())?;
    let filters = if udp.is_some() { &[][..] } else { listener_filters };
    let mut filters = path.field("listener_filters").each(filters, listener_filter::listener_filter)?;
    listener_filter::add_inspector(&mut filters, &filter_chains, quic.is_some());
    let timeout = path.field("listener_filters_timeout").optional(listener_filters_timeout)?;
    let listener = Listener {
        name: self::name(path, name, &bound, unnamed)?,
        address: bound,
        additional_addresses: path
            .field("additional_addresses")
            .each(additional_addresses, |at, more| additional(at, more, usage))?,
        filter_chains,
        default_filter_chain,
        listener_filters: filters,
        listener_filters_timeout: timeout.unwrap_or(LISTENER_FILTERS_TIMEOUT),
        continue_on_listener_filters_timeout: *continue_on_listener_filters_timeout,
        per_connection_buffer_limit_bytes: per_connection_buffer_limit_bytes
            .as_ref()
            .map_or(BUFFER_LIMIT_BYTES, |limit| limit.value),
        access_log: access_log::access_logs(&path.field("access_log"), access_log)?,
        stat_prefix: stat_prefix.clone(),
        traffic_direction: direction(&path.field("traffic_direction"), *traffic_direction)?,
        // The deprecated reuse_port can only ask for what is the default.
        reuse_port: switch(enable_reuse_port, true) || *reuse_port && enable_reuse_port.is_none(),
        bind_to_port: binds(bind_to_port, deprecated_v1),
        exact_balance: exact_balance(&path.field("connection_balance_config"), connection_balance_config)?,
        tcp_backlog_size: path
            .field("tcp_backlog_size")
            .ranged(tcp_backlog_size, 1..=Listener::TCP_BACKLOG_SIZE)?
            .unwrap_or(Listener::TCP_BACKLOG_SIZE),
        quic,
        udp,
        drain_modify_only: path.field("drain_type").known::<DrainType>(*drain_type)? == DrainType::ModifyOnly,
    };
    udp_proxy::fits(path, quic::fits(path, listener)?)
}

/// What speaks over UDP, if anything does.
fn datagrams(
    path: &Path<'_>,
    filters: &[pb::ListenerFilter],
    config: &Option<pb::UdpListenerConfig>,
) -> Result<(Option<QuicOptions>, Option<UdpProxy>, Use), Invalid> {
    if let Some(udp) = udp_proxy::among(path, filters, config)? {
        return Ok((None, Some(udp), Use::ListenUdp));
    }
    let quic = quic::options(&path.field("udp_listener_config"), config)?;
    let usage = if quic.is_some() { Use::ListenUdp } else { Use::Listen };
    Ok((quic, None, usage))
}

fn binds(bind: &Option<BoolValue>, deprecated: &Option<DeprecatedV1>) -> bool {
    let older = deprecated.as_ref().and_then(|DeprecatedV1 { bind_to_port }| bind_to_port.as_ref());
    bind.as_ref().or(older).is_none_or(|bind| bind.value)
}

/// What happens to a listener without a name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Unnamed {
    /// It cannot be updated, so it is refused.
    Refused,
    /// It is static, and called by its address.
    ByAddress,
}

fn name(path: &Path<'_>, name: &str, bound: &Address, unnamed: Unnamed) -> Result<ListenerName, Invalid> {
    if name.is_empty() && unnamed == Unnamed::ByAddress {
        return Ok(ListenerName::new(bound.to_string()));
    }
    path.field("name").non_empty(name).map(ListenerName::new)
}

fn additional(path: &Path<'_>, more: &pb::AdditionalAddress, usage: Use) -> Result<Address, Invalid> {
    let pb::AdditionalAddress { address, socket_options, tcp_keepalive } = more;
    absent!(path; socket_options, tcp_keepalive);
    let at = path.field("address");
    address::address(&at, at.required(address)?, usage)
}

fn direction(path: &Path<'_>, direction: i32) -> Result<TrafficDirection, Invalid> {
    Ok(match path.known(direction)? {
        PbDirection::Unspecified => TrafficDirection::Unspecified,
        PbDirection::Inbound => TrafficDirection::Inbound,
        PbDirection::Outbound => TrafficDirection::Outbound,
    })
}

fn exact_balance(path: &Path<'_>, config: &Option<ConnectionBalanceConfig>) -> Result<bool, Invalid> {
    let Some(ConnectionBalanceConfig { balance_type }) = config else { return Ok(false) };
    match balance_type {
        Some(BalanceType::ExactBalance(_)) => Ok(true),
        Some(BalanceType::ExtendBalance(_)) => path.field("extend_balance").unsupported(),
        Some(BalanceType::CpuLocalityBalance(_)) => path.field("cpu_locality_balance").unsupported(),
        None => path.refuse("is empty; accepted: exact_balance"),
    }
}
