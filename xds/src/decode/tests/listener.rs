//! Refusals of listeners, filter chains and the TCP proxy.

use super::runner::{Row, refuses, row};
use crate::decode;

const LISTENER: &str = "envoy.config.listener.v3.Listener";

const ADDRESS: &str = "address: {socket_address: {address: 127.0.0.1, port_value: 0}}";

/// A terminal filter.
fn tcp(fields: &str) -> String {
    let tcp = "'@type': type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy";
    format!("{{name: tcp, typed_config: {{{tcp}, stat_prefix: s, {fields}}}}}")
}

fn listener(fields: &str, expected: &str) -> Row {
    let filter = tcp("cluster: c");
    row(format!("{{name: l, {ADDRESS}, filter_chains: [{{filters: [{filter}]}}], {fields}}}"), expected)
}

/// Chains with the given matches.
fn matching(matches: &[&str], expected: &str) -> Row {
    let filter = tcp("cluster: c");
    let chains: Vec<String> = matches
        .iter()
        .map(|matches| format!("{{filter_chain_match: {{{matches}}}, filters: [{filter}]}}"))
        .collect();
    row(format!("{{name: l, {ADDRESS}, filter_chains: [{}]}}", chains.join(", ")), expected)
}

fn chain(fields: &str, expected: &str) -> Row {
    row(format!("{{name: l, {ADDRESS}, filter_chains: [{{{fields}}}]}}"), expected)
}

#[test]
fn listeners_are_refused_with_their_path() {
    let filter = |kind: &str, fields: &str| {
        format!(
            "listener_filters: [{{name: f, typed_config: {{'@type': type.googleapis.com/envoy.extensions.filters.listener.{kind}, {fields}}}}}]"
        )
    };
    #[rustfmt::skip]
    let rows = [
        listener("transparent: true", "transparent: true is not supported here"),
        listener("use_original_dst: true", "use_original_dst: true is not supported here"),
        listener("socket_options: [{}]", "socket_options: is not supported here"),
        listener("udp_listener_config: {}", "udp_listener_config.quic_options: is required"),
        listener("udp_listener_config: {quic_options: {}}", "address.socket_address.protocol: TCP does not carry datagrams"),
        listener("api_listener: {}", "api_listener: makes a listener without sockets"),
        listener("internal_listener: {}", "internal_listener: is not supported here"),
        listener("tcp_keepalive: {}", "tcp_keepalive: is not supported here"),
        listener("enable_mptcp: true", "enable_mptcp: is not supported here"),
        listener("tcp_backlog_size: 0", "tcp_backlog_size: 0 is not accepted"),
        listener("connection_balance_config: {}", "connection_balance_config: is empty; accepted: exact_balance"),
        listener("connection_balance_config: {extend_balance: {}}", "connection_balance_config.extend_balance: is not"),
        listener("additional_addresses: [{}]", "additional_addresses[0].address: is required"),
        listener("additional_addresses: [{socket_options: {}}]", "additional_addresses[0].socket_options: is not"),
        listener("listener_filters: [{name: f}]", "listener_filters[0].typed_config: is required for \"f\""),
        listener("listener_filters: [{name: f, filter_disabled: {any_match: true}}]", "listener_filters[0].filter_disabled: is not"),
        listener("listener_filters: [{name: f, config_discovery: {}}]", "listener_filters[0].config_discovery: is not"),
        listener(&filter("original_src.v3.OriginalSrc", "mark: 1"), "listener_filters[0].typed_config: \"f\" has the type"),
        listener(&filter("tls_inspector.v3.TlsInspector", "enable_ja3_fingerprinting: true"), "listener_filters[0].typed_config.enable_ja3_fingerprinting: true is not"),
        listener(&filter("proxy_protocol.v3.ProxyProtocol", "rules: [{}]"), "listener_filters[0].typed_config.rules: is not"),
        listener(&filter("proxy_protocol.v3.ProxyProtocol", "pass_through_tlvs: {match_type: INCLUDE, tlv_type: [256]}"), "listener_filters[0].typed_config.pass_through_tlvs.tlv_type[0]: 256 is not accepted"),
        row("{name: l}", "address: is required"),
        row(format!("{{{ADDRESS}, filter_chains: [{{filters: [{}]}}]}}", tcp("cluster: c")), "name: must not be empty"),
        row(format!("{{name: l, {ADDRESS}}}"), "filter_chains: must not be empty; or set default_filter_chain"),
        row("{name: l, address: {socket_address: {address: a.b, port_value: 1}}}", "address.socket_address.address: \"a.b\" is not an IP address"),
        row("{name: l, address: {socket_address: {address: 127.0.0.1, port_value: 65536}}}", "address.socket_address.port_value: 65536 is not a port"),
        row("{name: l, address: {socket_address: {protocol: UDP, address: 127.0.0.1}}}", "address.socket_address.protocol: UDP is not supported here without udp_listener_config.quic_options or a UDP proxy; accepted: TCP"),
        row("{name: l, address: {socket_address: {address: 127.0.0.1}}}", "address.socket_address.port_value: is required"),
    ];
    refuses(LISTENER, decode::listener, rows);
}

