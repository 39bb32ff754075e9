//! The incremental variant: a response says what changed, and which names do not exist any more.
//!
//! The one rule: what the client claims to hold when it comes back is compared with the world, never trusted to
//! be part of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use envoy_types::pb::envoy::config::core::v3::Node;
use envoy_types::pb::envoy::service::discovery::v3::{
    DeltaDiscoveryRequest, DeltaDiscoveryResponse, Resource,
};

use super::ledger::Ledger;
use super::machine::{Machine, check_names, referrers};
use super::status::StreamStatus;
use super::world::{Item, World};
use crate::wire::limits::{NAMES_PER_TYPE_MAX, RESPONSE_BYTES_SOFT_MAX};
use crate::wire::resource::{Interest, ResourceType, WILDCARD};
use crate::wire::violation::Violation;

/// A server of the incremental variant, for one stream.
#[derive(Debug)]
pub struct Delta {
    world: Arc<World>,
    types: BTreeMap<ResourceType, Subscription>,
    responses: u64,
}

#[derive(Debug, Default)]
struct Subscription {
    /// Shared with the status.
    interest: Arc<Interest>,
    /// Names of the interest which the client knows not to exist.
    absent: BTreeSet<String>,
    /// Whether an answer is owed even if it says nothing new.
    owed: bool,
    ledger: Ledger,
}

/// What a client lacks.
#[derive(Debug, Default)]
struct Change {
    resources: Vec<(String, Arc<Item>)>,
    removed: Vec<String>,
}

impl Subscription {
    fn subscribe(&mut self, names: Vec<String>) {
        let interest = Arc::make_mut(&mut self.interest);
        for name in names {
            if name == WILDCARD {
                self.owed |= !interest.wildcard;
                interest.wildcard = true;
                continue;
            }
            // Asking for a name again means that the client let go of it.
            self.ledger.doubt(&name);
            self.absent.remove(&name);
            interest.names.insert(name);
        }
    }

    fn unsubscribe(&mut self, names: &[String]) {
        let interest = Arc::make_mut(&mut self.interest);
        for name in names {
            if name == WILDCARD {
                interest.wildcard = false;
            } else {
                interest.names.remove(name);
                self.absent.remove(name);
                // With a wildcard the resource stays wanted, but the client has let go of it.
                self.ledger.doubt(name);
            }
        }
        self.ledger.forget_uncovered(interest);
    }
}

impl Delta {
    /// What the client should be told next.
    fn due(&self, ty: ResourceType) -> Option<Change> {
        let subscription = self.types.get(&ty)?;
        let news = self.news(ty, subscription).map(|(name, item)| (name.clone(), Arc::clone(item)));
        let mut removed: Vec<String> = self.absent(ty, subscription).cloned().collect();
        if self.may_remove(ty) {
            removed.extend(self.gone(ty, subscription).cloned());
        }
        Some(Change { resources: news.collect(), removed })
    }

    /// Whether the client lacks something, found out without copying it.
    fn unsent(&self, ty: ResourceType) -> bool {
        let Some(subscription) = self.types.get(&ty) else { return false };
        subscription.owed
            || self.news(ty, subscription).next().is_some()
            || self.absent(ty, subscription).next().is_some()
            || self.gone(ty, subscription).next().is_some() && self.may_remove(ty)
    }

