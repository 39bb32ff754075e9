//! Refusals of route tables.

use super::runner::{Row, refuses, row};
use crate::decode;

const ROUTES: &str = "envoy.config.route.v3.RouteConfiguration";

fn table(fields: &str, expected: &str) -> Row {
    row(format!("{{name: r, {fields}}}"), expected)
}

fn host(fields: &str, expected: &str) -> Row {
    table(&format!("virtual_hosts: [{{name: v, domains: ['*'], {fields}}}]"), expected)
}

fn route(fields: &str, expected: &str) -> Row {
    host(&format!("routes: [{{{fields}}}]"), expected)
}

fn matched(fields: &str, expected: &str) -> Row {
    route(&format!("match: {{{fields}}}, route: {{cluster: c}}"), expected)
}

fn forward(fields: &str, expected: &str) -> Row {
    route(&format!("match: {{prefix: /}}, route: {{{fields}}}"), expected)
}

#[test]
fn tables_and_hosts_are_refused_with_their_path() {
    #[rustfmt::skip]
    let rows = [
        table("vhds: {}", "vhds: is not supported here"),
        table("internal_only_headers: [x]", "internal_only_headers: is not supported here"),
        table("vhost_header: x", "vhost_header: is not supported here"),
        table("virtual_hosts: [{name: v, domains: [a]}, {name: v, domains: [b]}]", "virtual_hosts[1]: the virtual host name \"v\" is used twice"),
        table("virtual_hosts: [{name: v, domains: [a]}, {name: w, domains: [b, A]}]", "virtual_hosts[1].domains[1]: the domain a is used twice"),
        table("virtual_hosts: [{name: v}]", "virtual_hosts[0].domains: must not be empty"),
        table("virtual_hosts: [{name: v, domains: [a.*.b]}]", "virtual_hosts[0].domains[0]: \"a.*.b\" has a star"),
        table("virtual_hosts: [{name: v, domains: ['*a*']}]", "virtual_hosts[0].domains[0]: \"*a*\" has a star"),
        table("virtual_hosts: [{domains: [a]}]", "virtual_hosts[0].name: must not be empty"),
        host("rate_limits: [{}]", "virtual_hosts[0].rate_limits[0].actions: must not be empty"),
        host("rate_limits: [{actions: [{}]}]", "virtual_hosts[0].rate_limits[0].actions[0]: is empty; accepted: destination_cluster"),
        host("rate_limits: [{stage: 11, actions: [{remote_address: {}}]}]", "virtual_hosts[0].rate_limits[0].stage: 11 is not accepted; 0 to 10 are"),
        host("rate_limits: [{actions: [{generic_key: {}}]}]", "virtual_hosts[0].rate_limits[0].actions[0].generic_key.descriptor_value: must not be empty"),
        host("rate_limits: [{actions: [{metadata: {}}]}]", "virtual_hosts[0].rate_limits[0].actions[0].metadata.metadata_key: is required"),
        host("rate_limits: [{actions: [{metadata: {source: ROUTE_ENTRY, metadata_key: {key: a, path: [{key: b}]}}}]}]", "virtual_hosts[0].rate_limits[0].actions[0].metadata.source: is not supported here but for DYNAMIC"),
        host("rate_limits: [{actions: [{metadata: {metadata_key: {key: a, path: [{key: b}]}}}]}]", "virtual_hosts[0].rate_limits[0].actions[0].metadata.descriptor_key: must not be empty"),
        host("rate_limits: [{actions: [{dynamic_metadata: {descriptor_key: d, metadata_key: {key: a}}}]}]", "virtual_hosts[0].rate_limits[0].actions[0].dynamic_metadata.metadata_key.path: must not be empty"),
        host("rate_limits: [{actions: [{metadata: {descriptor_key: d, metadata_key: {key: a, path: [{index: 1}]}}}]}]", "virtual_hosts[0].rate_limits[0].actions[0].metadata.metadata_key.path[0].index: is not supported here"),
        host("cors: {}", "virtual_hosts[0].cors: is not supported here"),
        host("request_mirror_policies: [{}]", "virtual_hosts[0].request_mirror_policies[0]: has no cluster; accepted: cluster, cluster_header"),
        table("request_mirror_policies: [{}]", "request_mirror_policies[0]: has no cluster"),
        host("request_headers_to_add: [{}]", "virtual_hosts[0].request_headers_to_add[0].header: is required"),
        host("request_headers_to_add: [{header: {key: ':path', value: x}}]", "virtual_hosts[0].request_headers_to_add[0].header.key: \":path\" may not be added or removed"),
        host("request_headers_to_remove: [Host]", "virtual_hosts[0].request_headers_to_remove[0]: \"Host\" may not be"),
        host("response_headers_to_add: [{header: {key: a, value: \"x\\ny\"}}]", "virtual_hosts[0].response_headers_to_add[0].header.value: \"x\\ny\" holds a control character"),
        host("response_headers_to_add: [{header: {key: a, value: '%NO_SUCH%'}}]", "virtual_hosts[0].response_headers_to_add[0].header.value: at byte 0: %NO_SUCH% is not a supported command"),
        host("response_headers_to_add: [{header: {key: a, raw_value: eA==}}]", "virtual_hosts[0].response_headers_to_add[0].header.raw_value: is not"),
        host("response_headers_to_add: [{header: {key: a}, append: true, append_action: ADD_IF_ABSENT}]", "virtual_hosts[0].response_headers_to_add[0].append: and append_action are both set"),
        host("typed_per_filter_config: {f: {'@type': type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm}}", "virtual_hosts[0].typed_per_filter_config[\"f\"]: \"f\" has the type \"type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm\", which is not supported"),
    ];
    refuses(ROUTES, decode::route_configuration, rows);
    refuses(ROUTES, decode::route_configuration, [row("{}", "name: must not be empty")]);
    let plugin = "{extension: {name: x, typed_config: {'@type': type.googleapis.com/envoy.type.v3.Percent}}, is_optional: true}";
    #[rustfmt::skip]
    let plugins = [
        ("{}".to_owned(), "[0].extension: is required"),
        ("{extension: {typed_config: {'@type': type.googleapis.com/envoy.type.v3.Percent}}}".to_owned(), "[0].extension.name: must not be empty"),
        ("{extension: {name: x}, is_optional: true}".to_owned(), "[0].extension.typed_config: is required"),
        (plugin.replace("true", "false"), "[0].extension.typed_config: \"x\" has the type \"type.googleapis.com/envoy.type.v3.Percent\", which is not supported"),
        (format!("{plugin}, {plugin}"), "[1]: the cluster specifier plugin \"x\" is used twice"),
    ];
    let under = |(list, expected): (String, &str)| {
        table(
            &format!("cluster_specifier_plugins: [{list}]"),
            &format!("cluster_specifier_plugins{expected}"),
        )
    };
    refuses(ROUTES, decode::route_configuration, plugins.map(under));
}

