//! How long-lived work is told to end: first "finish what you have", then "stop".
//!
//! A [`Drain`] is held by what owns the work; every task watches a [`Draining`]. Dropping the owner stops its tasks.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

/// How far a drain has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Normal work.
    Serving,
    /// No new work; what is in flight finishes (HTTP/1.1 `Connection: close`, HTTP/2 GOAWAY).
    Draining,
    /// The drain time is over: end now.
    Stopped,
}

/// The owner's side.
#[derive(Debug)]
pub struct Drain {
    phase: watch::Sender<Phase>,
}

/// A task's side; cheap to clone.
#[derive(Debug, Clone)]
pub struct Draining {
    phase: watch::Receiver<Phase>,
}

impl Drain {
    /// A drain whose tasks serve.
    #[must_use]
    pub fn new() -> Self {
        Self { phase: watch::Sender::new(Phase::Serving) }
    }

    /// A handle for one task.
    #[must_use]
    pub fn watch(&self) -> Draining {
        Draining { phase: self.phase.subscribe() }
    }

    /// Tells the tasks to finish what they have.
    pub fn start(&self) {
        self.advance(Phase::Draining);
    }

    /// Tells the tasks to end now.
    pub fn stop(&self) {
        self.advance(Phase::Stopped);
    }

    /// Resolves once every [`Draining`] handle is dropped.
    pub async fn finished(&self) {
        self.phase.closed().await;
    }

    /// Whether every [`Draining`] handle is dropped.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.phase.is_closed()
    }

    fn advance(&self, to: Phase) {
        self.phase.send_if_modified(|phase| {
            let later = to > *phase;
            if later {
                *phase = to;
            }
            later
        });
    }
}

impl Default for Drain {
    fn default() -> Self {
        Self::new()
    }
}

impl Draining {
    /// The phase now.
    #[must_use]
    pub fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    /// Whether nothing was told since this handle was made: one atomic load, for the request path.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        matches!(self.phase.has_changed(), Ok(false))
    }

    /// Resolves when the phase is at least `phase`, or the owner is gone. Cancel safe.
    pub async fn reached(&mut self, phase: Phase) {
        // An owner that is gone can no longer end its tasks: that counts as stopped.
        let _gone = self.phase.wait_for(|now| *now >= phase).await;
    }

    /// Resolves when a connection that was asked nothing may be closed: `grace` after the drain began, because its
    /// first request may be on its way, or when the drain is stopped.
    pub async fn over_for_idle(&mut self, grace: Duration) {
        self.reached(Phase::Draining).await;
        let _stopped_or_late = timeout(grace, self.reached(Phase::Stopped)).await;
    }
}
