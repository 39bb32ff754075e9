//! Targets judged by the medians of one run.

use serde::Serialize;

use super::summary::Row;
use crate::options::PEERS;
use crate::work::quantity::Quantity;
use crate::work::scenario::Variant;
use crate::work::target::{BEST_PEER, Target};

/// Who is judged.
pub const OURS: &str = "tombolo";

/// One target and how we stand.
#[derive(Debug, Clone, Serialize)]
pub struct Verdict {
    /// The row it stands beside: the peer's, or ours when it is of nobody or of the best.
    pub beside: String,
    /// The target and what was found, in words.
    pub text: String,
    /// Whether it is met; nothing when it could not be judged.
    pub met: Option<bool>,
}

/// Judges every target of a variant.
pub fn judge(variant: &Variant, rows: &[Row]) -> Vec<Verdict> {
    variant.targets.iter().map(|target| judge_one(target, &variant.unit, rows)).collect()
}

/// Our number over that of a contestant.
pub fn ratio(rows: &[Row], quantity: Quantity, of: &str) -> Option<f64> {
    let median = |name: &str| rows.iter().find(|row| row.contestant == name)?.median(quantity);
    Some(median(OURS)? / median(of)?)
}

fn judge_one(target: &Target, unit: &str, rows: &[Row]) -> Verdict {
    let Target { quantity, of, limit } = target;
    let ours = rows.iter().find(|row| row.contestant == OURS).and_then(|row| row.median(*quantity));
    let (found, words, beside) = match of.as_deref() {
        None => (ours, quantity.title(unit), OURS),
        Some(BEST_PEER) => {
            let peer = best_peer(rows, *quantity);
            // A ratio of latencies loses its sense when the other is at or below zero.
            let found = ours.zip(peer).map(|(ours, (_, peer))| over(ours, peer));
            let who = peer.map_or("the best peer", |(name, _)| name);
            (found, format!("× {who} {}", quantity.title(unit)), OURS)
        }
        Some(name) => (ratio(rows, *quantity, name), String::new(), name),
    };
    let met = found.map(|found| limit.is_met_by(found));
    let verdict = match met {
        Some(true) => "met",
        Some(false) => "**missed**",
        None => "not judged",
    };
    let found = match (of, found) {
        (Some(name), Some(found)) if name == BEST_PEER => format!(" ({found:.2})"),
        _ => String::new(),
    };
    let text = format!("{} {words}", limit.show());
    Verdict { beside: beside.to_owned(), text: format!("{}: {verdict}{found}", text.trim()), met }
}

fn over(ours: f64, theirs: f64) -> f64 {
    if theirs > 0.0 { ours / theirs } else { f64::INFINITY }
}

fn best_peer(rows: &[Row], quantity: Quantity) -> Option<(&'static str, f64)> {
    let peers = rows.iter().filter(|row| PEERS.contains(&row.contestant));
    let numbers = peers.filter_map(|row| Some((row.contestant, row.median(quantity)?)));
    let sign = if quantity.more_is_better() { -1.0 } else { 1.0 };
    numbers.min_by(|(_, one), (_, other)| f64::total_cmp(&(one * sign), &(other * sign)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::report::summary::Spread;
    use crate::work::target::Limit;

    fn row(contestant: &'static str, quantity: Quantity, median: f64) -> Row {
        let numbers = BTreeMap::from([(quantity, Spread { min: median, median, max: median })]);
        let (proxy_share, load_share, bound_by_load, failures, absent) = (1.0, 0.5, false, 0, None);
        Row { contestant, numbers, proxy_share, load_share, bound_by_load, failures, absent }
    }

    fn verdict(quantity: Quantity, of: Option<&str>, limit: Limit, rows: &[Row]) -> Verdict {
        judge_one(&Target { quantity, of: of.map(str::to_owned), limit }, "request", rows)
    }

    #[test]
    fn a_ratio_is_judged_beside_its_peer_and_a_plain_number_beside_us() {
        let cpu = Quantity::CpuMicros;
        let rows = [row("tombolo", cpu, 12.0), row("envoy", cpu, 24.0)];
        let beside = verdict(cpu, Some("envoy"), Limit::AtMost(0.4), &rows);
        assert_eq!((beside.beside.as_str(), beside.met), ("envoy", Some(false)), "{}", beside.text);
        assert_eq!(verdict(cpu, None, Limit::AtMost(12.0), &rows).met, Some(true));
        assert_eq!(verdict(cpu, Some("nginx"), Limit::AtMost(1.0), &rows).met, None);
    }

    #[test]
    fn the_best_peer_is_the_fastest_or_the_one_with_most() {
        let rate = Quantity::GbPerSecond;
        let rows = [row("tombolo", rate, 3.0), row("envoy", rate, 2.0), row("nginx", rate, 4.0)];
        let found = verdict(rate, Some(BEST_PEER), Limit::AtLeast(1.0), &rows);
        assert_eq!((found.beside.as_str(), found.met), ("tombolo", Some(false)), "{}", found.text);
        let p99 = Quantity::AddedP99Micros;
        let rows = [
            row("tombolo", p99, 3.0),
            row("envoy", p99, 2.0),
            row("nginx", p99, 4.0),
            row("floor", p99, 1.0),
        ];
        let found = verdict(p99, Some(BEST_PEER), Limit::AtMost(1.5), &rows);
        assert_eq!(found.met, Some(true), "the floor is no peer: {}", found.text);
    }
}
