use xds::model::{EndpointHealth, OutlierDetection};

use super::monitor::Outcome;
use super::*;
use crate::upstream::fixture::{endpoints, host};

struct Fixture {
    config: OutlierDetection,
    hosts: Vec<Arc<Host>>,
    stats: Counters<ClusterMetric>,
    now: Instant,
    rng: fastrand::Rng,
}

impl Fixture {
    fn new(hosts: u16, config: OutlierDetection) -> Self {
        let hosts = endpoints(1..=hosts).iter().map(|endpoint| host(endpoint, 0)).collect();
        let rng = fastrand::Rng::with_seed(1);
        Self { config, hosts, stats: Counters::new(), now: Instant::now(), rng }
    }

    fn detector(&self) -> Detector<'_> {
        Detector { config: &self.config, hosts: &self.hosts, stats: &self.stats, now: self.now }
    }

    fn judge_runs(&mut self) -> bool {
        let mut rng = self.rng.clone();
        self.detector().judge_runs(&mut rng)
    }

    fn tick_after(&mut self, seconds: u64) -> bool {
        self.now += Duration::from_secs(seconds);
        let mut rng = self.rng.clone();
        self.detector().tick(&mut rng)
    }

    fn report(&self, host: usize, outcomes: impl IntoIterator<Item = Outcome>) -> bool {
        let monitor = self.hosts[host].state().monitor();
        outcomes.into_iter().fold(false, |complete, outcome| complete | monitor.record(outcome, &self.config))
    }

    fn ejected(&self) -> Vec<usize> {
        (0..self.hosts.len()).filter(|index| is_ejected(&self.hosts[*index])).collect()
    }
}

fn all_may_go() -> OutlierDetection {
    OutlierDetection { max_ejection_percent: 100, ..OutlierDetection::default() }
}

fn times(outcome: Outcome, count: usize) -> impl Iterator<Item = Outcome> {
    std::iter::repeat_n(outcome, count)
}

#[tokio::test]
async fn five_server_errors_in_a_row_eject() {
    let mut fixture = Fixture::new(3, all_may_go());
    assert!(!fixture.report(0, times(Outcome::Response(500), 4)), "four are not enough");
    fixture.report(0, [Outcome::Response(200)]);
    assert!(!fixture.report(0, times(Outcome::Response(500), 4)), "a success starts the count anew");
    assert!(fixture.report(0, [Outcome::Response(503)]), "the fifth wakes the detector");
    assert!(fixture.judge_runs());
    assert_eq!(fixture.ejected(), [0]);
    assert_eq!(fixture.stats.get(ClusterMetric::EjectionsEnforcedConsecutive5xx), 1);
    assert_eq!(fixture.hosts[0].availability(), crate::upstream::state::Availability::Unhealthy);
}

#[tokio::test]
async fn failures_without_a_response_count_as_server_errors_unless_split() {
    for (split, want) in [(false, vec![0]), (true, vec![])] {
        let mut fixture = Fixture::new(
            2,
            OutlierDetection {
                split_external_local_origin_errors: split,
                enforcing_consecutive_local_origin_failure: 0,
                ..all_may_go()
            },
        );
        fixture.report(0, times(Outcome::Failed, 3));
        fixture.report(0, times(Outcome::TimedOut, 2));
        fixture.judge_runs();
        assert_eq!(fixture.ejected(), want, "split: {split}");
    }
}

#[tokio::test]
async fn local_origin_failures_have_a_run_of_their_own_when_split() {
    let mut fixture =
        Fixture::new(2, OutlierDetection { split_external_local_origin_errors: true, ..all_may_go() });
    fixture.report(0, times(Outcome::Failed, 4));
    fixture.report(0, [Outcome::Connected]);
    fixture.report(0, times(Outcome::Failed, 4));
    assert!(!fixture.judge_runs(), "a connection between them starts the count anew");
    fixture.report(0, [Outcome::TimedOut]);
    assert!(fixture.judge_runs());
    assert_eq!(fixture.stats.get(ClusterMetric::EjectionsEnforcedConsecutiveLocalOriginFailure), 1);
}

#[tokio::test]
async fn gateway_errors_are_told_apart_from_other_server_errors() {
    let config = OutlierDetection {
        enforcing_consecutive_5xx: 0,
        enforcing_consecutive_gateway_failure: 100,
        ..all_may_go()
    };
    let mut fixture = Fixture::new(2, config);
    fixture.report(0, [502, 503, 500, 504, 502, 503, 504].map(Outcome::Response));
    fixture.judge_runs();
    assert_eq!(fixture.ejected(), [0; 0], "500 is not a gateway error");
    assert_eq!(fixture.stats.get(ClusterMetric::EjectionsDetectedConsecutive5xx), 1, "seen, not enforced");
    fixture.report(0, [Outcome::Response(502)]);
    fixture.judge_runs();
    assert_eq!(fixture.ejected(), [0], "now five in a row");
}

