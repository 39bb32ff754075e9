//! The state-of-the-world variant: every request repeats all names, every response of a root type all resources.
//!
//! The one rule: absence deletes listeners and clusters only. Of every other type a response says nothing about
//! what it does not hold, so that a name which never comes is noticed by the clock alone.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use envoy_types::pb::envoy::service::discovery::v3::{DiscoveryRequest, DiscoveryResponse};

use super::event::{Event, Gone, Ticket};
use super::intake::{self, Intake};
use super::known::Known;
use super::machine::{Identity, Machine, Output};
use crate::wire::nack::{self, Rejection};
use crate::wire::resource::{self, Interest, ResourceType};
use crate::wire::violation::Violation;

/// A client of the state-of-the-world variant.
#[derive(Debug)]
pub struct Sotw {
    identity: Identity,
    missing_after: Duration,
    types: BTreeMap<ResourceType, Subscription>,
    /// Counts the streams, so that a verdict on an old one's response is told apart.
    stream: u64,
    open: bool,
    connected: bool,
    node_sent: bool,
}

#[derive(Debug, Default)]
struct Subscription {
    interest: Interest,
    known: Known,
    /// Names that were asked for and have not come, with the end of the wait while the stream is connected.
    asked: BTreeMap<String, Option<Instant>>,
    /// The version of the last response that was accepted as a whole.
    version: String,
    /// The nonce of the last response of this stream that got its verdict.
    nonce: String,
    /// Whether this stream has asked for the type.
    requested: bool,
    /// Whether this stream has named resources: from then on, no names means none rather than all.
    explicit: bool,
}

impl Sotw {
    /// A client that has no stream yet; `missing_after` is how long a subscribed name may take to come.
    pub fn new(identity: Identity, missing_after: Duration) -> Self {
        Self {
            identity,
            missing_after,
            types: BTreeMap::new(),
            stream: 0,
            open: false,
            connected: false,
            node_sent: false,
        }
    }

    fn request(&mut self, ty: ResourceType, error: Option<Vec<Rejection>>) -> Option<DiscoveryRequest> {
        let subscription = self.types.get_mut(&ty)?;
        let first = !std::mem::replace(&mut subscription.requested, true);
        // A control plane may stay silent towards a new stream that claims the latest version; one that lacks
        // something must not claim it.
        let claimed = if first && !subscription.asked.is_empty() { "" } else { &subscription.version };
        Some(DiscoveryRequest {
            version_info: claimed.to_owned(),
            node: self.identity.next(&mut self.node_sent),
            resource_names: subscription.wire_names(ty),
            type_url: ty.type_url(),
            response_nonce: subscription.nonce.clone(),
            error_detail: error.and_then(|rejections| nack::error_detail(&rejections)),
            resource_locators: Vec::new(),
        })
    }
}

impl Subscription {
    fn wire_names(&mut self, ty: ResourceType) -> Vec<String> {
        let names = self.interest.wire_names();
        // The old form of the wildcard, which every control plane knows; it works until a name was sent.
        if ty.is_root() && self.interest.wildcard && names.len() == 1 && !self.explicit {
            return Vec::new();
        }
        self.explicit |= !names.is_empty();
        names.into_iter().collect()
    }

    /// Brings the list of awaited names in line with what is wanted and known.
    fn ask(&mut self, until: Option<Instant>) {
        self.asked.retain(|name, _| self.interest.names.contains(name) && !self.known.contains(name));
        for name in self.interest.names.iter().filter(|name| !self.known.contains(name)) {
            let deadline = self.asked.entry(name.clone()).or_default();
            *deadline = deadline.or(until);
        }
    }

    /// Takes a sorted response in; the event's resources and removed names.
    fn take(
        &mut self,
        ty: ResourceType,
        intake: Intake,
        now: Instant,
    ) -> (Vec<super::event::Arrived>, Vec<String>) {
        let mut removed = Vec::new();
        if ty.is_root() && !intake.unnamed {
            let present = intake.present();
            let known = self.known.names().chain(self.asked.keys());
            removed = known.filter(|name| !present.contains(*name)).cloned().collect();
            removed.sort();
            removed.dedup();
            self.asked.retain(|name, _| present.contains(name));
        }
        let resources = self.known.take(intake.renewed, intake.arrived, &self.interest, now);
        for arrived in &resources {
            self.asked.remove(&arrived.name);
        }
        (resources, removed)
    }
}

impl Machine for Sotw {
    type Request = DiscoveryRequest;
    type Response = DiscoveryResponse;
    const DELTA: bool = false;

