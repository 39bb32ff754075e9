use std::time::Duration;

use xds::model::{Endpoint, EndpointHealth, LeastRequest, Locality, LocalityBalancing, Metadata, SlowStart};

use super::*;
use crate::upstream::state::HostState;
use crate::upstream::transport::Transport;

fn hosts(weights: &[u32]) -> Vec<(Arc<Host>, f64)> {
    let total: u32 = weights.iter().sum();
    let host = |(index, weight): (usize, &u32)| {
        let port = u16::try_from(9000 + index).unwrap();
        let endpoint = Endpoint {
            address: std::net::SocketAddr::from(([127, 0, 0, 1], port)).into(),
            hostname: format!("host-{index}"),
            health: EndpointHealth::Unknown,
            weight: *weight,
            metadata: Metadata::default(),
            health_check_port: None,
            health_check_hostname: String::new(),
            disable_active_health_check: false,
        };
        let state = Arc::new(HostState::new(0, Instant::now()));
        let host = Host::new(&endpoint, Arc::new(Locality::default()), 0, Transport::Plain, state);
        (Arc::new(host), f64::from(*weight) / f64::from(total))
    };
    weights.iter().enumerate().map(host).collect()
}

fn settings(policy: LbPolicy) -> LoadBalancing {
    LoadBalancing {
        policy,
        healthy_panic_threshold: 50.0,
        locality: LocalityBalancing::None,
        ignore_new_hosts_until_first_hc: false,
        use_hostname_for_hashing: false,
        hash_balance_factor: 0,
        override_headers: Vec::new(),
    }
}

fn least_request(choice_count: u32, slow_start: Option<SlowStart>) -> LbPolicy {
    LbPolicy::LeastRequest(LeastRequest { choice_count, active_request_bias: 1.0, slow_start })
}

/// How often each endpoint is chosen in `picks`.
fn counts(balancer: &Balancer, picks: usize, seed: u64) -> Vec<usize> {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut counts = vec![0; balancer.hosts().len()];
    for _ in 0..picks {
        let draw = Draw { hash: rng.u64(..), attempt: 0, now: Instant::now(), cluster_active: 0 };
        let chosen = Arc::clone(balancer.choose(&draw, &mut rng).unwrap());
        counts[balancer.hosts().iter().position(|host| host.is(&chosen)).unwrap()] += 1;
    }
    counts
}

fn assert_near(got: &[usize], want: &[usize], tolerance: usize, seed: u64) {
    let near = got.iter().zip(want).all(|(got, want)| got.abs_diff(*want) <= tolerance);
    assert!(near, "{got:?} is not near {want:?} (seed {seed})");
}

#[tokio::test]
async fn round_robin_follows_the_weights_exactly() {
    let balancer = Balancer::new(&settings(LbPolicy::RoundRobin { slow_start: None }), hosts(&[1, 3, 6]), 99);
    assert_eq!(counts(&balancer, 1000, 1), [100, 300, 600]);
}

#[tokio::test]
async fn random_ignores_weights() {
    let balancer = Balancer::new(&settings(LbPolicy::Random), hosts(&[1, 1, 98]), 0);
    assert_near(&counts(&balancer, 30_000, 5), &[10_000; 3], 400, 5);
}

#[tokio::test]
async fn least_request_at_rest_follows_the_weights() {
    let balancer = Balancer::new(&settings(least_request(2, None)), hosts(&[1, 3]), 0);
    assert_near(&counts(&balancer, 20_000, 7), &[5_000, 15_000], 400, 7);
}

#[tokio::test]
async fn least_request_avoids_the_busy() {
    let hosts = hosts(&[1, 1]);
    for _ in 0..10 {
        hosts[0].0.state().begin_request();
    }
    let balancer = Balancer::new(&settings(least_request(2, None)), hosts, 0);
    // The busy one is only chosen when it is drawn twice.
    assert_near(&counts(&balancer, 20_000, 11), &[5_000, 15_000], 400, 11);
}

#[tokio::test]
async fn least_request_under_load_evens_out_the_load_per_weight() {
    let hosts = hosts(&[1, 3]);
    let balancer = Balancer::new(&settings(least_request(4, None)), hosts.clone(), 0);
    let mut rng = fastrand::Rng::with_seed(3);
    for _ in 0..400 {
        let draw = Draw { hash: 0, attempt: 0, now: Instant::now(), cluster_active: 0 };
        balancer.choose(&draw, &mut rng).unwrap().state().begin_request();
    }
    let active: Vec<_> = hosts.iter().map(|(host, _)| host.active_requests() as usize).collect();
    assert_near(&active, &[100, 300], 8, 3);
}

