//! Watches the drain for one connection without looking it up for every request.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Waker};

use crate::drain::{Draining, Phase};

/// A drain as one connection's task sees it.
pub struct PhaseWatch {
    draining: Draining,
    /// Resolves at the next phase; registered with the task between its polls.
    next: Option<Pin<Box<dyn Future<Output = ()>>>>,
    /// Whom `next` wakes: the future is not polled again for the same task, because that takes a lock that all
    /// connections share.
    registered: Option<Waker>,
    phase: Phase,
}

impl PhaseWatch {
    /// Watches from now on.
    pub fn new(draining: Draining) -> Self {
        let phase = draining.phase();
        Self { next: waiting(&draining, phase), registered: None, draining, phase }
    }

    /// The phase now; the task is woken at the next one.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Phase {
        let registered = self.registered.as_ref().is_some_and(|task| task.will_wake(cx.waker()));
        if registered && self.draining.is_quiet() {
            return self.phase;
        }
        self.registered = Some(cx.waker().clone());
        while let Some(next) = &mut self.next
            && next.as_mut().poll(cx).is_ready()
        {
            let now = self.draining.phase();
            // An owner that went away without a word has stopped its tasks.
            self.phase = if now > self.phase { now } else { Phase::Stopped };
            self.next = waiting(&self.draining, self.phase);
        }
        self.phase
    }

    /// The phase now, without a wake-up for the next.
    pub fn now(&self) -> Phase {
        if self.draining.is_quiet() { self.phase } else { self.draining.phase().max(self.phase) }
    }
}

fn waiting(draining: &Draining, phase: Phase) -> Option<Pin<Box<dyn Future<Output = ()>>>> {
    let next = match phase {
        Phase::Serving => Phase::Draining,
        Phase::Draining => Phase::Stopped,
        Phase::Stopped => return None,
    };
    let mut draining = draining.clone();
    Some(Box::pin(async move { draining.reached(next).await }))
}
