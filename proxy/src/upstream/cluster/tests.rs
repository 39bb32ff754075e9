use std::collections::BTreeSet;
use std::time::Duration;

use xds::model::{ConfigSource, EndpointHealth, Fraction, OutlierDetection};

use super::*;
use crate::upstream::fixture::{assignment, cluster, endpoint, endpoints, locality, model, port, tcp_check};

fn ports(cluster: &Cluster, picks: usize) -> BTreeSet<u16> {
    let mut rng = fastrand::Rng::with_seed(1);
    (0..picks).map(|_| port(&cluster.pick(&PickContext::default(), &mut rng).unwrap().host)).collect()
}

fn eds(model: model::Cluster) -> model::Cluster {
    let source = ConfigSource::Ads { initial_fetch_timeout: Some(Duration::from_secs(15)) };
    model::Cluster { discovery: Discovery::Eds { service_name: "test".to_owned(), source }, ..model }
}

#[tokio::test]
async fn a_static_cluster_is_ready_and_picks_its_endpoints() {
    let cluster = cluster(model(endpoints([1, 2, 3])));
    assert!(cluster.is_ready());
    cluster.ready().await;
    assert_eq!(ports(&cluster, 3), BTreeSet::from([1, 2, 3]));
    let stats = cluster.stats();
    assert_eq!(stats.get(ClusterMetric::MembershipTotal), 3);
    assert_eq!(stats.get(ClusterMetric::MembershipHealthy), 3);
}

#[tokio::test]
async fn an_empty_cluster_has_no_healthy_upstream() {
    let cluster = cluster(model(Vec::new()));
    let error = cluster.pick(&PickContext::default(), &mut fastrand::Rng::with_seed(1)).unwrap_err();
    assert_eq!(error.reason(), Reason::NoHealthyUpstream);
    assert_eq!(cluster.stats().get(ClusterMetric::UpstreamCxNoneHealthy), 1);
}

#[tokio::test]
async fn an_update_swaps_the_endpoints_and_the_gauges_follow() {
    let cluster = cluster(eds(model(Vec::new())));
    assert!(!cluster.is_ready(), "before the first assignment");
    let mut second = endpoint(([127, 0, 0, 1], 2));
    second.health = EndpointHealth::Unhealthy;
    cluster.update_endpoints(&assignment(vec![locality(0, vec![endpoint(([127, 0, 0, 1], 1)), second])]));
    assert!(cluster.is_ready());
    let stats = Arc::clone(cluster.stats());
    let gauges =
        || [ClusterMetric::MembershipTotal, ClusterMetric::MembershipHealthy].map(|metric| stats.get(metric));
    assert_eq!(gauges(), [2, 1]);
    cluster.update_endpoints(&assignment(vec![locality(0, endpoints([3]))]));
    assert_eq!(gauges(), [1, 1]);
    assert_eq!(ports(&cluster, 5), BTreeSet::from([3]));
    cluster.update_endpoints(&assignment(vec![locality(0, endpoints([3]))]));
    assert_eq!(stats.get(ClusterMetric::UpdateNoRebuild), 1);
    assert_eq!(stats.get(ClusterMetric::MembershipChange), 2);
}

#[tokio::test]
async fn a_checked_cluster_is_ready_once_every_endpoint_was_checked() {
    let cluster = cluster(model::Cluster { health_checks: vec![tcp_check()], ..model(endpoints([1, 2])) });
    let hosts = cluster.endpoints().hosts().to_vec();
    cluster.checked(&hosts[0], 0, true);
    assert!(!cluster.is_ready(), "one of two");
    cluster.checked(&hosts[1], 0, false);
    assert!(cluster.is_ready());
    assert_eq!(ports(&cluster, 10), BTreeSet::from([1]), "the one that failed gets nothing");
    assert_eq!(cluster.stats().get(ClusterMetric::HealthCheckHealthy), 1);
}

#[tokio::test]
async fn a_run_of_failures_ejects_and_a_passed_check_brings_back() {
    let cluster = cluster(model::Cluster {
        health_checks: vec![tcp_check()],
        outlier_detection: Some(OutlierDetection { max_ejection_percent: 50, ..OutlierDetection::default() }),
        ..model(endpoints([1, 2, 3]))
    });
    let hosts = cluster.endpoints().hosts().to_vec();
    for host in &hosts {
        cluster.checked(host, 0, true);
    }
    for _ in 0..5 {
        cluster.report(&hosts[0], Outcome::Response(500));
    }
    cluster.maintain(Instant::now(), false, &mut fastrand::Rng::with_seed(1));
    assert_eq!(ports(&cluster, 10), BTreeSet::from([2, 3]));
    assert_eq!(cluster.stats().get(ClusterMetric::EjectionsActive), 1);
    cluster.checked(&hosts[0], 0, true);
    assert_eq!(ports(&cluster, 10), BTreeSet::from([1, 2, 3]));
    assert_eq!(cluster.stats().get(ClusterMetric::EjectionsActive), 0);
}

