//! The incremental variant: requests say what changes in the subscription, responses what changed in the world.
//!
//! The one rule: only `removed_resources` deletes, and after a reconnect only versions that are held for certain
//! are claimed, so that the control plane sends again whatever is in doubt.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use envoy_types::pb::envoy::service::discovery::v3::{DeltaDiscoveryRequest, DeltaDiscoveryResponse};

use super::event::{Event, Gone, Ticket};
use super::intake;
use super::known::Known;
use super::machine::{Identity, Machine, Output};
use crate::wire::nack::{self, Rejection};
use crate::wire::resource::{Interest, ResourceType};
use crate::wire::violation::Violation;

/// A client of the incremental variant.
#[derive(Debug)]
pub struct Delta {
    identity: Identity,
    types: BTreeMap<ResourceType, Subscription>,
    /// Counts the streams, so that a verdict on an old one's response is told apart.
    stream: u64,
    open: bool,
    node_sent: bool,
}

#[derive(Debug, Default)]
struct Subscription {
    interest: Interest,
    known: Known,
    /// Whether this stream has asked for the type.
    requested: bool,
}

impl Delta {
    /// A client that has no stream yet.
    pub fn new(identity: Identity) -> Self {
        Self { identity, types: BTreeMap::new(), stream: 0, open: false, node_sent: false }
    }

    fn request(&mut self, ty: ResourceType) -> DeltaDiscoveryRequest {
        DeltaDiscoveryRequest {
            node: self.identity.next(&mut self.node_sent),
            type_url: ty.type_url(),
            ..DeltaDiscoveryRequest::default()
        }
    }

    /// The stream's first request for a type: all names, and what is held of them.
    fn first_request(&mut self, ty: ResourceType) -> Option<DeltaDiscoveryRequest> {
        let mut request = self.request(ty);
        let subscription = self.types.get_mut(&ty)?;
        subscription.requested = true;
        // The old form of the wildcard, which every control plane knows, is to name nothing at first.
        let old_wildcard =
            ty.is_root() && subscription.interest.wildcard && subscription.interest.names.is_empty();
        if !old_wildcard {
            request.resource_names_subscribe = subscription.interest.wire_names().into_iter().collect();
        }
        request.initial_resource_versions = subscription.known.claims(&subscription.interest);
        Some(request)
    }
}

impl Machine for Delta {
    type Request = DeltaDiscoveryRequest;
    type Response = DeltaDiscoveryResponse;
    const DELTA: bool = true;

    fn idle(&self) -> bool {
        self.types.values().all(|subscription| subscription.interest.is_empty())
    }

    fn open(&mut self) -> Vec<DeltaDiscoveryRequest> {
        self.stream += 1;
        (self.open, self.node_sent) = (true, false);
        self.types.values_mut().for_each(|subscription| subscription.requested = false);
        let wanted: Vec<_> =
            self.types.iter().filter(|(_, wanted)| !wanted.interest.is_empty()).map(|(ty, _)| *ty).collect();
        wanted.into_iter().filter_map(|ty| self.first_request(ty)).collect()
    }

    fn connected(&mut self, _now: Instant) {
        // Nothing waits: a control plane names what does not exist in `removed_resources`.
    }

    fn closed(&mut self) {
        self.open = false;
    }

    fn receive(
        &mut self,
        response: DeltaDiscoveryResponse,
        now: Instant,
    ) -> Result<Vec<Output<DeltaDiscoveryRequest>>, Violation> {
        let Some(ty) = ResourceType::from_type_url(&response.type_url) else { return Ok(Vec::new()) };
        let Some(subscription) = self.types.get_mut(&ty) else { return Ok(Vec::new()) };
        let ticket = Ticket { ty, stream: self.stream, nonce: response.nonce };
        let intake = intake::sort(ty, response.resources.into_iter().map(Ok).collect(), None);
        let invalid = intake.invalid;
        let heartbeat = !intake.renewed.is_empty();
        let resources = subscription.known.take(intake.renewed, intake.arrived, &subscription.interest, now);
        let named = response.removed_resource_names.into_iter().map(|name| name.name);
        let gone: BTreeSet<String> = response.removed_resources.into_iter().chain(named).collect();
        let removed: Vec<String> =
            gone.into_iter().filter(|name| subscription.interest.covers(name)).collect();
        subscription.known.wait(&ticket, response.system_version_info, &resources, &removed, &invalid)?;
        let silent = heartbeat && resources.is_empty() && removed.is_empty() && invalid.is_empty();
        if silent || subscription.interest.is_empty() {
            return Ok(self.settle(&ticket, Vec::new()).map(Output::Send).into_iter().collect());
        }
        Ok(vec![Output::Tell(Event::Updated { ticket, resources, removed, invalid })])
    }

    fn settle(&mut self, ticket: &Ticket, rejected: Vec<Rejection>) -> Option<DeltaDiscoveryRequest> {
        let subscription = self.types.get_mut(&ticket.ty)?;
        let settled = subscription.known.settle(ticket, rejected, &subscription.interest)?;
        if !self.open || ticket.stream != self.stream {
            return None;
        }
        let mut request = self.request(ticket.ty);
        request.response_nonce.clone_from(&ticket.nonce);
        request.error_detail = nack::error_detail(&settled.rejections);
        Some(request)
    }

    fn subscribe(
        &mut self,
        ty: ResourceType,
        interest: Interest,
        _now: Instant,
    ) -> Option<DeltaDiscoveryRequest> {
        let open = self.open;
        let subscription = self.types.entry(ty).or_default();
        let before = std::mem::replace(&mut subscription.interest, interest);
        subscription.known.keep(&subscription.interest);
        if !open || before == subscription.interest {
            return None;
        }
        if !subscription.requested {
            return (!subscription.interest.is_empty()).then(|| self.first_request(ty)).flatten();
        }
        let (before, after) = (before.wire_names(), subscription.interest.wire_names());
        let mut request = self.request(ty);
        request.resource_names_subscribe = after.difference(&before).cloned().collect();
        request.resource_names_unsubscribe = before.difference(&after).cloned().collect();
        Some(request)
    }

    fn tick(&mut self, now: Instant) -> Vec<Event> {
        let expired = self.types.iter_mut().map(|(ty, subscription)| (*ty, subscription.known.expire(now)));
        let told = expired.filter(|(_, names)| !names.is_empty());
        told.map(|(ty, names)| Event::Gone { ty, names, why: Gone::Expired }).collect()
    }

    fn deadline(&self) -> Option<Instant> {
        self.types.values().filter_map(|subscription| subscription.known.next_expiry()).min()
    }
}
