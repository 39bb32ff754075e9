//! Refusals of clusters and endpoints.

use super::runner::{Row, refuses, row};
use crate::decode;

const CLUSTER: &str = "envoy.config.cluster.v3.Cluster";

/// Fields of a cluster called `c`.
fn cluster(fields: &str, expected: &str) -> Row {
    row(format!("{{name: c, {fields}}}"), expected)
}

#[test]
fn unsupported_fields_of_a_cluster_are_refused_with_their_path() {
    #[rustfmt::skip]
    let rows = [
        ("lrs_server: {ads: {}}", "lrs_server: only self is accepted here; name another server in"),
        ("lb_subset_config: {list_as_any: true}", "lb_subset_config: is not supported here"),
        ("dns_resolution_config: {}", "dns_resolution_config: is not supported here"),
        ("wait_for_warm_on_init: false", "wait_for_warm_on_init: false is not supported here"),
        ("upstream_bind_config: {}", "upstream_bind_config: is not supported here"),
        ("filters: [{name: x}]", "filters: is not supported here"),
        ("preconnect_policy: {}", "preconnect_policy: is not supported here"),
        ("track_cluster_stats: {}", "track_cluster_stats: is not supported here"),
        ("type: ORIGINAL_DST", "type: ORIGINAL_DST is not supported here"),
        ("lb_policy: CLUSTER_PROVIDED", "lb_policy: is left to the cluster, but clusters of this type bring no balancer"),
        ("upstream_connection_options: {happy_eyeballs_config: {}}", "upstream_connection_options.happy_eyeballs_config: is not supported here"),
        ("common_lb_config: {close_connections_on_host_set_change: true}", "common_lb_config.close_connections_on_host_set_change: is not supported here"),
        ("common_lb_config: {zone_aware_lb_config: {fail_traffic_on_panic: true}}", "common_lb_config.zone_aware_lb_config.fail_traffic_on_panic: is not supported here"),
        ("outlier_detection: {detect_degraded_hosts: true}", "outlier_detection.detect_degraded_hosts: true is not supported here"),
        ("circuit_breakers: {thresholds: [{max_connection_pools: 1}]}", "circuit_breakers.thresholds[0].max_connection_pools: is not supported here"),
        ("circuit_breakers: {thresholds: [{retry_budget: {budget_interval: 1s}}]}", "circuit_breakers.thresholds[0].retry_budget.budget_interval: is not supported here"),
        ("circuit_breakers: {per_host_thresholds: [{max_requests: 1}]}", "circuit_breakers.per_host_thresholds[0].max_requests: is not supported here"),
        ("transport_socket: {name: x, typed_config: {'@type': type.googleapis.com/envoy.extensions.transport_sockets.tap.v3.Tap}}", "transport_socket.typed_config: \"x\" has the type \"type.googleapis.com/envoy.extensions.transport_sockets.tap.v3.Tap\", which is not supported; accepted: UpstreamTlsContext, ProxyProtocolUpstreamTransport, RawBuffer"),
        ("cluster_type: {name: x, typed_config: {'@type': type.googleapis.com/envoy.extensions.clusters.aggregate.v3.ClusterConfig}}", "cluster_type.typed_config: \"x\" has the type"),
        ("cluster_type: {name: x, typed_config: {'@type': type.googleapis.com/envoy.extensions.clusters.dns.v3.DnsCluster, dns_min_refresh_rate: 1s}}", "cluster_type.typed_config.dns_min_refresh_rate: is not supported here"),
    ];
    refuses(CLUSTER, decode::cluster, rows.map(|(fields, expected)| cluster(fields, expected)));
}

