//! The time as a worker last looked at it.
//!
//! A request asks for the time a dozen times and needs it to the moment its bytes arrived. So a worker looks at the
//! clock when it wakes and when it has read bytes, and whoever asks in between gets that time. One rule: on a thread
//! that is no worker the time is always looked up.

use std::cell::Cell;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// How long the wall clock is taken to run evenly; after that it is looked at again.
const WALL_TRUSTED: Duration = Duration::from_secs(1);

thread_local! {
    static NOW: Cell<Option<Instant>> = const { Cell::new(None) };
    static WALL: Cell<Option<(Instant, SystemTime)>> = const { Cell::new(None) };
}

/// Makes the current thread a worker: from now on it is to call [`tick`] whenever it wakes.
pub fn enter_worker() {
    NOW.set(Some(Instant::now()));
}

/// A worker looks at the clock.
pub fn tick() {
    if NOW.get().is_some() {
        NOW.set(Some(Instant::now()));
    }
}

/// The time now, on the clock that never jumps.
#[must_use]
pub fn now() -> Instant {
    NOW.get().unwrap_or_else(Instant::now)
}

/// The time since `then`; zero if that is later.
#[must_use]
pub fn since(then: Instant) -> Duration {
    let now = now();
    // Mostly nobody looked at the clock in between.
    if now == then { Duration::ZERO } else { now.saturating_duration_since(then) }
}

/// The time now since a moment of the process's own, the same for all threads.
#[must_use]
pub fn since_start() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    since(*START.get_or_init(now))
}

/// The time now, on the wall clock.
#[must_use]
pub fn wall() -> SystemTime {
    let Some(now) = NOW.get() else { return SystemTime::now() };
    if let Some((looked, time)) = WALL.get() {
        let passed = since(looked);
        if passed < WALL_TRUSTED {
            return time + passed;
        }
    }
    let time = SystemTime::now();
    WALL.set(Some((now, time)));
    time
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_sees_time_pass_only_when_it_looks() {
        std::thread::spawn(|| {
            enter_worker();
            let (before, wall_before) = (now(), wall());
            std::thread::sleep(Duration::from_millis(5));
            assert_eq!((now(), wall()), (before, wall_before));
            tick();
            assert!(since(before) >= Duration::from_millis(5), "{:?}", since(before));
            assert_eq!(wall(), wall_before + since(before));
        })
        .join()
        .unwrap();
    }

    #[test]
    fn other_threads_always_look() {
        let before = now();
        std::thread::sleep(Duration::from_millis(5));
        assert!(since(before) >= Duration::from_millis(5));
    }
}
