//! Random requests, valid and nearly valid, through Tombolo, Envoy and nginx to backends that record.
//!
//! One rule: what reaches a backend through us is what the client's bytes mean to a reader by the letter, and nothing
//! that both others refuse gets through without a reason that is written down.

mod line;

mod generate;

mod mutate;

mod proxies;

mod run;

mod meant;

mod judge;

use std::time::Instant;

use judge::Tally;
use proxies::Proxy;

/// Requests of a run in every test; `tests/full` asks for more.
const REQUESTS: u64 = 4_000;

/// `TOMBOLO_FUZZ_REQUESTS` says how many, `TOMBOLO_FUZZ_SEED` which.
#[test]
fn nothing_is_forwarded_that_others_refuse_or_that_means_something_else() {
    let requests = number("TOMBOLO_FUZZ_REQUESTS").unwrap_or(REQUESTS);
    let seed = number("TOMBOLO_FUZZ_SEED").unwrap_or_else(|| fastrand::u64(..));
    let (Some(envoy), Some(nginx)) = (Proxy::envoy(), Proxy::nginx()) else { return };
    let start = Instant::now();
    println!("seed {seed}: TOMBOLO_FUZZ_REQUESTS={requests} TOMBOLO_FUZZ_SEED={seed} repeats this run");
    let mut proxies = [Proxy::tombolo(), envoy, nginx];
    let mut tally = Tally::default();
    let mut number = 0;
    while tally.requests < requests {
        let exchanges = run::batch(seed, &mut number);
        let seen = run::through(&mut proxies, &exchanges);
        judge::judge(&exchanges, &seen, &mut tally);
    }
    let suspects = std::mem::take(&mut tally.findings);
    let findings = judge::confirm(&mut proxies, seed, suspects);
    println!("{}, {:.0} s", tally.line(), start.elapsed().as_secs_f64());
    assert!(findings.is_empty(), "seed {seed}: {} finding(s)\n{}", findings.len(), findings.join("\n"));
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}={text}: a whole number is wanted")))
}
