use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use xds::file::Schema;
use xds::model::WantedClusters;

use super::*;
use crate::observe::metrics::Registry;
use crate::upstream::{Clusters, Outcome, Transports};

fn snapshot(clusters: &[Arc<Cluster>]) -> Snapshot {
    let mut all = Clusters::new();
    clusters.iter().for_each(|cluster| drop(all.insert(Arc::clone(cluster))));
    Snapshot { clusters: Arc::new(all), ..Snapshot::default() }
}

/// Two endpoints in one locality, a third in another priority.
fn cluster(name: &str, fields: &str) -> Arc<Cluster> {
    let at = |port: u16| {
        format!("{{endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}}}}}")
    };
    let near = format!("{{locality: {{region: eu}}, lb_endpoints: [{}, {}]}}", at(1), at(2));
    let far = format!("{{locality: {{region: us}}, priority: 1, lb_endpoints: [{}]}}", at(3));
    let yaml = format!(
        "{{name: {name}, {fields}, load_assignment: {{cluster_name: {name}, endpoints: [{near}, {far}]}}}}"
    );
    let message = Schema::load().read("envoy.config.cluster.v3.Cluster", &yaml).unwrap();
    let model = Arc::new(xds::decode::cluster(&message).unwrap());
    Cluster::new(model, Transports::plain(), &Registry::default(), &Arc::default()).unwrap()
}

/// A request to an endpoint; without a status it does not end.
fn request(cluster: &Cluster, endpoint: usize, status: Option<u16>) {
    let endpoints = cluster.endpoints();
    let host = &endpoints.hosts()[endpoint];
    host.state().begin_request();
    if let Some(status) = status {
        cluster.report(host, Outcome::Response(status));
        host.state().end_request();
    }
}

fn wanted(names: &[&str], endpoints: bool) -> WantedLoad {
    let names: BTreeSet<ClusterName> = names.iter().map(|name| ClusterName::from(*name)).collect();
    WantedLoad { clusters: WantedClusters::Named(names), interval: Duration::from_secs(1), endpoints }
}

fn all() -> WantedLoad {
    WantedLoad { clusters: WantedClusters::All, ..wanted(&[], false) }
}

/// `region priority issued/successful/failed/in progress` of each locality.
fn shown(load: &ClusterLoad) -> Vec<String> {
    let line = |of: &LocalityLoad| {
        let Load { issued, successful, failed, in_progress } = of.load;
        format!("{} {} {issued}/{successful}/{failed}/{in_progress}", of.locality.region, of.priority)
    };
    load.localities.iter().map(line).collect()
}

#[tokio::test]
async fn a_request_is_told_once_and_what_runs_is_told_each_time() {
    let cluster = cluster("c", "type: STATIC");
    let snapshot = snapshot(&[Arc::clone(&cluster)]);
    let (mut loads, start) = (Loads::new(false), Instant::now());
    request(&cluster, 0, Some(200));
    loads.track(&snapshot, &wanted(&["c", "missing"], false), start);
    request(&cluster, 0, Some(200));
    request(&cluster, 1, Some(503));
    request(&cluster, 1, None);
    request(&cluster, 2, Some(404));
    // Being asked again is no reason to forget.
    loads.track(&snapshot, &wanted(&["c"], true), start);
    let taken = loads.take(&snapshot, &wanted(&["c"], true), start + Duration::from_secs(3));
    let [load] = taken.as_slice() else { panic!("{taken:?}") };
    assert_eq!(shown(load), ["eu 0 3/1/1/1", "us 1 1/1/0/0"]);
    assert_eq!(load.interval, Duration::from_secs(3));
    let of_each: Vec<u64> = load.localities[0].endpoints.iter().map(|(_, load)| load.issued).collect();
    assert_eq!(of_each, [1, 2]);
    let again = loads.take(&snapshot, &wanted(&["c"], false), start + Duration::from_secs(5));
    assert_eq!(shown(&again[0]), ["eu 0 0/0/0/1"], "only what is still running");
    assert_eq!(again[0].interval, Duration::from_secs(2));
    assert!(
        again[0].localities[0].endpoints.is_empty(),
        "endpoints that are not asked for are not told apart"
    );
}

#[tokio::test]
async fn only_marked_clusters_are_told_to_the_control_plane_they_come_from() {
    let clusters = [cluster("plain", "type: STATIC"), cluster("marked", "lrs_server: {self: {}}")];
    let snapshot = snapshot(&clusters);
    for (marked_only, names) in [(true, &["marked"][..]), (false, &["marked", "plain"])] {
        let mut loads = Loads::new(marked_only);
        loads.track(&snapshot, &all(), Instant::now());
        let taken = loads.take(&snapshot, &all(), Instant::now());
        assert_eq!(taken.iter().map(|load| load.cluster.as_str()).collect::<Vec<_>>(), names);
    }
}

#[tokio::test]
async fn a_cluster_is_told_for_as_long_as_it_is_there_and_asked_for() {
    let (one, other) = (cluster("one", "type: STATIC"), cluster("other", "type: STATIC"));
    let (first, both) = (snapshot(&[Arc::clone(&one)]), snapshot(&[one, Arc::clone(&other)]));
    let (mut loads, now) = (Loads::new(false), Instant::now());
    loads.track(&first, &all(), now);
    request(&other, 0, Some(200));
    assert_eq!(loads.take(&both, &all(), now).len(), 1, "a new cluster is counted from now on");
    request(&other, 0, Some(200));
    let taken = loads.take(&both, &all(), now);
    assert_eq!(shown(&taken[1]), ["eu 0 1/1/0/0"], "what it did before is not told");
    assert_eq!(loads.take(&first, &all(), now).len(), 1, "it has left the configuration");
    loads.track(&both, &wanted(&["other"], false), now);
    let taken = loads.take(&both, &wanted(&["other"], false), now);
    assert_eq!(taken.iter().map(|load| load.cluster.as_str()).collect::<Vec<_>>(), ["other"]);
}

#[tokio::test]
async fn refused_requests_are_told_as_dropped() {
    let fields = "circuit_breakers: {thresholds: [{max_pending_requests: 0}]}";
    let cluster = cluster("c", fields);
    let snapshot = snapshot(&[Arc::clone(&cluster)]);
    let mut loads = Loads::new(false);
    loads.track(&snapshot, &all(), Instant::now());
    cluster.stats().inc(ClusterMetric::UpstreamRqPendingOverflow);
    cluster.stats().inc(ClusterMetric::UpstreamRqDropOverload);
    assert_eq!(loads.take(&snapshot, &all(), Instant::now())[0].dropped, 2);
    assert_eq!(loads.take(&snapshot, &all(), Instant::now())[0].dropped, 0);
}
