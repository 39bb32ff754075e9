//! Listeners without sockets (`Listener.api_listener`).

use envoy_types::pb::envoy::config::listener::v3 as pb;
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3::HttpConnectionManager;

use super::address::{self, Use};
use super::any;
use super::hcm;
use super::path::{Invalid, Path, absent, off};
use crate::model::{ApiListener, ListenerName};

/// A listener with a name and routes, and nothing that only sockets have.
pub(super) fn api_listener(path: &Path<'_>, listener: &pb::Listener) -> Result<ApiListener, Invalid> {
    #[rustfmt::skip]
    let pb::Listener {
        name, api_listener,
        // Where a proxy would listen in the program's place, which istiod tells its gRPC clients.
        address,
        // Free fields, and a word on what it is for: neither changes where a request goes.
        metadata: _, traffic_direction: _,
        // Refused when set.
        additional_addresses, stat_prefix, filter_chains, default_filter_chain,
        per_connection_buffer_limit_bytes, drain_type, listener_filters, listener_filters_timeout,
        continue_on_listener_filters_timeout, connection_balance_config, reuse_port, enable_reuse_port,
        access_log, tcp_backlog_size, bind_to_port, deprecated_v1, max_connections_to_accept_per_socket_event,
        ignore_global_conn_limit, bypass_overload_manager, stats_matcher, fcds_config, filter_chain_matcher,
        use_original_dst, per_connection_buffer_high_watermark_timeout, transparent, freebind, socket_options,
        tcp_fast_open_queue_length, udp_listener_config, enable_mptcp, tcp_keepalive, listener_specifier,
    } = listener;
    absent!(path; additional_addresses, stat_prefix, filter_chains, default_filter_chain,
        per_connection_buffer_limit_bytes, drain_type, listener_filters, listener_filters_timeout,
        continue_on_listener_filters_timeout, connection_balance_config, reuse_port, enable_reuse_port,
        access_log, tcp_backlog_size, deprecated_v1, max_connections_to_accept_per_socket_event,
        ignore_global_conn_limit, bypass_overload_manager, stats_matcher, fcds_config, filter_chain_matcher,
        per_connection_buffer_high_watermark_timeout, socket_options, tcp_fast_open_queue_length,
        udp_listener_config, enable_mptcp, tcp_keepalive);
    // It is never bound, so false asks for what is.
    off!(path; bind_to_port, use_original_dst, transparent, freebind);
    path.field("internal_listener").absent(listener_specifier)?;
    let at = path.field("address");
    let address = address.as_ref().map(|address| address::address(&at, address, Use::Listen)).transpose()?;
    let at = path.field("api_listener");
    let pb::ApiListener { api_listener } = at.required(api_listener)?;
    let at = at.field("api_listener");
    let config = at.required(api_listener)?;
    let Some(manager) = any::unpack_if::<HttpConnectionManager>(&at, config)? else {
        return any::unknown(&at, name, config, "HttpConnectionManager");
    };
    Ok(ApiListener {
        name: ListenerName::new(path.field("name").non_empty(name)?),
        address,
        manager: hcm::http_connection_manager(&at, &manager)?,
    })
}