#[test]
fn values_that_a_cluster_cannot_have_are_refused() {
    #[rustfmt::skip]
    let rows = [
        ("connect_timeout: 0s", "connect_timeout: 0 s is not accepted; it must be more than zero"),
        ("type: EDS", "eds_cluster_config: is required"),
        ("type: EDS, eds_cluster_config: {}", "eds_cluster_config.eds_config: is required"),
        ("eds_cluster_config: {}", "eds_cluster_config: is not supported here"),
        ("type: LOGICAL_DNS", "load_assignment: has 0 endpoints; a LOGICAL_DNS cluster has exactly one"),
        ("type: STRICT_DNS, dns_refresh_rate: 0.001s", "dns_refresh_rate: 1ms is not accepted"),
        ("type: STRICT_DNS, dns_failure_refresh_rate: {base_interval: 2s, max_interval: 1s}", "dns_failure_refresh_rate.max_interval: 1s is below the base_interval 2s"),
        ("lb_policy: MAGLEV, maglev_lb_config: {table_size: 10}", "maglev_lb_config.table_size: 10 is not a prime number"),
        ("lb_policy: MAGLEV, ring_hash_lb_config: {}", "lb_policy: is MAGLEV, but the settings beside it"),
        ("lb_policy: LOAD_BALANCING_POLICY_CONFIG", "lb_policy: LOAD_BALANCING_POLICY_CONFIG needs"),
        ("lb_policy: RING_HASH, ring_hash_lb_config: {minimum_ring_size: 9, maximum_ring_size: 8}", "ring_hash_lb_config.minimum_ring_size: 9 is above the maximum_ring_size 8"),
        ("lb_policy: LEAST_REQUEST, least_request_lb_config: {choice_count: 1}", "least_request_lb_config.choice_count: 1 is not accepted; 2 to"),
        ("lb_policy: LEAST_REQUEST, least_request_lb_config: {slow_start_config: {}}", "least_request_lb_config.slow_start_config.slow_start_window: is required"),
        ("common_lb_config: {healthy_panic_threshold: {value: 101}}", "common_lb_config.healthy_panic_threshold: 101"),
        ("common_lb_config: {consistent_hashing_lb_config: {hash_balance_factor: 99}}", "common_lb_config.consistent_hashing_lb_config.hash_balance_factor: 99 is not accepted"),
        ("common_lb_config: {consistent_hashing_lb_config: {use_hostname_for_hashing: true}}", "common_lb_config.consistent_hashing_lb_config.use_hostname_for_hashing: needs a STRICT_DNS cluster"),
        ("load_balancing_policy: {}", "load_balancing_policy.policies: is empty; supported:"),
        ("load_balancing_policy: {policies: [{typed_extension_config: {name: p, typed_config: {'@type': type.googleapis.com/envoy.extensions.load_balancing_policies.subset.v3.Subset}}}]}", "load_balancing_policy.policies: has only \"p\" (type.googleapis.com/envoy.extensions.load_balancing_policies.subset.v3.Subset); supported:"),
        ("load_balancing_policy: {policies: [{typed_extension_config: {name: p, typed_config: {'@type': type.googleapis.com/envoy.extensions.load_balancing_policies.cluster_provided.v3.ClusterProvided}}}, {typed_extension_config: {name: p, typed_config: {'@type': type.googleapis.com/envoy.extensions.load_balancing_policies.round_robin.v3.RoundRobin}}}]}", "load_balancing_policy.policies[0].typed_extension_config.typed_config: is left to the cluster, but clusters of this type"),
        ("load_balancing_policy: {policies: [{typed_extension_config: {name: p, typed_config: {'@type': type.googleapis.com/envoy.extensions.load_balancing_policies.override_host.v3.OverrideHost, fallback_policy: {policies: [{typed_extension_config: {name: p, typed_config: {'@type': type.googleapis.com/envoy.extensions.load_balancing_policies.round_robin.v3.RoundRobin}}}]}}}}]}", "load_balancing_policy.policies[0].typed_extension_config.typed_config.override_host_sources: must not be empty"),
        ("load_balancing_policy: {policies: [{typed_extension_config: {name: p, typed_config: {'@type': type.googleapis.com/envoy.extensions.load_balancing_policies.override_host.v3.OverrideHost, override_host_sources: [{}], fallback_policy: {policies: [{typed_extension_config: {name: p, typed_config: {'@type': type.googleapis.com/envoy.extensions.load_balancing_policies.round_robin.v3.RoundRobin}}}]}}}}]}", "load_balancing_policy.policies[0].typed_extension_config.typed_config.override_host_sources[0].header: must not be empty"),
        ("load_balancing_policy: {policies: [{typed_extension_config: {name: p, typed_config: {'@type': type.googleapis.com/envoy.extensions.load_balancing_policies.override_host.v3.OverrideHost, override_host_sources: [{metadata: {key: envoy.lb, path: [{key: a}]}}], fallback_policy: {policies: [{typed_extension_config: {name: p, typed_config: {'@type': type.googleapis.com/envoy.extensions.load_balancing_policies.round_robin.v3.RoundRobin}}}]}}}}]}", "load_balancing_policy.policies[0].typed_extension_config.typed_config.override_host_sources[0].metadata: is not supported"),
        ("load_balancing_policy: {policies: [{typed_extension_config: {name: p, typed_config: {'@type': type.googleapis.com/envoy.extensions.load_balancing_policies.override_host.v3.OverrideHost, override_host_sources: [{header: x}]}}}]}", "load_balancing_policy.policies[0].typed_extension_config.typed_config.fallback_policy: is required"),
        ("load_balancing_policy: {policies: [{typed_extension_config: {name: p, typed_config: {'@type': type.googleapis.com/envoy.extensions.load_balancing_policies.override_host.v3.OverrideHost, override_host_sources: [{header: x}], fallback_policy: {}}}}]}", "load_balancing_policy.policies[0].typed_extension_config.typed_config.fallback_policy.policies: is empty; supported:"),
        ("load_balancing_policy: {policies: [{typed_extension_config: {name: p, typed_config: {'@type': type.googleapis.com/envoy.extensions.load_balancing_policies.override_host.v3.OverrideHost, override_host_sources: [{header: x}], selected_host_key: {key: a, path: [{key: b}]}, fallback_policy: {policies: [{typed_extension_config: {name: p, typed_config: {'@type': type.googleapis.com/envoy.extensions.load_balancing_policies.round_robin.v3.RoundRobin}}}]}}}}]}", "load_balancing_policy.policies[0].typed_extension_config.typed_config.selected_host_key: is not supported"),
        ("load_balancing_policy: {policies: [{typed_extension_config: {name: p, typed_config: {'@type': type.googleapis.com/envoy.extensions.load_balancing_policies.override_host.v3.OverrideHost, override_host_sources: [{header: x}], fallback_policy: {policies: [{typed_extension_config: {name: p, typed_config: {'@type': type.googleapis.com/envoy.extensions.load_balancing_policies.override_host.v3.OverrideHost, override_host_sources: [{header: z}], fallback_policy: {policies: [{typed_extension_config: {name: p, typed_config: {'@type': type.googleapis.com/envoy.extensions.load_balancing_policies.round_robin.v3.RoundRobin}}}]}}}}]}}}}]}", "load_balancing_policy.policies[0].typed_extension_config.typed_config.fallback_policy: is another OverrideHost"),
        ("load_balancing_policy: {policies: [{typed_extension_config: {name: p, typed_config: {'@type': type.googleapis.com/envoy.extensions.load_balancing_policies.least_request.v3.LeastRequest, enable_full_scan: true}}}]}", "load_balancing_policy.policies[0].typed_extension_config.typed_config.enable_full_scan: true is not"),
        ("outlier_detection: {max_ejection_percent: 101}", "outlier_detection.max_ejection_percent: 101 is not"),
        ("outlier_detection: {base_ejection_time: 9s, max_ejection_time: 8s}", "outlier_detection.max_ejection_time: is below base_ejection_time"),
        ("circuit_breakers: {thresholds: [{}, {priority: DEFAULT}]}", "circuit_breakers.thresholds[1].priority: DEFAULT is given twice"),
        ("transport_socket: {name: x}", "transport_socket.typed_config: is required"),
        ("transport_socket_matches: [{}]", "transport_socket_matches[0].name: must not be empty"),
        ("http_protocol_options: {}, http2_protocol_options: {}", "http2_protocol_options: and http_protocol_options are both set"),
        ("http2_protocol_options: {max_concurrent_streams: 0}", "http2_protocol_options.max_concurrent_streams: 0"),
        ("http2_protocol_options: {hpack_table_size: 1}", "http2_protocol_options.hpack_table_size: is not"),
        ("http2_protocol_options: {connection_keepalive: {interval: 1s}}", "http2_protocol_options.connection_keepalive.timeout: is required"),
        ("upstream_http_protocol_options: {override_auto_sni_header: x}", "upstream_http_protocol_options.override_auto_sni_header: is not supported here"),
        ("typed_extension_protocol_options: {x: {'@type': type.googleapis.com/google.protobuf.Struct, value: {}}}", "typed_extension_protocol_options[\"x\"]: is not supported here"),
    ];
    refuses(CLUSTER, decode::cluster, rows.map(|(fields, expected)| cluster(fields, expected)));
    refuses(CLUSTER, decode::cluster, [row("{}", "name: must not be empty")]);
}

