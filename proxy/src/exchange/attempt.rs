//! Trying, and trying again: how often, after which wait, within which limits.
//!
//! What one attempt does is not known here, so that the rules can be tested with attempts that are made up.

use std::pin::pin;
use std::time::Duration;

use super::ledger::Ledger;
use crate::error::{Error, Reason};
use crate::policy::retry::Retries;
use crate::upstream::pool::Sent;

/// What is tried.
pub(super) trait Tries {
    /// A place among the retries that run at once.
    type Permit;

    /// One attempt; with `last` there will be no other.
    async fn once(&mut self, number: u32, last: bool) -> Result<Sent, Error>;

    /// Whether the request can be sent again.
    fn is_repeatable(&self) -> bool;

    /// Takes a place among the retries that run at once.
    fn permit(&mut self) -> Result<Self::Permit, Error>;

    /// Takes note of what happened.
    fn note(&mut self, event: Event);

    /// A uniformly random number.
    fn random(&mut self) -> u64;
}

/// What a cluster counts about retries and timeouts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// The attempt ended for its own timeout.
    PerTryTimeout,
    /// The attempt ended for the request's timeout.
    Timeout,
    /// The attempt ended for the age of the stream.
    MaxDuration,
    /// Another attempt is made after a wait.
    BackOff,
    /// An attempt after the first one helped.
    RetryHelped,
    /// Another attempt would be made, but none is left.
    LimitExceeded,
    /// Another attempt would be made, but the request's body is not here any more.
    BodyGone,
}

/// Runs attempts until one is good enough, or no more may be made; gives what the last one came to.
pub(super) async fn run<T: Tries>(
    tries: &mut T,
    mut retries: Option<Retries<'_>>,
    ledger: &Ledger,
) -> Result<Sent, Error> {
    let mut running: Option<T::Permit> = None;
    loop {
        let number = begin(ledger);
        let last = !retries.as_ref().is_some_and(Retries::left);
        let ended = {
            let once = pin!(tries.once(number, last));
            ledger.deadlines.limit(once).await
        };
        ledger.deadlines.end_attempt();
        note_lateness(tries, &ended);
        // The retry is over, so that its place is free for the next one.
        drop(running.take());
        let Some(wait) = next(tries, retries.as_mut(), &ended, number, ledger, &mut running) else {
            return ended;
        };
        if let Err(error) = &ended {
            ledger.note_attempt(error);
        }
        ledger.log_attempt();
        // A response that is not passed on gives its connection back before the wait.
        drop(ended);
        tries.note(Event::BackOff);
        if !wait.is_zero() {
            ledger.wait(wait).await?;
        }
    }
}

fn begin(ledger: &Ledger) -> u32 {
    ledger.deadlines.begin_attempt();
    let mut record = ledger.record.borrow_mut();
    record.attempts += 1;
    record.attempts
}

fn note_lateness(tries: &mut impl Tries, ended: &Result<Sent, Error>) {
    let Err(error) = ended else { return };
    match error.reason() {
        Reason::PerTryTimeout => tries.note(Event::PerTryTimeout),
        Reason::UpstreamTimeout => tries.note(Event::Timeout),
        Reason::MaxDuration => tries.note(Event::MaxDuration),
        _ => {}
    }
}

/// How long to wait before another attempt; `None` if what ended is to be passed on.
fn next<T: Tries>(
    tries: &mut T,
    retries: Option<&mut Retries<'_>>,
    ended: &Result<Sent, Error>,
    number: u32,
    ledger: &Ledger,
    running: &mut Option<T::Permit>,
) -> Option<Duration> {
    let retries = retries?;
    let wants = match ended {
        Ok(sent) => retries.wants_after_response(sent.response.head.status, &sent.response.head.headers),
        Err(error) => retries.wants_after_error(error.reason()),
    };
    if !wants {
        if number > 1 && ended.is_ok() {
            tries.note(Event::RetryHelped);
        }
        return None;
    }
    if !tries.is_repeatable() {
        tries.note(Event::BodyGone);
        return None;
    }
    if !retries.take() {
        ledger.record.borrow_mut().flags.insert("URX");
        tries.note(Event::LimitExceeded);
        return None;
    }
    match tries.permit() {
        Ok(permit) => *running = Some(permit),
        Err(overflow) => {
            ledger.record.borrow_mut().flags.insert_reason(overflow.reason());
            return None;
        }
    }
    Some(retries.back_off(tries.random()))
}

#[cfg(test)]
mod tests;
