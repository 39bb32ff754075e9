//! The resources that are wanted now: the bootstrap's, and over them what control planes said.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use xds::decode::Resource;
use xds::model::{Bootstrap, RuntimeValues, SecretName};
use xds::wire::nack::Rejection;
use xds::wire::resource::ResourceType;

use crate::identity::{Secrets, check_secret};
use crate::runtime::LiveRuntime;
use crate::snapshot::{ResourceId, Resources};

/// Wanted resources. A static resource is never replaced by a fetched one.
#[derive(Debug, Default)]
pub(super) struct Desired {
    pub(super) resources: Resources,
    fixed: HashSet<ResourceId>,
    runtime: Arc<LiveRuntime>,
}

impl Desired {
    /// The bootstrap's resources; its secrets go to `secrets`, fetched runtime values to `runtime`.
    ///
    /// # Errors
    /// A secret that cannot be used.
    pub(super) fn from_bootstrap(
        bootstrap: &Bootstrap,
        secrets: &Secrets,
        runtime: Arc<LiveRuntime>,
    ) -> Result<Self, String> {
        let mut desired = Self { runtime, ..Self::default() };
        for (index, secret) in bootstrap.secrets.iter().enumerate() {
            check_secret(secret, secrets)
                .map_err(|reason| format!("static_resources.secrets[{index}]: {reason}"))?;
            secrets.set_static(secret.clone());
        }
        for cluster in &bootstrap.clusters {
            desired.fixed.insert(ResourceId::Cluster(cluster.name.clone()));
            desired.resources.clusters.insert(cluster.name.clone(), Arc::new(cluster.clone()));
        }
        for listener in &bootstrap.listeners {
            desired.fixed.insert(ResourceId::Listener(listener.name.clone()));
            desired.resources.listeners.insert(listener.name.clone(), Arc::new(listener.clone()));
        }
        desired.resources.api_listener = bootstrap.api_listener.clone().map(Arc::new);
        Ok(desired)
    }

    /// Takes one fetched resource in. `name` is what the stream calls it.
    pub(super) fn set(&mut self, name: &str, resource: Resource, secrets: &Secrets) -> Result<(), Rejection> {
        let refuse = |error: String| Err(Rejection { name: name.to_owned(), error });
        let (id, own_name) = match &resource {
            Resource::Listener(listener) => {
                (Some(ResourceId::Listener(listener.name.clone())), listener.name.to_string())
            }
            Resource::ApiListener(listener) => (None, listener.name.to_string()),
            Resource::RouteConfiguration(table) => (None, table.name.to_string()),
            Resource::Cluster(cluster) => {
                (Some(ResourceId::Cluster(cluster.name.clone())), cluster.name.to_string())
            }
            Resource::LoadAssignment(assignment) => (None, assignment.cluster_name.clone()),
            Resource::Secret(secret) => (None, secret.name.to_string()),
            Resource::Runtime(values) => (None, values.name.clone()),
        };
        if own_name != name {
            return refuse(format!("name: the resource is called {own_name:?}, the response says {name:?}"));
        }
        if let Some(id) = id.filter(|id| self.fixed.contains(id)) {
            return refuse(format!("name: a static {} of the bootstrap has this name", id.kind()));
        }
        let resources = &mut self.resources;
        match resource {
            Resource::Listener(listener) => {
                resources.listeners.insert(listener.name.clone(), Arc::new(listener));
            }
            // As Envoy: there is no program in this process that could read it.
            Resource::ApiListener(_) => {
                tracing::warn!(
                    listener = name,
                    "an api_listener is only taken from the bootstrap; not added"
                );
            }
            Resource::RouteConfiguration(table) => {
                resources.routes.insert(table.name.clone(), Arc::new(table));
            }
            Resource::Cluster(cluster) => {
                resources.clusters.insert(cluster.name.clone(), Arc::new(cluster));
            }
            Resource::LoadAssignment(assignment) => {
                resources.assignments.insert(assignment.cluster_name.clone(), Arc::new(assignment));
            }
            Resource::Secret(secret) => {
                if let Err(reason) = check_secret(&secret, secrets) {
                    return refuse(reason);
                }
                secrets.set_fetched(secret);
            }
            Resource::Runtime(values) => {
                if !self.runtime.set_fetched(&values) {
                    return refuse("name: no rtds_layer of the bootstrap has this name".to_owned());
                }
            }
        }
        Ok(())
    }

    /// Forgets a fetched resource; a static one stays.
    pub(super) fn remove(&mut self, ty: ResourceType, name: &str, secrets: &Secrets) {
        let resources = &mut self.resources;
        match ty {
            ResourceType::Listener if !self.fixed.contains(&ResourceId::Listener(name.into())) => {
                resources.listeners.remove(name);
            }
            ResourceType::Cluster if !self.fixed.contains(&ResourceId::Cluster(name.into())) => {
                resources.clusters.remove(name);
            }
            ResourceType::RouteConfiguration => {
                resources.routes.remove(name);
            }
            ResourceType::ClusterLoadAssignment => {
                resources.assignments.remove(name);
            }
            ResourceType::Secret => secrets.remove_fetched(&SecretName::from(name)),
            ResourceType::Runtime => {
                let none = RuntimeValues { name: name.to_owned(), values: BTreeMap::new() };
                self.runtime.set_fetched(&none);
            }
            ResourceType::Listener | ResourceType::Cluster | ResourceType::ExtensionConfig => {}
        }
    }
}
