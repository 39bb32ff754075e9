use super::*;

fn refusal(text: &str) -> String {
    bootstrap_from_yaml(text).expect_err("the text is wrong").to_string()
}

#[test]
fn both_spellings_of_a_field_name_are_read() {
    let snake = bootstrap_from_yaml("static_resources: {clusters: [{name: a, connect_timeout: 0.25s}]}");
    let camel = bootstrap_from_yaml("staticResources: {clusters: [{name: a, connectTimeout: 0.25s}]}");
    assert_eq!(snake, camel);
    assert!(snake.is_ok(), "{snake:?}");
}

#[test]
fn an_unknown_field_is_refused_with_place_path_and_the_likely_name() {
    assert_eq!(
        refusal("node: {id: a}\nstatic_resources:\n  listeners:\n  - name: x\n    adress: 1\n"),
        "line 5, column 13: static_resources.listeners[0].adress: envoy.config.listener.v3.Listener has no such field; \
         accepted: address, name, access_log, freebind, metadata, stat_prefix, transparent, drain_type and 29 more"
    );
}
