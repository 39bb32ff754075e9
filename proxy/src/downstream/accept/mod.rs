//! Accepts the connections of one listening socket on one worker.
//!
//! Each connection is a task of its own that [`run`] owns. The rule: a drain loses nobody; what the kernel has
//! queued when it begins is still accepted, and what is open finishes until the drain is stopped.

mod balance;

mod limit;

mod socket;

#[cfg(test)]
mod tests;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinError, JoinSet};
use tokio::time::sleep;

use crate::drain::{Draining, Phase};
use crate::limits;

pub use balance::{Balance, Load, Seat};
pub use limit::{ConnectionLimit, Open};
pub use socket::{Accepted, Listening, Places};

/// First wait after the system is out of something that accepting needs; it doubles.
const BACK_OFF_FIRST: Duration = Duration::from_millis(10);

/// What happens beside accepting, for the listener's counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AcceptEvent {
    /// A connection was closed at once because a limit is reached.
    Overflow,
    /// The system is out of file descriptors or memory; accepting waits.
    Exhausted,
    /// A connection's task panicked; the connection is closed.
    Panicked,
}

/// Accepts from `listening` until `draining` begins, gives each connection to `serve` in a task of its own, and
/// returns when the last task has ended. Past [`Phase::Stopped`] tasks have [`limits::STOP_GRACE`] to say goodbye.
///
/// Dropping the future ends every connection at once. Must run inside a `LocalSet`.
pub async fn run<S>(
    mut listening: Listening,
    limit: Arc<ConnectionLimit>,
    mut draining: Draining,
    note: impl Fn(AcceptEvent),
    serve: S,
) where
    S: AsyncFn(Box<Accepted>) + Clone + 'static,
{
    let mut tasks = Tasks { set: JoinSet::new(), limit, serve };
    let mut back_off = BACK_OFF_FIRST;
    loop {
        tokio::select! {
            biased;
            () = draining.reached(Phase::Draining) => break,
            Some(ended) = tasks.set.join_next() => note_panic(ended, &note),
            accepted = listening.accept() => match accepted {
                Ok(accepted) => {
                    back_off = BACK_OFF_FIRST;
                    tasks.start(accepted, &note);
                }
                Err(why) if is_exhausted(&why) => {
                    note(AcceptEvent::Exhausted);
                    tracing::warn!(error = %why, wait_ms = back_off.as_millis(), "cannot accept; waiting");
                    sleep(back_off).await;
                    back_off = (back_off * 2).min(limits::ACCEPT_BACK_OFF_MAX);
                }
                // A client that gave up while it was queued (accept(2): ECONNABORTED and network errors).
                Err(why) => tracing::debug!(error = %why, "accept"),
            },
        }
    }
    for accepted in listening.into_queued() {
        tasks.start(accepted, &note);
    }
    tasks.finish(draining, &note).await;
}

struct Tasks<S> {
    set: JoinSet<()>,
    limit: Arc<ConnectionLimit>,
    serve: S,
}

impl<S> Tasks<S>
where
    S: AsyncFn(Box<Accepted>) + Clone + 'static,
{
    fn start(&mut self, accepted: Accepted, note: &impl Fn(AcceptEvent)) {
        let Some(open) = self.limit.admit() else {
            note(AcceptEvent::Overflow);
            tracing::debug!(limit = self.limit.name(), "connection closed: the limit is reached");
            return;
        };
        // In a box: each layer of the task's future would otherwise hold room for all of it.
        let accepted = Box::new(accepted.admitted(open));
        let serve = self.serve.clone();
        self.set.spawn_local(async move { serve(accepted).await });
    }

    async fn finish(mut self, mut draining: Draining, note: &impl Fn(AcceptEvent)) {
        let stopped = async {
            draining.reached(Phase::Stopped).await;
            sleep(limits::STOP_GRACE).await;
        };
        let all = async {
            while let Some(ended) = self.set.join_next().await {
                note_panic(ended, note);
            }
        };
        tokio::select! {
            () = all => {}
            // What does not end by itself is ended by dropping `self.set`.
            () = stopped => {}
        }
    }
}

fn note_panic(ended: Result<(), JoinError>, note: &impl Fn(AcceptEvent)) {
    if let Err(why) = ended
        && why.is_panic()
    {
        tracing::error!(error = %why, "a connection's task panicked; the connection is closed");
        note(AcceptEvent::Panicked);
    }
}

/// Errors that come back at once if accepting goes on: out of file descriptors, or of memory (accept(2)).
fn is_exhausted(why: &io::Error) -> bool {
    matches!(why.raw_os_error(), Some(libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM))
}
