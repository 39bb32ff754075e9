//! What a client says and tells, message by message.

use std::time::{Duration, Instant};

use envoy_types::pb::envoy::service::discovery::v3::{
    DeltaDiscoveryRequest, DeltaDiscoveryResponse, DiscoveryRequest, DiscoveryResponse, Resource,
};
use envoy_types::pb::google::protobuf::{self, Any};
use prost::{Message as _, Name as _};

use super::pair::{body, identity};
use crate::wire::client::delta::Delta;
use crate::wire::client::event::{Event, Gone, Ticket};
use crate::wire::client::machine::{Machine, Output};
use crate::wire::client::sotw::Sotw;
use crate::wire::limits::VERDICTS_OUTSTANDING_MAX;
use crate::wire::nack::{self, Rejection};
use crate::wire::resource::ResourceType::{Cluster, ClusterLoadAssignment, Listener, RouteConfiguration};
use crate::wire::resource::{Interest, ResourceType};

const WAIT: Duration = Duration::from_secs(15);

fn sotw(ty: ResourceType, interest: Interest) -> (Sotw, DiscoveryRequest) {
    let mut client = Sotw::new(identity(), WAIT);
    client.open();
    let request = client.subscribe(ty, interest, Instant::now()).expect("a new subscription is sent");
    (client, request)
}

fn delta(ty: ResourceType, interest: Interest) -> (Delta, DeltaDiscoveryRequest) {
    let mut client = Delta::new(identity());
    client.open();
    let request = client.subscribe(ty, interest, Instant::now()).expect("a new subscription is sent");
    (client, request)
}

fn response(ty: ResourceType, nonce: &str, resources: Vec<Any>) -> DiscoveryResponse {
    DiscoveryResponse {
        version_info: format!("version {nonce}"),
        resources,
        type_url: ty.type_url(),
        nonce: nonce.to_owned(),
        ..DiscoveryResponse::default()
    }
}

fn resource(ty: ResourceType, name: &str, version: &str) -> Resource {
    Resource {
        name: name.to_owned(),
        version: version.to_owned(),
        resource: Some(body(ty, name, version)),
        ..Resource::default()
    }
}

fn change(
    ty: ResourceType,
    nonce: &str,
    resources: Vec<Resource>,
    removed: &[&str],
) -> DeltaDiscoveryResponse {
    DeltaDiscoveryResponse {
        resources,
        type_url: ty.type_url(),
        removed_resources: removed.iter().map(|name| (*name).to_owned()).collect(),
        nonce: nonce.to_owned(),
        ..DeltaDiscoveryResponse::default()
    }
}

fn lived(seconds: i64, element: Resource) -> Resource {
    Resource { ttl: Some(protobuf::Duration { seconds, nanos: 0 }), ..element }
}

fn wrapped(element: Resource) -> Any {
    Any { type_url: Resource::type_url(), value: element.encode_to_vec() }
}

/// Names that arrived, names removed, rejections by the machine itself, and the ticket.
type Told = (Vec<String>, Vec<String>, Vec<Rejection>, Ticket);

fn told<R: std::fmt::Debug>(outputs: Vec<Output<R>>) -> Told {
    let [Output::Tell(Event::Updated { ticket, resources, removed, invalid })] = outputs.as_slice() else {
        panic!("expected one update, got {outputs:?}")
    };
    let names = resources.iter().map(|arrived| arrived.name.clone()).collect();
    (names, removed.clone(), invalid.clone(), ticket.clone())
}

/// Hands a response over and applies all of it.
fn apply<M: Machine>(client: &mut M, response: M::Response, now: Instant) -> (Told, M::Request)
where
    M::Request: std::fmt::Debug,
{
    let update = told(client.receive(response, now).unwrap());
    let answer = client.settle(&update.3, Vec::new()).expect("a verdict on this stream is answered");
    (update, answer)
}

#[test]
fn listeners_and_clusters_are_asked_for_by_naming_nothing_and_others_by_name() {
    assert_eq!(sotw(Listener, Interest::all()).1.resource_names, [""; 0]);
    assert_eq!(delta(Cluster, Interest::all()).1.resource_names_subscribe, [""; 0]);
    assert_eq!(sotw(RouteConfiguration, Interest::named(["b", "a"])).1.resource_names, ["a", "b"]);
    assert_eq!(delta(ClusterLoadAssignment, Interest::named(["a"])).1.resource_names_subscribe, ["a"]);
}

#[test]
fn the_wildcard_has_a_name_once_names_were_sent_and_can_be_given_up() {
    let now = Instant::now();
    let (mut client, _) = sotw(Listener, Interest::named(["a"]));
    assert_eq!(client.subscribe(Listener, Interest::all(), now).unwrap().resource_names, ["*"]);
    let (mut client, _) = delta(Listener, Interest::all());
    let request = client.subscribe(Listener, Interest::named(["a"]), now).unwrap();
    assert_eq!(request.resource_names_subscribe, ["a"]);
    assert_eq!(request.resource_names_unsubscribe, ["*"]);
}

