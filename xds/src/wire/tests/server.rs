//! What a server sends, in which order, and what it believes afterwards.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use envoy_types::pb::envoy::service::discovery::v3::{DeltaDiscoveryRequest, DiscoveryRequest};
use envoy_types::pb::google::protobuf::Any;
use envoy_types::pb::google::rpc::Status;

use super::pair::{Facts, Pair, identity, world};
use crate::wire::client;
use crate::wire::limits::{NAMES_PER_TYPE_MAX, RESPONSE_BYTES_SOFT_MAX};
use crate::wire::resource::ResourceType::{
    Cluster, ClusterLoadAssignment, Listener, RouteConfiguration, Secret,
};
use crate::wire::resource::{Interest, ResourceType};
use crate::wire::server::delta::Delta;
use crate::wire::server::machine::Machine;
use crate::wire::server::sotw::Sotw;
use crate::wire::server::world::{Item, Resources, World};

fn facts(all: &[(ResourceType, &[(&str, &str)])]) -> Facts {
    let own = |(name, version): &(&str, &str)| ((*name).to_owned(), (*version).to_owned());
    all.iter().map(|(ty, resources)| (*ty, resources.iter().map(own).collect())).collect()
}

fn asking(ty: ResourceType, names: &[&str], nonce: &str) -> DiscoveryRequest {
    DiscoveryRequest {
        type_url: ty.type_url(),
        resource_names: names.iter().map(|name| (*name).to_owned()).collect(),
        response_nonce: nonce.to_owned(),
        ..DiscoveryRequest::default()
    }
}

fn delta_asking(ty: ResourceType, names: &[&str], nonce: &str) -> DeltaDiscoveryRequest {
    DeltaDiscoveryRequest {
        type_url: ty.type_url(),
        resource_names_subscribe: names.iter().map(|name| (*name).to_owned()).collect(),
        response_nonce: nonce.to_owned(),
        ..DeltaDiscoveryRequest::default()
    }
}

fn sotw_pair(facts: &Facts) -> Pair<client::sotw::Sotw, Sotw> {
    Pair::new(client::sotw::Sotw::new(identity(), Duration::from_secs(15)), facts)
}

fn delta_pair(facts: &Facts) -> Pair<client::delta::Delta, Delta> {
    Pair::new(client::delta::Delta::new(identity()), facts)
}

#[test]
fn an_answer_with_a_stale_nonce_is_ignored() {
    let mut server = Sotw::new(world(&facts(&[(Listener, &[("a", "1")])])));
    server.request(asking(Listener, &[], "")).unwrap();
    let first = server.next().unwrap();
    server.request(asking(Listener, &[], "nonsense")).unwrap();
    let status = &server.status().types[&Listener];
    assert_eq!((status.acknowledged.as_deref(), status.held.len(), status.behind), (None, 0, true));
    server.request(asking(Listener, &[], &first.nonce)).unwrap();
    let status = &server.status().types[&Listener];
    assert_eq!((status.acknowledged.as_deref(), status.held.len()), (Some(first.version_info.as_str()), 1));
}

#[test]
fn a_refused_resource_is_not_held_and_not_sent_again_until_it_changes() {
    let mut pair = delta_pair(&facts(&[(Listener, &[("a", "bad"), ("b", "1")])]));
    pair.subscribe(Listener, Interest::all());
    pair.settle();
    let status = &pair.status().types[&Listener];
    assert_eq!(status.held.keys().collect::<Vec<_>>(), ["b"]);
    let refusal = status.refusal.as_ref().unwrap();
    assert_eq!((refusal.resources[0].name.as_str(), refusal.message.as_str()), ("a", "a: it is bad"));
    assert_eq!(pair.server.next(), None, "no tight loop");
    pair.change_world(&facts(&[(Listener, &[("a", "bad"), ("b", "2")])]));
    pair.settle();
    let status = &pair.status().types[&Listener];
    assert!(status.refusal.is_some(), "what is well with b does not mend a");
    pair.change_world(&facts(&[(Listener, &[("a", "1"), ("b", "2")])]));
    pair.settle();
    let status = &pair.status().types[&Listener];
    assert_eq!((status.refusal.as_ref(), status.held.len()), (None, 2));
}