#[tokio::test]
async fn an_ejection_survives_an_update_of_the_endpoints() {
    let outlier = OutlierDetection { max_ejection_percent: 50, ..OutlierDetection::default() };
    let cluster = cluster(eds(model::Cluster { outlier_detection: Some(outlier), ..model(Vec::new()) }));
    cluster.update_endpoints(&assignment(vec![locality(0, endpoints([1, 2]))]));
    let first = Arc::clone(&cluster.endpoints().hosts()[0]);
    for _ in 0..5 {
        cluster.report(&first, Outcome::Failed);
    }
    cluster.maintain(Instant::now(), false, &mut fastrand::Rng::with_seed(1));
    cluster.update_endpoints(&assignment(vec![locality(0, endpoints([1, 2, 3]))]));
    assert_eq!(ports(&cluster, 10), BTreeSet::from([2, 3]));
}

#[tokio::test]
async fn drop_overloads_refuse_with_their_own_reason() {
    let cluster = cluster(eds(model(Vec::new())));
    let mut all = assignment(vec![locality(0, endpoints([1]))]);
    all.drop_overloads = vec![("lb".to_owned(), Fraction { numerator: 100, denominator: 100 })];
    cluster.update_endpoints(&all);
    let error = cluster.pick(&PickContext::default(), &mut fastrand::Rng::with_seed(1)).unwrap_err();
    assert_eq!(error.reason(), Reason::DropOverload);
    assert_eq!(cluster.stats().get(ClusterMetric::UpstreamRqDropOverload), 1);
}

#[tokio::test]
async fn a_cluster_that_is_gone_takes_its_endpoints_along() {
    let cluster = cluster(model(endpoints([1])));
    let host = Arc::clone(&cluster.endpoints().hosts()[0]);
    assert!(!host.state().has(HealthFlag::Removed));
    drop(cluster);
    assert!(host.state().has(HealthFlag::Removed), "pools see that their connections are to end");
}

#[tokio::test]
async fn what_cannot_be_done_is_refused() {
    let mut wanted = model(endpoints([1]));
    wanted.http.http1.proper_case_headers = true;
    let refused = Cluster::new(Arc::new(wanted), Transports::plain(), &Registry::default(), &Arc::default())
        .unwrap_err();
    assert!(refused.detail().contains("proper_case_words"), "{refused}");
}

#[tokio::test]
async fn metrics_are_shown_under_the_stat_name() {
    let registry = Registry::default();
    let named = model::Cluster { alt_stat_name: "other".to_owned(), ..model(endpoints([1])) };
    let _cluster = Cluster::new(Arc::new(named), Transports::plain(), &registry, &Arc::default()).unwrap();
    let samples = registry.samples();
    let total = samples.iter().find(|sample| sample.name == "membership_total").unwrap();
    assert_eq!((total.scope.family, total.scope.name.as_str()), ("cluster", "other"));
}

#[tokio::test(start_paused = true)]
async fn endpoints_that_do_not_come_are_not_waited_for_for_ever() {
    let cluster = cluster(eds(model(Vec::new())));
    cluster.start(&tokio::runtime::Handle::current());
    let before = Instant::now();
    cluster.ready().await;
    assert_eq!(before.elapsed().as_secs(), 15, "initial_fetch_timeout");
}

#[tokio::test(start_paused = true)]
async fn the_background_ejects_and_brings_back() {
    let outlier = OutlierDetection { max_ejection_percent: 50, ..OutlierDetection::default() };
    let cluster = cluster(model::Cluster { outlier_detection: Some(outlier), ..model(endpoints([1, 2])) });
    cluster.start(&tokio::runtime::Handle::current());
    let first = Arc::clone(&cluster.endpoints().hosts()[0]);
    for _ in 0..5 {
        cluster.report(&first, Outcome::Response(503));
    }
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(ports(&cluster, 10), BTreeSet::from([2]), "at once");
    tokio::time::sleep(Duration::from_secs(41)).await;
    assert_eq!(ports(&cluster, 10), BTreeSet::from([1, 2]), "at the first interval after 30 s");
}
