//! A site's own instances die under load: traffic moves to another site, nothing is lost, and it comes back.

use std::time::{Duration, Instant};

use harness::load::{Load, Running};
use harness::wait;

use crate::mesh::{Mesh, SITES};

/// How long a move of traffic may take before the test gives up.
const PATIENCE: Duration = Duration::from_secs(30);

fn answered_by(load: &Running, site: &str) -> u64 {
    let report = load.report();
    report.backends.iter().filter(|(name, _)| name.starts_with(site)).map(|(_, count)| count).sum()
}

/// Waits until only instances of sites that `fits` accepts answer, and tells since when.
fn wait_moved(load: &Running, begun: Instant, fits: impl Fn(&str) -> bool) -> Duration {
    wait::until("traffic to have moved", PATIENCE, || {
        let before = load.report().backends;
        std::thread::sleep(Duration::from_millis(100));
        let after = load.report().backends;
        let answering: Vec<_> = after
            .iter()
            .filter(|(name, count)| before.get(*name) != Some(*count))
            .map(|(name, _)| name)
            .collect();
        match !answering.is_empty() && answering.iter().all(|name| fits(name)) {
            true => Ok(()),
            false => Err(format!("answering now: {answering:?}")),
        }
    });
    begun.elapsed()
}

#[test]
fn a_dead_sites_traffic_moves_and_comes_back_without_a_failed_request() {
    let mut mesh = Mesh::start();
    let load = Load {
        time_max: Duration::from_secs(120),
        pause: Duration::from_millis(2),
        ..Load::get(mesh.gateway(0), "any", "/")
    };
    let load = load.start();
    wait::until("the site's own instances to answer", PATIENCE, || {
        if answered_by(&load, SITES[0]) > 200 { Ok(()) } else { Err(format!("{:?}", load.report().backends)) }
    });
    assert_eq!(answered_by(&load, SITES[1]) + answered_by(&load, SITES[2]), 0, "the own site comes first");

    let killed = Instant::now();
    mesh.stop_backends(0);
    let moved = wait_moved(&load, killed, |name| !name.starts_with(SITES[0]));
    std::thread::sleep(Duration::from_secs(1));

    let restored = Instant::now();
    mesh.restore_backends(0);
    let back = wait_moved(&load, restored, |name| name.starts_with(SITES[0]));

    let report = load.finish();
    println!(
        "failover: moved after {moved:?}, back after {back:?}; {} requests, {} not answered 2xx, slowest {:?}",
        report.requests(),
        report.not_ok(),
        report.slowest
    );
    assert_eq!(report.not_ok(), 0, "statuses {:?}, failures {:?}", report.statuses, report.reasons);
}