    /// What the client has not been sent in this version.
    fn news<'a>(
        &'a self,
        ty: ResourceType,
        Subscription { interest, ledger, .. }: &'a Subscription,
    ) -> impl Iterator<Item = (&'a String, &'a Arc<Item>)> {
        let items = self.world.resources(ty).items().iter();
        items.filter(move |(name, item)| interest.covers(name) && !ledger.has(name, &item.version))
    }

    /// Names that the client asks for in vain and has not been told so.
    fn absent<'a>(
        &'a self,
        ty: ResourceType,
        Subscription { interest, ledger, absent, .. }: &'a Subscription,
    ) -> impl Iterator<Item = &'a String> {
        let items = self.world.resources(ty).items();
        let known = move |name: &String| items.contains_key(name) || ledger.knows(name);
        interest.names.iter().filter(move |name| !known(name) && !absent.contains(*name))
    }

    /// What the client has and the world has no more.
    fn gone<'a>(
        &'a self,
        ty: ResourceType,
        Subscription { interest, ledger, .. }: &'a Subscription,
    ) -> impl Iterator<Item = &'a String> {
        let items = self.world.resources(ty).items();
        ledger.told().filter(move |name| interest.covers(name) && !items.contains_key(*name))
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

    fn respond(&mut self, ty: ResourceType, change: Change) -> Option<DeltaDiscoveryResponse> {
        self.responses += 1;
        let nonce = self.responses.to_string();
        let version = self.world.resources(ty).version().to_owned();
        let subscription = self.types.get_mut(&ty)?;
        let (mut bytes, mut sent, mut resources) = (0, Vec::new(), Vec::new());
        for (name, item) in change.resources {
            // The rest follows once this part is acknowledged.
            if bytes > RESPONSE_BYTES_SOFT_MAX {
                break;
            }
            bytes += item.body.value.len();
            sent.push((name.clone(), item.version.clone()));
            subscription.absent.remove(&name);
            resources.push(Resource {
                name,
                version: item.version.clone(),
                resource: Some(item.body.clone()),
                ..Resource::default()
            });
        }
        let named = change.removed.iter().filter(|name| subscription.interest.names.contains(*name));
        subscription.absent.extend(named.cloned());
        subscription.ledger.send(&nonce, &version, sent, change.removed.clone());
        subscription.owed = false;
        Some(DeltaDiscoveryResponse {
            system_version_info: version,
            resources,
            type_url: ty.type_url(),
            removed_resources: change.removed,
            nonce,
            ..DeltaDiscoveryResponse::default()
        })
    }
}

impl Machine for Delta {
    type Request = DeltaDiscoveryRequest;
    type Response = DeltaDiscoveryResponse;
    const DELTA: bool = true;

    fn new(world: Arc<World>) -> Self {
        Self { world, types: BTreeMap::new(), responses: 0 }
    }

    fn node(request: &DeltaDiscoveryRequest) -> Option<&Node> {
        request.node.as_ref()
    }

    fn request(&mut self, request: DeltaDiscoveryRequest) -> Result<(), Violation> {
        // A type that is not served is never answered: the client's own wait for it ends by its clock.
        let Some(ty) = ResourceType::from_type_url(&request.type_url) else { return Ok(()) };
        let first = !self.types.contains_key(&ty);
        let subscription = self.types.entry(ty).or_default();
        check_names(ty, subscription.interest.names.len(), &request.resource_names_subscribe)?;
        if request.initial_resource_versions.len() > NAMES_PER_TYPE_MAX {
            return Err(Violation(format!("too many initial resource versions for {ty}")));
        }
        if !request.response_nonce.is_empty() {
            subscription.ledger.answer(&request.response_nonce, request.error_detail.as_ref());
        }
        if first && ty.is_root() && request.resource_names_subscribe.is_empty() {
            // The old form of the wildcard.
            subscription.interest = Arc::new(Interest::all());
            subscription.owed = true;
        }
        subscription.subscribe(request.resource_names_subscribe);
        if first {
            subscription.ledger.claim(request.initial_resource_versions);
        }
        subscription.unsubscribe(&request.resource_names_unsubscribe);
        Ok(())
    }

    fn world(&mut self, world: Arc<World>) {
        self.world = world;
    }

    fn next(&mut self) -> Option<DeltaDiscoveryResponse> {
        for ty in ResourceType::ALL {
            if !self.unsent(ty) {
                continue;
            }
            // What the later types say may refer to what this type has yet to say.
            if self.types.get(&ty)?.ledger.waits() {
                return None;
            }
            let change = self.due(ty)?;
            return self.respond(ty, change);
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