#[test]
fn filter_chains_are_refused_with_their_path() {
    let redis = "'@type': type.googleapis.com/envoy.extensions.filters.network.redis_proxy.v3.RedisProxy";
    let one = tcp("cluster: c");
    #[rustfmt::skip]
    let rows = [
        chain("name: x", "filter_chains[0].filters: must not be empty"),
        chain(&format!("filters: [{one}, {one}]"), "filter_chains[0].filters[1]: \"tcp\" would never run"),
        chain(&format!("filters: [{one}], use_proxy_proto: true"), "filter_chains[0].use_proxy_proto: true is not"),
        chain("filters: [{name: x}]", "filter_chains[0].filters[0].typed_config: is required for \"x\""),
        chain("filters: [{name: x, config_discovery: {}}]", "filter_chains[0].filters[0].config_discovery: is not"),
        chain(&format!("filters: [{{name: redis, typed_config: {{{redis}}}}}]"), "filter_chains[0].filters[0].typed_config: \"redis\" has the type \"type.googleapis.com/envoy.extensions.filters.network.redis_proxy.v3.RedisProxy\", which is not supported; accepted: HttpConnectionManager, TcpProxy, Echo, direct_response.v3.Config and, before"),
        chain(
            &format!(
                "filters: [{one}], transport_socket: {{name: x, typed_config: {{'@type': type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext}}}}"
            ),
            "filter_chains[0].transport_socket.typed_config: \"x\" has the type",
        ),
        matching(&["address_suffix: x"], "filter_chains[0].filter_chain_match.address_suffix: is not supported here"),
        matching(&["destination_port: 0"], "filter_chains[0].filter_chain_match.destination_port: 0 is not a port"),
        matching(&["server_names: ['*']"], "filter_chains[0].filter_chain_match.server_names[0]: \"*\" is not accepted"),
        matching(&["server_names: ['w*.a']"], "filter_chains[0].filter_chain_match.server_names[0]: \"w*.a\" is not"),
        matching(&["transport_protocol: udp"], "filter_chains[0].filter_chain_match.transport_protocol: \"udp\" is not"),
        matching(&["prefix_ranges: [{address_prefix: x}]"], "filter_chains[0].filter_chain_match.prefix_ranges[0].address_prefix: \"x\" is not an IP"),
        matching(&["prefix_ranges: [{address_prefix: 1.2.3.4, prefix_len: 33}]"], "filter_chains[0].filter_chain_match.prefix_ranges[0].prefix_len: 33 is not accepted; 0 to 32 are for 1.2.3.4"),
        matching(&["source_ports: [7, 7]"], "filter_chains[0].filter_chain_match.source_ports[1]: 7 is listed twice"),
        matching(&["server_names: [a, b]", "server_names: [c, B]"], "filter_chains[1].filter_chain_match: matches the same connections as filter_chains[0]"),
        matching(&["", ""], "filter_chains[1].filter_chain_match: matches the same connections as filter_chains[0]"),
        listener(
            &format!(
                "default_filter_chain: {{filter_chain_match: {{destination_port: 1}}, filters: [{one}]}}"
            ),
            "default_filter_chain.filter_chain_match: is not accepted here",
        ),
    ];
    refuses(LISTENER, decode::listener, rows);
}

#[test]
fn the_tcp_proxy_is_refused_with_its_path() {
    #[rustfmt::skip]
    let rows = [
        ("cluster: c, tunneling_config: {}", "tunneling_config: is not supported here"),
        ("cluster: c, check_drain_close: true", "check_drain_close: true is not supported here"),
        ("cluster: c, max_connect_attempts: 0", "max_connect_attempts: 0 is not accepted"),
        ("cluster: c, max_downstream_connection_duration: 0s", "max_downstream_connection_duration: 0 s is not"),
        ("cluster: c, hash_policy: [{filter_state: {}}]", "hash_policy[0].filter_state.key: must not be empty"),
        ("cluster: c, hash_policy: [{filter_state: {key: x}}, {source_ip: {}}]", "hash_policy: has 2 policies; at most 1"),
        ("cluster: c, hash_policy: [{}]", "hash_policy[0]: is empty; accepted: source_ip"),
        ("weighted_clusters: {}", "weighted_clusters.clusters: must not be empty"),
        ("weighted_clusters: {clusters: [{name: c}]}", "weighted_clusters.clusters[0].weight: 0 is not accepted"),
        ("weighted_clusters: {clusters: [{name: c, weight: 1, metadata_match: {}}]}", "weighted_clusters.clusters[0].metadata_match: is not"),
        ("cluster: ''", "cluster: must not be empty"),
    ];
    let rows = rows.map(|(fields, expected)| {
        chain(
            &format!("filters: [{}]", tcp(fields)),
            &format!("filter_chains[0].filters[0].typed_config.{expected}"),
        )
    });
    refuses(LISTENER, decode::listener, rows);
    let none = chain(
        &format!("filters: [{}]", tcp("idle_timeout: 1s")),
        "filter_chains[0].filters[0].typed_config: has no cluster",
    );
    refuses(LISTENER, decode::listener, [none]);
}

