//! Refusals of the HTTP connection manager, its filters and access logs.

use super::runner::{Row, refuses, row};
use crate::decode;

const LISTENER: &str = "envoy.config.listener.v3.Listener";

const ROUTER: &str = "{name: router, typed_config: {'@type': type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}";

/// A listener around a connection manager with exactly these fields, and the path in front of its fields.
fn bare(fields: &str, expected: &str) -> Row {
    let kind = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
    let address = "address: {socket_address: {address: 127.0.0.1, port_value: 0}}";
    let config = format!("{{'@type': type.googleapis.com/{kind}, {fields}}}");
    row(
        format!(
            "{{name: l, {address}, filter_chains: [{{filters: [{{name: hcm, typed_config: {config}}}]}}]}}"
        ),
        format!("filter_chains[0].filters[0].typed_config{expected}"),
    )
}

/// As [`bare`], with all that is required.
fn manager(fields: &str, expected: &str) -> Row {
    bare(
        &format!("stat_prefix: s, route_config: {{}}, http_filters: [{ROUTER}], {fields}"),
        &format!(".{expected}"),
    )
}

fn filters(filters: &str, expected: &str) -> Row {
    bare(
        &format!("stat_prefix: s, route_config: {{}}, http_filters: [{filters}]"),
        &format!(".http_filters{expected}"),
    )
}

fn log(fields: &str, expected: &str) -> Row {
    manager(&format!("access_log: [{{name: log, {fields}}}]"), &format!("access_log[0].{expected}"))
}

#[test]
fn the_connection_manager_is_refused_with_its_path() {
    #[rustfmt::skip]
    let rows = [
        bare("route_config: {}", ".stat_prefix: must not be empty"),
        bare("stat_prefix: s", ": has no routes; accepted: rds, route_config"),
        bare("stat_prefix: s, scoped_routes: {}", ".scoped_routes: is not supported here"),
        bare("stat_prefix: s, rds: {}", ".rds.config_source: is required"),
        bare("stat_prefix: s, rds: {config_source: {ads: {}}}", ".rds.route_config_name: must not be empty"),
        manager("tracing: {}", "tracing: is not supported here"),
        manager("add_user_agent: true", "add_user_agent: true is not supported here"),
        manager("local_reply_config: {mappers: [{}]}", "local_reply_config.mappers[0].filter: is required"),
        manager("local_reply_config: {mappers: [{filter: {not_health_check_filter: {}}, status_code: 199}]}", "local_reply_config.mappers[0].status_code: 199 is not"),
        manager("local_reply_config: {mappers: [{filter: {not_health_check_filter: {}}, body: {}}]}", "local_reply_config.mappers[0].body: is empty"),
        manager("local_reply_config: {mappers: [{filter: {not_health_check_filter: {}}, headers_to_add: [{header: {key: ':status', value: x}}]}]}", "local_reply_config.mappers[0].headers_to_add[0].header.key: \":status\" may not"),
        manager("local_reply_config: {mappers: [{filter: {not_health_check_filter: {}}, body_format_override: {}}]}", "local_reply_config.mappers[0].body_format_override: is empty"),
        manager("local_reply_config: {body_format: {text_format_source: {inline_string: '%NO%'}}}", "local_reply_config.body_format.text_format_source: at byte 0: %NO%"),
        manager("local_reply_config: {body_format: {text_format_source: {inline_string: x}, content_type: \"a\\nb\"}}", "local_reply_config.body_format.content_type: \"a\\nb\" holds a control character"),
        manager("internal_address_config: {cidr_ranges: [{address_prefix: a}]}", "internal_address_config.cidr_ranges[0].address_prefix: \"a\" is not an IP address"),
        manager("scheme_header_transformation: {scheme_to_overwrite: ftp}", "scheme_header_transformation.scheme_to_overwrite: \"ftp\" is not accepted"),
        manager("use_remote_address: true, original_ip_detection_extensions: [{name: x}]", "original_ip_detection_extensions: do not go with"),
        manager("original_ip_detection_extensions: [{name: x}]", "original_ip_detection_extensions[0].typed_config: is required"),
        manager("early_header_mutation_extensions: [{name: x}]", "early_header_mutation_extensions[0].typed_config: is required"),
        manager("set_current_client_cert_details: {issuer: true}", "set_current_client_cert_details.issuer: is not"),
        manager("stream_error_on_invalid_http_message: true", "stream_error_on_invalid_http_message: true is not"),
        manager("max_request_headers_kb: 0", "max_request_headers_kb: 0 is not accepted; 1 to 8192 are"),
        manager("server_name: \"a\\rb\"", "server_name: \"a\\rb\" holds a control character"),
        manager("strip_matching_host_port: true, strip_any_host_port: true", "strip_any_host_port: and strip_matching"),
        manager("upgrade_configs: [{}]", "upgrade_configs[0].upgrade_type: must not be empty"),
        manager("upgrade_configs: [{upgrade_type: x, filters: [{}]}]", "upgrade_configs[0].filters: is not"),
        manager("common_http_protocol_options: {max_connection_duration: 0s}", "common_http_protocol_options.max_connection_duration: 0 s is not accepted"),
        manager("common_http_protocol_options: {max_response_headers_kb: 9}", "common_http_protocol_options.max_response_headers_kb: is not"),
        manager("http_protocol_options: {allow_absolute_url: false}", "http_protocol_options.allow_absolute_url: false is not"),
        manager("http_protocol_options: {header_key_format: {}}", "http_protocol_options.header_key_format: is empty"),
        manager("http_protocol_options: {header_key_format: {stateful_formatter: {}}}", "http_protocol_options.header_key_format.stateful_formatter: is not"),
        manager("http2_protocol_options: {initial_stream_window_size: 65534}", "http2_protocol_options.initial_stream_window_size: 65534 is not accepted; 65535 to 2147483647 are"),
        manager("http2_protocol_options: {connection_keepalive: {timeout: 1s, connection_idle_interval: 1s}}", "http2_protocol_options.connection_keepalive.connection_idle_interval: is not"),
    ];
    refuses(LISTENER, decode::listener, rows);
}

