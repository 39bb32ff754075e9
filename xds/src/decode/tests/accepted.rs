//! Older forms, defaults and harmless fields, and what becomes of them.

use std::time::Duration;

use super::runner::accepts;
use crate::decode;
use crate::model::{
    AccessLogFormat, AccessLogSink, Address, ApiType, AppendAction, Cluster, ConfigSource, Discovery, Domain,
    HashFunction, HeaderTest, HttpFilterKind, LbPolicy, Listener, ListenerFilter, LocalityBalancing,
    NetworkFilter, RouteAction, RouteConfiguration, RouteSource, RuntimeSource, SanType, SecretKind,
    StringPattern, UpstreamProtocol, UpstreamTransport, ValidationSource, Value,
};

fn cluster(fields: &str) -> Cluster {
    accepts("envoy.config.cluster.v3.Cluster", decode::cluster, &format!("{{name: c, {fields}}}"))
}

fn table(fields: &str) -> RouteConfiguration {
    accepts(
        "envoy.config.route.v3.RouteConfiguration",
        decode::route_configuration,
        &format!("{{name: r, {fields}}}"),
    )
}

fn listener(fields: &str) -> Listener {
    let address = "address: {socket_address: {address: 127.0.0.1, port_value: 80}}";
    let yaml = format!("{{name: l, {address}, {fields}}}");
    accepts("envoy.config.listener.v3.Listener", decode::listener, &yaml)
}

const TCP: &str = "{name: t, typed_config: {'@type': type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy, stat_prefix: s, cluster: c}}";

#[test]
fn a_bare_cluster_has_the_defaults_of_envoy() {
    let cluster = cluster("alt_stat_name: ''");
    assert_eq!(cluster.connect_timeout, Duration::from_secs(5));
    assert_eq!(cluster.per_connection_buffer_limit_bytes, 1024 * 1024);
    assert_eq!(cluster.http.protocol, UpstreamProtocol::Http1);
    assert_eq!(cluster.http.idle_timeout, Some(Duration::from_secs(3600)));
    assert_eq!(cluster.load_balancing.healthy_panic_threshold.to_bits(), 50.0_f64.to_bits());
    assert_eq!(cluster.circuit_breakers.high.max_connections, 1024);
    assert!(matches!(cluster.discovery, Discovery::Static(ref here) if here.localities.is_empty()));
}

#[test]
fn deprecated_http2_options_of_a_cluster_choose_http2() {
    let cluster =
        cluster("http2_protocol_options: {max_concurrent_streams: 7}, max_requests_per_connection: 3");
    assert_eq!(cluster.http.protocol, UpstreamProtocol::Http2);
    assert_eq!(cluster.http.http2.max_concurrent_streams, Some(7));
    assert_eq!(cluster.http.max_requests_per_connection, Some(3));
}

#[test]
fn the_first_supported_load_balancing_policy_wins_over_lb_policy() {
    let policy = |kind: &str, fields: &str| {
        format!(
            "{{typed_extension_config: {{name: p, typed_config: {{'@type': type.googleapis.com/envoy.extensions.load_balancing_policies.{kind}, {fields}}}}}}}"
        )
    };
    let list = [
        policy("subset.v3.Subset", ""),
        policy("ring_hash.v3.RingHash", "hash_function: MURMUR_HASH_2, locality_weighted_lb_config: {}"),
        policy("random.v3.Random", "locality_lb_config: {locality_weighted_lb_config: {}}"),
    ];
    let cluster =
        cluster(&format!("lb_policy: MAGLEV, load_balancing_policy: {{policies: [{}]}}", list.join(", ")));
    let LbPolicy::RingHash(ring) = cluster.load_balancing.policy else { panic!("{cluster:?}") };
    assert_eq!((ring.minimum_ring_size, ring.hash_function), (1024, HashFunction::MurmurHash2));
    assert_eq!(cluster.load_balancing.locality, LocalityBalancing::Weighted);
}

