//! PINGs that find out whether a silent peer is still there (Envoy `connection_keepalive`).

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use h2::{Ping, PingPong};
use tokio::time::{Instant, Sleep, sleep};

/// When to ping, and how long to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keepalive {
    /// Between an answer (or the start) and the next PING.
    pub interval: Duration,
    /// Longest wait for the answer; past it the connection counts as dead.
    pub timeout: Duration,
}

/// Pings one connection; polled by its driver before the connection itself.
#[derive(Debug)]
pub struct Pinger {
    pings: PingPong,
    keepalive: Option<Keepalive>,
    /// Counts to the next PING, or to the end of the wait for its answer; absent while neither is asked for.
    timer: Option<Pin<Box<Sleep>>>,
    waiting: bool,
    answered: bool,
}

impl Pinger {
    /// A pinger whose first PING is one interval away; without `keepalive` it pings only when asked.
    #[must_use]
    pub fn new(pings: PingPong, keepalive: Option<Keepalive>) -> Self {
        let timer = keepalive.map(|keepalive| Box::pin(sleep(keepalive.interval)));
        Self { pings, keepalive, timer, waiting: false, answered: false }
    }

    /// Sends a PING now unless one is on its way.
    pub fn ping_now(&mut self) {
        if !self.waiting && self.pings.send_ping(Ping::opaque()).is_ok() {
            self.waiting = true;
            self.restart(|keepalive| keepalive.timeout);
        }
    }

    /// Whether the peer has answered a PING.
    #[must_use]
    pub fn was_answered(&self) -> bool {
        self.answered
    }

    /// Ready once the peer owes an answer for longer than the timeout.
    pub fn poll_dead(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if self.waiting && self.pings.poll_pong(cx).is_ready() {
                // A failed connection is ready too; its driver learns that from the connection itself.
                self.waiting = false;
                self.answered = true;
                self.restart(|keepalive| keepalive.interval);
            }
            if !self.timer.as_mut().is_some_and(|timer| timer.as_mut().poll(cx).is_ready()) {
                return Poll::Pending;
            }
            if self.waiting || self.pings.send_ping(Ping::opaque()).is_err() {
                return Poll::Ready(());
            }
            self.waiting = true;
            self.restart(|keepalive| keepalive.timeout);
        }
    }

    fn restart(&mut self, after: impl FnOnce(Keepalive) -> Duration) {
        if let (Some(timer), Some(keepalive)) = (&mut self.timer, self.keepalive) {
            timer.as_mut().reset(Instant::now() + after(keepalive));
        }
    }
}