#[test]
fn a_refusal_without_names_counts_for_the_whole_response() {
    let mut server = Sotw::new(world(&facts(&[(Cluster, &[("a", "1"), ("b", "1")])])));
    server.request(asking(Cluster, &[], "")).unwrap();
    let nonce = server.next().unwrap().nonce;
    let detail = Status { code: 13, message: "no".to_owned(), details: Vec::new() };
    server.request(DiscoveryRequest { error_detail: Some(detail), ..asking(Cluster, &[], &nonce) }).unwrap();
    let status = &server.status().types[&Cluster];
    assert_eq!(status.held.len(), 0);
    assert_eq!(status.refusal.as_ref().unwrap().resources.len(), 2);
}

#[test]
fn changes_go_out_in_the_order_that_makes_before_it_breaks() {
    let all = [Cluster, ClusterLoadAssignment, Listener, RouteConfiguration, Secret];
    let everything: Facts =
        all.iter().map(|ty| (*ty, BTreeMap::from([("a".to_owned(), "1".to_owned())]))).collect();
    let mut server = Delta::new(world(&Facts::new()));
    for ty in all.iter().rev() {
        server.request(delta_asking(*ty, &["*"], "")).unwrap();
    }
    while let Some(response) = server.next() {
        let ty = ResourceType::from_type_url(&response.type_url).unwrap();
        server.request(delta_asking(ty, &[], &response.nonce)).unwrap();
    }
    server.world(world(&everything));
    let order: Vec<_> = std::iter::from_fn(|| server.next()).map(|response| response.type_url).collect();
    assert_eq!(order, all.map(ResourceType::type_url));
}

/// A cluster goes together with the listener's route to it.
fn cluster_leaves_last<C, S>(mut pair: Pair<C, S>)
where
    C: client::machine::Machine,
    S: Machine<Request = C::Request, Response = C::Response>,
{
    pair.subscribe(Cluster, Interest::all());
    pair.subscribe(Listener, Interest::all());
    pair.settle();
    pair.change_world(&facts(&[(Cluster, &[("new", "1")]), (Listener, &[("l", "2")])]));
    let mut seen = Vec::new();
    while pair.step_up() || pair.step_server() || pair.step_down() || pair.step_application() {
        let clusters: Vec<_> = pair.held[&Cluster].keys().cloned().collect();
        let now = (clusters.join(" "), pair.held[&Listener]["l"].clone());
        if seen.last() != Some(&now) {
            seen.push(now);
        }
    }
    let seen: Vec<_> =
        seen.iter().map(|(clusters, listener)| (clusters.as_str(), listener.as_str())).collect();
    assert_eq!(seen, [("old", "1"), ("new old", "1"), ("new old", "2"), ("new", "2")]);
}

#[test]
fn a_cluster_is_removed_only_once_the_listener_that_names_it_is_replaced() {
    let before = facts(&[(Cluster, &[("old", "1")]), (Listener, &[("l", "1")])]);
    cluster_leaves_last(sotw_pair(&before));
    cluster_leaves_last(delta_pair(&before));
}

#[test]
fn a_cluster_stays_while_the_listener_that_would_let_go_of_it_is_refused() {
    let mut pair = delta_pair(&facts(&[(Cluster, &[("old", "1")]), (Listener, &[("l", "1")])]));
    pair.subscribe(Cluster, Interest::all());
    pair.subscribe(Listener, Interest::all());
    pair.settle();
    pair.change_world(&facts(&[(Listener, &[("l", "bad")])]));
    pair.settle();
    assert!(pair.held[&Cluster].contains_key("old"), "listener l still sends its traffic there");
    pair.change_world(&facts(&[(Listener, &[("l", "2")])]));
    pair.settle();
    assert!(!pair.held[&Cluster].contains_key("old"));
}

#[test]
fn only_what_changed_and_is_subscribed_is_sent() {
    let mut pair = delta_pair(&facts(&[(ClusterLoadAssignment, &[("a", "1"), ("b", "1"), ("c", "1")])]));
    pair.subscribe(ClusterLoadAssignment, Interest::named(["a", "b"]));
    pair.settle();
    pair.change_world(&facts(&[(ClusterLoadAssignment, &[("a", "1"), ("b", "2"), ("c", "2")])]));
    let names: Vec<_> =
        pair.server.next().unwrap().resources.into_iter().map(|resource| resource.name).collect();
    assert_eq!(names, ["b"]);
}