/// Typed HTTP options.
fn http(fields: &str, expected: &str) -> Row {
    let key = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
    cluster(
        &format!(
            "typed_extension_protocol_options: {{{key}: {{'@type': type.googleapis.com/{key}, {fields}}}}}"
        ),
        expected,
    )
}

#[test]
fn typed_http_options_are_refused_with_their_path() {
    #[rustfmt::skip]
    let rows = [
        ("common_http_protocol_options: {}", "typed_extension_protocol_options[\"envoy.extensions.upstreams.http.v3.HttpProtocolOptions\"]: has no protocol"),
        ("explicit_http_config: {}", "typed_extension_protocol_options[\"envoy.extensions.upstreams.http.v3.HttpProtocolOptions\"].explicit_http_config: is empty"),
        ("explicit_http_config: {http3_protocol_options: {}}", "typed_extension_protocol_options[\"envoy.extensions.upstreams.http.v3.HttpProtocolOptions\"].explicit_http_config.http3_protocol_options: is not"),
        ("explicit_http_config: {http_protocol_options: {send_fully_qualified_url: true}}", "typed_extension_protocol_options[\"envoy.extensions.upstreams.http.v3.HttpProtocolOptions\"].explicit_http_config.http_protocol_options.send_fully_qualified_url: is not"),
        ("explicit_http_config: {http_protocol_options: {}}, http_filters: [{name: x}]", "typed_extension_protocol_options[\"envoy.extensions.upstreams.http.v3.HttpProtocolOptions\"].http_filters: is not"),
        ("explicit_http_config: {http_protocol_options: {}}, common_http_protocol_options: {max_headers_count: 3}", "typed_extension_protocol_options[\"envoy.extensions.upstreams.http.v3.HttpProtocolOptions\"].common_http_protocol_options.max_headers_count: is not"),
        ("use_downstream_protocol_config: {http3_protocol_options: {}}", "typed_extension_protocol_options[\"envoy.extensions.upstreams.http.v3.HttpProtocolOptions\"].use_downstream_protocol_config.http3_protocol_options: is not"),
        ("auto_config: {alternate_protocols_cache_options: {name: x}}", "typed_extension_protocol_options[\"envoy.extensions.upstreams.http.v3.HttpProtocolOptions\"].auto_config.alternate_protocols_cache_options: is not"),
        ("auto_config: {}", "transport_socket: must be TLS: auto_config chooses the version by ALPN"),
    ];
    refuses(CLUSTER, decode::cluster, rows.map(|(fields, expected)| http(fields, expected)));
}

