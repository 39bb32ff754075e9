//! The desired state of the whole mesh at one revision.
//!
//! One rule: a world is never changed in place once others can see it; a change makes the next one.

use std::collections::BTreeMap;
use std::sync::Arc;

use gateway_api::experimental::tcproutes::TcpRouteSpec;
use gateway_api::httproutes::HttpRouteSpec;

use super::document::Document;
use super::failover::FailoverSpec;
use super::join_token::JoinTokenSpec;
use super::kind::{Kind, ObjectRef};
use super::object::Object;
use super::service::ServiceSpec;
use super::site::SiteSpec;
use super::trust_domain::TrustDomainSpec;

/// All resources at one revision.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// The revision of the store at which this is the state.
    pub revision: u64,
    /// The mesh's own trust domain.
    pub trust_domain: Arc<str>,
    objects: BTreeMap<ObjectRef, Object>,
}

impl World {
    /// A mesh of that trust domain, without resources.
    pub fn new(trust_domain: &str) -> Self {
        Self { revision: 0, trust_domain: trust_domain.into(), objects: BTreeMap::new() }
    }

    /// The resource of that kind and name.
    pub fn find(&self, reference: &ObjectRef) -> Option<&Object> {
        self.objects.get(reference)
    }

    /// All resources of a kind, by name.
    pub fn all(&self, kind: Kind) -> impl Iterator<Item = &Object> {
        self.objects
            .range(ObjectRef::new(kind, "")..)
            .map(|(_, object)| object)
            .take_while(move |object| object.kind() == kind)
    }

    /// Puts a resource in, in place of the one with its kind and name.
    pub fn insert(&mut self, object: Object) {
        self.objects.insert(object.object_ref(), object);
    }

    /// Takes a resource out.
    pub fn remove(&mut self, reference: &ObjectRef) -> Option<Object> {
        self.objects.remove(reference)
    }

    /// The sites, by name.
    pub fn sites(&self) -> impl Iterator<Item = &Document<SiteSpec>> {
        self.all(Kind::Site).filter_map(|object| match object {
            Object::Site(document) => Some(document.as_ref()),
            _ => None,
        })
    }

    /// The services, by name.
    pub fn services(&self) -> impl Iterator<Item = &Document<ServiceSpec>> {
        self.all(Kind::Service).filter_map(|object| match object {
            Object::Service(document) => Some(document.as_ref()),
            _ => None,
        })
    }

    /// The HTTP routes, by name.
    pub fn http_routes(&self) -> impl Iterator<Item = &Document<HttpRouteSpec>> {
        self.all(Kind::HttpRoute).filter_map(|object| match object {
            Object::HttpRoute(document) => Some(document.as_ref()),
            _ => None,
        })
    }

    /// The TCP routes, by name.
    pub fn tcp_routes(&self) -> impl Iterator<Item = &Document<TcpRouteSpec>> {
        self.all(Kind::TcpRoute).filter_map(|object| match object {
            Object::TcpRoute(document) => Some(document.as_ref()),
            _ => None,
        })
    }

    /// The failovers, by name.
    pub fn failovers(&self) -> impl Iterator<Item = &Document<FailoverSpec>> {
        self.all(Kind::Failover).filter_map(|object| match object {
            Object::Failover(document) => Some(document.as_ref()),
            _ => None,
        })
    }

    /// The other trust domains, by name.
    pub fn trust_domains(&self) -> impl Iterator<Item = &Document<TrustDomainSpec>> {
        self.all(Kind::TrustDomain).filter_map(|object| match object {
            Object::TrustDomain(document) => Some(document.as_ref()),
            _ => None,
        })
    }

    /// The join tokens, by name.
    pub fn join_tokens(&self) -> impl Iterator<Item = &Document<JoinTokenSpec>> {
        self.all(Kind::JoinToken).filter_map(|object| match object {
            Object::JoinToken(document) => Some(document.as_ref()),
            _ => None,
        })
    }

    /// The site of that name.
    pub fn site(&self, name: &str) -> Option<&Document<SiteSpec>> {
        match self.objects.get(&ObjectRef::new(Kind::Site, name))? {
            Object::Site(document) => Some(document),
            _ => None,
        }
    }

    /// The service of that name.
    pub fn service(&self, name: &str) -> Option<&Document<ServiceSpec>> {
        match self.objects.get(&ObjectRef::new(Kind::Service, name))? {
            Object::Service(document) => Some(document),
            _ => None,
        }
    }

    /// The failover of that service.
    pub fn failover_of(&self, service: &str) -> Option<&Document<FailoverSpec>> {
        self.failovers().find(|f| f.spec.service == service)
    }
}
