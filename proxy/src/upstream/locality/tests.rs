//! Tables from Envoy's documentation ("Priority levels", "Degraded endpoints", "Panic threshold", "Locality
//! weighted load balancing").

use super::*;

fn hundred(healthy: u64, degraded: u64) -> Census {
    of_total(100, healthy, degraded)
}

fn of_total(total: u64, healthy: u64, degraded: u64) -> Census {
    let tally = Tally { total, healthy, degraded };
    Census { members: total, hosts: tally, counted: tally }
}

fn healthy(percents: &[u64]) -> Vec<u32> {
    let priorities: Vec<_> = percents.iter().map(|percent| hundred(*percent, 0)).collect();
    Loads::of(&priorities, 140, 0.0).healthy
}

#[test]
fn two_priorities_share_by_overprovisioned_health() {
    for (percents, want) in [
        ([100, 100], [100, 0]),
        ([72, 72], [100, 0]),
        ([71, 71], [99, 1]),
        ([50, 50], [70, 30]),
        ([25, 100], [35, 65]),
        ([0, 100], [0, 100]),
    ] {
        assert_eq!(healthy(&percents), want, "health {percents:?}");
    }
}

#[test]
fn when_all_are_short_the_loads_are_scaled_to_a_hundred() {
    for (percents, want) in [([25, 25], [50, 50]), ([5, 0], [100, 0]), ([0, 0], [100, 0])] {
        assert_eq!(healthy(&percents), want, "health {percents:?}");
    }
}

#[test]
fn three_priorities_spill_one_after_the_other() {
    for (percents, want) in [
        ([100, 100, 100], [100, 0, 0]),
        ([72, 72, 100], [100, 0, 0]),
        ([71, 71, 100], [99, 1, 0]),
        ([50, 50, 100], [70, 30, 0]),
        ([25, 100, 100], [35, 65, 0]),
        ([25, 25, 100], [35, 35, 30]),
        ([25, 25, 20], [37, 35, 28]),
    ] {
        assert_eq!(healthy(&percents), want, "health {percents:?}");
    }
}

#[test]
fn degraded_endpoints_take_what_healthy_ones_cannot() {
    for ((well, poor), want) in [((100, 0), (100, 0)), ((71, 0), (100, 0)), ((71, 29), (99, 1))] {
        let loads = Loads::of(&[hundred(well, poor)], 140, 0.0);
        assert_eq!((loads.healthy[0], loads.degraded[0]), want, "{well} healthy, {poor} degraded");
    }
    let table = [((25, 65), (35, 65)), ((5, 0), (100, 0))];
    for ((well, poor), want) in table {
        let loads = Loads::of(&[hundred(well, poor)], 140, 0.0);
        assert_eq!((loads.healthy[0], loads.degraded[0]), want, "{well} healthy, {poor} degraded");
    }
}

#[test]
fn healthy_endpoints_of_a_lower_priority_come_before_degraded_ones_of_a_higher() {
    let loads = Loads::of(&[hundred(25, 75), hundred(25, 75)], 140, 0.0);
    assert_eq!((loads.healthy, loads.degraded), (vec![35, 35], vec![30, 0]));
}

#[test]
fn health_and_degradation_below_a_hundred_are_scaled_together() {
    // 10/20/10 % healthy, 20/10/0 % degraded, without overprovisioning.
    let loads = Loads::of(&[hundred(10, 20), hundred(20, 10), hundred(10, 0)], 100, 0.0);
    assert_eq!((loads.healthy, loads.degraded), (vec![16, 28, 14], vec![28, 14, 0]));
}

#[test]
fn panic_needs_too_few_healthy_and_too_little_in_all() {
    for (percents, want) in [
        ([72, 72], [false, false]),
        ([71, 71], [false, false]),
        ([50, 60], [false, false]),
        ([1, 100], [false, false]),
        ([0, 100], [false, false]),
        ([25, 25], [true, true]),
        ([0, 45], [true, true]),
        ([5, 65], [true, false]),
    ] {
        let loads = Loads::of(&[hundred(percents[0], 0), hundred(percents[1], 0)], 140, 50.0);
        assert_eq!(loads.panic, want, "health {percents:?}");
    }
}