/// A health check with its required fields.
fn check(fields: &str, expected: &str) -> Row {
    let required = "timeout: 1s, interval: 1s, unhealthy_threshold: 1, healthy_threshold: 1";
    cluster(&format!("health_checks: [{{{required}, {fields}}}]"), expected)
}

#[test]
fn health_checks_are_refused_with_their_path() {
    #[rustfmt::skip]
    let rows = [
        ("no_traffic_interval: 1s", "health_checks[0]: has no checker; accepted: http_health_check"),
        ("tcp_health_check: {}, no_traffic_healthy_interval: 0s", "health_checks[0].no_traffic_healthy_interval: 0 s is not"),
        ("tcp_health_check: {}, event_log_path: x", "health_checks[0].event_log_path: is not supported here"),
        ("tcp_health_check: {}, alt_port: 0", "health_checks[0].alt_port: 0 is not a port"),
        ("custom_health_check: {name: x}", "health_checks[0].custom_health_check: \"x\" is not supported here"),
        ("tcp_health_check: {send: {text: abc}}", "health_checks[0].tcp_health_check.send.text: \"abc\" is not an even"),
        ("tcp_health_check: {receive: [{text: '00'}, {}]}", "health_checks[0].tcp_health_check.receive[1]: is empty"),
        ("tcp_health_check: {proxy_protocol_config: {}}", "health_checks[0].tcp_health_check.proxy_protocol_config: is"),
        ("http_health_check: {}", "health_checks[0].http_health_check.path: must not be empty"),
        ("http_health_check: {path: /, codec_client_type: HTTP3}", "health_checks[0].http_health_check.codec_client_type: HTTP3"),
        ("http_health_check: {path: /, method: CONNECT}", "health_checks[0].http_health_check.method: CONNECT is not"),
        ("http_health_check: {path: /, send: {text: '00'}}", "health_checks[0].http_health_check.send: is not"),
        ("http_health_check: {path: /, expected_statuses: [{start: 200, end: 200}]}", "health_checks[0].http_health_check.expected_statuses[0]: 200 up to 200"),
        ("http_health_check: {path: /, request_headers_to_add: [{header: {key: a, value: '%PROTOCOL%'}}]}", "health_checks[0].http_health_check.request_headers_to_add[0].header.value: \"%PROTOCOL%\" holds commands"),
        ("grpc_health_check: {}", "health_checks[0].grpc_health_check: needs HTTP/2 towards the cluster"),
    ];
    refuses(CLUSTER, decode::cluster, rows.map(|(fields, expected)| check(fields, expected)));
    let missing = "{name: c, health_checks: [{timeout: 1s, interval: 1s, tcp_health_check: {}}]}";
    refuses(CLUSTER, decode::cluster, [row(missing, "health_checks[0].unhealthy_threshold: is required")]);
}

