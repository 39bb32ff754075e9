//! Lets the handshakes of one worker take turns, so that a flood of them does not hold up those who are connected.
//!
//! A step of a handshake costs as much as twenty requests. One rule: between one look at the sockets and the next, a
//! worker takes no more than [`HANDSHAKE_STEPS_PER_TURN`] of them; that many are what a request may have to wait for.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;

use tokio::sync::Semaphore;
use tokio::task::{spawn_local, yield_now};

use crate::limits::HANDSHAKE_STEPS_PER_TURN;

/// The turns of one worker. Clones share them.
#[derive(Debug, Clone)]
pub struct Turns(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Steps left in this turn; who waits is served in order.
    steps: Semaphore,
    /// Whether the next turn is on its way.
    turning: Cell<bool>,
}

impl Turns {
    /// A first turn of which nobody has taken anything.
    #[must_use]
    pub fn new() -> Self {
        Self(Rc::new(Inner { steps: Semaphore::new(HANDSHAKE_STEPS_PER_TURN), turning: Cell::new(false) }))
    }

    /// What `work` comes to, polled only when it is its turn. Must run inside a `LocalSet`.
    pub async fn take<F: Future>(&self, mut work: Pin<&mut F>) -> F::Output {
        loop {
            self.step().await;
            let mut polled = false;
            // The second poll of this future is the wake-up that the first one's `Pending` asked for.
            let done = poll_fn(|cx| match std::mem::replace(&mut polled, true) {
                true => Poll::Ready(None),
                false => work.as_mut().poll(cx).map(Some),
            });
            if let Some(done) = done.await {
                return done;
            }
        }
    }

    async fn step(&self) {
        if let Ok(step) = self.0.steps.acquire().await {
            step.forget();
        }
        if !self.0.turning.replace(true) {
            let inner = Rc::clone(&self.0);
            spawn_local(async move {
                // Comes back after the worker has looked at its sockets.
                yield_now().await;
                inner.turning.set(false);
                inner.steps.add_permits(HANDSHAKE_STEPS_PER_TURN - inner.steps.available_permits());
            });
        }
    }
}

impl Default for Turns {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use tokio::task::LocalSet;

    use super::*;

    fn local<F: Future>(test: F) -> F::Output {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        LocalSet::new().block_on(&runtime, test)
    }

    #[test]
    fn a_flood_lets_others_in_after_each_turn() {
        local(async {
            let turns = Turns::new();
            let done = Rc::new(Cell::new(0));
            let flood: Vec<_> = (0..20 * HANDSHAKE_STEPS_PER_TURN)
                .map(|_| {
                    let (turns, done) = (turns.clone(), Rc::clone(&done));
                    spawn_local(async move {
                        turns.take(pin!(async { done.set(done.get() + 1) })).await;
                    })
                })
                .collect();
            let mut looks = 0;
            while flood.iter().any(|handshake| !handshake.is_finished()) {
                let before = done.get();
                yield_now().await;
                looks += 1;
                let taken = done.get() - before;
                assert!(
                    taken <= 2 * HANDSHAKE_STEPS_PER_TURN,
                    "{taken} steps between two looks of another task"
                );
            }
            assert!(looks >= 10, "the flood was through after {looks} looks");
            assert_eq!(done.get(), 20 * HANDSHAKE_STEPS_PER_TURN);
        });
    }

    #[test]
    fn work_that_waits_is_polled_again_only_when_it_is_woken() {
        local(async {
            let (turns, polls) = (Turns::new(), Rc::new(Cell::new(0)));
            let (send, mut receive) = tokio::sync::oneshot::channel();
            let seen = Rc::clone(&polls);
            let task = spawn_local(async move {
                let work = pin!(poll_fn(|cx| {
                    seen.set(seen.get() + 1);
                    Pin::new(&mut receive).poll(cx)
                }));
                turns.take(work).await
            });
            for _ in 0..50 {
                yield_now().await;
            }
            assert_eq!(polls.get(), 1);
            send.send(7).unwrap();
            assert_eq!((task.await.unwrap().unwrap(), polls.get()), (7, 2));
        });
    }
}