#[test]
fn http_filters_are_refused_with_their_path() {
    let router = |fields: &str| ROUTER.replace("Router}", &format!("Router, {fields}}}"));
    let cors = "typed_config: {'@type': type.googleapis.com/envoy.extensions.filters.http.cors.v3.Cors}";
    let unknown = "typed_config: {'@type': type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm}";
    #[rustfmt::skip]
    let rows = [
        filters("", ": has no router; envoy.filters.http.router must be the last filter"),
        filters(&format!("{ROUTER}, {ROUTER}"), "[0]: \"router\" is the router, which must be the last filter"),
        filters(&ROUTER.replace("{name: router,", "{name: router, disabled: true,"), "[0].disabled: the router cannot"),
        filters("{name: x}", "[0].typed_config: is required for \"x\""),
        filters("{name: x, config_discovery: {}}", "[0].config_discovery: is not supported here"),
        filters(&format!("{{name: x, {unknown}}}, {ROUTER}"), "[0].typed_config: \"x\" has the type \"type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm\", which is not supported; accepted: Router, Cors"),
        filters(&format!("{{name: router, {cors}}}, {ROUTER}"), "[1]: the filter name \"router\" is used twice"),
        filters(&router("start_child_span: true"), "[0].typed_config.start_child_span: is not supported here"),
        filters(&router("dynamic_stats: false"), "[0].typed_config.dynamic_stats: false is not supported here"),
        filters(&router("strict_check_headers: [x-a]"), "[0].typed_config.strict_check_headers[0]: \"x-a\" cannot"),
    ];
    refuses(LISTENER, decode::listener, rows);
}