#[test]
fn locality_weights_around_a_policy_are_kept() {
    let inner = "{typed_extension_config: {name: p, typed_config: {'@type': type.googleapis.com/envoy.extensions.load_balancing_policies.round_robin.v3.RoundRobin}}}";
    let outer = format!(
        "{{typed_extension_config: {{name: w, typed_config: {{'@type': type.googleapis.com/envoy.extensions.load_balancing_policies.wrr_locality.v3.WrrLocality, endpoint_picking_policy: {{policies: [{inner}]}}}}}}}}"
    );
    let cluster = cluster(&format!("load_balancing_policy: {{policies: [{outer}]}}"));
    assert_eq!(cluster.load_balancing.policy, LbPolicy::RoundRobin { slow_start: None });
    assert_eq!(cluster.load_balancing.locality, LocalityBalancing::Weighted);
}

#[test]
fn a_dns_cluster_is_strict_or_logical_by_its_endpoints() {
    let of = |all: bool| {
        let kind = "'@type': type.googleapis.com/envoy.extensions.clusters.dns.v3.DnsCluster";
        let endpoint = "{endpoint: {address: {socket_address: {address: a.b, port_value: 1}}}}";
        cluster(&format!(
            "cluster_type: {{name: d, typed_config: {{{kind}, dns_refresh_rate: 9s, all_addresses_in_single_endpoint: {all}}}}}, load_assignment: {{cluster_name: c, endpoints: [{{lb_endpoints: [{endpoint}]}}]}}"
        ))
    };
    let Discovery::StrictDns { dns, .. } = of(false).discovery else { panic!() };
    assert_eq!(dns.refresh_rate, Duration::from_secs(9));
    assert!(matches!(of(true).discovery, Discovery::LogicalDns { .. }));
}

#[test]
fn gaps_between_priorities_are_closed() {
    let cluster = cluster(
        "load_assignment: {cluster_name: c, endpoints: [{priority: 7}, {priority: 2}, {priority: 7}]}",
    );
    let Discovery::Static(assignment) = cluster.discovery else { panic!() };
    let priorities: Vec<u32> = assignment.localities.iter().map(|group| group.priority).collect();
    assert_eq!(priorities, [1, 0, 1]);
}

#[test]
fn names_of_any_kind_are_tested_by_the_deprecated_matcher() {
    let tls = "'@type': type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext";
    let judged = "validation_context: {trusted_ca: {filename: ca, watched_directory: {path: d}}, match_subject_alt_names: [{suffix: .a}]}";
    let cluster = cluster(&format!(
        "transport_socket: {{name: t, typed_config: {{{tls}, common_tls_context: {{tls_params: {{tls_minimum_protocol_version: TLSv1_3}}, {judged}}}}}}}"
    ));
    let UpstreamTransport::Tls(tls) = cluster.transport else { panic!() };
    let Some(ValidationSource::Inline(context)) = tls.common.validation else { panic!() };
    assert_eq!(context.subject_alt_names[0].san_type, SanType::Any);
}

#[test]
fn a_directory_beside_a_certificate_is_watched_for_both_of_its_files() {
    let yaml = "{name: s, tls_certificate: {certificate_chain: {filename: c}, private_key: {filename: k}, watched_directory: {path: d}}}";
    let secret = accepts("envoy.extensions.transport_sockets.tls.v3.Secret", decode::secret, yaml);
    let SecretKind::TlsCertificate { chain, key } = secret.kind else { panic!() };
    assert_eq!(format!("{:?}", chain.0), "File(c)");
    for source in [chain.0, key.0] {
        let crate::model::DataSource::File { watched_directory, .. } = source else { panic!() };
        assert_eq!(watched_directory.as_deref(), Some("d"));
    }
}

#[test]
fn older_header_matchers_become_text_tests() {
    let headers = "[{name: A, exact_match: b}, {name: c, suffix_match: d, invert_match: true}, {name: e, safe_regex_match: {regex: f, google_re2: {}}}, {name: g}]";
    let table = table(&format!(
        "virtual_hosts: [{{name: v, domains: ['*'], routes: [{{match: {{prefix: /, headers: {headers}}}, route: {{cluster: c}}}}]}}]"
    ));
    let found = &table.virtual_hosts[0].routes[0].matches.headers;
    assert_eq!(found[0].name, "a");
    let HeaderTest::Text(text) = &found[0].test else { panic!() };
    assert_eq!(text.pattern, StringPattern::Exact("b".into()));
    assert!(found[1].invert);
    assert!(matches!(&found[2].test, HeaderTest::Text(text) if text.is_match("f")));
    assert_eq!(found[3].test, HeaderTest::Present(true));
}

