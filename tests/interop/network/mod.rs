//! What happens below HTTP, beside real Envoy: connections that are limited, told apart, passed on and answered.
//!
//! One rule: a case comes to one line on each side, and the lines are equal or stand in `differences.md`. Bytes and ports
//! that differ between two runs are words in a line.

mod story;

mod backends;

mod stand;

mod cases;

use std::collections::BTreeMap;

use harness::known::{self, Both};

use cases::Topic;
use stand::Stand;

/// Runs a topic's cases on both sides, one after the other on proxies that keep running: limits remember.
fn compare(topic: &Topic) {
    let Some(envoy) = Stand::envoy(topic.bootstrap) else { return };
    let tombolo = Stand::tombolo(topic.bootstrap);
    let mut found = BTreeMap::new();
    for case in &topic.cases {
        let (theirs, ours) = std::thread::scope(|scope| {
            let other = scope.spawn(|| story::tell(case, &envoy));
            let ours = story::tell(case, &tombolo);
            (other.join().expect("a case ends in a line"), ours)
        });
        let name = format!("{}: {}", topic.name, case.name);
        if std::env::var("TOMBOLO_SHOW").is_ok() {
            eprintln!("{name}: {theirs}");
        }
        if theirs != ours {
            let twice = found.insert(name.clone(), Both { envoy: theirs, ours });
            assert!(twice.is_none(), "two cases are called {name}");
        }
    }
    known::judge(&format!("{}: ", topic.name), &found);
}

#[test]
fn network_filters_do_as_envoys_do() {
    compare(&cases::chains());
}

#[test]
fn endpoints_are_told_of_clients_as_by_envoy() {
    compare(&cases::proxied());
}

#[test]
fn datagrams_go_as_through_envoy() {
    compare(&cases::udp());
}
