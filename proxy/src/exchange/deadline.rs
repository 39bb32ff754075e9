//! When a request has taken too long, in one timer.
//!
//! A request has up to five limits that begin and move at different moments. The timer is armed when something is
//! waited for, at the earliest of them, and looks again when it fires: activity only moves a limit away, which
//! costs nothing.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use super::patience::{Patience, Waiting};
use crate::clock;
use crate::error::{Error, Reason};
use crate::limits::PATIENCE;
use crate::policy::timeout::Timeouts;

/// The limits of one request.
#[derive(Debug)]
pub(super) struct Deadlines {
    begun: Instant,
    /// Until the request is complete.
    request: Cell<Option<Instant>>,
    /// From the request's end.
    whole: Cell<Option<Duration>>,
    stream: Cell<Option<Instant>>,
    idle: Cell<Option<Duration>>,
    per_try: Cell<Option<Duration>>,
    per_try_idle: Cell<Option<Duration>>,
    /// When the running attempt began.
    attempt: Cell<Option<Instant>>,
    complete: Cell<Option<Instant>>,
    active: Cell<Instant>,
    timer: RefCell<Option<Pin<Box<Sleep>>>>,
    patience: Option<Rc<Patience>>,
    waiting: RefCell<Option<Rc<Waiting>>>,
}

impl Deadlines {
    /// Limits of a request that begins now, as far as they are known without a route. With `patience`, no timer is
    /// armed while others wait as well as this one.
    pub(super) fn begin(
        request: Option<Duration>,
        idle: Option<Duration>,
        patience: Option<Rc<Patience>>,
    ) -> Self {
        let now = clock::now();
        Self {
            begun: now,
            request: Cell::new(request.map(|limit| now + limit)),
            whole: Cell::new(None),
            stream: Cell::new(None),
            idle: Cell::new(idle),
            per_try: Cell::new(None),
            per_try_idle: Cell::new(None),
            attempt: Cell::new(None),
            complete: Cell::new(None),
            active: Cell::new(now),
            timer: RefCell::new(None),
            patience,
            waiting: RefCell::new(None),
        }
    }

    /// The route's limits take over.
    pub(super) fn set(&self, timeouts: &Timeouts) {
        let Timeouts { whole, per_try, per_try_idle, idle, stream } = *timeouts;
        self.whole.set(whole);
        self.per_try.set(per_try);
        self.per_try_idle.set(per_try_idle);
        self.idle.set(idle);
        self.stream.set(stream.map(|limit| self.begun + limit));
    }

    /// An attempt begins.
    pub(super) fn begin_attempt(&self) {
        if self.per_try.get().or(self.per_try_idle.get()).is_some() {
            let now = clock::now();
            self.attempt.set(Some(now));
            self.active.set(now);
        }
    }

    /// The attempt's response is here, or its end.
    pub(super) fn end_attempt(&self) {
        self.attempt.set(None);
    }

    /// The request's last byte is here.
    pub(super) fn request_complete(&self) {
        if self.complete.get().is_none() {
            self.complete.set(Some(clock::now()));
            self.request.set(None);
            // Limits that count from here may be earlier than what the timer was armed for.
            if let Some(waiting) = &*self.waiting.borrow() {
                waiting.wake();
            }
        }
    }

    /// Filters have waited: a request that is complete already counts as complete now, when it goes on, as in Envoy.
    pub(super) fn goes_on(&self) {
        if self.complete.get().is_some() {
            self.complete.set(Some(clock::now()));
        }
    }

    /// When the request was complete.
    pub(super) fn completed(&self) -> Option<Instant> {
        self.complete.get()
    }

    /// Something moved.
    pub(super) fn touch(&self) {
        if self.idle.get().or(self.per_try_idle.get()).is_some() {
            self.active.set(clock::now());
        }
    }