#[tokio::test]
async fn no_more_than_the_share_is_ejected() {
    let config = OutlierDetection { max_ejection_percent: 50, ..OutlierDetection::default() };
    let mut fixture = Fixture::new(4, config);
    for host in 0..4 {
        fixture.report(host, times(Outcome::Response(500), 5));
    }
    fixture.judge_runs();
    assert_eq!(fixture.ejected(), [0, 1]);
    assert_eq!(fixture.stats.get(ClusterMetric::EjectionsOverflow), 2);
}

#[tokio::test]
async fn an_ejected_endpoint_comes_back_after_its_time_and_later_each_time() {
    let mut fixture = Fixture::new(2, all_may_go());
    for time in [30, 60, 90] {
        fixture.report(0, times(Outcome::Response(500), 5));
        fixture.judge_runs();
        assert_eq!(fixture.ejected(), [0]);
        fixture.tick_after(time - 1);
        assert_eq!(fixture.ejected(), [0], "one second before {time}");
        fixture.tick_after(1);
        assert_eq!(fixture.ejected(), [0; 0], "after {time} seconds");
    }
    // Calm intervals shorten the next ejection again.
    for _ in 0..2 {
        fixture.tick_after(10);
    }
    fixture.report(0, times(Outcome::Response(500), 5));
    fixture.judge_runs();
    fixture.tick_after(60);
    assert_eq!(fixture.ejected(), [0; 0], "the backoff went from three back to two");
}

#[tokio::test]
async fn a_few_errors_after_coming_back_do_not_eject_again() {
    let mut fixture = Fixture::new(2, all_may_go());
    fixture.report(0, times(Outcome::Response(500), 5));
    fixture.judge_runs();
    // Requests that were on their way.
    fixture.report(0, times(Outcome::Response(500), 4));
    fixture.tick_after(30);
    fixture.report(0, times(Outcome::Response(500), 4));
    fixture.judge_runs();
    assert_eq!(fixture.ejected(), [0; 0]);
}

#[tokio::test]
async fn a_success_rate_far_below_the_others_ejects() {
    let mut fixture = Fixture::new(6, all_may_go());
    for host in 0..6 {
        let errors = if host == 5 { 40 } else { 1 };
        for _ in 0..errors {
            fixture.report(host, [Outcome::Response(500), Outcome::Response(200)]);
        }
        fixture.report(host, times(Outcome::Response(200), 100 - errors));
    }
    assert!(fixture.tick_after(10));
    assert_eq!(fixture.ejected(), [5]);
    assert_eq!(fixture.stats.get(ClusterMetric::EjectionsEnforcedSuccessRate), 1);
}

#[tokio::test]
async fn too_few_endpoints_or_requests_are_not_judged_by_rate() {
    for (hosts, requests) in [(4, 200), (6, 99)] {
        let mut fixture = Fixture::new(hosts, all_may_go());
        for host in 0..usize::from(hosts) {
            let bad = host == 0;
            for request in 0..requests {
                let status = if bad && request % 2 == 0 { 500 } else { 200 };
                fixture.report(host, [Outcome::Response(status)]);
            }
        }
        fixture.tick_after(10);
        assert_eq!(fixture.ejected(), [0; 0], "{hosts} endpoints, {requests} requests each");
    }
}

#[tokio::test]
async fn a_failure_share_over_the_threshold_ejects_when_enforced() {
    for (enforcing, want) in [(0, vec![]), (100, vec![1])] {
        let config = OutlierDetection {
            enforcing_failure_percentage: enforcing,
            enforcing_success_rate: 0,
            enforcing_consecutive_5xx: 0,
            ..all_may_go()
        };
        let mut fixture = Fixture::new(5, config);
        for host in 0..5 {
            let status = if host == 1 { 500 } else { 200 };
            fixture.report(host, times(Outcome::Response(status), 50));
        }
        fixture.tick_after(10);
        assert_eq!(fixture.ejected(), want, "enforcing {enforcing} %");
        assert_eq!(fixture.stats.get(ClusterMetric::EjectionsDetectedFailurePercentage), 1);
    }
}

#[tokio::test]
async fn windows_begin_anew_with_every_interval() {
    let mut fixture = Fixture::new(6, OutlierDetection { enforcing_consecutive_5xx: 0, ..all_may_go() });
    for host in 0..6 {
        let status = if host == 0 { 500 } else { 200 };
        fixture.report(host, times(Outcome::Response(status), 60));
    }
    fixture.tick_after(10);
    for host in 0..6 {
        fixture.report(host, times(Outcome::Response(if host == 0 { 500 } else { 200 }), 60));
    }
    fixture.tick_after(10);
    assert_eq!(fixture.ejected(), [0; 0], "sixty and sixty are not a hundred of one interval");
}

#[tokio::test]
async fn an_endpoint_that_was_ejected_can_be_brought_back_at_once() {
    let mut fixture = Fixture::new(2, all_may_go());
    fixture.report(0, times(Outcome::Response(500), 5));
    fixture.judge_runs();
    assert!(uneject(&fixture.hosts[0], fixture.now));
    assert_eq!(fixture.ejected(), [0; 0]);
    assert!(!uneject(&fixture.hosts[0], fixture.now), "once");
    fixture.hosts[0].state().apply(EndpointHealth::Healthy);
}
