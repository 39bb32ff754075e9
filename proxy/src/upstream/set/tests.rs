use std::collections::BTreeMap;

use xds::model::{LbPolicy, LocalityBalancing, RingHash};

use super::*;
use crate::upstream::fixture::{balancing, locality_hosts, port};

fn round_robin() -> LoadBalancing {
    balancing(LbPolicy::RoundRobin { slow_start: None })
}

fn ring() -> LbPolicy {
    LbPolicy::RingHash(RingHash {
        minimum_ring_size: 1024,
        maximum_ring_size: 8 << 20,
        hash_function: xds::model::HashFunction::XxHash,
    })
}

/// How many of `picks` go to each group of a hundred ports.
fn shares(set: &EndpointSet, context: &PickContext<'_>, picks: u32, seed: u64) -> BTreeMap<u16, u32> {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut shares = BTreeMap::new();
    for _ in 0..picks {
        let picked = set.pick(context, Instant::now(), 0, &mut rng).unwrap();
        *shares.entry(port(&picked.host) / 100 * 100).or_insert(0) += 1;
    }
    shares
}

fn assert_shares(got: &BTreeMap<u16, u32>, want: &[(u16, u32)], tolerance: u32) {
    let near = want.iter().all(|(group, want)| got.get(group).unwrap_or(&0).abs_diff(*want) <= tolerance);
    assert!(near && got.len() <= want.len(), "{got:?} is not near {want:?}");
}

#[tokio::test]
async fn unhealthy_endpoints_get_nothing_and_priorities_spill() {
    let localities = [locality_hosts(0, None, 1000, [2, 0, 2]), locality_hosts(1, None, 1100, [4, 0, 0])];
    let set = EndpointSet::new(&round_robin(), &Terms::default(), &localities, 1);
    let got = shares(&set, &PickContext::default(), 10_000, 1);
    assert_shares(&got, &[(1000, 7_000), (1100, 3_000)], 250);
    let mut rng = fastrand::Rng::with_seed(2);
    let healthy = (0..1000).all(|_| {
        let picked = set.pick(&PickContext::default(), Instant::now(), 0, &mut rng).unwrap();
        picked.host.availability() == Availability::Healthy && !picked.panic
    });
    assert!(healthy, "an unhealthy endpoint was chosen");
}

#[tokio::test]
async fn in_panic_health_is_ignored() {
    let localities = [locality_hosts(0, None, 1000, [1, 0, 9])];
    let set = EndpointSet::new(&round_robin(), &Terms::default(), &localities, 1);
    let mut rng = fastrand::Rng::with_seed(3);
    let mut ports = std::collections::BTreeSet::new();
    for _ in 0..10 {
        let picked = set.pick(&PickContext::default(), Instant::now(), 0, &mut rng).unwrap();
        assert!(picked.panic, "the pick says that it was made in panic");
        ports.insert(port(&picked.host));
    }
    assert_eq!(ports.len(), 10, "all ten take turns");
}

#[tokio::test]
async fn without_panic_nobody_is_chosen_when_all_are_unhealthy() {
    let localities = [locality_hosts(0, None, 1000, [0, 0, 3])];
    for policy in [LbPolicy::Random, ring()] {
        let settings = LoadBalancing { healthy_panic_threshold: 0.0, ..balancing(policy) };
        let set = EndpointSet::new(&settings, &Terms::default(), &localities, 1);
        let mut rng = fastrand::Rng::with_seed(3);
        assert!(set.pick(&PickContext::default(), Instant::now(), 0, &mut rng).is_none());
    }
}

#[tokio::test]
async fn degraded_endpoints_take_the_load_that_healthy_ones_cannot() {
    let localities = [locality_hosts(0, None, 1000, [25, 0, 0]), locality_hosts(0, None, 1100, [0, 75, 0])];
    let set = EndpointSet::new(&round_robin(), &Terms::default(), &localities, 1);
    let got = shares(&set, &PickContext::default(), 10_000, 4);
    assert_shares(&got, &[(1000, 3_500), (1100, 6_500)], 250);
}

#[tokio::test]
async fn locality_weights_share_a_priority_by_effective_weight() {
    let weighted = LoadBalancing { locality: LocalityBalancing::Weighted, ..round_robin() };
    let localities = [
        locality_hosts(0, Some(1), 1000, [10, 0, 0]),
        locality_hosts(0, Some(2), 1100, [1, 0, 0]),
        locality_hosts(0, None, 1200, [5, 0, 0]),
        locality_hosts(0, Some(1), 1300, [1, 0, 1]),
    ];
    let set = EndpointSet::new(&weighted, &Terms::default(), &localities, 1);
    let got = shares(&set, &PickContext::default(), 37_000, 5);
    // Half of the last locality is down: 1.4 x 50 % of its weight are left.
    assert_shares(&got, &[(1000, 10_000), (1100, 20_000), (1300, 7_000)], 50);
    let even = EndpointSet::new(&round_robin(), &Terms::default(), &localities, 1);
    let got = shares(&even, &PickContext::default(), 17_000, 5);
    assert_shares(&got, &[(1000, 10_000), (1100, 1_000), (1200, 5_000), (1300, 1_000)], 50);
}