#[test]
fn routes_and_matches_are_refused_with_their_path() {
    #[rustfmt::skip]
    let rows = [
        route("route: {cluster: c}", "virtual_hosts[0].routes[0].match: is required"),
        route("match: {prefix: /}", "virtual_hosts[0].routes[0]: has no action; accepted: route, redirect"),
        route("match: {prefix: /}, filter_action: {}", "virtual_hosts[0].routes[0].filter_action: is not supported"),
        route("match: {prefix: /}, non_forwarding_action: {}", "virtual_hosts[0].routes[0].non_forwarding_action: is not"),
        route("match: {prefix: /}, tracing: {}", "virtual_hosts[0].routes[0].tracing: is not supported here"),
        route("match: {prefix: /}, direct_response: {status: 100}", "virtual_hosts[0].routes[0].direct_response.status: 100 is not accepted; 200 to 599 are"),
        route("match: {prefix: /}, direct_response: {status: 200, body_format: {}}", "virtual_hosts[0].routes[0].direct_response.body_format: is not"),
        route("match: {prefix: /}, direct_response: {status: 200, body: {}}", "virtual_hosts[0].routes[0].direct_response.body: is empty; accepted: filename"),
        matched("headers: []", "virtual_hosts[0].routes[0].match: has no path; accepted: prefix"),
        matched("prefix: /, cookies: [{name: a}]", "virtual_hosts[0].routes[0].match.cookies[0].string_match: is required"),
        matched("prefix: /, cookies: [{}]", "virtual_hosts[0].routes[0].match.cookies[0].name: must not be empty"),
        matched("path_separated_prefix: /a/", "virtual_hosts[0].routes[0].match.path_separated_prefix: \"/a/\" is not accepted"),
        matched("path_match_policy: {name: x}", "virtual_hosts[0].routes[0].match.path_match_policy: is not"),
        matched("safe_regex: {regex: '('}", "virtual_hosts[0].routes[0].match.safe_regex.regex: \"(\" is not a regular expression: error: unclosed group"),
        matched("safe_regex: {regex: a, google_re2: {max_program_size: 1}}", "virtual_hosts[0].routes[0].match.safe_regex.google_re2.max_program_size: is not"),
        matched("safe_regex: {regex: a}, case_sensitive: false", "virtual_hosts[0].routes[0].match.case_sensitive: does not apply to safe_regex"),
        matched("prefix: /, runtime_fraction: {}", "virtual_hosts[0].routes[0].match.runtime_fraction.default_value: is required"),
        matched("prefix: /, headers: [{name: ':status'}]", "virtual_hosts[0].routes[0].match.headers[0].name: \":status\" is not a pseudo-header"),
        matched("prefix: /, headers: [{name: a, prefix_match: ''}]", "virtual_hosts[0].routes[0].match.headers[0].prefix_match: must not be empty"),
        matched("prefix: /, headers: [{name: a, string_match: {}}]", "virtual_hosts[0].routes[0].match.headers[0].string_match: is empty"),
        matched("prefix: /, headers: [{name: a, string_match: {custom: {}}}]", "virtual_hosts[0].routes[0].match.headers[0].string_match.custom: is not"),
        matched("prefix: /, headers: [{name: a, string_match: {safe_regex: {regex: a}, ignore_case: true}}]", "virtual_hosts[0].routes[0].match.headers[0].string_match.ignore_case: does not apply"),
        matched("prefix: /, query_parameters: [{}]", "virtual_hosts[0].routes[0].match.query_parameters[0].name: must not be empty"),
        forward("timeout: 1s", "virtual_hosts[0].routes[0].route: has no cluster; accepted: cluster"),
    ];
    refuses(ROUTES, decode::route_configuration, rows);
}

