//! Refusals of bootstraps.

use super::runner::{refuses, row};
use crate::decode;

const BOOTSTRAP: &str = "envoy.config.bootstrap.v3.Bootstrap";

#[test]
fn bootstraps_are_refused_with_their_path() {
    let tcp = "{name: t, typed_config: {'@type': type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy, stat_prefix: s, cluster: c}}";
    let at = "address: {socket_address: {address: 127.0.0.1, port_value: 80}}";
    let listener = format!("{{{at}, filter_chains: [{{filters: [{tcp}]}}]}}");
    let twice = format!("static_resources: {{listeners: [{listener}, {listener}]}}");
    let secret = "{name: s, validation_context: {}}";
    let secrets = format!("static_resources: {{secrets: [{secret}, {secret}]}}");
    let api = |name: &str, routes: &str| {
        let manager = "'@type': type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
        let router = "{name: r, typed_config: {'@type': type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}";
        let held = format!("{{{manager}, stat_prefix: s, http_filters: [{router}], {routes}}}");
        format!("{{name: {name}, api_listener: {{api_listener: {held}}}}}")
    };
    let inline = "route_config: {}";
    let apis = format!("static_resources: {{listeners: [{}, {}]}}", api("a", inline), api("b", inline));
    let named = format!("static_resources: {{listeners: [{listener}, {}]}}", api("'127.0.0.1:80'", inline));
    let rds = api("a", "rds: {route_config_name: r, config_source: {ads: {}}}");
    let rds = format!("static_resources: {{listeners: [{rds}]}}");
    #[rustfmt::skip]
    let rows = [
        ("overload_manager: {}", "overload_manager: is not supported here"),
        ("hds_config: {}", "hds_config: is not supported here"),
        ("stats_sinks: [{}]", "stats_sinks: is not supported here"),
        ("stats_config: {use_all_default_tags: false}", "stats_config: is not supported here"),
        ("tracing: {}", "tracing: is not supported here"),
        ("watchdogs: {}", "watchdogs: is not supported here"),
        ("bootstrap_extensions: [{}]", "bootstrap_extensions: is not supported here"),
        ("use_tcp_for_dns_lookups: true", "use_tcp_for_dns_lookups: is not supported here"),
        ("node: {dynamic_parameters: {x: {}}}", "node.dynamic_parameters: is not supported here"),
        ("stats_flush_interval: 300s", "stats_flush_interval: 300s is not accepted; 1 ms up to 5 min are"),
        ("stats_flush_on_admin: true", "stats_flush: is not supported here"),
        ("default_regex_engine: {name: x, typed_config: {'@type': type.googleapis.com/envoy.type.v3.Percent}}", "default_regex_engine.typed_config: \"x\" has the type"),
        ("static_resources: {clusters: [{name: b}, {name: c, type: EDS, eds_cluster_config: {eds_config: {ads: {}}}}]}", "static_resources.clusters[1]: fetches over ads, but dynamic_resources.ads_config is not set"),
        ("cluster_manager: {local_cluster_name: x}", "cluster_manager.local_cluster_name: \"x\" is not a static cluster"),
        ("cluster_manager: {load_stats_config: {api_type: REST}}", "cluster_manager.load_stats_config.api_type: REST is not supported here"),
        ("static_resources: {clusters: [{name: c, lrs_server: {self: {}}}]}", "static_resources.clusters[0].lrs_server: needs a control plane"),
        ("dynamic_resources: {lds_resources_locator: x}", "dynamic_resources.lds_resources_locator: is not"),
        ("dynamic_resources: {lds_config: {ads: {}}}", "dynamic_resources.lds_config.ads: needs dynamic_resources.ads_config"),
        ("dynamic_resources: {ads_config: {api_type: REST}}", "dynamic_resources.ads_config.api_type: REST is not supported"),
        ("layered_runtime: {layers: [{name: a}]}", "layered_runtime.layers[0]: is empty; accepted: static_layer"),
        ("layered_runtime: {layers: [{name: a, disk_layer: {}}]}", "layered_runtime.layers[0].disk_layer: is not"),
        ("layered_runtime: {layers: [{name: a, rtds_layer: {}}]}", "layered_runtime.layers[0].rtds_layer.name: must not be empty"),
        ("layered_runtime: {layers: [{name: a, rtds_layer: {name: r}}]}", "layered_runtime.layers[0].rtds_layer.rtds_config: is required"),
        ("layered_runtime: {layers: [{name: a, rtds_layer: {name: r, rtds_config: {ads: {}}}}]}", "layered_runtime.layers[0].rtds_layer.rtds_config.ads: needs dynamic_resources.ads_config"),
        ("layered_runtime: {layers: [{name: a, admin_layer: {}}, {name: b, admin_layer: {}}]}", "layered_runtime.layers[1].admin_layer: is the second; one is accepted"),
        ("layered_runtime: {layers: [{name: a, static_layer: {k: {l: [1]}}}]}", "layered_runtime.layers[0].static_layer[\"k\"][\"l\"]: is null or a list"),
        ("layered_runtime: {layers: [{name: a, static_layer: {k: [1]}}]}", "layered_runtime.layers[0].static_layer[\"k\"]: is null or a list"),
        ("layered_runtime: {layers: [{name: a, admin_layer: {}}, {name: a, admin_layer: {}}]}", "layered_runtime.layers[1]: the runtime layer \"a\" is used twice"),
        ("admin: {allow_paths: [{exact: /}]}", "admin.allow_paths: is not supported here"),
        ("static_resources: {clusters: [{name: c}, {name: c}]}", "static_resources.clusters[1]: the cluster name \"c\" is used twice"),
        (secrets.as_str(), "static_resources.secrets[1]: the secret name \"s\" is used twice"),
        (apis.as_str(), "static_resources.listeners[1].api_listener: is set in a second listener; only one may"),
        (named.as_str(), "static_resources.listeners[1]: the listener name \"127.0.0.1:80\" is used twice"),
        (rds.as_str(), "static_resources.listeners[\"a\"]: fetches over ads, but dynamic_resources.ads_config"),
        (twice.as_str(), "static_resources.listeners[1]: the listener name \"127.0.0.1:80\" is used twice"),
    ];
    refuses(
        BOOTSTRAP,
        decode::bootstrap,
        rows.map(|(fields, expected)| row(format!("{{{fields}}}"), expected)),
    );
}