/// An assignment of one locality.
fn assignment(locality: &str, expected: &str) -> Row {
    row(format!("{{cluster_name: c, endpoints: [{{{locality}}}]}}"), expected)
}

#[test]
fn endpoints_are_refused_with_their_path() {
    #[rustfmt::skip]
    let rows = [
        ("proximity: 1", "endpoints[0].proximity: is not supported here"),
        ("priority: 129", "endpoints[0].priority: 129 is not accepted; 0 to 128 are"),
        ("load_balancing_weight: 0", "endpoints[0].load_balancing_weight: 0 is not accepted"),
        ("leds_cluster_locality_config: {}", "endpoints[0].leds_cluster_locality_config: is not supported here"),
        ("lb_endpoints: [{}]", "endpoints[0].lb_endpoints[0].endpoint: is required"),
        ("lb_endpoints: [{endpoint_name: x}]", "endpoints[0].lb_endpoints[0].endpoint_name: is not supported here"),
        ("lb_endpoints: [{endpoint: {}}]", "endpoints[0].lb_endpoints[0].endpoint.address: is required"),
        ("load_balancer_endpoints: {lb_endpoints: [{}]}", "endpoints[0].load_balancer_endpoints[0].endpoint: is required"),
        ("lb_endpoints: [{endpoint: {observability_name: x}}]", "endpoints[0].lb_endpoints[0].endpoint.observability_name: is not"),
        ("lb_endpoints: [{endpoint: {address: {}}}]", "endpoints[0].lb_endpoints[0].endpoint.address: is empty"),
        ("lb_endpoints: [{endpoint: {address: {socket_address: {address: a.b, port_value: 1}}}}]", "endpoints[0].lb_endpoints[0].endpoint.address.socket_address.address: \"a.b\" is not an IP address; names need"),
        ("lb_endpoints: [{endpoint: {address: {socket_address: {address: '::1', port_value: 0}}}}]", "endpoints[0].lb_endpoints[0].endpoint.address.socket_address.port_value: 0 is not a port"),
        ("lb_endpoints: [{endpoint: {address: {socket_address: {address: '::1', named_port: x}}}}]", "endpoints[0].lb_endpoints[0].endpoint.address.socket_address.named_port: is not"),
        ("lb_endpoints: [{endpoint: {address: {socket_address: {address: '::1', port_value: 1, resolver_name: x}}}}]", "endpoints[0].lb_endpoints[0].endpoint.address.socket_address.resolver_name: is not"),
        ("lb_endpoints: [{endpoint: {address: {pipe: {path: x, mode: 1}}}}]", "endpoints[0].lb_endpoints[0].endpoint.address.pipe.mode: is not"),
        ("lb_endpoints: [{endpoint: {address: {pipe: {path: x}}, health_check_config: {port_value: 1}}}]", "endpoints[0].lb_endpoints[0].endpoint.health_check_config.port_value: is set, but"),
        ("lb_endpoints: [{endpoint: {address: {pipe: {path: x}}, health_check_config: {address: {}}}}]", "endpoints[0].lb_endpoints[0].endpoint.health_check_config.address: is not"),
        ("lb_endpoints: [{endpoint: {address: {envoy_internal_address: {}}}}]", "endpoints[0].lb_endpoints[0].endpoint.address.envoy_internal_address: is not"),
    ];
    let name = "envoy.config.endpoint.v3.ClusterLoadAssignment";
    refuses(name, decode::load_assignment, rows.map(|(locality, expected)| assignment(locality, expected)));
    #[rustfmt::skip]
    let rows = [
        ("{}", "cluster_name: must not be empty"),
        ("{cluster_name: c, named_endpoints: {x: {}}}", "named_endpoints: is not supported here"),
        ("{cluster_name: c, policy: {endpoint_stale_after: 1s}}", "policy.endpoint_stale_after: is not supported here"),
        ("{cluster_name: c, policy: {overprovisioning_factor: 0}}", "policy.overprovisioning_factor: 0 is not"),
        ("{cluster_name: c, policy: {drop_overloads: [{category: x}]}}", "policy.drop_overloads[0].drop_percentage: is required"),
        ("{cluster_name: c, policy: {drop_overloads: [{category: x, drop_percentage: {numerator: 101}}]}}", "policy.drop_overloads[0].drop_percentage.numerator: 101 is not accepted; 0 to 100 are"),
        ("{cluster_name: c, endpoints: [{load_balancing_weight: 4294967295}, {load_balancing_weight: 1}]}", "endpoints[1]: has weights whose sum is above 4294967295"),
    ];
    refuses(name, decode::load_assignment, rows.map(|(yaml, expected)| row(yaml, expected)));
}