#[test]
fn access_logs_are_refused_with_their_path() {
    let file = |fields: &str| {
        format!(
            "typed_config: {{'@type': type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog, {fields}}}"
        )
    };
    let filter = |filter: &str| format!("{}, filter: {{{filter}}}", file("path: x"));
    #[rustfmt::skip]
    let rows = [
        log("filter: {not_health_check_filter: {}}", "typed_config: is required"),
        log("typed_config: {'@type': type.googleapis.com/envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig}", "typed_config: \"log\" has the type"),
        log(&file("format: x"), "typed_config.path: must not be empty"),
        log(&file("path: x, format: '%REQ(%'"), "typed_config.format: at byte 0: %REQ( has no closing parenthesis"),
        log(&file("path: x, log_format: {}"), "typed_config.log_format: is empty; accepted: text_format_source"),
        log(&file("path: x, log_format: {text_format: x, content_type: z}"), "typed_config.log_format.content_type: is not"),
        log(&file("path: x, log_format: {text_format_source: {filename: z}}"), "typed_config.log_format.text_format_source: must be inline_string"),
        log(&file("path: x, log_format: {json_format: {a: {b: ['%NO%']}}}"), "typed_config.log_format.json_format[\"a\"][\"b\"][0]: at byte 0: %NO% is not"),
        log(&filter(""), "filter.filter_specifier: is required"),
        log(&filter("status_code_filter: {}"), "filter.status_code_filter.comparison: is required"),
        log(&filter("status_code_filter: {comparison: {op: EQ}}"), "filter.status_code_filter.comparison.value: is required"),
        log(&filter("and_filter: {filters: [{not_health_check_filter: {}}]}"), "filter.and_filter.filters: has 1 filters"),
        log(&filter("or_filter: {filters: [{not_health_check_filter: {}}, {traceable_filter: {}}]}"), "filter.or_filter.filters[1].traceable_filter: is not"),
        log(&filter("header_filter: {}"), "filter.header_filter.header: is required"),
        log(&filter("response_flag_filter: {flags: [XX]}"), "filter.response_flag_filter.flags[0]: \"XX\" is not a response flag"),
        log(&filter("runtime_filter: {runtime_key: k, percent_sampled: {numerator: 101}}"), "filter.runtime_filter.percent_sampled.numerator: 101 is not"),
        log(&filter("runtime_filter: {}"), "filter.runtime_filter.runtime_key: must not be empty"),
        log(&filter("status_code_filter: {comparison: {value: {default_value: 1}}}"), "filter.status_code_filter.comparison.value.runtime_key: must not be empty"),
        log(&filter("extension_filter: {name: cel}"), "filter.extension_filter: \"cel\" has no type URL"),
    ];
    refuses(LISTENER, decode::listener, rows);
}