#[test]
fn the_node_goes_with_the_first_message_only_when_told_so() {
    let (mut client, first) = sotw(Listener, Interest::all());
    let second = client.subscribe(Cluster, Interest::all(), Instant::now()).unwrap();
    assert_eq!((first.node.is_some(), second.node.is_some()), (true, false));
    client.closed();
    let nodes: Vec<bool> = client.open().iter().map(|request| request.node.is_some()).collect();
    assert_eq!(nodes, [true, false], "a new stream begins anew");
    let mut always = identity();
    always.first_message_only = false;
    let mut client = Delta::new(always);
    client.open();
    client.subscribe(Listener, Interest::all(), Instant::now());
    assert!(client.subscribe(Cluster, Interest::all(), Instant::now()).unwrap().node.is_some());
}

#[test]
fn acknowledgement_waits_for_the_verdict_and_carries_version_and_nonce() {
    let (mut client, first) = sotw(Listener, Interest::all());
    assert_eq!((first.version_info.as_str(), first.response_nonce.as_str()), ("", ""));
    let (update, answer) =
        apply(&mut client, response(Listener, "1", vec![body(Listener, "a", "1")]), Instant::now());
    assert_eq!(update.0, ["a"]);
    assert_eq!((answer.version_info.as_str(), answer.response_nonce.as_str()), ("version 1", "1"));
    assert_eq!(answer.error_detail, None);
}

#[test]
fn a_refusal_keeps_the_old_version_and_names_each_bad_resource() {
    let (mut client, _) = sotw(Listener, Interest::all());
    let now = Instant::now();
    apply(&mut client, response(Listener, "1", vec![]), now);
    let update = told(client.receive(response(Listener, "2", vec![body(Listener, "a", "1")]), now).unwrap());
    let rejections = vec![Rejection { name: "a".to_owned(), error: "filter_chains: none".to_owned() }];
    let answer = client.settle(&update.3, rejections.clone()).unwrap();
    assert_eq!((answer.version_info.as_str(), answer.response_nonce.as_str()), ("version 1", "2"));
    let detail = answer.error_detail.unwrap();
    assert_eq!(detail.message, "a: filter_chains: none");
    assert_eq!(nack::rejections(&detail), Some(rejections));
}

#[test]
fn absence_deletes_listeners_but_not_routes() {
    let now = Instant::now();
    let (mut client, _) = sotw(Listener, Interest::all());
    apply(
        &mut client,
        response(Listener, "1", vec![body(Listener, "a", "1"), body(Listener, "b", "1")]),
        now,
    );
    let (update, _) = apply(&mut client, response(Listener, "2", vec![body(Listener, "b", "1")]), now);
    assert_eq!(update.1, ["a"]);
    let (mut client, _) = sotw(RouteConfiguration, Interest::named(["a", "b"]));
    apply(&mut client, response(RouteConfiguration, "1", vec![body(RouteConfiguration, "a", "1")]), now);
    let next = response(RouteConfiguration, "2", vec![body(RouteConfiguration, "b", "1")]);
    assert_eq!(apply(&mut client, next, now).0.1, [""; 0]);
}

#[test]
fn a_bad_element_is_reported_and_its_neighbours_arrive() {
    let (mut client, _) = sotw(Cluster, Interest::all());
    let wrong = body(Listener, "wrong", "1");
    let twice = || body(Cluster, "twice", "1");
    let elements = vec![body(Cluster, "good", "1"), wrong, twice(), twice()];
    let (update, answer) = apply(&mut client, response(Cluster, "1", elements), Instant::now());
    assert_eq!(update.0, ["good"]);
    let names: Vec<_> = update.2.iter().map(|rejection| rejection.name.as_str()).collect();
    assert_eq!(names, ["wrong", "twice"]);
    let message = answer.error_detail.unwrap().message;
    assert!(message.contains("twice: the response holds several resources of this name"), "{message}");
}

#[test]
fn nothing_is_deleted_by_a_response_with_an_element_that_cannot_be_told() {
    let now = Instant::now();
    let (mut client, _) = sotw(Cluster, Interest::all());
    apply(&mut client, response(Cluster, "1", vec![body(Cluster, "a", "1")]), now);
    let damaged = Any { type_url: Cluster.type_url(), value: b"\xff\xff\xff".to_vec() };
    let (update, _) = apply(&mut client, response(Cluster, "2", vec![damaged]), now);
    assert_eq!(update.1, [""; 0], "the damaged one might be a");
}

#[test]
fn a_subscribed_name_is_missing_after_its_wait_but_only_while_connected() {
    let now = Instant::now();
    let (mut client, _) = sotw(RouteConfiguration, Interest::named(["a", "b"]));
    assert_eq!(client.deadline(), None, "nothing is awaited from a control plane that has not answered");
    client.connected(now);
    apply(&mut client, response(RouteConfiguration, "1", vec![body(RouteConfiguration, "a", "1")]), now);
    assert_eq!(client.tick(now + WAIT - Duration::from_millis(1)), []);
    let missing = Event::Gone { ty: RouteConfiguration, names: vec!["b".to_owned()], why: Gone::Missing };
    assert_eq!(client.tick(now + WAIT), [missing]);
    assert_eq!(client.tick(now + WAIT * 2), [], "told once");
    client.subscribe(RouteConfiguration, Interest::named(["a", "c"]), now);
    client.closed();
    assert_eq!(client.tick(now + WAIT * 9), [], "the clock stands while there is no stream");
}