#[test]
fn forwarding_is_refused_with_its_path() {
    #[rustfmt::skip]
    let rows = [
        ("cluster: ''", "cluster: must not be empty"),
        ("cluster_header: 'a b'", "cluster_header: \"a b\" is not a header name"),
        ("cluster_specifier_plugin: x", "cluster_specifier_plugin: \"x\" is none of the table's cluster_specifier_plugins"),
        ("inline_cluster_specifier_plugin: {}", "inline_cluster_specifier_plugin.extension: is required"),
        ("inline_cluster_specifier_plugin: {extension: {name: x, typed_config: {'@type': type.googleapis.com/envoy.type.v3.Percent}}}", "inline_cluster_specifier_plugin.extension.typed_config: \"x\" has the type \"type.googleapis.com/envoy.type.v3.Percent\", which is not supported; accepted: none, unless"),
        ("inline_cluster_specifier_plugin: {is_optional: true, extension: {name: x, typed_config: {'@type': type.googleapis.com/envoy.type.v3.Percent}}}, timeout: -1s", "timeout: -1 s 0 ns is not a duration"),
        ("cluster: c, metadata_match: {}", "metadata_match: is not supported here"),
        ("cluster: c, request_mirror_policies: [{cluster: d, cluster_header: e}]", "request_mirror_policies[0]: has both cluster and cluster_header; keep one"),
        ("cluster: c, request_mirror_policies: [{cluster_header: 'a b'}]", "request_mirror_policies[0].cluster_header: \"a b\" is not a header name"),
        ("cluster: c, request_mirror_policies: [{cluster: d, runtime_fraction: {}}]", "request_mirror_policies[0].runtime_fraction.default_value: is required"),
        ("cluster: c, request_mirror_policies: [{cluster: d, host_rewrite_literal: \"a\\n\"}]", "request_mirror_policies[0].host_rewrite_literal: "),
        ("cluster: c, request_mirror_policies: [{cluster: d, request_headers_mutations: [{}]}]", "request_mirror_policies[0].request_headers_mutations[0]: is empty; accepted: remove, append"),
        ("cluster: c, request_mirror_policies: [{cluster: d, request_headers_mutations: [{remove: Host}]}]", "request_mirror_policies[0].request_headers_mutations[0].remove: \"Host\" may not be"),
        ("cluster: c, internal_redirect_policy: {predicates: [{name: x}]}", "internal_redirect_policy.predicates[0].typed_config: is required"),
        ("cluster: c, internal_redirect_policy: {redirect_response_codes: [1, 2, 3, 4, 5, 6]}", "internal_redirect_policy.redirect_response_codes: has 6 codes"),
        ("cluster: c, internal_redirect_policy: {max_internal_redirects: 33}", "internal_redirect_policy.max_internal_redirects: 33 is not accepted; 0 to 32"),
        ("cluster: c, internal_redirect_policy: {response_headers_to_copy: ['a b']}", "internal_redirect_policy.response_headers_to_copy[0]: \"a b\" is not a header name"),
        ("cluster: c, max_grpc_timeout: 1s", "max_grpc_timeout: is not supported here"),
        ("cluster: c, timeout: -1s", "timeout: -1 s 0 ns is not a duration"),
        ("cluster: c, prefix_rewrite: /, regex_rewrite: {pattern: {regex: a}}", "regex_rewrite: and prefix_rewrite are both set; keep one"),
        ("cluster: c, regex_rewrite: {substitution: x}", "regex_rewrite.pattern: is required"),
        ("cluster: c, regex_rewrite: {pattern: {regex: '(a)'}, substitution: '\\2'}", "regex_rewrite.substitution: names group \\2, but \"(a)\" has 1"),
        ("cluster: c, regex_rewrite: {pattern: {regex: a}, substitution: '\\x'}", "regex_rewrite.substitution: holds a backslash"),
        ("cluster: c, host_rewrite_path_regex: {}", "host_rewrite_path_regex.pattern: is required"),
        ("cluster: c, upgrade_configs: [{upgrade_type: CONNECT, connect_config: {proxy_protocol_config: {}}}]", "upgrade_configs[0].connect_config.proxy_protocol_config: is not supported here"),
        ("cluster: c, upgrade_configs: [{upgrade_type: websocket, connect_config: {}}]", "upgrade_configs[0].connect_config: belongs to CONNECT"),
        ("cluster: c, upgrade_configs: [{upgrade_type: a}, {upgrade_type: A}]", "upgrade_configs[1]: the upgrade \"a\" is used twice"),
        ("cluster: c, hash_policy: [{}]", "hash_policy[0]: is empty; accepted: header, cookie"),
        ("cluster: c, hash_policy: [{filter_state: {}}]", "hash_policy[0].filter_state.key: must not be empty"),
        ("cluster: c, hash_policy: [{connection_properties: {}}]", "hash_policy[0].connection_properties: has nothing to hash"),
        ("cluster: c, hash_policy: [{header: {header_name: a, regex_rewrite: {}}}]", "hash_policy[0].header.regex_rewrite.pattern: is required"),
        ("cluster: c, hash_policy: [{cookie: {name: a, attributes: [{}]}}]", "hash_policy[0].cookie.attributes[0].name: must not be empty"),
        ("weighted_clusters: {}", "weighted_clusters.clusters: has weights whose sum is 0"),
        ("weighted_clusters: {clusters: [{name: a}]}", "weighted_clusters.clusters[0].weight: is required"),
        ("weighted_clusters: {clusters: [{name: a, weight: 0}]}", "weighted_clusters.clusters: has weights whose sum is 0"),
        ("weighted_clusters: {clusters: [{name: a, weight: 1}], total_weight: 2}", "weighted_clusters.total_weight: is 2, but the weights' sum is 1"),
        ("weighted_clusters: {clusters: [{name: a, weight: 1}], header_name: x}", "weighted_clusters.random_value_specifier: is not"),
        ("weighted_clusters: {clusters: [{weight: 1, cluster_header: x}]}", "weighted_clusters.clusters[0].cluster_header: is not"),
    ];
    let under = |(fields, expected): (&str, &str)| {
        let expected = format!("virtual_hosts[0].routes[0].route.{expected}");
        forward(fields, &expected)
    };
    refuses(ROUTES, decode::route_configuration, rows.map(under));
}