#[test]
fn a_source_of_endpoints_is_refused_with_its_path() {
    #[rustfmt::skip]
    let rows = [
        ("self: {}", "eds_cluster_config.eds_config.self: is not supported here"),
        ("initial_fetch_timeout: 1s", "eds_cluster_config.eds_config: is empty; accepted: ads"),
        ("ads: {}, resource_api_version: V2", "eds_cluster_config.eds_config.resource_api_version: V2 is not supported"),
        ("ads: {}, authorities: [{name: x}]", "eds_cluster_config.eds_config.authorities: is not supported here"),
        ("path: ''", "eds_cluster_config.eds_config.path: must not be empty"),
        ("path_config_source: {path: x, poll_interval: 1s}", "eds_cluster_config.eds_config.path_config_source.poll_interval: is not"),
        ("path_config_source: {path: x, watched_directory: {path: d, watch_modify: true}}", "eds_cluster_config.eds_config.path_config_source.watched_directory.watch_modify: is not"),
        ("api_config_source: {api_type: REST}", "eds_cluster_config.eds_config.api_config_source.api_type: REST is not supported here; accepted: GRPC, DELTA_GRPC"),
        ("api_config_source: {api_type: GRPC, transport_api_version: V2}", "eds_cluster_config.eds_config.api_config_source.transport_api_version: V2"),
        ("api_config_source: {api_type: GRPC, cluster_names: [x]}", "eds_cluster_config.eds_config.api_config_source.cluster_names: is not"),
        ("api_config_source: {api_type: GRPC}", "eds_cluster_config.eds_config.api_config_source.grpc_services: has 0 services; exactly one is accepted"),
        ("api_config_source: {api_type: GRPC, grpc_services: [{}]}", "eds_cluster_config.eds_config.api_config_source.grpc_services[0]: has no target"),
        ("api_config_source: {api_type: GRPC, grpc_services: [{google_grpc: {}}]}", "eds_cluster_config.eds_config.api_config_source.grpc_services[0].google_grpc: is not"),
        ("api_config_source: {api_type: GRPC, grpc_services: [{timeout: 1s}]}", "eds_cluster_config.eds_config.api_config_source.grpc_services[0].timeout: is not"),
        ("api_config_source: {api_type: GRPC, grpc_services: [{envoy_grpc: {}}]}", "eds_cluster_config.eds_config.api_config_source.grpc_services[0].envoy_grpc.cluster_name: must not be empty"),
        ("api_config_source: {api_type: GRPC, grpc_services: [{envoy_grpc: {cluster_name: x, authority: z}}]}", "eds_cluster_config.eds_config.api_config_source.grpc_services[0].envoy_grpc.authority: is not"),
        ("api_config_source: {api_type: GRPC, grpc_services: [{envoy_grpc: {cluster_name: x}, initial_metadata: [{key: 'a b'}]}]}", "eds_cluster_config.eds_config.api_config_source.grpc_services[0].initial_metadata[0].key: \"a b\" is not a header name"),
    ];
    let of = |source: &str| format!("type: EDS, eds_cluster_config: {{eds_config: {{{source}}}}}");
    refuses(CLUSTER, decode::cluster, rows.map(|(source, expected)| cluster(&of(source), expected)));
}
