//! What whoever applies one type's resources holds, and which responses still wait for its verdict.
//!
//! The one rule: verdicts come in the order of the responses, and only a verdict changes what counts as held.
//! Until then a name that a response was about is in doubt: it may be held in any version, or not at all.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::{Duration, Instant};

use super::event::{Arrived, Ticket};
use crate::wire::limits::VERDICTS_OUTSTANDING_MAX;
use crate::wire::nack::Rejection;
use crate::wire::resource::Interest;
use crate::wire::violation::Violation;

#[derive(Debug, Default)]
pub(super) struct Known {
    /// Name to version, of what was applied.
    applied: BTreeMap<String, String>,
    pending: VecDeque<Pending>,
    /// When resources with a time to live end.
    expires: BTreeMap<String, Instant>,
}

/// A response that waits for its verdict.
#[derive(Debug)]
struct Pending {
    ticket: Ticket,
    /// The version of the response as a whole.
    version: String,
    /// Names and versions of the resources that were handed over.
    delivered: Vec<(String, String)>,
    removed: Vec<String>,
    invalid: Vec<Rejection>,
}

/// A response that was judged.
#[derive(Debug)]
pub(super) struct Settled {
    pub(super) version: String,
    pub(super) rejections: Vec<Rejection>,
}

impl Known {
    pub(super) fn contains(&self, name: &str) -> bool {
        self.applied.contains_key(name) || self.handed_over().any(|other| other == name)
    }

    /// All that may be held, now or once the verdicts are in.
    pub(super) fn names(&self) -> impl Iterator<Item = &String> {
        self.applied.keys().chain(self.handed_over())
    }

    fn handed_over(&self) -> impl Iterator<Item = &String> {
        self.pending.iter().flat_map(|pending| &pending.delivered).map(|(name, _)| name)
    }

    /// The resource's time to live begins now, anew if it was running; without one it lives on.
    fn live(&mut self, name: &str, ttl: Option<Duration>, now: Instant) {
        self.expires.remove(name);
        self.expires.extend(ttl.and_then(|ttl| Some((name.to_owned(), now.checked_add(ttl)?))));
    }

    /// Takes the elements of a response in, to be handed over if they are wanted.
    pub(super) fn take(
        &mut self,
        renewed: Vec<(String, Option<Duration>)>,
        arrived: Vec<(Arrived, Option<Duration>)>,
        interest: &Interest,
        now: Instant,
    ) -> Vec<Arrived> {
        for (name, ttl) in renewed {
            if self.contains(&name) {
                self.live(&name, ttl, now);
            }
        }
        let wanted = arrived.into_iter().filter(|(arrived, _)| interest.covers(&arrived.name));
        wanted
            .map(|(arrived, ttl)| {
                self.live(&arrived.name, ttl, now);
                arrived
            })
            .collect()
    }

    /// Forgets what is not wanted any more.
    pub(super) fn keep(&mut self, interest: &Interest) {
        self.applied.retain(|name, _| interest.covers(name));
        self.expires.retain(|name, _| interest.covers(name));
    }

    /// A response of this version is handed over.
    pub(super) fn wait(
        &mut self,
        ticket: &Ticket,
        version: String,
        resources: &[Arrived],
        removed: &[String],
        invalid: &[Rejection],
    ) -> Result<(), Violation> {
        if self.pending.len() >= VERDICTS_OUTSTANDING_MAX {
            return Err(Violation(format!(
                "{VERDICTS_OUTSTANDING_MAX} responses for {} wait to be applied, no more are taken",
                ticket.ty
            )));
        }
        for name in removed {
            self.expires.remove(name);
        }
        let delivered = resources.iter().map(|arrived| (arrived.name.clone(), arrived.version.clone()));
        self.pending.push_back(Pending {
            ticket: ticket.clone(),
            version,
            delivered: delivered.collect(),
            removed: removed.to_vec(),
            invalid: invalid.to_vec(),
        });
        Ok(())
    }

    /// Takes a verdict; `None` if nothing waits for it.
    pub(super) fn settle(
        &mut self,
        ticket: &Ticket,
        rejected: Vec<Rejection>,
        interest: &Interest,
    ) -> Option<Settled> {
        let place = self.pending.iter().position(|pending| pending.ticket == *ticket)?;
        let pending = self.pending.remove(place)?;
        for name in &pending.removed {
            self.applied.remove(name);
        }
        let refused: BTreeSet<String> = rejected.iter().map(|rejection| rejection.name.clone()).collect();
        let applied = pending.delivered.into_iter().filter(|(name, _)| !refused.contains(name));
        self.applied.extend(applied.filter(|(name, _)| interest.covers(name)));
        let rejections = pending.invalid.into_iter().chain(rejected).collect();
        Some(Settled { version: pending.version, rejections })
    }

    /// What a new stream is told to be held, by name: the version, or an empty one for a name in doubt. No version
    /// matches the empty one, so such a resource is sent or removed again; left out, its removal would never be
    /// heard of. What was rejected and never applied is left out.
    pub(super) fn claims(&self, interest: &Interest) -> HashMap<String, String> {
        let removed = self.pending.iter().flat_map(|pending| &pending.removed);
        let doubtful = self.handed_over().chain(removed).filter(|name| interest.covers(name));
        let doubtful = doubtful.map(|name| (name.clone(), String::new()));
        let applied = self.applied.iter().map(|(name, version)| (name.clone(), version.clone()));
        applied.chain(doubtful).collect()
    }

    /// Removes and names what has expired.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<String> {
        let over: Vec<String> =
            self.expires.extract_if(.., |_, end| *end <= now).map(|(name, _)| name).collect();
        for name in &over {
            self.applied.remove(name);
            for pending in &mut self.pending {
                pending.delivered.retain(|(delivered, _)| delivered != name);
            }
        }
        over
    }

    pub(super) fn next_expiry(&self) -> Option<Instant> {
        self.expires.values().min().copied()
    }
}