#[test]
fn the_deprecated_append_is_translated() {
    let adds = "[{header: {key: a, value: x}, append: false}, {header: {key: b, value: x}, append: true}]";
    let table = table(&format!("request_headers_to_add: {adds}"));
    let actions: Vec<AppendAction> = table.request_headers.add.iter().map(|add| add.action).collect();
    assert_eq!(actions, [AppendAction::OverwriteIfExistsOrAdd, AppendAction::AppendIfExistsOrAdd]);
}

#[test]
fn domains_are_told_apart_by_their_star() {
    let table = table("virtual_hosts: [{name: v, domains: ['*', A.b, '*.c', '*-d.e', 'f.*']}]");
    let expected = [
        Domain::Any,
        Domain::Exact("a.b".into()),
        Domain::Suffix(".c".into()),
        Domain::Suffix("-d.e".into()),
        Domain::Prefix("f.".into()),
    ];
    assert_eq!(table.virtual_hosts[0].domains, expected);
}

#[test]
fn zero_turns_timeouts_off_and_unset_takes_the_default() {
    let table = table(
        "virtual_hosts: [{name: v, domains: ['*'], routes: [{match: {prefix: /}, route: {cluster: c, timeout: 0s, idle_timeout: 0s}}, {match: {prefix: /}, route: {cluster: c}}]}]",
    );
    let timeouts = |at: usize| match &table.virtual_hosts[0].routes[at].action {
        RouteAction::Forward(forward) => (forward.timeout, forward.idle_timeout),
        other => panic!("{other:?}"),
    };
    assert_eq!(timeouts(0), (None, Some(None)));
    assert_eq!(timeouts(1), (Some(Duration::from_secs(15)), None));
}

#[test]
fn filters_that_say_they_are_optional_are_left_out() {
    let hcm = "'@type': type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
    let unknown = "{name: x, is_optional: true, typed_config: {'@type': type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm}}";
    let router = "{name: r, typed_config: {'@type': type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}";
    let skipped = "typed_per_filter_config: {x: {'@type': type.googleapis.com/envoy.config.route.v3.FilterConfig, is_optional: true, config: {'@type': type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm}}}";
    let listener = listener(&format!(
        "filter_chains: [{{filters: [{{name: h, typed_config: {{{hcm}, stat_prefix: s, route_config: {{virtual_hosts: [{{name: v, domains: ['*'], {skipped}}}]}}, http_filters: [{unknown}, {router}]}}}}]}}]"
    ));
    let NetworkFilter::Http(manager) = &listener.filter_chains[0].filter else { panic!() };
    assert_eq!(manager.http_filters.len(), 1);
    assert_eq!(manager.server_name, "envoy");
    assert!(matches!(&manager.routes, RouteSource::Inline(table) if table.name.as_str().is_empty()));
}

#[test]
fn a_tls_inspector_is_added_when_chains_need_what_it_finds() {
    let plain = listener(&format!("filter_chains: [{{filters: [{TCP}]}}]"));
    assert_eq!(plain.listener_filters, []);
    let named = listener(&format!(
        "filter_chains: [{{filter_chain_match: {{server_names: [A.b]}}, filters: [{TCP}]}}]"
    ));
    assert_eq!(named.listener_filters, [ListenerFilter::TlsInspector]);
    assert_eq!(named.filter_chains[0].matches.server_names, ["a.b"]);
}

#[test]
fn a_listener_binds_unless_an_older_field_says_otherwise() {
    let older =
        listener(&format!("filter_chains: [{{filters: [{TCP}]}}], deprecated_v1: {{bind_to_port: false}}"));
    assert!(!older.bind_to_port);
    assert!(older.reuse_port);
    assert_eq!(older.tcp_backlog_size, Listener::TCP_BACKLOG_SIZE);
}

