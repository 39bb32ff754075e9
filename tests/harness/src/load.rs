//! Bounded load: N keep-alive connections that send GETs until a count or a time is reached.
//!
//! One rule: every request ends in exactly one count: its status, or a failure with its reason.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::client::Connection;
use crate::message::Request;

const REASONS_KEPT: usize = 20;

/// What to send, and when to stop.
#[derive(Debug, Clone)]
pub struct Load {
    /// Where to.
    pub addr: SocketAddr,
    /// The request, sent again and again.
    pub request: Request,
    /// Connections, each with one request at a time.
    pub connections: usize,
    /// Stop after this many requests in all.
    pub requests_max: u64,
    /// Stop after this time.
    pub time_max: Duration,
    /// Wait on each connection between an answer and the next request.
    pub pause: Duration,
}

/// What came of it.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Answers by status.
    pub statuses: BTreeMap<u16, u64>,
    /// Answers by the field `x-backend`.
    pub backends: BTreeMap<String, u64>,
    /// Requests without an answer.
    pub failures: u64,
    /// The first reasons of failures, with the time since the start.
    pub reasons: Vec<(Duration, String)>,
    /// When each backend answered first and last, since the start.
    pub seen: BTreeMap<String, (Duration, Duration)>,
    /// The longest time from a request to its answer.
    pub slowest: Duration,
    /// How often the other side closed between two requests, as it may.
    pub reconnects: u64,
}

impl Report {
    /// All requests that ended.
    pub fn requests(&self) -> u64 {
        self.statuses.values().sum::<u64>() + self.failures
    }

    /// Requests that did not end in a 2xx.
    pub fn not_ok(&self) -> u64 {
        self.requests() - self.statuses.range(200..300).map(|(_, count)| count).sum::<u64>()
    }
}

/// Load that is being sent.
#[derive(Debug)]
pub struct Running {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    load: Load,
    start: Instant,
    sent: AtomicU64,
    stop: AtomicBool,
    report: Mutex<Report>,
}

impl Load {
    /// GETs of one URL over a few connections, for at most 30 seconds.
    pub fn get(addr: SocketAddr, host: &str, target: &str) -> Self {
        Self {
            addr,
            request: Request::new("GET", host, target),
            connections: 8,
            requests_max: u64::MAX,
            time_max: Duration::from_secs(30),
            pause: Duration::ZERO,
        }
    }

    /// Starts sending.
    pub fn start(self) -> Running {
        let connections = self.connections;
        let shared = Arc::new(Shared {
            load: self,
            start: Instant::now(),
            sent: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            report: Mutex::default(),
        });
        let spawn = |_| {
            let shared = shared.clone();
            std::thread::spawn(move || shared.run())
        };
        let threads = (0..connections).map(spawn).collect();
        Running { shared, threads }
    }

    /// Sends all and reports.
    pub fn run(self) -> Report {
        self.start().join()
    }
}

impl Running {
    /// What has come of it so far.
    pub fn report(&self) -> Report {
        self.shared.report.lock().expect("nobody panics while counting").clone()
    }

    /// Time since the start, on the same clock as the report.
    pub fn elapsed(&self) -> Duration {
        self.shared.start.elapsed()
    }

    /// Stops after the requests under way, and reports.
    pub fn finish(self) -> Report {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.join()
    }

    /// Waits until the count or the time is reached, and reports.
    pub fn join(mut self) -> Report {
        for thread in self.threads.drain(..) {
            thread.join().expect("load threads do not panic");
        }
        self.report()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
    }
}

impl Shared {
    fn run(&self) {
        let mut kept = None;
        while self.may_send() {
            let begun = Instant::now();
            let outcome = self.exchange(&mut kept);
            self.count(begun, outcome);
            if !self.load.pause.is_zero() {
                std::thread::sleep(self.load.pause);
            }
        }
    }

    fn may_send(&self) -> bool {
        let stopped = self.stop.load(Ordering::Relaxed) || self.start.elapsed() >= self.load.time_max;
        !stopped && self.sent.fetch_add(1, Ordering::Relaxed) < self.load.requests_max
    }

    /// One request. A kept connection that turns out closed before any byte of an answer is replaced once, as
    /// every HTTP client does (RFC 9112 section 9.3.1).
    fn exchange(&self, kept: &mut Option<Connection>) -> io::Result<(u16, String)> {
        if let Some(mut connection) = kept.take() {
            match connection.send(&self.load.request) {
                Ok(response) => return Ok(self.keep(kept, connection, &response)),
                Err(e) if was_closed(&e) => self.lock().reconnects += 1,
                Err(e) => return Err(e),
            }
        }
        let mut connection = Connection::open(self.load.addr)?;
        let response = connection.send(&self.load.request)?;
        Ok(self.keep(kept, connection, &response))
    }

    fn keep(
        &self,
        kept: &mut Option<Connection>,
        connection: Connection,
        response: &crate::message::Response,
    ) -> (u16, String) {
        if !response.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close")) {
            *kept = Some(connection);
        }
        (response.status, response.header("x-backend").unwrap_or("").to_owned())
    }

    fn count(&self, begun: Instant, outcome: io::Result<(u16, String)>) {
        let now = self.start.elapsed();
        let mut report = self.lock();
        report.slowest = report.slowest.max(begun.elapsed());
        match outcome {
            Ok((status, backend)) => {
                *report.statuses.entry(status).or_default() += 1;
                *report.backends.entry(backend.clone()).or_default() += 1;
                report.seen.entry(backend).or_insert((now, now)).1 = now;
            }
            Err(e) => {
                report.failures += 1;
                if report.reasons.len() < REASONS_KEPT {
                    report.reasons.push((now, e.to_string()));
                }
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Report> {
        self.report.lock().expect("nobody panics while counting")
    }
}

fn was_closed(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), UnexpectedEof | ConnectionReset | BrokenPipe)
}
