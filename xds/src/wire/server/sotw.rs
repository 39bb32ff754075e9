//! The state-of-the-world variant: a response of a root type is complete, of any other type it holds what changed.
//!
//! The one rule: a request with a stale nonce is neither an answer nor a question; the client's next request,
//! which answers the response under way, repeats all its names anyway.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use envoy_types::pb::envoy::config::core::v3::Node;
use envoy_types::pb::envoy::service::discovery::v3::{DiscoveryRequest, DiscoveryResponse};

use super::ledger::Ledger;
use super::machine::{Machine, check_names, referrers};
use super::status::StreamStatus;
use super::world::{Item, World};
use crate::wire::limits::RESPONSE_BYTES_SOFT_MAX;
use crate::wire::resource::{Interest, ResourceType, WILDCARD};
use crate::wire::violation::Violation;

/// A server of the state-of-the-world variant, for one stream.
#[derive(Debug)]
pub struct Sotw {
    world: Arc<World>,
    types: BTreeMap<ResourceType, Subscription>,
    responses: u64,
}

#[derive(Debug, Default)]
struct Subscription {
    /// Shared with the status.
    interest: Arc<Interest>,
    /// Whether the client has named resources: from then on, no names means none rather than all.
    explicit: bool,
    /// Whether an answer is owed even if it says nothing new.
    owed: bool,
    /// The nonce of the last response.
    nonce: String,
    ledger: Ledger,
    /// What was sent last, kept so that a removed resource can stay in the set for as long as it is referred to.
    sent: BTreeMap<String, Arc<Item>>,
}

impl Subscription {
    fn parse(&mut self, ty: ResourceType, names: Vec<String>) -> Interest {
        self.explicit |= !names.is_empty();
        let mut names: BTreeSet<String> = names.into_iter().collect();
        let star = names.remove(WILDCARD);
        Interest { wildcard: star || ty.is_root() && !self.explicit, names }
    }

    fn want(&mut self, interest: Interest) {
        let more = interest.wildcard && !self.interest.wildcard
            || interest.names.iter().any(|name| !self.interest.covers(name));
        self.owed |= more;
        self.interest = Arc::new(interest);
        self.let_go(&Arc::clone(&self.interest));
    }

    /// Forgets what the client does not want any more, so that it is sent again when it is wanted again.
    fn let_go(&mut self, interest: &Interest) {
        self.ledger.forget_uncovered(interest);
        self.sent.retain(|name, _| self.ledger.knows(name));
    }
}

impl Sotw {
    /// The set that the client should have next; `None` if it has it.
    fn due(&self, ty: ResourceType) -> Option<BTreeMap<String, Arc<Item>>> {
        let subscription = self.types.get(&ty)?;
        let ledger = &subscription.ledger;
        let wanted = self.wanted(ty, subscription).map(|(name, item)| (name.clone(), Arc::clone(item)));
        if !ty.is_root() {
            let news: BTreeMap<_, _> =
                wanted.filter(|(name, item)| !ledger.has(name, &item.version)).collect();
            return (!news.is_empty()).then_some(news);
        }
        let mut set: BTreeMap<_, _> = wanted.collect();
        if !self.may_remove(ty) {
            for (name, item) in &subscription.sent {
                set.entry(name.clone()).or_insert_with(|| Arc::clone(item));
            }
        }
        let same = set.len() == ledger.told().len()
            && set.iter().all(|(name, item)| ledger.has(name, &item.version));
        (subscription.owed || !same).then_some(set)
    }

    /// Whether [`Sotw::due`] has something, found out without copying it.
    fn unsent(&self, ty: ResourceType) -> bool {
        let Some(subscription) = self.types.get(&ty) else { return false };
        let ledger = &subscription.ledger;
        let (mut covered, mut news) = (0, false);
        for (name, item) in self.wanted(ty, subscription) {
            covered += usize::from(ledger.knows(name));
            news |= !ledger.has(name, &item.version);
        }
        news || ty.is_root() && (subscription.owed || covered < ledger.told().len() && self.may_remove(ty))
    }