#[test]
fn a_bootstrap_names_what_has_no_name_and_keeps_its_runtime_layers() {
    let yaml = format!(
        "{{node: {{id: me, user_agent_name: x}}, admin: {{access_log_path: /dev/null, address: {{pipe: {{path: '@a'}}}}}}, \
          static_resources: {{listeners: [{{address: {{socket_address: {{address: '::1', port_value: 80}}}}, filter_chains: [{{filters: [{TCP}]}}]}}]}}, \
          layered_runtime: {{layers: [{{name: a, static_layer: {{k: 1, l: x}}}}, {{name: b, static_layer: {{k: 2}}}}, {{name: c, admin_layer: {{}}}}, {{name: d, rtds_layer: {{name: r, rtds_config: {{ads: {{}}}}}}}}]}}, \
          dynamic_resources: {{ads_config: {{api_type: DELTA_GRPC, grpc_services: [{{envoy_grpc: {{cluster_name: x}}}}]}}, lds_config: {{ads: {{}}, initial_fetch_timeout: 0s}}, cds_config: {{path: f}}}}}}"
    );
    let bootstrap = accepts("envoy.config.bootstrap.v3.Bootstrap", decode::bootstrap, &yaml);
    assert_eq!(bootstrap.listeners[0].name.as_str(), "[::1]:80");
    let layers: Vec<_> = bootstrap.runtime.iter().map(|layer| layer.name.as_str()).collect();
    assert_eq!(layers, ["a", "b", "c", "d"]);
    let set = [("k".to_owned(), Value::Number(1.0)), ("l".to_owned(), Value::String("x".into()))];
    assert_eq!(bootstrap.runtime[0].source, RuntimeSource::Static(set.into()));
    assert_eq!(bootstrap.runtime[2].source, RuntimeSource::Admin);
    assert!(matches!(&bootstrap.runtime[3].source, RuntimeSource::Rtds { resource, .. } if resource == "r"));
    let admin = bootstrap.admin.unwrap();
    assert_eq!(admin.address, Some(Address::Pipe("@a".into())));
    assert_eq!(admin.access_log[0].sink, AccessLogSink::File("/dev/null".into()));
    assert_eq!(admin.access_log[0].format, AccessLogFormat::Default);
    assert!(matches!(bootstrap.dynamic.ads, Some(ConfigSource::Api { api_type: ApiType::DeltaGrpc, .. })));
    assert_eq!(bootstrap.dynamic.listeners, Some(ConfigSource::Ads { initial_fetch_timeout: None }));
    assert!(matches!(bootstrap.dynamic.clusters, Some(ConfigSource::Path { .. })));
}

#[test]
fn a_value_that_no_enumeration_knows_is_refused() {
    let message = envoy_types::pb::envoy::config::cluster::v3::Cluster {
        name: "c".into(),
        lb_policy: 4,
        ..Default::default()
    };
    assert_eq!(decode::cluster(&message).unwrap_err().to_string(), "lb_policy: 4 is not a known value");
}

#[test]
fn a_route_whose_optional_plugin_is_not_supported_is_left_out() {
    let plugin = "{extension: {name: x, typed_config: {'@type': type.googleapis.com/envoy.type.v3.Percent}}, is_optional: true}";
    let routes = format!(
        "{{name: named, match: {{prefix: /}}, route: {{cluster_specifier_plugin: x}}}}, \
         {{name: inline, match: {{prefix: /}}, route: {{inline_cluster_specifier_plugin: {plugin}}}}}, \
         {{name: next, match: {{prefix: /}}, route: {{cluster: c}}}}"
    );
    let table = table(&format!(
        "cluster_specifier_plugins: [{plugin}], virtual_hosts: [{{name: v, domains: ['*'], routes: [{routes}]}}]"
    ));
    let left: Vec<_> = table.virtual_hosts[0].routes.iter().map(|route| route.name.as_str()).collect();
    assert_eq!(left, ["next"]);
}

#[test]
fn the_older_form_of_fixed_metadata_comes_first_and_merges() {
    let filter = "{name: f, typed_config: {'@type': type.googleapis.com/envoy.extensions.filters.http.set_metadata.v3.Config, metadata_namespace: old, value: {a: b}, metadata: [{metadata_namespace: new, value: {a: b}}]}}";
    let router = "{name: r, typed_config: {'@type': type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}";
    let listener = listener(&format!(
        "filter_chains: [{{filters: [{{name: h, typed_config: {{'@type': type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager, stat_prefix: s, route_config: {{}}, http_filters: [{filter}, {router}]}}}}]}}]"
    ));
    let NetworkFilter::Http(manager) = &listener.filter_chains[0].filter else { panic!("{listener:?}") };
    let HttpFilterKind::SetMetadata(found) = &manager.http_filters[0].kind else { panic!("{manager:?}") };
    let entries: Vec<_> =
        found.entries.iter().map(|entry| (entry.namespace.as_str(), entry.allow_overwrite)).collect();
    assert_eq!(entries, [("old", true), ("new", false)]);
}
