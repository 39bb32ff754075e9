//! A token bucket that all workers share, filled steadily.
//!
//! One rule: nothing runs to fill it. It remembers at which moment it would have been empty; how many tokens there
//! are follows from the time now.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use xds::model::TokenBucket as Model;

/// The bucket. Times are since a moment of the process's own.
#[derive(Debug)]
pub struct TokenBucket {
    max: f64,
    per_second: f64,
    /// Seconds, as the bits of a float: when the bucket was empty. Below zero it is full from the beginning.
    empty_at: AtomicU64,
}

impl TokenBucket {
    /// A full bucket.
    #[must_use]
    pub fn new(model: Model) -> Self {
        let Model { max_tokens, tokens_per_fill, fill_interval } = model;
        let per_second = f64::from(tokens_per_fill) / fill_interval.as_secs_f64();
        let max = f64::from(max_tokens);
        Self { max, per_second, empty_at: AtomicU64::new((-max / per_second).to_bits()) }
    }

    /// Takes a token, if there is one at `now`.
    pub fn take(&self, now: Duration) -> bool {
        let now = now.as_secs_f64();
        let take = |empty_at: u64| {
            let tokens = self.tokens(f64::from_bits(empty_at), now);
            (tokens >= 1.0).then(|| (now - (tokens - 1.0) / self.per_second).to_bits())
        };
        self.empty_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }

    /// Most tokens at once.
    #[must_use]
    pub fn max(&self) -> u64 {
        self.max as u64
    }

    /// Whole tokens at `now`.
    #[must_use]
    pub fn remaining(&self, now: Duration) -> u64 {
        self.tokens(self.empty_at(), now.as_secs_f64()) as u64
    }

    /// How long until another token is there.
    #[must_use]
    pub fn next_in(&self, now: Duration) -> Duration {
        let tokens = self.tokens(self.empty_at(), now.as_secs_f64());
        if tokens >= 1.0 { Duration::ZERO } else { Duration::from_secs_f64((1.0 - tokens) / self.per_second) }
    }

    /// How often it fills, tokens per second.
    #[must_use]
    pub fn per_second(&self) -> f64 {
        self.per_second
    }

    fn empty_at(&self) -> f64 {
        f64::from_bits(self.empty_at.load(Ordering::Relaxed))
    }

    fn tokens(&self, empty_at: f64, now: f64) -> f64 {
        ((now - empty_at) * self.per_second).clamp(0.0, self.max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(max_tokens: u32, tokens_per_fill: u32, millis: u64) -> TokenBucket {
        let fill_interval = Duration::from_millis(millis);
        TokenBucket::new(Model { max_tokens, tokens_per_fill, fill_interval })
    }

    fn taken(bucket: &TokenBucket, now: Duration) -> usize {
        (0..1000).take_while(|_| bucket.take(now)).count()
    }

    #[test]
    fn a_full_bucket_gives_as_much_as_it_holds() {
        let bucket = bucket(5, 1, 1000);
        assert_eq!(bucket.remaining(Duration::ZERO), 5);
        assert_eq!(taken(&bucket, Duration::ZERO), 5);
        assert_eq!(taken(&bucket, Duration::from_millis(999)), 0);
        assert_eq!(taken(&bucket, Duration::from_millis(1001)), 1);
    }

    #[test]
    fn an_idle_bucket_is_never_more_than_full() {
        let bucket = bucket(3, 100, 50);
        assert_eq!(taken(&bucket, Duration::ZERO), 3);
        assert_eq!(taken(&bucket, Duration::from_secs(3600)), 3);
    }

    #[test]
    fn the_wait_for_a_token_is_what_the_rate_says() {
        let bucket = bucket(1, 2, 1000);
        assert_eq!(bucket.next_in(Duration::ZERO), Duration::ZERO);
        assert!(bucket.take(Duration::ZERO));
        assert_eq!(bucket.next_in(Duration::ZERO), Duration::from_millis(500));
        assert_eq!(bucket.next_in(Duration::from_millis(400)).as_millis(), 100);
    }

    #[test]
    fn no_token_is_given_twice_among_threads() {
        let bucket = bucket(10_000, 1, 3_600_000);
        let given: usize = std::thread::scope(|scope| {
            let take = || (0..5000).filter(|_| bucket.take(Duration::ZERO)).count();
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(take)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(given, 10_000);
    }
}
