//! Waiting for something outside this process, with a deadline and with the last reason why it was not there.

use std::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_millis(20);

/// Calls `attempt` until it succeeds; at the deadline panics with `what` and the last refusal.
#[track_caller]
pub fn until<T>(what: &str, deadline: Duration, mut attempt: impl FnMut() -> Result<T, String>) -> T {
    let start = Instant::now();
    loop {
        match attempt() {
            Ok(value) => return value,
            Err(reason) if start.elapsed() >= deadline => panic!("{what}: not within {deadline:?}: {reason}"),
            Err(_) => std::thread::sleep(PAUSE),
        }
    }
}

/// Waits until something accepts connections at the address.
#[track_caller]
pub fn until_accepts(addr: std::net::SocketAddr, deadline: Duration) {
    until(&format!("connect to {addr}"), deadline, || {
        std::net::TcpStream::connect_timeout(&addr, Duration::from_secs(1))
            .map(drop)
            .map_err(|e| e.to_string())
    });
}
