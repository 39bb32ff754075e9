use super::*;

fn refusal(text: &str) -> String {
    cluster(text).expect_err("the text is wrong").to_string()
}

#[track_caller]
fn refused(text: &str, expected: &str) {
    assert_eq!(refusal(text), expected, "for {text:?}");
}

#[test]
fn an_unknown_field_is_refused_with_place_path_and_the_likely_names() {
    let text = "node: {id: a}\nstatic_resources:\n  listeners:\n  - name: x\n    adress: 1\n";
    assert_eq!(
        bootstrap_from_yaml(text).unwrap_err().to_string(),
        "line 5, column 13: static_resources.listeners[0].adress: envoy.config.listener.v3.Listener has no such field; \
         accepted: address, name, access_log, freebind, metadata, stat_prefix, transparent, drain_type and 29 more"
    );
}

#[test]
fn the_path_goes_through_an_any_and_through_map_keys() {
    let path = |text: &str| bootstrap_from_yaml(text).unwrap_err().path().to_owned();
    let text = SAMPLES[0].1.replace("domains: [\"shop.example\"]", "domains: 7");
    assert_eq!(
        path(&text),
        "static_resources.listeners[0].filter_chains[0].filters[0].typed_config.route_config.virtual_hosts[0].domains"
    );
    let text = SAMPLES[4].1.replace("allow_methods: \"GET, PUT\"", "allow_methods: 5");
    assert_eq!(
        path(&text),
        "static_resources.listeners[1].filter_chains[0].filters[0].typed_config.route_config.virtual_hosts[0]\
         .typed_per_filter_config[\"envoy.filters.http.cors\"].allow_methods"
    );
}

#[test]
fn a_wrong_type_says_what_was_found_and_what_is_accepted() {
    refused("name: 5", "line 1, column 7: name: expected a string (put it in quotes), found the number 5");
    refused(
        "name: yes",
        "line 1, column 7: name: expected a string (put it in quotes), found the truth value true",
    );
    refused("name: [a]", "line 1, column 7: name: expected a string, found a list");
    refused(
        "connect_timeout: 5",
        "line 1, column 18: connect_timeout: expected a duration such as \"1.5s\" (with the unit s), found the number 5",
    );
    refused(
        "connect_timeout: 5m",
        "line 1, column 18: connect_timeout: expected a duration such as \"1.5s\" (with the unit s), \
         found the string \"5m\"",
    );
    refused(
        "type: MAGIC",
        "line 1, column 7: type: expected one of STATIC, STRICT_DNS, LOGICAL_DNS, EDS, ORIGINAL_DST, \
         found the string \"MAGIC\"",
    );
    refused(
        "per_connection_buffer_limit_bytes: 4294967296",
        "line 1, column 36: per_connection_buffer_limit_bytes: expected a whole number from 0 to 4294967295, \
         found the number 4294967296",
    );
    refused(
        "per_connection_buffer_limit_bytes: 1.5",
        "line 1, column 36: per_connection_buffer_limit_bytes: expected a whole number from 0 to 4294967295, \
         found the number 1.5",
    );
    refused("health_checks: {}", "line 1, column 16: health_checks: expected a list, found a mapping");
    refused(
        "health_checks: [null]",
        "line 1, column 17: health_checks[0]: expected a mapping (envoy.config.core.v3.HealthCheck), found nothing (null)",
    );
    refused("- a", "line 1, column 1: expected a mapping (envoy.config.cluster.v3.Cluster), found a list");
}

#[test]
fn an_enum_number_that_no_name_has_is_refused() {
    assert_eq!(cluster("type: 3").unwrap(), cluster("type: EDS").unwrap());
    assert!(refusal("type: 77").contains("found the number 77"), "{}", refusal("type: 77"));
}

#[test]
fn two_members_of_one_choice_are_refused() {
    refused(
        "{type: EDS, cluster_type: {name: x}}",
        "line 1, column 27: cluster_type: cannot be set together with type: only one of them is accepted",
    );
}

#[test]
fn one_field_in_both_spellings_is_refused() {
    refused(
        "{alt_stat_name: a, altStatName: b}",
        "line 1, column 33: alt_stat_name: this field is given twice, once in each spelling of its name",
    );
}

#[test]
fn an_any_must_say_a_type_that_is_known() {
    let socket = |config: &str| format!("transport_socket: {{name: x, typed_config: {config}}}");
    assert!(cluster(&socket("{}")).is_ok(), "an empty Any is legal protobuf");
    refused(
        &socket("{sni: a}"),
        "line 1, column 43: transport_socket.typed_config: \"@type\" is missing: it says of which message the other \
         keys are fields",
    );
    refused(
        &socket("{'@type': type.googleapis.com/istio.Foo}"),
        "line 1, column 53: transport_socket.typed_config: the @type \"type.googleapis.com/istio.Foo\" is not known here",
    );
    refused(
        &socket("{'@type': type.googleapis.com/google.protobuf.Duration, seconds: 1}"),
        "line 1, column 43: transport_socket.typed_config: expected the keys \"@type\" and \"value\" for a \
         google.protobuf.Duration",
    );
}

#[test]
fn broken_yaml_names_line_and_column() {
    refused("name: 'a", "line 1, column 7: unclosed quote");
    refused("name: 'a'\n\tb: c", "line 2, column 2: tabs disallowed within this context (block indentation)");
    refused("name: a\ntype: EDS\nname: b", "line 3, column 1: the key \"name\" is given twice");
    refused("name: *a", "line 1, column 7: alias references unknown anchor");
    refused("", "the text holds no document");
    refused("name: a\n---\nname: b", "the text holds 2 documents, one is accepted here");
}

#[test]
fn an_alias_bomb_is_refused() {
    let mut text = String::from("metadata:\n  filter_metadata:\n    a0: &a0 {x: y}\n");
    for level in 1..20 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        text += &format!("    a{level}: &a{level} {{l: [{aliases}]}}\n");
    }
    let error = refusal(&text);
    assert!(error.contains("alias replay limit exceeded"), "{error}");
}

#[test]
fn a_text_that_nests_too_deep_is_refused_and_one_at_the_bound_does_not_crash() {
    let nested = |levels: usize| {
        format!("metadata: {{filter_metadata: {{a: {{l: {}{}}}}}}}", "[".repeat(levels), "]".repeat(levels))
    };
    assert!(refusal(&nested(5000)).contains("too deep"), "{}", refusal(&nested(5000)));
    assert!(refusal(&nested(90)).contains("recursion limit"), "{}", refusal(&nested(90)));
    assert!(cluster(&nested(20)).is_ok());
}

#[test]
fn errors_repeat_only_the_beginning_of_a_long_value() {
    let error = refusal(&format!("type: {}", "é".repeat(10_000)));
    assert!(error.len() < 400, "{} bytes", error.len());
}
