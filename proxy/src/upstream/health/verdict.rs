//! When an endpoint's active check changes its health, and when the next one is due: thresholds and intervals as
//! Envoy has them.

use std::time::Duration;

use xds::model::HealthCheck;

/// How one check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// Well.
    Passed,
    /// The endpoint answered that it is not well: counts at once.
    Failed,
    /// It could not be asked, or its answer may be different next time: counts towards the threshold.
    Unreachable,
}

/// The results of one check on one endpoint so far.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    healthy: bool,
    checked: bool,
    passed_in_a_row: u32,
    unreachable_in_a_row: u32,
}

/// What a finding came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Whether the endpoint is healthy now, by this check.
    pub healthy: bool,
    /// Whether that is new, the first verdict included.
    pub is_news: bool,
    /// Whether more findings of this kind will change it.
    pending: bool,
    finding: Finding,
}

impl Verdict {
    /// Takes a finding in.
    pub fn record(&mut self, finding: Finding, check: &HealthCheck) -> Step {
        let (first, before) = (!self.checked, self.healthy);
        self.checked = true;
        let mut pending = false;
        match finding {
            Finding::Passed => {
                self.unreachable_in_a_row = 0;
                if !self.healthy {
                    self.passed_in_a_row += 1;
                    // The first check of all counts alone, so that a start is quick.
                    self.healthy = first || self.passed_in_a_row >= check.healthy_threshold;
                    pending = !self.healthy;
                }
            }
            Finding::Failed => {
                self.passed_in_a_row = 0;
                self.healthy = false;
            }
            Finding::Unreachable => {
                self.passed_in_a_row = 0;
                if self.healthy {
                    self.unreachable_in_a_row += 1;
                    self.healthy = self.unreachable_in_a_row < check.unhealthy_threshold;
                    pending = self.healthy;
                }
            }
        }
        if self.healthy != before {
            self.passed_in_a_row = 0;
            self.unreachable_in_a_row = 0;
        }
        Step { healthy: self.healthy, is_news: first || self.healthy != before, pending, finding }
    }
}

impl Step {
    /// How long to wait until the next check. `has_traffic`: whether the cluster ever had a connection.
    pub fn wait(&self, check: &HealthCheck, has_traffic: bool, rng: &mut fastrand::Rng) -> Duration {
        let unhealthy = check.unhealthy_interval.unwrap_or(check.interval);
        let base = match (has_traffic, self.finding, self.pending) {
            (false, Finding::Passed, _) => {
                check.no_traffic_healthy_interval.unwrap_or(check.no_traffic_interval)
            }
            (false, ..) => check.no_traffic_interval,
            (true, Finding::Passed, true) => check.healthy_edge_interval.unwrap_or(check.interval),
            (true, Finding::Passed, false) => check.interval,
            (true, _, true) => check.unhealthy_edge_interval.unwrap_or(unhealthy),
            (true, _, false) => unhealthy,
        };
        base + jitter(base * check.interval_jitter_percent / 100, rng) + jitter(check.interval_jitter, rng)
    }
}

/// A random time below `most`.
pub fn jitter(most: Duration, rng: &mut fastrand::Rng) -> Duration {
    match u64::try_from(most.as_micros()) {
        Ok(0) | Err(_) => Duration::ZERO,
        Ok(micros) => Duration::from_micros(rng.u64(..micros)),
    }
}

#[cfg(test)]
mod tests {
    use xds::model::{HealthCheckKind, TcpHealthCheck};

    use super::*;