#[test]
fn a_client_that_comes_back_with_all_of_it_is_sent_nothing_but_what_it_lacks() {
    let before = facts(&[(Cluster, &[("same", "1"), ("changed", "1"), ("gone", "1")])]);
    let mut pair = delta_pair(&before);
    pair.subscribe(Cluster, Interest::all());
    pair.settle();
    pair.change_world(&facts(&[(Cluster, &[("same", "1"), ("changed", "2")])]));
    pair.reconnect();
    pair.step_up();
    let response = pair.server.next().unwrap();
    let names: Vec<_> = response.resources.into_iter().map(|resource| resource.name).collect();
    assert_eq!((names, response.removed_resources), (vec!["changed".to_owned()], vec!["gone".to_owned()]));
}

#[test]
fn a_large_change_comes_in_parts_each_after_the_last_was_acknowledged() {
    let item = || {
        let body = Any { type_url: Secret.type_url(), value: vec![0; RESPONSE_BYTES_SOFT_MAX] };
        Arc::new(Item { version: "1".to_owned(), body })
    };
    let items = (0..5).map(|number| (number.to_string(), item())).collect();
    let mut server = Delta::new(Arc::new(World::default().with(Secret, Resources::new(items))));
    server.request(delta_asking(Secret, &["*"], "")).unwrap();
    let mut parts = Vec::new();
    while let Some(response) = server.next() {
        assert_eq!(server.next(), None, "the next part waits");
        parts.push(response.resources.len());
        server.request(delta_asking(Secret, &[], &response.nonce)).unwrap();
    }
    assert_eq!(parts, [2, 2, 1]);
}

#[test]
fn a_name_that_does_not_exist_is_said_to_be_removed_once() {
    let mut server = Delta::new(Arc::default());
    server.request(delta_asking(RouteConfiguration, &["a"], "")).unwrap();
    let response = server.next().unwrap();
    assert_eq!(response.removed_resources, ["a"]);
    server.request(delta_asking(RouteConfiguration, &[], &response.nonce)).unwrap();
    assert_eq!(server.next(), None);
    server.request(delta_asking(RouteConfiguration, &["a"], "")).unwrap();
    assert_eq!(server.next().unwrap().removed_resources, ["a"], "asked again, told again");
}

#[test]
fn an_empty_world_is_said_to_be_empty() {
    let mut sotw = Sotw::new(Arc::default());
    sotw.request(asking(Listener, &[], "")).unwrap();
    assert_eq!(sotw.next().unwrap().resources, []);
    let mut delta = Delta::new(Arc::default());
    delta.request(delta_asking(Cluster, &[], "")).unwrap();
    assert_eq!(delta.next().unwrap().resources, []);
    assert_eq!((sotw.next(), delta.next()), (None, None));
}

#[test]
fn a_type_that_is_not_served_is_left_unanswered() {
    let mut server = Sotw::new(Arc::default());
    let strange =
        DiscoveryRequest { type_url: "type.googleapis.com/istio.X".to_owned(), ..Default::default() };
    server.request(strange).unwrap();
    assert_eq!((server.next(), server.status().types.len()), (None, 0));
}

#[test]
fn a_client_that_subscribes_to_too_much_is_refused() {
    let names: Vec<String> = (0..=NAMES_PER_TYPE_MAX).map(|number| number.to_string()).collect();
    let request = DiscoveryRequest { resource_names: names, ..asking(Secret, &[], "") };
    let error = Sotw::new(Arc::default()).request(request).unwrap_err();
    let expected =
        "100001 names for envoy.extensions.transport_sockets.tls.v3.Secret, at most 100000 are accepted";
    assert_eq!(error.to_string(), expected);
    let long = "x".repeat(5000);
    let error = Delta::new(Arc::default()).request(delta_asking(Secret, &[&long], "")).unwrap_err();
    assert!(error.to_string().starts_with("a name of 5000 bytes"), "{error}");
}