#[tokio::test]
async fn hash_balancers_honour_locality_weights() {
    let weighted = LoadBalancing { locality: LocalityBalancing::Weighted, ..balancing(ring()) };
    let localities =
        [locality_hosts(0, Some(1), 1000, [4, 0, 0]), locality_hosts(0, Some(3), 1100, [4, 0, 0])];
    let set = EndpointSet::new(&weighted, &Terms::default(), &localities, 1);
    let got = shares(&set, &PickContext::default(), 20_000, 6);
    assert_shares(&got, &[(1000, 5_000), (1100, 15_000)], 1_200);
}

#[tokio::test]
async fn the_same_hash_always_gives_the_same_endpoint() {
    let localities = [locality_hosts(0, None, 1000, [5, 0, 0]), locality_hosts(1, None, 1100, [5, 0, 0])];
    let set = EndpointSet::new(&balancing(ring()), &Terms::default(), &localities, 1);
    let context = PickContext { hash: Some(0x1234_5678), ..PickContext::default() };
    let got: std::collections::BTreeSet<_> = (0..100)
        .map(|seed| {
            let mut rng = fastrand::Rng::with_seed(seed);
            port(&set.pick(&context, Instant::now(), 0, &mut rng).unwrap().host)
        })
        .collect();
    assert_eq!(got.len(), 1, "one hash went to {got:?}");
}