#[test]
fn when_every_priority_panics_load_goes_by_size() {
    let loads = Loads::of(&[of_total(6, 0, 0), of_total(3, 1, 0)], 140, 50.0);
    assert_eq!(loads.panic, [true, true]);
    assert_eq!(loads.healthy, [67, 33], "rounding goes to the first");
}

#[test]
fn panic_can_be_off() {
    let loads = Loads::of(&[hundred(0, 0), hundred(0, 0)], 140, 0.0);
    assert_eq!((loads.panic, loads.healthy), (vec![false, false], vec![100, 0]));
}

#[test]
fn endpoints_before_their_first_check_do_not_count() {
    let fresh = Tally { total: 2, healthy: 2, degraded: 0 };
    let census = Census { members: 10, hosts: fresh, counted: fresh };
    let loads = Loads::of(&[census, hundred(100, 0)], 140, 50.0);
    assert_eq!(loads.healthy, [100, 0], "two of two counted are healthy");
}

#[test]
fn weights_can_count_instead_of_endpoints() {
    let heavy_one_down = Census {
        members: 2,
        hosts: Tally { total: 2, healthy: 1, degraded: 0 },
        counted: Tally { total: 100, healthy: 10, degraded: 0 },
    };
    assert_eq!(Loads::of(&[heavy_one_down, hundred(100, 0)], 140, 0.0).healthy, [14, 86]);
}

#[test]
fn avoided_priorities_leave_their_load_to_the_others() {
    let loads = Loads::of(&[hundred(100, 0), hundred(50, 0), hundred(100, 0)], 140, 0.0);
    assert_eq!(loads.avoiding(&[0]).healthy, [0, 70, 30]);
    assert_eq!(loads.avoiding(&[0, 1]).healthy, [0, 0, 100]);
    assert_eq!(loads.avoiding(&[0, 1, 2]).healthy, loads.healthy, "when all were tried, it starts again");
    assert_eq!(loads.avoiding(&[7]).healthy, loads.healthy, "an unknown priority changes nothing");
}

#[test]
fn a_hash_falls_into_a_priority_by_its_load() {
    let loads = Loads::of(&[hundred(25, 10), hundred(25, 0)], 140, 0.0);
    let mut count = std::collections::BTreeMap::new();
    for hash in 0..100 {
        let (priority, group) = loads.choose(hash);
        *count.entry((priority, group == Group::Degraded)).or_insert(0) += 1;
    }
    assert_eq!(loads.healthy.iter().chain(&loads.degraded).sum::<u32>(), 100);
    let want =
        [((0, false), loads.healthy[0]), ((0, true), loads.degraded[0]), ((1, false), loads.healthy[1])];
    assert_eq!(count, want.into_iter().collect(), "every hash finds its place");
}

#[test]
fn no_endpoints_at_all_still_choose_the_first_priority() {
    assert_eq!(Loads::of(&[], 140, 50.0).choose(42), (0, Group::Healthy));
    assert_eq!(Loads::of(&[Census::default()], 140, 50.0).choose(42), (0, Group::Healthy));
}

#[test]
fn a_locality_keeps_its_weight_until_overprovisioning_is_used_up() {
    for (weight, eligible, want) in [(1, 100, 1.0), (1, 72, 1.0), (1, 50, 0.7), (2, 50, 1.4), (2, 0, 0.0)] {
        let got = locality_weight(weight, eligible, 100, 140);
        assert!((got - want).abs() < 1e-9, "{eligible} % of weight {weight}: {got}, want {want}");
    }
    assert!(locality_weight(5, 0, 0, 140).abs() < f64::EPSILON, "an empty locality weighs nothing");
}