#[test]
fn each_filters_settings_are_refused_with_their_path() {
    let of = |name: &str, kind: &str, fields: &str| {
        let kind = format!("type.googleapis.com/envoy.extensions.filters.http.{kind}");
        format!("{{name: {name}, typed_config: {{'@type': {kind}, {fields}}}}}, {ROUTER}")
    };
    let fault = |fields: &str, expected: &str| {
        filters(&of("f", "fault.v3.HTTPFault", fields), &format!("[0].typed_config.{expected}"))
    };
    let buffer = |fields: &str, expected: &str| {
        filters(&of("b", "buffer.v3.Buffer", fields), &format!("[0].typed_config.{expected}"))
    };
    let limit = |fields: &str, expected: &str| {
        filters(
            &of("l", "local_ratelimit.v3.LocalRateLimit", fields),
            &format!("[0].typed_config.{expected}"),
        )
    };
    let compress = |fields: &str, expected: &str| {
        filters(&of("c", "compressor.v3.Compressor", fields), &format!("[0].typed_config.{expected}"))
    };
    let brotli = |fields: &str| {
        let kind = "type.googleapis.com/envoy.extensions.compression.brotli.compressor.v3.Brotli";
        format!("compressor_library: {{name: b, typed_config: {{'@type': {kind}, {fields}}}}}")
    };
    let mutate = |fields: &str, expected: &str| {
        let fields = format!("mutations: {{{fields}}}");
        let expected = format!("[0].typed_config.mutations.{expected}");
        filters(&of("m", "header_mutation.v3.HeaderMutation", &fields), &expected)
    };
    #[rustfmt::skip]
    let rows = [
        filters(&of("c", "csrf.v3.CsrfPolicy", ""), "[0].typed_config.filter_enabled: is required"),
        filters(&of("c", "csrf.v3.CsrfPolicy", "filter_enabled: {default_value: {numerator: 101}}"), "[0].typed_config.filter_enabled.default_value.numerator: 101 is not accepted"),
        buffer("", "max_request_bytes: is required"),
        buffer("max_request_bytes: 0", "max_request_bytes: 0 is not accepted"),
        fault("delay: {}", "delay: is empty; accepted: fixed_delay, header_delay"),
        fault("delay: {fixed_delay: 0s}", "delay.fixed_delay: 0 s is not accepted"),
        fault("abort: {}", "abort: is empty; accepted: http_status"),
        fault("abort: {http_status: 199}", "abort.http_status: 199 is not accepted; 200 to 599 are"),
        fault("response_rate_limit: {fixed_limit: {}}", "response_rate_limit.fixed_limit.limit_kbps: 0 is not accepted"),
        fault("response_rate_limit: {}", "response_rate_limit: is empty"),
        fault("abort_percent_runtime: x", "abort_percent_runtime: is not supported here"),
        fault("headers: [{name: ':no'}]", "headers[0].name: \":no\" is not a pseudo-header"),
        compress("", "compressor_library: is required"),
        compress("compressor_library: {name: x}", "compressor_library.typed_config: is required"),
        compress("compressor_library: {name: x, typed_config: {'@type': type.googleapis.com/envoy.type.v3.Percent}}", "compressor_library.typed_config: \"x\" has the type"),
        compress(&brotli("quality: 12"), "compressor_library.typed_config.quality: 12 is not accepted; 0 to 11 are"),
        compress(&brotli("window_bits: 9"), "compressor_library.typed_config.window_bits: 9 is not accepted"),
        compress(&format!("{}, response_direction_config: {{status_header_enabled: true}}", brotli("")), "response_direction_config.status_header_enabled: is not"),
        compress(&format!("{}, response_direction_config: {{uncompressible_response_codes: [99]}}", brotli("")), "response_direction_config.uncompressible_response_codes[0]: 99 is not"),
        limit("", "stat_prefix: must not be empty"),
        limit("stat_prefix: s, token_bucket: {}", "token_bucket.fill_interval: is required"),
        limit("stat_prefix: s, token_bucket: {fill_interval: 0.049s}", "token_bucket.fill_interval: 49ms is not accepted; 50 ms or more is"),
        limit("stat_prefix: s, token_bucket: {fill_interval: 1s}", "token_bucket.max_tokens: 0 is not accepted"),
        limit("stat_prefix: s, stage: 11", "stage: 11 is not accepted"),
        limit("stat_prefix: s, descriptors: [{}]", "descriptors[0].entries: must not be empty"),
        limit("stat_prefix: s, descriptors: [{entries: [{key: a}]}]", "descriptors[0].entries[0].value: must not be empty"),
        limit("stat_prefix: s, local_rate_limit_per_downstream_connection: true", "local_rate_limit_per_downstream_connection: is not"),
        mutate("request_mutations: [{}]", "request_mutations[0]: is empty; accepted: remove, append, remove_on_match"),
        mutate("request_mutations: [{remove: ':path'}]", "request_mutations[0].remove: \":path\" may not be"),
        mutate("response_mutations: [{append: {header: {key: a, value: '%NO%'}}}]", "response_mutations[0].append.header.value: at byte 0"),
        mutate("response_mutations: [{remove_on_match: {}}]", "response_mutations[0].remove_on_match.key_matcher: is required"),
        mutate("query_parameter_mutations: [{}]", "query_parameter_mutations[0].remove: must not be empty"),
        mutate("query_parameter_mutations: [{append: {}}]", "query_parameter_mutations[0].append: needs one of"),
        mutate("query_parameter_mutations: [{append: {record: {key: a, value: 3}}}]", "query_parameter_mutations[0].append.record.value: must be a text"),
    ];
    refuses(LISTENER, decode::listener, rows);
}

#[test]
fn sessions_are_refused_with_their_path() {
    let session = |fields: &str, expected: &str| {
        let kind = "type.googleapis.com/envoy.extensions.filters.http.stateful_session.v3.StatefulSession";
        let filter = format!("{{name: f, typed_config: {{'@type': {kind}, {fields}}}}}, {ROUTER}");
        filters(&filter, &format!("[0].typed_config.{expected}"))
    };
    let state = |kind: &str, fields: &str, expected: &str| {
        let kind = format!("type.googleapis.com/envoy.extensions.http.stateful_session.{kind}");
        let fields = format!("session_state: {{name: s, typed_config: {{'@type': {kind}, {fields}}}}}");
        session(&fields, &format!("session_state.typed_config{expected}"))
    };
    let rows = [
        session("stat_prefix: s", "stat_prefix: is not supported here"),
        session(
            "status_on_strict_destination_not_found: 404",
            "status_on_strict_destination_not_found: 404 is not",
        ),
        session("session_state: {name: s}", "session_state.typed_config: is required"),
        state("cookie.v3.CookieBasedSessionState", "", ".cookie: is required"),
        state("cookie.v3.CookieBasedSessionState", "cookie: {}", ".cookie.name: must not be empty"),
        state("cookie.v3.CookieBasedSessionState", "cookie: {name: a, ttl: -1s}", ".cookie.ttl: -1 s"),
        state("header.v3.HeaderBasedSessionState", "name: 'a b'", ".name: \"a b\" is not a header name"),
        state("envelope.v3.EnvelopeSessionState", "", ": \"s\" has the type"),
    ];
    refuses(LISTENER, decode::listener, rows);
}

