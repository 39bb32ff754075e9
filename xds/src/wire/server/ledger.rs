//! What one stream's client was told of one type, and what it said about it.
//!
//! The one rule: told is not held. What was sent decides what to send next; what was acknowledged decides what
//! the client is reported to hold.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use envoy_types::pb::google::rpc::Status;

use super::status::{Refusal, TypeStatus};
use crate::wire::nack::{self, Rejection};
use crate::wire::resource::Interest;

#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Name to version, of all that was sent and not taken back; no version where the client may hold any or none.
    told: BTreeMap<String, Option<String>>,
    /// Shared with the status, which is told after every step.
    held: Arc<BTreeMap<String, String>>,
    outstanding: Option<Outstanding>,
    acknowledged: Option<String>,
    /// Version and message of the response that was refused last.
    refusal: Option<(String, String)>,
    /// What the client refused and was not sent differently since, by name, with its words.
    refused: BTreeMap<String, String>,
}

/// The response that waits for its answer; there is never more than one for a type.
#[derive(Debug)]
struct Outstanding {
    nonce: String,
    version: String,
    resources: Vec<(String, String)>,
    removed: Vec<String>,
}

impl Ledger {
    /// What a client claims to hold when it comes back; an empty version means that it is not sure.
    pub(super) fn claim(&mut self, versions: HashMap<String, String>) {
        self.held = Arc::new(versions.iter().filter(|(_, version)| !version.is_empty()).map(owned).collect());
        let sure = |version: String| Some(version).filter(|version| !version.is_empty());
        self.told = versions.into_iter().map(|(name, version)| (name, sure(version))).collect();
    }

    /// The names that the client was told of and that were not taken back.
    pub(super) fn told(&self) -> impl ExactSizeIterator<Item = &String> {
        self.told.keys()
    }

    pub(super) fn knows(&self, name: &str) -> bool {
        self.told.contains_key(name)
    }

    /// Whether the client was told of this very version.
    pub(super) fn has(&self, name: &str, version: &str) -> bool {
        self.told.get(name).is_some_and(|told| told.as_deref() == Some(version))
    }

    pub(super) fn waits(&self) -> bool {
        self.outstanding.is_some()
    }

    pub(super) fn refused(&self) -> bool {
        self.refusal.is_some()
    }

    /// These resources are not refused any more: accepted, taken back, or not wanted.
    fn pardon(&mut self, pardoned: impl Fn(&str) -> bool) {
        self.refused.retain(|name, _| !pardoned(name));
        if self.refused.is_empty() {
            self.refusal = None;
        }
    }

    /// A response goes out.
    pub(super) fn send(
        &mut self,
        nonce: &str,
        version: &str,
        resources: Vec<(String, String)>,
        removed: Vec<String>,
    ) {
        for name in &removed {
            self.told.remove(name);
            self.pardon(|refused| refused == name);
        }
        self.told.extend(resources.iter().map(|(name, version)| (name.clone(), Some(version.clone()))));
        self.outstanding =
            Some(Outstanding { nonce: nonce.to_owned(), version: version.to_owned(), resources, removed });
    }

    /// The client may have let go of this resource: it is sent again, or taken back again, to be sure.
    pub(super) fn doubt(&mut self, name: &str) {
        if let Some(version) = self.told.get_mut(name) {
            *version = None;
        }
        self.pardon(|refused| refused == name);
        if self.held.contains_key(name) {
            Arc::make_mut(&mut self.held).remove(name);
        }
    }

    /// The client has let go of what it does not ask for any more. What is under way may still reach it once it
    /// asks again, so that stays in doubt until the response is answered.
    pub(super) fn forget_uncovered(&mut self, interest: &Interest) {
        let under_way = self.outstanding.iter().flat_map(|outstanding| &outstanding.resources);
        let under_way: BTreeSet<&String> = under_way.map(|(name, _)| name).collect();
        self.told.retain(|name, version| {
            if !interest.covers(name) {
                *version = None;
            }
            version.is_some() || interest.covers(name) || under_way.contains(name)
        });
        self.pardon(|name| !interest.covers(name));
        if self.held.keys().any(|name| !interest.covers(name)) {
            Arc::make_mut(&mut self.held).retain(|name, _| interest.covers(name));
        }
    }

    /// The client answers the response with this nonce; any other answer is stale and ignored.
    pub(super) fn answer(&mut self, nonce: &str, error: Option<&Status>) {
        let Some(outstanding) = self.outstanding.take_if(|outstanding| outstanding.nonce == nonce) else {
            return;
        };
        let sent: BTreeSet<&str> = outstanding.resources.iter().map(|(name, _)| name.as_str()).collect();
        let Some(error) = error else {
            self.settle(&outstanding, &BTreeSet::new());
            self.pardon(|name| sent.contains(name));
            self.acknowledged = Some(outstanding.version);
            return;
        };
        let rejections = match nack::rejections(error) {
            Some(rejections) => {
                self.settle(
                    &outstanding,
                    &rejections.iter().map(|rejection| rejection.name.as_str()).collect(),
                );
                self.pardon(|name| sent.contains(name));
                rejections
            }
            // Which ones were applied is anyone's guess, so none of them counts as held.
            None => sent
                .iter()
                .map(|name| Rejection { name: (*name).to_owned(), error: error.message.clone() })
                .collect(),
        };
        // What the client let go of meanwhile is not missed.
        let missed = rejections.into_iter().filter(|rejection| self.told.contains_key(&rejection.name));
        self.refused.extend(missed.map(|rejection| (rejection.name, rejection.error)));
        if !self.refused.is_empty() || sent.is_empty() {
            self.refusal = Some((outstanding.version, error.message.clone()));
        }
    }

    fn settle(&mut self, outstanding: &Outstanding, refused: &BTreeSet<&str>) {
        let held = Arc::make_mut(&mut self.held);
        for name in &outstanding.removed {
            held.remove(name);
        }
        // What the client let go of meanwhile is in doubt, whatever it says about the response.
        let applied = outstanding.resources.iter().filter(|(name, _)| !refused.contains(name.as_str()));
        let told = &self.told;
        held.extend(applied.filter(|(name, _)| told.get(name).is_some_and(Option::is_some)).cloned());
    }

    pub(super) fn status(&self, interest: &Arc<Interest>, unsent: bool) -> TypeStatus {
        TypeStatus {
            interest: Arc::clone(interest),
            acknowledged: self.acknowledged.clone(),
            held: Arc::clone(&self.held),
            refusal: self.refusal.clone().map(|(version, message)| Refusal {
                version,
                message,
                resources: self
                    .refused
                    .iter()
                    .map(|(name, error)| Rejection { name: name.clone(), error: error.clone() })
                    .collect(),
            }),
            behind: unsent || self.waits(),
        }
    }
}

fn owned((name, version): (&String, &String)) -> (String, String) {
    (name.clone(), version.clone())
}
