mod refusals;
mod roundtrip;

use envoy_types::pb::envoy::config::bootstrap::v3::Bootstrap;
use envoy_types::pb::envoy::config::cluster::v3::Cluster;
use envoy_types::pb::envoy::config::core::v3::HealthStatus;
use envoy_types::pb::envoy::config::endpoint::v3::ClusterLoadAssignment;
use envoy_types::pb::google::protobuf::{Any, Duration};
use prost::Message as _;

use super::*;

const SAMPLES: [(&str, &str); 5] = [
    ("front-proxy.yaml", include_str!("../../tests-data/front-proxy.yaml")),
    ("ads.json", include_str!("../../tests-data/ads.json")),
    ("upstreams.yaml", include_str!("../../tests-data/upstreams.yaml")),
    ("tcp.yaml", include_str!("../../tests-data/tcp.yaml")),
    ("extensions.yaml", include_str!("../../tests-data/extensions.yaml")),
];
const RESOURCES: &str = include_str!("../../tests-data/resources.yaml");
const BOOTSTRAP: &str = "envoy.config.bootstrap.v3.Bootstrap";
const CLUSTER: &str = "envoy.config.cluster.v3.Cluster";

fn sample(name: &str) -> Bootstrap {
    let (_, text) = SAMPLES.iter().find(|(sample, _)| *sample == name).unwrap();
    bootstrap_from_yaml(text).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn cluster(text: &str) -> Result<Cluster, FileError> {
    message_from_yaml(CLUSTER, text)
}

#[test]
fn every_sample_is_read_and_reads_the_same_once_shown() {
    let schema = Schema::load();
    for (name, text) in SAMPLES {
        let bootstrap: Bootstrap =
            schema.read(BOOTSTRAP, text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let shown = schema.to_json(BOOTSTRAP, &bootstrap).unwrap();
        let again: Bootstrap = schema.read(BOOTSTRAP, &shown.to_string()).unwrap();
        // Compared as shown: maps inside an Any have no order on the wire.
        assert_eq!(schema.to_json(BOOTSTRAP, &again).unwrap(), shown, "{name}");
    }
}

#[test]
fn both_spellings_of_a_field_name_are_read() {
    let snake = bootstrap_from_yaml("static_resources: {clusters: [{name: a, connect_timeout: 0.25s}]}");
    let camel = bootstrap_from_yaml("staticResources: {clusters: [{name: a, connectTimeout: 0.25s}]}");
    assert!(snake.is_ok(), "{snake:?}");
    assert_eq!(snake, camel);
}

#[test]
fn anchors_and_merge_keys_copy_what_the_mapping_does_not_say_itself() {
    let clusters = sample("front-proxy.yaml").static_resources.unwrap().clusters;
    let mut expected = clusters[0].clone();
    expected.name = "api-v2".to_owned();
    assert_eq!(clusters[1], expected);
}

#[test]
fn durations_wrappers_enums_and_numbers_keep_their_meaning() {
    let orders = sample("upstreams.yaml").static_resources.unwrap().clusters.remove(0);
    assert_eq!(orders.connect_timeout, Some(Duration { seconds: 2, nanos: 500_000_000 }));
    assert_eq!(orders.health_checks[0].healthy_threshold.unwrap().value, 1, "1e0 is a whole number");
    let breaker = &orders.circuit_breakers.unwrap().thresholds[0];
    assert_eq!(breaker.retry_budget.unwrap().min_retry_concurrency.unwrap().value, 3, "0x3 is hexadecimal");
    assert_eq!(breaker.retry_budget.unwrap().budget_percent.unwrap().value, 12.5);
    assert_eq!(breaker.priority, 1, "HIGH by its name");
    let endpoint = &orders.load_assignment.unwrap().endpoints[0].lb_endpoints[0];
    assert_eq!(endpoint.health_status(), HealthStatus::Draining);
    let shown = to_json("envoy.config.endpoint.v3.LbEndpoint", endpoint).unwrap();
    assert_eq!(
        shown["endpoint"]["address"]["pipe"]["mode"], 0o660,
        "a leading zero is octal, as in yaml-cpp"
    );
    assert_eq!(
        shown["metadata"]["filter_metadata"]["envoy.lb"]["version"], "1.0",
        "quoted numbers stay texts"
    );
}

#[test]
fn an_any_holds_the_bytes_of_its_type() {
    use envoy_types::pb::envoy::extensions::filters::network::tcp_proxy::v3::TcpProxy;
    let listener = sample("tcp.yaml").static_resources.unwrap().listeners.remove(0);
    let shown = to_json("envoy.config.listener.v3.Listener", &listener).unwrap();
    assert_eq!(shown["filter_chains"][0]["filters"][0]["typed_config"]["idle_timeout"], "3600s");
    let filter = &listener.filter_chains[0].filters[0];
    let Some(envoy_types::pb::envoy::config::listener::v3::filter::ConfigType::TypedConfig(any)) =
        &filter.config_type
    else {
        panic!("{filter:?}")
    };
    let proxy = TcpProxy::decode(any.value.as_slice()).unwrap();
    assert_eq!(proxy.stat_prefix, "postgres");
    assert_eq!(any.type_url, "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy");
}

#[test]
fn null_is_the_absence_of_a_field_but_a_value_inside_free_form() {
    let read =
        cluster("{name: a, connect_timeout: null, metadata: {filter_metadata: {x: {y: null}}}}").unwrap();
    assert_eq!(read.connect_timeout, None);
    assert!(read.metadata.unwrap().filter_metadata["x"].fields.contains_key("y"));
}

#[test]
fn a_discovery_response_gives_its_version_and_packed_resources() {
    let read = resources_from_yaml(RESOURCES).unwrap();
    assert_eq!(read.version, "7");
    let types: Vec<_> = read.resources.iter().map(|any| any.type_url.rsplit_once('.').unwrap().1).collect();
    assert_eq!(types, ["Cluster", "ClusterLoadAssignment", "Secret"]);
    let endpoints = ClusterLoadAssignment::decode(read.resources[1].value.as_slice()).unwrap();
    assert_eq!(endpoints.cluster_name, "one");
}

#[test]
fn resources_also_come_one_by_one_as_a_list_or_as_several_documents() {
    let one = format!("{{'@type': type.googleapis.com/{CLUSTER}, name: a}}");
    let single = resources_from_yaml(&one).unwrap().resources;
    assert_eq!(single.len(), 1);
    let list = resources_from_yaml(&format!("[{one}, {one}]")).unwrap().resources;
    let documents = resources_from_yaml(&format!("--- {one}\n---\n---\n{one}\n")).unwrap().resources;
    assert_eq!(list, [single[0].clone(), single[0].clone()]);
    assert_eq!(documents, list);
    assert_eq!(resources_from_yaml("").unwrap(), FileResources::default());
}

#[test]
fn an_any_that_cannot_be_opened_is_shown_closed() {
    let strange = Any { type_url: "type.googleapis.com/istio.Strange".to_owned(), value: b"hello".to_vec() };
    let shown = any_to_json(&strange).unwrap();
    assert_eq!(shown, serde_json::json!({"@type": "type.googleapis.com/istio.Strange", "value": "aGVsbG8="}));
    let damaged = Any { type_url: format!("type.googleapis.com/{CLUSTER}"), value: b"\xff\xff".to_vec() };
    assert_eq!(any_to_json(&damaged).unwrap()["value"], "//8=");
}

#[test]
fn an_any_that_nests_without_end_is_not_shown() {
    let mut any = Any { type_url: format!("type.googleapis.com/{CLUSTER}"), value: Vec::new() };
    for _ in 0..500 {
        any = Any {
            type_url: "type.googleapis.com/google.protobuf.Any".to_owned(),
            value: any.encode_to_vec(),
        };
    }
    let error = any_to_json(&any).unwrap_err();
    assert_eq!(error.reason(), "the message nests deeper than 128 levels and is not shown");
}