#[test]
fn filters_that_note_something_are_refused_with_their_path() {
    let of = |kind: &str, fields: &str, expected: &str| {
        let kind = format!("type.googleapis.com/envoy.extensions.filters.http.{kind}.v3.Config");
        let filter = format!("{{name: f, typed_config: {{'@type': {kind}, {fields}}}}}, {ROUTER}");
        filters(&filter, &format!("[0].typed_config.{expected}"))
    };
    let rule = |fields: &str, expected: &str| {
        of(
            "header_to_metadata",
            &format!("request_rules: [{{{fields}}}]"),
            &format!("request_rules[0]{expected}"),
        )
    };
    let object = |fields: &str, expected: &str| {
        let fields = format!("on_request_headers: [{{{fields}}}]");
        of("set_filter_state", &fields, &format!("on_request_headers[0].{expected}"))
    };
    #[rustfmt::skip]
    let rows = [
        of("set_metadata", "metadata_namespace: ns", "value: is required beside metadata_namespace"),
        of("set_metadata", "value: {a: 1}", "metadata_namespace: must not be empty"),
        of("set_metadata", "metadata: [{metadata_namespace: ns}]", "metadata[0]: is empty; accepted: value, typed_value"),
        of("set_metadata", "metadata: [{value: {a: 1}}]", "metadata[0].metadata_namespace: must not be empty"),
        rule("", ".header: must not be empty"),
        rule("header: a", ": needs on_header_present or on_header_missing"),
        rule("header: a, cookie: b", ": has both header and cookie"),
        rule("cookie: b, remove: true, on_header_present: {key: k}", ".remove: a cookie cannot be removed"),
        rule("header: ':path', remove: true, on_header_present: {key: k}", ".remove: \":path\" cannot be removed"),
        rule("header: a, on_header_present: {}", ".on_header_present.key: must not be empty"),
        rule("header: a, on_header_missing: {key: k}", ".on_header_missing.value: must not be empty"),
        rule("header: a, on_header_missing: {key: k, value: v, regex_value_rewrite: {}}", ".on_header_missing.regex_value_rewrite: is not"),
        rule("header: a, on_header_present: {key: k, value: v, regex_value_rewrite: {}}", ".on_header_present: has both value and"),
        of("header_to_metadata", "response_rules: [{header: ':path', on_header_present: {key: k}}]", "response_rules[0].header: \":path\" is not a header name"),
        of("set_filter_state", "clear_route_cache: true", "clear_route_cache: is not supported here"),
        object("", "object_key: is required"),
        object("object_key: a", "object_key: \"a\" is no supported factory; accepted: envoy.string"),
        object("object_key: a, factory_key: envoy.network.application_protocols", "factory_key: \"envoy.network.application_protocols\" is no"),
        object("object_key: envoy.string", "format_string: is required"),
        object("object_key: envoy.string, format_string: {text_format: '%NO%'}", "format_string.text_format: at byte 0"),
    ];
    refuses(LISTENER, decode::listener, rows);
}