#[tokio::test(start_paused = true)]
async fn slow_start_ramps_a_new_endpoint_up() {
    let config = SlowStart { window: Duration::from_secs(100), aggression: 1.0, min_weight_percent: 10.0 };
    let policies = [LbPolicy::RoundRobin { slow_start: Some(config) }, least_request(2, Some(config))];
    for policy in policies {
        let old = hosts(&[1]);
        tokio::time::advance(Duration::from_secs(1000)).await;
        let mut all = old;
        all.extend(hosts(&[1]));
        let balancer = Balancer::new(&settings(policy.clone()), all, 0);
        tokio::time::advance(Duration::from_secs(25)).await;
        let early = counts(&balancer, 10_000, 2);
        assert_near(&early, &[8_000, 2_000], 300, 2);
        tokio::time::advance(Duration::from_secs(75)).await;
        let late = counts(&balancer, 10_000, 2);
        assert_near(&late, &[5_000, 5_000], 300, 2);
    }
}

#[tokio::test]
async fn hash_balancers_keep_a_hash_at_one_endpoint() {
    let ring = xds::model::RingHash {
        minimum_ring_size: 1024,
        maximum_ring_size: 8 << 20,
        hash_function: xds::model::HashFunction::MurmurHash2,
    };
    let maglev = xds::model::Maglev { table_size: 65_537 };
    for policy in [LbPolicy::RingHash(ring), LbPolicy::Maglev(maglev)] {
        let balancer = Balancer::new(&settings(policy), hosts(&[1; 5]), 0);
        let mut rng = fastrand::Rng::with_seed(4);
        let draw = Draw { hash: 0xfeed, attempt: 0, now: Instant::now(), cluster_active: 0 };
        let first = Arc::clone(balancer.choose(&draw, &mut rng).unwrap());
        let same = (0..100).all(|_| balancer.choose(&draw, &mut rng).unwrap().is(&first));
        assert!(same, "one hash, one endpoint");
        assert_near(&counts(&balancer, 50_000, 4), &[10_000; 5], 1_500, 4);
    }
}

fn pick_first(shuffle_address_list: bool) -> LoadBalancing {
    settings(LbPolicy::PickFirst { shuffle_address_list })
}

/// Which of `hosts` is chosen now.
fn chosen(balancer: &Balancer, attempt: u32) -> usize {
    let draw = Draw { hash: 7, attempt, now: Instant::now(), cluster_active: 0 };
    let host = balancer.choose(&draw, &mut fastrand::Rng::with_seed(0)).unwrap();
    balancer.hosts().iter().position(|other| other.is(host)).unwrap()
}

#[tokio::test]
async fn pick_first_stays_with_the_first_until_it_fails() {
    let hosts = hosts(&[1, 9, 1]);
    let balancer = Balancer::new(&pick_first(false), hosts.clone(), 5);
    assert_eq!(counts(&balancer, 50, 1), [50, 0, 0]);
    hosts[0].0.state().preference().fail();
    assert_eq!(counts(&balancer, 50, 1), [0, 50, 0], "the next one is kept");
    // A connection that was under way when the other one was chosen fails too late to matter.
    hosts[0].0.state().preference().fail();
    let again = Balancer::new(&pick_first(false), hosts.clone(), 6);
    assert_eq!(chosen(&again, 0), 1, "also in the next set of endpoints");
    hosts[1].0.state().preference().fail();
    assert_eq!(chosen(&again, 0), 2);
    hosts[2].0.state().preference().fail();
    assert_eq!(chosen(&again, 0), 0, "when all have failed, the one that failed longest ago");
}

#[tokio::test]
async fn pick_first_offers_the_others_to_a_request_that_turns_the_first_down() {
    let balancer = Balancer::new(&pick_first(false), hosts(&[1, 1, 1]), 0);
    let offered: Vec<_> = (0..4).map(|attempt| chosen(&balancer, attempt)).collect();
    assert_eq!(offered, [0, 1, 2, 0]);
}

#[tokio::test]
async fn pick_first_may_draw_its_order() {
    let first = |seed| chosen(&Balancer::new(&pick_first(true), hosts(&[1; 8]), seed), 0);
    let firsts: std::collections::BTreeSet<_> = (0..64).map(first).collect();
    assert!(firsts.len() > 4, "of 64 proxies all began with {firsts:?}");
}

#[tokio::test]
async fn no_endpoints_give_none() {
    let first = LbPolicy::PickFirst { shuffle_address_list: true };
    for policy in [LbPolicy::Random, least_request(2, None), LbPolicy::RoundRobin { slow_start: None }, first]
    {
        let balancer = Balancer::new(&settings(policy), Vec::new(), 0);
        let draw = Draw { hash: 1, attempt: 0, now: Instant::now(), cluster_active: 0 };
        assert!(balancer.choose(&draw, &mut fastrand::Rng::with_seed(0)).is_none());
    }
}