    fn wanted<'a>(
        &'a self,
        ty: ResourceType,
        subscription: &'a Subscription,
    ) -> impl Iterator<Item = (&'a String, &'a Arc<Item>)> {
        self.world.resources(ty).items().iter().filter(|(name, _)| subscription.interest.covers(name))
    }

    /// Whether nothing that the client holds can still refer to what the world has no more.
    fn may_remove(&self, ty: ResourceType) -> bool {
        referrers(ty).iter().all(|referrer| self.settled(*referrer))
    }

    /// Whether the client has taken over all that this type has to say.
    fn settled(&self, ty: ResourceType) -> bool {
        let Some(subscription) = self.types.get(&ty) else { return true };
        !subscription.ledger.waits() && !subscription.ledger.refused() && !self.unsent(ty)
    }

    fn respond(&mut self, ty: ResourceType, set: BTreeMap<String, Arc<Item>>) -> Option<DiscoveryResponse> {
        self.responses += 1;
        let nonce = self.responses.to_string();
        let version = self.world.resources(ty).version().to_owned();
        let subscription = self.types.get_mut(&ty)?;
        let (mut bytes, mut sent) = (0, Vec::new());
        let mut resources = Vec::new();
        for (name, item) in set {
            // A root type's response must be complete, whatever its size.
            if bytes > RESPONSE_BYTES_SOFT_MAX && !ty.is_root() {
                break;
            }
            bytes += item.body.value.len();
            resources.push(item.body.clone());
            sent.push((name.clone(), item.version.clone()));
            subscription.sent.insert(name, item);
        }
        let names: BTreeSet<&String> = sent.iter().map(|(name, _)| name).collect();
        let gone = subscription.ledger.told().filter(|name| ty.is_root() && !names.contains(name));
        let removed: Vec<String> = gone.cloned().collect();
        removed.iter().for_each(|name| drop(subscription.sent.remove(name)));
        subscription.ledger.send(&nonce, &version, sent, removed);
        subscription.owed = false;
        subscription.nonce.clone_from(&nonce);
        Some(DiscoveryResponse {
            version_info: version,
            resources,
            type_url: ty.type_url(),
            nonce,
            ..DiscoveryResponse::default()
        })
    }
}

impl Machine for Sotw {
    type Request = DiscoveryRequest;
    type Response = DiscoveryResponse;
    const DELTA: bool = false;

    fn new(world: Arc<World>) -> Self {
        Self { world, types: BTreeMap::new(), responses: 0 }
    }

    fn node(request: &DiscoveryRequest) -> Option<&Node> {
        request.node.as_ref()
    }

    fn request(&mut self, request: DiscoveryRequest) -> Result<(), Violation> {
        // A type that is not served is never answered: the client's own wait for it ends by its clock.
        let Some(ty) = ResourceType::from_type_url(&request.type_url) else { return Ok(()) };
        check_names(ty, 0, &request.resource_names)?;
        let first = !self.types.contains_key(&ty);
        let subscription = self.types.entry(ty).or_default();
        if first {
            subscription.interest = Arc::new(subscription.parse(ty, request.resource_names));
            subscription.owed = ty.is_root() && !subscription.interest.is_empty();
            return Ok(());
        }
        let interest = subscription.parse(ty, request.resource_names);
        if request.response_nonce != subscription.nonce {
            // What it drops by the way must be sent again if the next request names it again.
            subscription.let_go(&interest);
            return Ok(());
        }
        subscription.ledger.answer(&request.response_nonce, request.error_detail.as_ref());
        match interest == *subscription.interest {
            true => subscription.let_go(&interest),
            false => subscription.want(interest),
        }
        Ok(())
    }

    fn world(&mut self, world: Arc<World>) {
        self.world = world;
    }

    fn next(&mut self) -> Option<DiscoveryResponse> {
        for ty in ResourceType::ALL {
            if !self.unsent(ty) {
                continue;
            }
            // What the later types say may refer to what this type has yet to say.
            if self.types.get(&ty)?.ledger.waits() {
                return None;
            }
            let set = self.due(ty)?;
            return self.respond(ty, set);
        }
        None
    }

    fn status(&self) -> StreamStatus {
        let types = self.types.iter().map(|(ty, subscription)| {
            (*ty, subscription.ledger.status(&subscription.interest, self.unsent(*ty)))
        });
        StreamStatus { types: types.collect() }
    }
}