#[test]
fn a_rate_limit_filter_is_refused_with_its_path() {
    let row = |fields: &str, expected: &str| {
        let kind = "type.googleapis.com/envoy.extensions.filters.http.ratelimit.v3.RateLimit";
        let text = format!("{{name: l, typed_config: {{'@type': {kind}, {fields}}}}}, {ROUTER}");
        filters(&text, &format!("[0].typed_config.{expected}"))
    };
    let asks = |service: &str, expected: &str| {
        let fields = format!("domain: d, rate_limit_service: {{grpc_service: {service}}}");
        row(&fields, &format!("rate_limit_service.grpc_service{expected}"))
    };
    let service = "rate_limit_service: {grpc_service: {envoy_grpc: {cluster_name: c}}}";
    let with = |fields: &str, expected: &str| row(&format!("domain: d, {service}, {fields}"), expected);
    #[rustfmt::skip]
    let rows = [
        row("domain: d", "rate_limit_service: is required"),
        row(service, "domain: must not be empty"),
        row("domain: d, rate_limit_service: {}", "rate_limit_service.grpc_service: is required"),
        row("domain: d, rate_limit_service: {transport_api_version: V2}", "rate_limit_service.transport_api_version: V2 is not supported"),
        asks("{}", ": has no target; accepted: envoy_grpc"),
        asks("{google_grpc: {target_uri: x, stat_prefix: p}}", ".google_grpc: is not supported here; use envoy_grpc"),
        asks("{envoy_grpc: {}}", ".envoy_grpc.cluster_name: must not be empty"),
        asks("{envoy_grpc: {cluster_name: c}, timeout: 0s}", ".timeout: 0 s is not accepted"),
        asks("{envoy_grpc: {cluster_name: c}, retry_policy: {}}", ".retry_policy: is not supported here"),
        with("stage: 11", "stage: 11 is not accepted"),
        with("request_type: some", "request_type: \"some\" is not accepted; internal, external and both are"),
        with("stat_prefix: s", "stat_prefix: is not supported here"),
        with("rate_limits: [{}]", "rate_limits[0].actions: must not be empty"),
        with("response_headers_to_add: [{}]", "response_headers_to_add[0].header: is required"),
    ];
    refuses(LISTENER, decode::listener, rows);
}

#[test]
fn a_processor_is_refused_with_its_path() {
    let kind = "type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExternalProcessor";
    let row = |fields: &str, expected: &str| {
        let text = format!("{{name: p, typed_config: {{'@type': {kind}, {fields}}}}}, {ROUTER}");
        filters(&text, &format!("[0].typed_config.{expected}"))
    };
    let with = |fields: &str, expected: &str| {
        row(&format!("grpc_service: {{envoy_grpc: {{cluster_name: c}}}}, {fields}"), expected)
    };
    let mode = |mode: &str, expected: &str| {
        with(&format!("processing_mode: {{{mode}}}"), &format!("processing_mode.{expected}"))
    };
    #[rustfmt::skip]
    let rows = [
        row("failure_mode_allow: true", "grpc_service: is required"),
        row("http_service: {}", "http_service: is not supported here"),
        with("filter_metadata: {a: 1}", "filter_metadata: is not supported here"),
        with("send_body_without_waiting_for_header_response: true", "send_body_without_waiting_for_header_response: is not"),
        mode("request_body_mode: FULL_DUPLEX_STREAMED", "request_body_mode: FULL_DUPLEX_STREAMED is not supported here"),
        mode("response_body_mode: GRPC", "response_body_mode: GRPC is not supported here"),
        with("allowed_override_modes: [{}, {request_body_mode: GRPC}]", "allowed_override_modes[1].request_body_mode: GRPC"),
        with("request_attributes: [request.path, request.time]", "request_attributes[1]: \"request.time\" is not supported here; accepted: request.path"),
        with("message_timeout: 3601s", "message_timeout: 3601s is too long; 0 s to 3600s"),
        with("max_message_timeout: 3601s", "max_message_timeout: 3601s is too long"),
        with("mutation_rules: {allow_expression: {regex: '('}}", "mutation_rules.allow_expression.regex: \"(\" is not a regular"),
        with("forward_rules: {allowed_headers: {patterns: [{}]}}", "forward_rules.allowed_headers.patterns[0]: is empty"),
        with("metadata_options: {forwarding_namespaces: {typed: [a]}}", "metadata_options.forwarding_namespaces.typed: is not"),
        with("metadata_options: {cluster_metadata_forwarding_namespaces: {}}", "metadata_options.cluster_metadata_forwarding_namespaces: is not"),
        with("disable_clear_route_cache: true, route_cache_action: CLEAR", "route_cache_action: and disable_clear_route_cache are both set"),
    ];
    refuses(LISTENER, decode::listener, rows);
}