    /// A check whose intervals can be told apart.
    fn check() -> HealthCheck {
        HealthCheck {
            kind: HealthCheckKind::Tcp(TcpHealthCheck { send: Vec::new(), receive: Vec::new() }),
            timeout: Duration::from_secs(1),
            interval: Duration::from_secs(5),
            interval_jitter: Duration::ZERO,
            interval_jitter_percent: 0,
            initial_jitter: Duration::ZERO,
            no_traffic_interval: Duration::from_secs(60),
            no_traffic_healthy_interval: Some(Duration::from_secs(90)),
            unhealthy_edge_interval: Some(Duration::from_secs(2)),
            unhealthy_interval: Some(Duration::from_secs(3)),
            healthy_edge_interval: Some(Duration::from_secs(4)),
            unhealthy_threshold: 3,
            healthy_threshold: 2,
            alt_port: None,
            reuse_connection: false,
        }
    }

    /// Findings written as `+` (passed), `-` (unreachable) and `x` (failed), and what each gives: the health, `!`
    /// if it is news, and the seconds to the next check.
    fn run(findings: &str) -> String {
        let (check, mut verdict) = (check(), Verdict::default());
        let mut rng = fastrand::Rng::with_seed(0);
        let step = |finding: char| {
            let finding = match finding {
                '+' => Finding::Passed,
                '-' => Finding::Unreachable,
                _ => Finding::Failed,
            };
            let step = verdict.record(finding, &check);
            let news = if step.is_news { "!" } else { "" };
            let health = if step.healthy { "up" } else { "down" };
            format!("{health}{news}{}", step.wait(&check, true, &mut rng).as_secs())
        };
        findings.chars().map(step).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn thresholds_and_intervals_by_table() {
        for (findings, want) in [
            ("+", "up!5"),
            ("-", "down!3"),
            ("x", "down!3"),
            ("+--+", "up!5 up2 up2 up5"),
            ("+---", "up!5 up2 up2 down!3"),
            ("+--+--", "up!5 up2 up2 up5 up2 up2"),
            ("+x", "up!5 down!3"),
            ("-+-++", "down!3 down4 down3 down4 up!5"),
            ("+---++-", "up!5 up2 up2 down!3 down4 up!5 up2"),
        ] {
            assert_eq!(run(findings), want, "findings {findings}");
        }
    }

    #[test]
    fn without_traffic_checks_are_rare() {
        let without = HealthCheck { no_traffic_healthy_interval: None, ..check() };
        for (check, finding, want) in [
            (check(), Finding::Passed, 90),
            (check(), Finding::Unreachable, 60),
            (check(), Finding::Failed, 60),
            (without, Finding::Passed, 60),
        ] {
            let step = Verdict::default().record(finding, &check);
            let wait = step.wait(&check, false, &mut fastrand::Rng::with_seed(0));
            assert_eq!(wait, Duration::from_secs(want), "{finding:?}");
        }
    }

    #[test]
    fn edge_intervals_fall_back_to_the_plain_ones() {
        let check = HealthCheck {
            unhealthy_edge_interval: None,
            unhealthy_interval: None,
            healthy_edge_interval: None,
            ..check()
        };
        let mut verdict = Verdict::default();
        let mut rng = fastrand::Rng::with_seed(0);
        for finding in [Finding::Passed, Finding::Unreachable, Finding::Failed, Finding::Passed] {
            let wait = verdict.record(finding, &check).wait(&check, true, &mut rng);
            assert_eq!(wait, Duration::from_secs(5), "{finding:?}");
        }
    }

    #[test]
    fn jitter_stays_within_both_bounds_and_varies() {
        let check =
            HealthCheck { interval_jitter: Duration::from_secs(1), interval_jitter_percent: 20, ..check() };
        let mut rng = fastrand::Rng::with_seed(9);
        let step = Verdict::default().record(Finding::Passed, &check);
        let waits: Vec<_> = (0..200).map(|_| step.wait(&check, true, &mut rng)).collect();
        let (low, high) = (waits.iter().min().unwrap(), waits.iter().max().unwrap());
        assert!(*low >= Duration::from_secs(5) && *high < Duration::from_secs(7), "{low:?} to {high:?}");
        assert!(*high - *low > Duration::from_millis(900), "{low:?} to {high:?}");
    }
}