#[test]
fn listeners_without_sockets_are_refused_with_their_path() {
    let api = |fields: &str, config: &str, expected: &str| {
        row(format!("{{name: l, {fields} api_listener: {{{config}}}}}"), expected)
    };
    let held = |fields: &str| {
        let manager = "'@type': type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
        format!("api_listener: {{{manager}, stat_prefix: s, {fields}}}")
    };
    let router = "{name: r, typed_config: {'@type': type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}";
    let plain = held(&format!("route_config: {{}}, http_filters: [{router}]"));
    #[rustfmt::skip]
    let rows = [
        api("", "", "api_listener.api_listener: is required"),
        api("", "api_listener: {'@type': type.googleapis.com/envoy.type.v3.Percent}", "api_listener.api_listener: \"l\" has the type \"type.googleapis.com/envoy.type.v3.Percent\", which is not supported; accepted: HttpConnectionManager"),
        api("", &held("http_filters: []"), "api_listener.api_listener"),
        api("", &held("route_config: {virtual_hosts: [{}]}"), "api_listener.api_listener.route_config.virtual_hosts[0].domains: must not be empty"),
        api("filter_chains: [{}],", &plain, "filter_chains: is not supported here"),
        api("listener_filters: [{}],", &plain, "listener_filters: is not supported here"),
        api("bind_to_port: true,", &plain, "bind_to_port: true is not"),
        api("address: {},", &plain, "address: is empty"),
    ];
    refuses(LISTENER, decode::api_listener, rows);
    refuses(
        LISTENER,
        decode::api_listener,
        [row(format!("{{api_listener: {{{plain}}}}}"), "name: must not")],
    );
}

#[test]
fn network_filters_are_refused_with_their_path() {
    let filter = |kind: &str, fields: &str| {
        let url = format!("type.googleapis.com/envoy.extensions.filters.network.{kind}");
        let limit = format!("{{name: f, typed_config: {{'@type': {url}, {fields}}}}}");
        format!("filters: [{limit}, {}]", tcp("cluster: c"))
    };
    let bucket = "token_bucket: {max_tokens: 1, fill_interval: 1s}";
    #[rustfmt::skip]
    let rows = [
        ("connection_limit.v3.ConnectionLimit", "stat_prefix: s", "max_connections: is required"),
        ("connection_limit.v3.ConnectionLimit", "stat_prefix: s, max_connections: 0", "max_connections: 0 is not accepted"),
        ("connection_limit.v3.ConnectionLimit", "max_connections: 1", "stat_prefix: must not be empty"),
        ("connection_limit.v3.ConnectionLimit", "stat_prefix: s, max_connections: 1, delay: -1s", "delay: -1 s 0 ns is not a duration"),
        ("connection_limit.v3.ConnectionLimit", "stat_prefix: s, max_connections: 1, runtime_enabled: {runtime_key: k}", "runtime_enabled.default_value: is required"),
        ("connection_limit.v3.ConnectionLimit", "stat_prefix: s, max_connections: 1, runtime_enabled: {default_value: true}", "runtime_enabled.runtime_key: must not be empty"),
        ("local_ratelimit.v3.LocalRateLimit", "stat_prefix: s", "token_bucket: is required"),
        ("local_ratelimit.v3.LocalRateLimit", "stat_prefix: s, token_bucket: {max_tokens: 1, fill_interval: 0.01s}", "token_bucket.fill_interval: 10ms is not accepted"),
        ("local_ratelimit.v3.LocalRateLimit", bucket, "stat_prefix: must not be empty"),
        ("direct_response.v3.Config", "response: {}", "response: is empty; accepted: filename"),
    ];
    let rows = rows.map(|(kind, fields, expected)| {
        chain(&filter(kind, fields), &format!("filter_chains[0].filters[0].typed_config.{expected}"))
    });
    refuses(LISTENER, decode::listener, rows);
    let echo = filter("echo.v3.Echo", "");
    let rows = [
        chain(&echo, "filter_chains[0].filters[1]: \"tcp\" would never run: \"f\" before it is terminal"),
        chain(
            &filter("sni_cluster.v3.SniCluster", "").replace(&format!(", {}]", tcp("cluster: c")), "]"),
            "filter_chains[0].filters: has no terminal filter; those are: HttpConnectionManager",
        ),
    ];
    refuses(LISTENER, decode::listener, rows);
}
