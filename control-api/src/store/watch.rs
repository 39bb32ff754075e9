//! Following changes from a revision on.
//!
//! One rule: a watcher sees every change once and in order, or is told to list again; a slow one
//! never holds up the others.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::event::Event;

/// What a watcher is told.
#[derive(Clone, Debug)]
pub enum Told {
    /// A change.
    Event(Arc<Event>),
    /// Changes were missed: list again, then watch from that list's revision.
    Resync,
}

/// A place in the sequence of changes.
pub struct Watch {
    past: VecDeque<Arc<Event>>,
    live: Receiver<Arc<Event>>,
    /// The revision up to which `past` covers; the live channel may repeat some of it.
    covered: u64,
    has_missed: bool,
}

impl Watch {
    /// First `past`, then what comes after revision `covered` in `live`.
    pub fn new(past: Vec<Event>, live: Receiver<Arc<Event>>, covered: u64) -> Self {
        Self { past: past.into_iter().map(Arc::new).collect(), live, covered, has_missed: false }
    }

    /// The next change; `None` when the store is gone or after `Resync`. Cancel safe.
    pub async fn next(&mut self) -> Option<Told> {
        if self.has_missed {
            return None;
        }
        if let Some(event) = self.past.pop_front() {
            return Some(Told::Event(event));
        }
        loop {
            match self.live.recv().await {
                Ok(event) if event.revision <= self.covered => {}
                Ok(event) => return Some(Told::Event(event)),
                Err(RecvError::Lagged(_)) => {
                    self.has_missed = true;
                    return Some(Told::Resync);
                }
                Err(RecvError::Closed) => return None,
            }
        }
    }
}
