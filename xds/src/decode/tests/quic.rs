//! Refusals of QUIC listeners, and of what only they may hold.

use super::runner::{Row, refuses, row};
use crate::decode;

const LISTENER: &str = "envoy.config.listener.v3.Listener";

const CONTEXT: &str = "downstream_tls_context: {common_tls_context: {tls_certificates: [{certificate_chain: {filename: \
                       a}, private_key: {filename: b}}]}}";

fn manager(fields: &str) -> String {
    let kind = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
    let router = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";
    format!(
        "{{name: hcm, typed_config: {{'@type': {kind}, stat_prefix: s, route_config: {{}}, http_filters: [{{name: r, \
         typed_config: {{'@type': {router}}}}}], {fields}}}}}"
    )
}

fn socket(fields: &str) -> String {
    let kind = "type.googleapis.com/envoy.extensions.transport_sockets.quic.v3.QuicDownstreamTransport";
    format!("transport_socket: {{name: quic, typed_config: {{'@type': {kind}, {fields}}}}}")
}

fn with(address: &str, udp: &str, chain: &str, fields: &str) -> String {
    format!(
        "{{name: l, address: {{{address}}}, udp_listener_config: {{{udp}}}, filter_chains: [{{{chain}}}], {fields}}}"
    )
}

const UDP: &str = "socket_address: {protocol: UDP, address: 127.0.0.1, port_value: 0}";

fn good_chain() -> String {
    format!("filters: [{}], {}", manager("codec_type: HTTP3"), socket(CONTEXT))
}

fn udp(udp: &str, expected: &str) -> Row {
    row(with(UDP, udp, &good_chain(), ""), expected)
}

fn chain(chain: &str, expected: &str) -> Row {
    row(with(UDP, "quic_options: {}", chain, ""), expected)
}

fn beside(fields: &str, expected: &str) -> Row {
    row(with(UDP, "quic_options: {}", &good_chain(), fields), expected)
}

#[test]
fn quic_listeners_are_refused_with_their_path() {
    let options = |fields: &str, expected: &str| {
        udp(&format!("quic_options: {{{fields}}}"), &format!("udp_listener_config.quic_options.{expected}"))
    };
    let limits = |fields: &str, expected: &str| {
        options(&format!("quic_protocol_options: {{{fields}}}"), &format!("quic_protocol_options.{expected}"))
    };
    let hcm = |fields: &str, expected: &str| {
        let path = "filter_chains[0].filters[0].typed_config";
        chain(&format!("filters: [{}], {}", manager(fields), socket(CONTEXT)), &format!("{path}.{expected}"))
    };
    let tcp = "{name: tcp, typed_config: {'@type': type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy, stat_prefix: s, cluster: c}}";
    #[rustfmt::skip]
    let rows = [
        udp("", "udp_listener_config.quic_options: is required"),
        udp("quic_options: {}, downstream_socket_config: {max_rx_datagram_size: 1500}", "udp_listener_config.downstream_socket_config.max_rx_datagram_size: is not"),
        udp("quic_options: {}, udp_packet_packet_writer_config: {name: x}", "udp_listener_config.udp_packet_packet_writer_config: is not"),
        options("enabled: {default_value: false}", "enabled: is not supported here"),
        options("reject_new_connections: true", "reject_new_connections: is not"),
        options("idle_timeout: 0s", "idle_timeout: "),
        options("crypto_handshake_timeout: 0s", "crypto_handshake_timeout: "),
        options("connection_id_generator_config: {name: x}", "connection_id_generator_config: is not"),
        options("server_preferred_address_config: {name: x}", "server_preferred_address_config: is not"),
        options("max_sessions_per_event_loop: 1", "max_sessions_per_event_loop: is not"),
        limits("max_concurrent_streams: 0", "max_concurrent_streams: 0 is not accepted"),
        limits("initial_stream_window_size: 16777217", "initial_stream_window_size: 16777217 is not accepted; 1 to 16777216"),
        limits("initial_connection_window_size: 25165825", "initial_connection_window_size: 25165825 is not accepted; 1 to 25165824"),
        limits("connection_keepalive: {}", "connection_keepalive: is not"),
        limits("idle_network_timeout: 5s", "idle_network_timeout: is not"),
        hcm("codec_type: HTTP2", "codec_type: is not spoken over QUIC; accepted: AUTO, HTTP3"),
        hcm("http3_protocol_options: {allow_extended_connect: true}", "http3_protocol_options.allow_extended_connect: is not"),
        hcm("http3_protocol_options: {quic_protocol_options: {}}", "http3_protocol_options.quic_protocol_options: is not read here; set udp_listener_config"),
        chain(&format!("filters: [{tcp}], {}", socket(CONTEXT)), "filter_chains[0].filters[0].typed_config: cannot serve QUIC"),
        chain(&format!("filters: [{}]", manager("")), "filter_chains[0].transport_socket: is no QuicDownstreamTransport"),
        chain(&format!("filters: [{}], {}", manager(""), socket("")), "filter_chains[0].transport_socket.typed_config.downstream_tls_context: is required"),
        chain(&format!("filters: [{}], {}, filter_chain_match: {{server_names: [a.test]}}", manager(""), socket(CONTEXT)), "filter_chains[0].filter_chain_match.server_names: is not supported on a QUIC listener"),
        beside("enable_reuse_port: false", "enable_reuse_port: false is not accepted on a QUIC listener"),
        beside("connection_balance_config: {exact_balance: {}}", "connection_balance_config: does not work on a QUIC listener"),
        beside("listener_filters: [{name: f, typed_config: {'@type': type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector}}]", "listener_filters: are not run on a QUIC listener"),
        row(with("pipe: {path: /a}", "quic_options: {}", &good_chain(), ""), "address.pipe: \"/a\" does not carry datagrams"),
        row(format!("{{name: l, address: {{socket_address: {{address: 127.0.0.1, port_value: 0}}}}, filter_chains: [{{{}}}]}}", good_chain()), "filter_chains[0].transport_socket: is QuicDownstreamTransport, which needs udp_listener_config.quic_options"),
        row(format!("{{name: l, address: {{socket_address: {{address: 127.0.0.1, port_value: 0}}}}, filter_chains: [{{filters: [{}]}}]}}", manager("codec_type: HTTP3")), "filter_chains[0].filters[0].typed_config.codec_type: HTTP3 needs udp_listener_config.quic_options"),
    ];
    refuses(LISTENER, decode::listener, rows);
}

