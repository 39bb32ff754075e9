//! Slow start: a new endpoint's weight grows over a window (Envoy's `SlowStartConfig`).

use std::time::Duration;

use xds::model::SlowStart;

/// The share of its weight that an endpoint has after `elapsed` of its slow start, 0 to 1: the elapsed share of
/// the window to the power of 1/aggression, but at least the configured minimum.
#[must_use]
pub fn factor(config: &SlowStart, elapsed: Duration) -> f64 {
    if elapsed >= config.window {
        return 1.0;
    }
    // Envoy counts from one second, so that a window of one second does not begin at nothing.
    let time = elapsed.as_secs_f64().max(1.0) / config.window.as_secs_f64();
    let ramp = time.min(1.0).powf(1.0 / config.aggression);
    ramp.max(config.min_weight_percent / 100.0).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ramp_follows_the_curve_and_the_minimum() {
        let config = |aggression, min_weight_percent| SlowStart {
            window: Duration::from_secs(60),
            aggression,
            min_weight_percent,
        };
        for (aggression, minimum, elapsed, want) in [
            (1.0, 10.0, 30, 0.5),
            (1.0, 10.0, 0, 0.1),
            (1.0, 0.0, 0, 1.0 / 60.0),
            (2.0, 10.0, 15, 0.5),
            (0.5, 10.0, 30, 0.25),
            (1.0, 10.0, 60, 1.0),
            (1.0, 10.0, 600, 1.0),
        ] {
            let got = factor(&config(aggression, minimum), Duration::from_secs(elapsed));
            let message = format!("aggression {aggression}, minimum {minimum}, {elapsed} s");
            assert!((got - want).abs() < 1e-9, "{message}: {got}, want {want}");
        }
    }
}