#[tokio::test]
async fn a_retry_avoids_the_endpoint_that_failed() {
    for policy in [LbPolicy::RoundRobin { slow_start: None }, LbPolicy::Random, ring()] {
        let localities = [locality_hosts(0, None, 1000, [4, 0, 0])];
        let set = EndpointSet::new(&balancing(policy.clone()), &Terms::default(), &localities, 1);
        let tried = [Arc::clone(&set.hosts()[2])];
        let mut rng = fastrand::Rng::with_seed(7);
        let mut again = |attempts| {
            (0..400)
                .filter(|hash: &u64| {
                    let context = PickContext {
                        hash: Some(hash.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
                        avoid_hosts: &tried,
                        host_selection_attempts: attempts,
                        ..PickContext::default()
                    };
                    set.pick(&context, Instant::now(), 0, &mut rng).unwrap().host.is(&tried[0])
                })
                .count()
        };
        let (careless, careful) = (again(0), again(10));
        assert!(careless > 50 && careful < 10, "{policy:?}: {careless}, then {careful} of 400 came back");
    }
}

#[tokio::test]
async fn an_avoided_endpoint_is_better_than_none() {
    let localities = [locality_hosts(0, None, 1000, [1, 0, 0])];
    let set = EndpointSet::new(&round_robin(), &Terms::default(), &localities, 1);
    let tried = [Arc::clone(&set.hosts()[0])];
    let context = PickContext { avoid_hosts: &tried, host_selection_attempts: 3, ..PickContext::default() };
    assert!(set.pick(&context, Instant::now(), 0, &mut fastrand::Rng::with_seed(0)).is_some());
}

#[tokio::test]
async fn a_retry_may_avoid_a_priority() {
    let localities = [locality_hosts(0, None, 1000, [2, 0, 0]), locality_hosts(1, None, 1100, [2, 0, 0])];
    let set = EndpointSet::new(&round_robin(), &Terms::default(), &localities, 1);
    let context = PickContext { avoid_priorities: &[0], ..PickContext::default() };
    assert_shares(&shares(&set, &context, 1_000, 8), &[(1100, 1_000)], 0);
}

#[tokio::test]
async fn drop_overloads_refuse_their_share() {
    let fraction = Fraction { numerator: 25, denominator: 100 };
    let terms = Terms { drop_overloads: vec![("throttle".to_owned(), fraction)], ..Terms::default() };
    let set = EndpointSet::new(&round_robin(), &terms, &[], 1);
    let mut rng = fastrand::Rng::with_seed(9);
    let dropped = (0..10_000).filter(|_| set.drops(&mut rng) == Some("throttle")).count();
    assert!(dropped.abs_diff(2_500) < 200, "{dropped} of 10,000");
}

#[tokio::test]
async fn a_set_knows_when_health_has_moved_on() {
    let localities = [locality_hosts(0, None, 1000, [2, 0, 0])];
    let set = EndpointSet::new(&round_robin(), &Terms::default(), &localities, 1);
    assert!(set.is_current());
    set.hosts()[1].state().set(HealthFlag::FailedOutlierCheck, true);
    assert!(!set.is_current(), "an ejection makes the set old");
}

#[tokio::test]
async fn pick_first_leaves_an_unhealthy_endpoint_and_does_not_return_to_it() {
    let settings = balancing(LbPolicy::PickFirst { shuffle_address_list: false });
    let localities = [locality_hosts(0, None, 1000, [4, 0, 0]), locality_hosts(1, None, 1100, [1, 0, 0])];
    let pick = || {
        let set = EndpointSet::new(&settings, &Terms::default(), &localities, 1);
        let mut rng = fastrand::Rng::with_seed(1);
        let picked = set.pick(&PickContext::default(), Instant::now(), 0, &mut rng).unwrap();
        (port(&picked.host), picked.panic)
    };
    assert_eq!(pick(), (1000, false));
    let first = localities[0].hosts[0].state();
    first.set(HealthFlag::FailedActiveHc, true);
    assert_eq!(pick(), (1001, false));
    first.set(HealthFlag::FailedActiveHc, false);
    assert_eq!(pick(), (1001, false), "it went back to the one that had recovered");
    for host in &localities[0].hosts[..3] {
        host.state().set(HealthFlag::FailedActiveHc, true);
    }
    let ports: std::collections::BTreeSet<_> = (0..50).map(|_| pick().0).collect();
    assert!(ports.is_subset(&[1003, 1100].into()), "one of four is healthy, and no panic: {ports:?}");
}

#[tokio::test]
async fn an_endpoint_that_a_request_names_is_taken_whatever_its_health() {
    let settings = LoadBalancing { override_headers: vec!["x-to".to_owned()], ..round_robin() };
    let localities = [locality_hosts(0, None, 1000, [1, 0, 0]), locality_hosts(1, None, 1100, [0, 0, 2])];
    let set = EndpointSet::new(&settings, &Terms::default(), &localities, 1);
    let mut headers = crate::fields::Fields::default();
    headers.append("x-to", "127.0.0.1:9, 127.0.0.1:1101 ,,127.0.0.1:1100".parse().unwrap());
    headers.append("x-to", "127.0.0.1:1000".parse().unwrap());
    let named = Named::read(&settings.override_headers, &headers);
    let context = PickContext { named: Some(&named), ..PickContext::default() };
    let mut rng = fastrand::Rng::with_seed(1);
    let mut pick = |context: &PickContext<'_>| {
        let picked = set.pick(context, Instant::now(), 0, &mut rng).unwrap();
        (port(&picked.host), picked.priority)
    };
    assert_eq!(pick(&context), (1101, 1), "the first that is there");
    assert_eq!(pick(&context), (1100, 1), "a retry goes to the next");
    assert_eq!(pick(&context), (1000, 0), "when all are used, the balancer chooses");
    let without = EndpointSet::new(&round_robin(), &Terms::default(), &localities, 1);
    let named = Named::read(&settings.override_headers, &headers);
    let context = PickContext { named: Some(&named), ..PickContext::default() };
    let picked = without.pick(&context, Instant::now(), 0, &mut rng).unwrap();
    assert_eq!(port(&picked.host), 1000, "a cluster without override_host does not look");
}

#[tokio::test]
async fn a_session_stays_at_its_endpoint_unless_that_is_unhealthy() {
    let localities = [locality_hosts(0, None, 1000, [1, 0, 0]), locality_hosts(1, None, 1100, [0, 0, 2])];
    let set = EndpointSet::new(&round_robin(), &Terms::default(), &localities, 1);
    let mut rng = fastrand::Rng::with_seed(1);
    let mut pick = |address: &str, strict| {
        let session = Session { address: Some(address.to_owned()), strict };
        let context = PickContext { session: Some(&session), ..PickContext::default() };
        set.pick(&context, Instant::now(), 0, &mut rng).map(|picked| port(&picked.host))
    };
    for (address, strict, expected) in [
        ("127.0.0.1:1000", true, Some(1000)),
        ("127.0.0.1:1100", false, Some(1000)),
        ("127.0.0.1:1100", true, None),
        ("127.0.0.1:9", false, Some(1000)),
        ("127.0.0.1:9", true, None),
    ] {
        assert_eq!(pick(address, strict), expected, "{address}, strict: {strict}");
    }
}