#[test]
fn udp_proxies_are_refused_with_their_path() {
    let proxy = |fields: &str, more: &str, expected: &str| {
        let kind = "type.googleapis.com/envoy.extensions.filters.udp.udp_proxy.v3.UdpProxyConfig";
        row(
            format!(
                "{{name: l, address: {{socket_address: {{protocol: UDP, address: 127.0.0.1, port_value: 1}}}}, listener_filters: [{{name: u, typed_config: {{'@type': {kind}, {fields}}}}}], {more}}}"
            ),
            expected,
        )
    };
    let at = |expected: &str| format!("listener_filters[0].typed_config.{expected}");
    #[rustfmt::skip]
    let rows = [
        proxy("stat_prefix: s", "", &at("has no route; accepted: cluster, matcher").replace(".has", ": has")),
        proxy("cluster: c", "", &at("stat_prefix: must not be empty")),
        proxy("stat_prefix: s, cluster: c, use_original_src_ip: true", "", &at("use_original_src_ip: is not")),
        proxy("stat_prefix: s, cluster: c, session_filters: [{}]", "", &at("session_filters: is not")),
        proxy("stat_prefix: s, cluster: c, hash_policies: [{source_ip: false}]", "", &at("hash_policies[0].source_ip: must be true")),
        proxy("stat_prefix: s, cluster: c, hash_policies: [{key: a}, {key: b}]", "", &at("hash_policies: has 2 policies")),
        proxy("stat_prefix: s, matcher: {matcher_tree: {}}", "", &at("matcher: tests of datagrams are not supported here")),
        proxy("stat_prefix: s, matcher: {on_no_match: {}}", "", &at("matcher.on_no_match: is empty; accepted: action")),
        proxy("stat_prefix: s, cluster: c", "enable_reuse_port: false", "enable_reuse_port: false is not accepted on a UDP listener"),
        proxy("stat_prefix: s, cluster: c", "udp_listener_config: {quic_options: {}}", "udp_listener_config.quic_options: is not supported here"),
        proxy("stat_prefix: s, cluster: c", "udp_listener_config: {downstream_socket_config: {max_rx_datagram_size: 0}}", "udp_listener_config.downstream_socket_config.max_rx_datagram_size: 0 is not accepted"),
    ];
    refuses(LISTENER, decode::listener, rows);
}