    fn idle(&self) -> bool {
        self.types.values().all(|subscription| subscription.interest.is_empty())
    }

    fn open(&mut self) -> Vec<DiscoveryRequest> {
        self.stream += 1;
        (self.open, self.connected, self.node_sent) = (true, false, false);
        let mut wanted = Vec::new();
        for (ty, subscription) in &mut self.types {
            (subscription.requested, subscription.explicit) = (false, false);
            subscription.nonce.clear();
            subscription.asked.values_mut().for_each(|deadline| *deadline = None);
            if !subscription.interest.is_empty() {
                wanted.push(*ty);
            }
        }
        wanted.into_iter().filter_map(|ty| self.request(ty, None)).collect()
    }

    fn connected(&mut self, now: Instant) {
        self.connected = true;
        let until = now.checked_add(self.missing_after);
        self.types.values_mut().for_each(|subscription| subscription.ask(until));
    }

    fn closed(&mut self) {
        (self.open, self.connected) = (false, false);
        for subscription in self.types.values_mut() {
            subscription.asked.values_mut().for_each(|deadline| *deadline = None);
        }
    }

    fn receive(
        &mut self,
        response: DiscoveryResponse,
        now: Instant,
    ) -> Result<Vec<Output<DiscoveryRequest>>, Violation> {
        // A type that was never asked for is none of ours, whatever it holds.
        let Some(ty) = ResourceType::from_type_url(&response.type_url) else { return Ok(Vec::new()) };
        let Some(subscription) = self.types.get_mut(&ty) else { return Ok(Vec::new()) };
        let ticket = Ticket { ty, stream: self.stream, nonce: response.nonce };
        let elements = response.resources.into_iter().map(resource::unwrapped).collect();
        let intake = intake::sort(ty, elements, Some(&response.version_info));
        let invalid = intake.invalid.clone();
        let heartbeat = !intake.renewed.is_empty() && intake.arrived.is_empty() && invalid.is_empty();
        let (resources, removed) = subscription.take(ty, intake, now);
        subscription.known.wait(&ticket, response.version_info, &resources, &removed, &invalid)?;
        if subscription.interest.is_empty() || heartbeat && removed.is_empty() {
            return Ok(self.settle(&ticket, Vec::new()).map(Output::Send).into_iter().collect());
        }
        Ok(vec![Output::Tell(Event::Updated { ticket, resources, removed, invalid })])
    }

    fn settle(&mut self, ticket: &Ticket, rejected: Vec<Rejection>) -> Option<DiscoveryRequest> {
        let subscription = self.types.get_mut(&ticket.ty)?;
        let settled = subscription.known.settle(ticket, rejected, &subscription.interest)?;
        if settled.rejections.is_empty() {
            subscription.version = settled.version;
        }
        if !self.open || ticket.stream != self.stream {
            return None;
        }
        subscription.nonce.clone_from(&ticket.nonce);
        self.request(ticket.ty, Some(settled.rejections))
    }

    fn subscribe(&mut self, ty: ResourceType, interest: Interest, now: Instant) -> Option<DiscoveryRequest> {
        let until = self.connected.then(|| now.checked_add(self.missing_after)).flatten();
        let open = self.open;
        let subscription = self.types.entry(ty).or_default();
        if subscription.interest == interest {
            return None;
        }
        subscription.interest = interest;
        subscription.known.keep(&subscription.interest);
        subscription.ask(until);
        // Nothing to say where the stream was never asked for the type and is not asked now.
        let worth_saying = subscription.requested || !subscription.interest.is_empty();
        (open && worth_saying).then(|| self.request(ty, None)).flatten()
    }

    fn tick(&mut self, now: Instant) -> Vec<Event> {
        let mut events = Vec::new();
        for (ty, subscription) in &mut self.types {
            let expired = subscription.known.expire(now);
            if !expired.is_empty() {
                events.push(Event::Gone { ty: *ty, names: expired, why: Gone::Expired });
            }
            let over = |deadline: &mut Option<Instant>| deadline.is_some_and(|end| end <= now);
            let missing: Vec<String> = subscription
                .asked
                .extract_if(.., |_, deadline| over(deadline))
                .map(|(name, _)| name)
                .collect();
            if !missing.is_empty() {
                events.push(Event::Gone { ty: *ty, names: missing, why: Gone::Missing });
            }
        }
        events
    }

    fn deadline(&self) -> Option<Instant> {
        let awaited =
            self.types.values().flat_map(|subscription| subscription.asked.values().flatten().copied());
        awaited.chain(self.types.values().filter_map(|subscription| subscription.known.next_expiry())).min()
    }
}
