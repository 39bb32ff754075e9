//! Which requests are checks, and what they are answered.

use xds::model::{HeaderMatcher, HeaderTest, StringMatcher};

use super::*;
use crate::fields::Fields;
use crate::policy::samples::get;

const NOW: Duration = Duration::from_secs(100);

fn filter(mode: HealthCheckMode) -> HealthCheck {
    let path = HeaderMatcher {
        name: ":path".to_owned(),
        test: HeaderTest::Text(StringMatcher::exact("/healthz")),
        invert: false,
        treat_missing_header_as_empty: false,
    };
    let model = HealthCheckFilter { headers: vec![path], mode };
    HealthCheck::compile(&model, Arc::default(), "ours", Arc::new(Counters::new())).unwrap()
}

fn pass_through(cache_time: Option<Duration>) -> HealthCheck {
    filter(HealthCheckMode::PassThrough { cache_time })
}

fn answering(clusters: &[(&str, u32)]) -> HealthCheck {
    let clusters = clusters.iter().map(|(name, share)| ((*name).to_owned(), *share)).collect();
    filter(HealthCheckMode::Answer { clusters })
}

fn asked(filter: &HealthCheck, now: Duration) -> String {
    match filter.judge(&get("a", "/healthz", &[]), &Clusters::new(), now) {
        Verdict::Other => "other".to_owned(),
        Verdict::PassOn => "passed on".to_owned(),
        Verdict::Reply(reply) => format!("{} {}", reply.status.as_u16(), reply.details),
    }
}

fn response(status: u16) -> ResponseHead {
    ResponseHead { status: StatusCode::from_u16(status).unwrap(), headers: Fields::new() }
}

#[test]
fn other_requests_are_left_alone() {
    let verdict = answering(&[]).judge(&get("a", "/other", &[]), &Clusters::new(), NOW);
    assert!(matches!(verdict, Verdict::Other));
}

#[test]
fn an_operator_makes_every_check_fail_and_every_answer_say_so() {
    for filter in [answering(&[]), pass_through(None)] {
        filter.standing.set_failing(true);
        assert_eq!(asked(&filter, NOW), "503 health_check_failed");
        let mut head = response(200);
        filter.respond(None, &mut head, NOW);
        assert_eq!(head.headers.get(IMMEDIATE_FAIL).unwrap(), "true");
        filter.standing.set_failing(false);
        let mut head = response(200);
        filter.respond(None, &mut head, NOW);
        assert!(!head.headers.contains_key(IMMEDIATE_FAIL));
    }
}

#[test]
fn clusters_decide_where_they_are_named() {
    assert_eq!(asked(&answering(&[]), NOW), "200 health_check_ok");
    assert_eq!(asked(&answering(&[("gone", 0)]), NOW), "503 health_check_failed_no_cluster_found");
}

#[test]
fn an_upstreams_answer_is_given_again_as_long_as_it_may_be() {
    let filter = pass_through(Some(Duration::from_secs(2)));
    assert_eq!(asked(&filter, NOW), "passed on");
    filter.respond(Some(true), &mut response(418), NOW);
    assert_eq!(asked(&filter, NOW + Duration::from_millis(1999)), "418 health_check_cached");
    // Its own repetition does not make it younger.
    filter.respond(Some(false), &mut response(418), NOW + Duration::from_millis(1999));
    assert_eq!(asked(&filter, NOW + Duration::from_secs(2)), "passed on");
}

#[test]
fn nothing_is_kept_where_nothing_is_to_be() {
    let filter = pass_through(None);
    filter.respond(Some(true), &mut response(200), NOW);
    assert_eq!(asked(&filter, NOW), "passed on");
}

#[test]
fn answers_to_checks_name_the_proxys_cluster() {
    let mut head = response(200);
    answering(&[]).respond(Some(false), &mut head, NOW);
    assert_eq!(head.headers.get(CHECKED_CLUSTER).unwrap(), "ours");
}
