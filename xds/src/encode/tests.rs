//! What is encoded decodes to the same again, for models of every shape.

mod choices;

mod cluster;

mod common;

mod filter;

mod manager;

mod match_tree;

mod metadata;

mod rate_limit;

mod ext_proc;

mod listener;

mod route;

mod runtime;

mod tls;

use proptest::collection::vec;
use proptest::prelude::*;

use choices::Choices;

use crate::decode::{self, Resource};
use crate::encode;
use crate::model::{Admin, Bootstrap, DynamicResources, Node, Secret, SecretKind, SecretName};

/// Enough choices for a listener with several chains; what is missing counts as zero.
const CHOICES_MAX: usize = 6000;

fn bootstrap(from: &mut Choices<'_>) -> Bootstrap {
    let mut clusters = from.list(3, cluster::cluster);
    clusters.dedup_by(|a, b| a.name == b.name);
    clusters.truncate(1);
    let local_cluster = clusters.first().map(|cluster| cluster.name.clone()).filter(|_| from.flag());
    // Static resources may fetch over the stream, so there is one.
    let ads = Some(common::ads(from));
    let fetched = |from: &mut Choices<'_>| from.maybe(common::config_source);
    let dynamic = DynamicResources { listeners: fetched(from), clusters: fetched(from), ads: ads.clone() };
    Bootstrap {
        node: Node {
            id: from.text(),
            cluster: from.text(),
            locality: common::locality(from),
            metadata: common::object(from, 2),
        },
        listeners: from.maybe(listener::listener).into_iter().collect(),
        api_listener: from.maybe(listener::api_listener),
        clusters,
        secrets: from.maybe(secret).into_iter().collect(),
        dynamic,
        admin: from.maybe(|from| Admin {
            address: from.maybe(common::listen_address),
            access_log: from.list(2, common::access_log),
        }),
        local_cluster,
        load_stats: from.maybe(common::ads),
        runtime: runtime::layers(from),
        stats_flush_interval: from.positive(),
    }
}

fn secret(from: &mut Choices<'_>) -> Secret {
    let name = SecretName::new(from.name());
    let kind = if from.flag() {
        let (chain, key) = tls::certificate(from);
        SecretKind::TlsCertificate { chain, key }
    } else {
        SecretKind::ValidationContext(Box::new(tls::validation(from)))
    };
    Secret { name, kind }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_listener_survives_the_round_trip(bytes in vec(any::<u8>(), 0..CHOICES_MAX)) {
        let model = listener::listener(&mut Choices::new(&bytes));
        prop_assert_eq!(decode::listener(&encode::listener(&model)), Ok(model));
    }

    #[test]
    fn a_listener_without_sockets_survives_the_round_trip(bytes in vec(any::<u8>(), 0..CHOICES_MAX)) {
        let model = listener::api_listener(&mut Choices::new(&bytes));
        let any = encode::any(&encode::api_listener(&model));
        prop_assert_eq!(decode::resource(&any.type_url, &any), Ok(Resource::ApiListener(model)));
    }

    #[test]
    fn a_route_table_survives_the_round_trip(bytes in vec(any::<u8>(), 0..CHOICES_MAX)) {
        let model = route::route_configuration(&mut Choices::new(&bytes));
        prop_assert_eq!(decode::route_configuration(&encode::route_configuration(&model)), Ok(model));
    }

    #[test]
    fn a_cluster_survives_the_round_trip(bytes in vec(any::<u8>(), 0..CHOICES_MAX)) {
        let model = cluster::cluster(&mut Choices::new(&bytes));
        prop_assert_eq!(decode::cluster(&encode::cluster(&model)), Ok(model));
    }

    #[test]
    fn endpoints_survive_the_round_trip(bytes in vec(any::<u8>(), 0..CHOICES_MAX)) {
        let model = cluster::load_assignment(&mut Choices::new(&bytes), common::connect_address);
        prop_assert_eq!(decode::load_assignment(&encode::load_assignment(&model)), Ok(model));
    }

    #[test]
    fn a_secret_survives_the_round_trip(bytes in vec(any::<u8>(), 0..CHOICES_MAX)) {
        let model = secret(&mut Choices::new(&bytes));
        prop_assert_eq!(decode::secret(&encode::secret(&model)), Ok(model));
    }

    #[test]
    fn runtime_values_survive_the_round_trip(bytes in vec(any::<u8>(), 0..CHOICES_MAX)) {
        let model = runtime::values(&mut Choices::new(&bytes));
        let any = encode::any(&encode::runtime(&model));
        prop_assert_eq!(decode::resource(&any.type_url, &any), Ok(Resource::Runtime(model)));
    }

    #[test]
    fn a_bootstrap_survives_the_round_trip(bytes in vec(any::<u8>(), 0..CHOICES_MAX)) {
        let model = bootstrap(&mut Choices::new(&bytes));
        prop_assert_eq!(decode::bootstrap(&encode::bootstrap(&model)), Ok(model));
    }

    #[test]
    fn bytes_of_any_kind_are_answered_and_never_panicked_on(bytes in vec(any::<u8>(), 0..400), kind in 0..5_usize) {
        let kinds = ["listener.v3.Listener", "route.v3.RouteConfiguration", "cluster.v3.Cluster",
            "endpoint.v3.ClusterLoadAssignment", "cluster.v3.NoSuchType"];
        let type_url = format!("type.googleapis.com/envoy.config.{}", kinds[kind]);
        let any = envoy_types::pb::google::protobuf::Any { type_url: type_url.clone(), value: bytes };
        if let Err(invalid) = decode::resource(&type_url, &any) {
            prop_assert!(!invalid.reason.is_empty());
        }
    }
}

#[test]
fn a_resource_is_recognised_by_its_type_url() {
    let model = cluster::cluster(&mut Choices::new(&[]));
    let any = encode::any(&encode::cluster(&model));
    assert_eq!(any.type_url, "type.googleapis.com/envoy.config.cluster.v3.Cluster");
    assert_eq!(decode::resource(&any.type_url, &any), Ok(Resource::Cluster(model)));
}

#[test]
fn a_resource_of_another_type_than_the_response_is_refused() {
    let any = encode::any(&encode::secret(&secret(&mut Choices::new(&[]))));
    let refusal = decode::resource("type.googleapis.com/envoy.config.cluster.v3.Cluster", &any).unwrap_err();
    assert!(refusal.to_string().contains("tls.v3.Secret"), "{refusal}");
}