#[test]
fn retries_and_redirects_are_refused_with_their_path() {
    #[rustfmt::skip]
    let retries = [
        ("retry_on: '5xx,often'", "retry_on: \"often\" is not a retry condition; accepted: 5xx, gateway-error"),
        ("retriable_status_codes: [600]", "retriable_status_codes[0]: 600 is not accepted"),
        ("retry_options_predicates: [{}]", "retry_options_predicates: is not supported here"),
        ("rate_limited_retry_back_off: {}", "rate_limited_retry_back_off: is not supported here"),
        ("host_selection_retry_max_attempts: -1", "host_selection_retry_max_attempts: -1 is not accepted"),
        ("retry_back_off: {}", "retry_back_off.base_interval: is required"),
        ("retry_back_off: {base_interval: 2s, max_interval: 1s}", "retry_back_off.max_interval: 1s is below"),
        ("retry_host_predicate: [{name: x}]", "retry_host_predicate[0].typed_config: is required"),
        ("retry_host_predicate: [{name: x, typed_config: {'@type': type.googleapis.com/envoy.extensions.retry.host.omit_canary_hosts.v3.OmitCanaryHostsPredicate}}]", "retry_host_predicate[0].typed_config: \"x\" has the type"),
        ("retry_priority: {name: x, typed_config: {'@type': type.googleapis.com/envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig}}", "retry_priority.typed_config.update_frequency: 0 is not accepted"),
    ];
    #[rustfmt::skip]
    let redirects = [
        ("response_code: FOUND", "changes nothing, so a client"),
        ("port_redirect: 65536", "port_redirect: 65536 is not a port"),
        ("scheme_redirect: ftp", "scheme_redirect: \"ftp\" is not accepted; http and https are"),
        ("path_rewrite: x", "path_rewrite: is not supported here"),
        ("host_redirect: \"a\\0b\"", "host_redirect: \"a\\0b\" holds a control character"),
        ("regex_rewrite: {}", "regex_rewrite.pattern: is required"),
    ];
    let retries = retries.map(|(fields, expected)| {
        let expected = format!("virtual_hosts[0].routes[0].route.retry_policy.{expected}");
        forward(&format!("cluster: c, retry_policy: {{{fields}}}"), &expected)
    });
    refuses(ROUTES, decode::route_configuration, retries);
    let redirects = redirects.map(|(fields, expected)| {
        let glue = if expected.starts_with("changes") { ": " } else { "." };
        let expected = format!("virtual_hosts[0].routes[0].redirect{glue}{expected}");
        let fields = format!("match: {{prefix: /}}, redirect: {{{fields}}}");
        route(&fields, &expected)
    });
    refuses(ROUTES, decode::route_configuration, redirects);
}

#[test]
fn a_body_longer_than_the_table_allows_is_refused() {
    let body = "routes: [{match: {prefix: /}, direct_response: {status: 200, body: {inline_string: abc}}}]";
    let yaml = format!(
        "{{name: r, max_direct_response_body_size_bytes: 2, virtual_hosts: [{{name: v, domains: ['*'], {body}}}]}}"
    );
    let expected = "virtual_hosts[0].routes[0].direct_response.body: has 3 bytes; max_direct_response_body_size_bytes allows 2";
    refuses(ROUTES, decode::route_configuration, [row(yaml, expected)]);
}