    /// The earliest limit, and what it means to reach it.
    fn next(&self) -> Option<(Instant, Limit)> {
        let after = |from: Option<Instant>, limit: Option<Duration>| Some(from? + limit?);
        let complete = self.complete.get();
        let attempt = self.attempt.get();
        // Envoy counts an attempt's time from when it was all sent; the request's own time is not the upstream's.
        let attempt_sent = attempt.zip(complete).map(|(attempt, complete)| attempt.max(complete));
        let attempt_active = attempt.map(|attempt| attempt.max(self.active.get()));
        let limits = [
            (self.request.get(), Limit::Request),
            (after(complete, self.whole.get()), Limit::Whole),
            (self.stream.get(), Limit::Stream),
            (after(attempt_sent, self.per_try.get()), Limit::PerTry),
            (after(attempt_active, self.per_try_idle.get()), Limit::PerTryIdle),
            (after(Some(self.active.get()), self.idle.get()), Limit::Idle),
        ];
        let mut earliest: Option<(Instant, Limit)> = None;
        for (at, limit) in limits {
            if let Some(at) = at
                && earliest.is_none_or(|(before, _)| at < before)
            {
                earliest = Some((at, limit));
            }
        }
        earliest
    }

    /// Ready with what a limit reached means; to be polled where something is waited for.
    pub(super) fn poll_expired(&self, cx: &mut Context<'_>) -> Poll<Error> {
        while let Some((at, limit)) = self.next() {
            let mut timer = self.timer.borrow_mut();
            let timer = match &mut *timer {
                Some(timer) => {
                    // One that fires too early is cheaper than one moved for every frame.
                    if timer.deadline() > at || timer.is_elapsed() {
                        timer.as_mut().reset(at);
                    }
                    timer
                }
                None if self.waits_with_others(at) => break,
                none => none.insert(Box::pin(sleep_until(at))),
            };
            if timer.as_mut().poll(cx).is_pending() {
                break;
            }
            if timer.deadline() >= at {
                return Poll::Ready(limit.error());
            }
        }
        self.waiting.borrow_mut().get_or_insert_default().remember(cx.waker());
        Poll::Pending
    }

    /// Whether a limit at `at` is far enough away to wait without a timer for now.
    fn waits_with_others(&self, at: Instant) -> bool {
        let Some(patience) = &self.patience else { return false };
        if at <= clock::now() + 2 * PATIENCE {
            return false;
        }
        let mut waiting = self.waiting.borrow_mut();
        let waiting = waiting.get_or_insert_with(|| {
            let waiting = Rc::default();
            patience.add(&waiting);
            waiting
        });
        !waiting.is_over()
    }

    /// What `work` comes to, or the error of the limit that was reached first. The work is borrowed: a future that
    /// is handed over by value is kept twice.
    pub(super) async fn limit<T>(
        &self,
        mut work: Pin<&mut impl Future<Output = Result<T, Error>>>,
    ) -> Result<T, Error> {
        poll_fn(|cx| match work.as_mut().poll(cx) {
            Poll::Ready(done) => Poll::Ready(done),
            Poll::Pending => self.poll_expired(cx).map(Err),
        })
        .await
    }
}

#[derive(Debug, Clone, Copy)]
enum Limit {
    Request,
    Whole,
    Stream,
    PerTry,
    PerTryIdle,
    Idle,
}

impl Limit {
    fn error(self) -> Error {
        match self {
            Self::Request => Error::new(Reason::RequestTimeout, "request_overall_timeout"),
            Self::Whole => Error::new(Reason::UpstreamTimeout, "response_timeout"),
            Self::Stream => Error::new(Reason::MaxDuration, "max_duration_timeout"),
            Self::PerTry => Error::new(Reason::PerTryTimeout, "upstream_per_try_timeout"),
            Self::PerTryIdle => Error::new(Reason::PerTryTimeout, "upstream_per_try_idle_timeout"),
            Self::Idle => Error::new(Reason::StreamIdleTimeout, "stream_idle_timeout"),
        }
    }
}

#[cfg(test)]
mod tests;
