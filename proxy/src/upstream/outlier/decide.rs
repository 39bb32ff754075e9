//! The arithmetic of ejection, as Envoy documents it ("Outlier detection").

use std::time::Duration;

use xds::model::OutlierDetection;

/// The success rate (percent) below which an endpoint is an outlier among `rates`: so many standard deviations
/// (`success_rate_stdev_factor` thousandths) below the mean.
#[must_use]
pub fn success_rate_threshold(rates: &[f64], stdev_factor: u32) -> f64 {
    let count = rates.len() as f64;
    let mean = rates.iter().sum::<f64>() / count;
    let variance = rates.iter().map(|rate| (rate - mean).powi(2)).sum::<f64>() / count;
    mean - f64::from(stdev_factor) / 1000.0 * variance.sqrt()
}

/// Whether one more of `hosts` endpoints may be ejected when `ejected` are already.
#[must_use]
pub fn may_eject(config: &OutlierDetection, ejected: usize, hosts: usize) -> bool {
    if config.always_eject_one_host && ejected == 0 {
        return true;
    }
    let percent = 100.0 * (ejected + 1) as f64 / hosts as f64;
    percent <= f64::from(config.max_ejection_percent.min(100))
}

/// How long an ejection takes when `backoff` is how often the endpoint was ejected of late.
#[must_use]
pub fn ejection_time(config: &OutlierDetection, backoff: u32, jitter: Duration) -> Duration {
    let max = config.max_ejection_time.max(config.base_ejection_time);
    config.base_ejection_time.saturating_mul(backoff).min(max).saturating_add(jitter)
}

/// The backoff after one more ejection: it stops growing where the time does.
#[must_use]
pub fn next_backoff(config: &OutlierDetection, backoff: u32) -> u32 {
    let grown = config.base_ejection_time.saturating_mul(backoff);
    let limit = config.max_ejection_time.saturating_add(config.base_ejection_time);
    if grown < limit { backoff + 1 } else { backoff }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_success_rate_threshold_is_the_documented_one() {
        let threshold = success_rate_threshold(&[50.0, 100.0, 100.0, 100.0, 100.0], 1900);
        assert!((threshold - 52.0).abs() < 1e-9, "mean 90, deviation 20: {threshold}");
        let even = success_rate_threshold(&[99.0; 6], 1900);
        assert!((even - 99.0).abs() < 1e-9, "without deviation it is the mean: {even}");
    }

    #[test]
    fn ejections_stop_at_the_share() {
        let config = |max_ejection_percent, always_eject_one_host| OutlierDetection {
            max_ejection_percent,
            always_eject_one_host,
            ..OutlierDetection::default()
        };
        for (percent, always, ejected, hosts, want) in [
            (10, false, 0, 10, true),
            (10, false, 1, 10, false),
            (10, false, 0, 9, false),
            (10, true, 0, 2, true),
            (10, true, 1, 2, false),
            (50, false, 1, 4, true),
            (50, false, 2, 4, false),
            (100, false, 3, 4, true),
            (0, false, 0, 4, false),
            (0, true, 0, 4, true),
        ] {
            let got = may_eject(&config(percent, always), ejected, hosts);
            assert_eq!(got, want, "{percent} %, always one: {always}, {ejected} of {hosts} ejected");
        }
    }

    #[test]
    fn repeated_ejections_take_longer_up_to_the_maximum() {
        let config = OutlierDetection::default();
        let mut backoff = 0;
        let times: Vec<_> = (0..14)
            .map(|_| {
                backoff = next_backoff(&config, backoff);
                ejection_time(&config, backoff, Duration::ZERO).as_secs()
            })
            .collect();
        assert_eq!(times, [30, 60, 90, 120, 150, 180, 210, 240, 270, 300, 300, 300, 300, 300]);
        assert_eq!(backoff, 11, "the backoff itself stops, so that it can come down again");
        let jittered = ejection_time(&config, 1, Duration::from_secs(7));
        assert_eq!(jittered, Duration::from_secs(37));
    }
}