#[test]
fn what_does_not_exist_is_told_by_the_delta_server_not_by_the_clock() {
    let now = Instant::now();
    let (mut client, _) = delta(ClusterLoadAssignment, Interest::named(["a"]));
    client.connected(now);
    assert_eq!(client.tick(now + WAIT * 9), []);
    let (update, _) = apply(&mut client, change(ClusterLoadAssignment, "1", vec![], &["a", "stranger"]), now);
    assert_eq!(update.1, ["a"]);
}

#[test]
fn a_resource_expires_unless_a_heartbeat_comes() {
    let now = Instant::now();
    let at = |seconds| now + Duration::from_secs(seconds);
    let (mut client, _) = sotw(Listener, Interest::all());
    let element = lived(10, resource(Listener, "a", "1"));
    apply(&mut client, response(Listener, "1", vec![wrapped(element)]), now);
    let heartbeat = lived(10, Resource { name: "a".to_owned(), ..Resource::default() });
    let outputs = client.receive(response(Listener, "2", vec![wrapped(heartbeat)]), at(8)).unwrap();
    assert!(
        matches!(outputs.as_slice(), [Output::Send(request)] if request.response_nonce == "2"),
        "{outputs:?}"
    );
    assert_eq!(client.tick(at(12)), [], "the heartbeat renewed it");
    let expired = Event::Gone { ty: Listener, names: vec!["a".to_owned()], why: Gone::Expired };
    assert_eq!(client.tick(at(18)), [expired]);
}

#[test]
fn after_a_reconnect_delta_claims_what_was_applied_and_nothing_that_was_rejected() {
    let now = Instant::now();
    let (mut client, _) = delta(Cluster, Interest::all());
    let resources = ["good", "bad", "late"].map(|name| resource(Cluster, name, "7"));
    let update = told(client.receive(change(Cluster, "1", resources[..2].to_vec(), &[]), now).unwrap());
    client.settle(&update.3, vec![Rejection { name: "bad".to_owned(), error: "is bad".to_owned() }]);
    let unjudged = told(client.receive(change(Cluster, "2", resources[2..].to_vec(), &[]), now).unwrap());
    client.closed();
    let claims = client.open().remove(0).initial_resource_versions;
    let pairs = [("good", "7"), ("late", "")].map(|(name, version)| (name.to_owned(), version.to_owned()));
    assert_eq!(
        claims,
        pairs.into(),
        "what waits for its verdict is claimed in no version, so that it comes again"
    );
    assert_eq!(
        client.settle(&unjudged.3, Vec::new()),
        None,
        "a verdict on an old stream's response is not sent"
    );
    client.closed();
    assert_eq!(client.open().remove(0).initial_resource_versions["late"], "7", "but it counts");
}

#[test]
fn what_was_not_asked_for_is_not_handed_over() {
    let now = Instant::now();
    let (mut client, _) = sotw(RouteConfiguration, Interest::named(["a"]));
    assert_eq!(client.receive(response(Cluster, "1", vec![body(Cluster, "x", "1")]), now).unwrap(), []);
    let both = vec![body(RouteConfiguration, "a", "1"), body(RouteConfiguration, "b", "1")];
    assert_eq!(apply(&mut client, response(RouteConfiguration, "1", both), now).0.0, ["a"]);
    client.subscribe(RouteConfiguration, Interest::default(), now);
    let late =
        client.receive(response(RouteConfiguration, "2", vec![body(RouteConfiguration, "a", "2")]), now);
    assert!(matches!(late.unwrap().as_slice(), [Output::Send(_)]), "acknowledged in silence");
}

#[test]
fn a_control_plane_cannot_pile_up_responses_that_wait_to_be_applied() {
    let (mut client, _) = delta(Cluster, Interest::all());
    for nonce in 0..VERDICTS_OUTSTANDING_MAX {
        client.receive(change(Cluster, &nonce.to_string(), vec![], &[]), Instant::now()).unwrap();
    }
    let error = client.receive(change(Cluster, "more", vec![], &[]), Instant::now()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "64 responses for envoy.config.cluster.v3.Cluster wait to be applied, no more are taken"
    );
}

#[test]
fn a_nack_stays_small_whatever_it_answers() {
    let many: Vec<_> =
        (0..1000).map(|number| Rejection { name: format!("n{number}"), error: "é".repeat(5000) }).collect();
    let detail = nack::error_detail(&many).unwrap();
    assert!(detail.encoded_len() < 32 << 10, "{} bytes", detail.encoded_len());
    assert_eq!(nack::rejections(&detail), None, "half a list is no list");
}
