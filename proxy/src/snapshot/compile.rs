//! Makes the next snapshot out of resources and the previous one.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use foldhash::fast::RandomState;
use xds::model::{
    self, ClusterName, ClusterTarget, NetworkFilter, RouteAction, RouteConfiguration, RouteSource,
    UpstreamTransport,
};

use super::environment::Environment;
use super::listener::Listener;
use super::live::Snapshot;
use super::references::{Reference, listener_references};
use super::resources::{Refused, ResourceId, Resources};
use crate::identity::{ClientTls, Space};
use crate::policy::route::RouteTable;
use crate::upstream::{Cluster, Clusters, Proxied, Transport, Transports};

/// How many names an error lists.
const NAMES_SHOWN_MAX: usize = 8;

/// What came of it.
#[derive(Debug)]
pub struct Compiled {
    /// The next snapshot; refused resources are as in the previous one, or absent.
    pub snapshot: Snapshot,
    /// What was refused, and why.
    pub refused: Vec<Refused>,
    /// What new listeners still wait for.
    pub waiting: Vec<Reference>,
}

/// What the configuration's owner knows of fetches.
#[derive(Debug, Clone, Default)]
pub struct Fetches {
    /// References that are no longer waited for (`initial_fetch_timeout`).
    pub given_up: HashSet<Reference>,
    /// Whether listeners may start: clusters were initialised once.
    pub listeners_may_start: bool,
}

/// Compiles `resources`. Every piece of `previous` whose resource is unchanged is taken over as it is; a
/// resource that is refused leaves what it would have replaced.
#[must_use]
pub fn compile(
    resources: &Resources,
    previous: &Snapshot,
    fetches: &Fetches,
    environment: &Environment,
) -> Compiled {
    let mut compiled = Compiled {
        snapshot: Snapshot {
            generation: previous.generation + 1,
            resources: resources.clone(),
            ..Snapshot::default()
        },
        refused: Vec::new(),
        waiting: Vec::new(),
    };
    compiled.clusters(resources, previous, environment);
    compiled.routes(resources, previous, environment);
    compiled.listeners(resources, previous, fetches, environment);
    compiled
}

impl Compiled {
    fn clusters(&mut self, resources: &Resources, previous: &Snapshot, environment: &Environment) {
        let mut clusters = Clusters::default();
        for (name, model) in &resources.clusters {
            let active = previous.clusters.get(name.as_str());
            let same = |cluster: &&Arc<Cluster>| same(cluster.model(), model);
            let warming = previous.warming.iter().find(|cluster| cluster.name() == name.as_str());
            let kept = active.filter(same).or_else(|| warming.filter(same)).cloned();
            let cluster = match kept.map_or_else(|| new_cluster(model, environment), Ok) {
                Ok(cluster) => cluster,
                Err(reason) => {
                    self.refuse(ResourceId::Cluster(name.clone()), reason, previous);
                    if let Some(active) = active {
                        clusters.insert(Arc::clone(active));
                    }
                    continue;
                }
            };
            assign(&cluster, resources, previous);
            if cluster.is_ready() {
                clusters.insert(cluster);
                continue;
            }
            if let Some(active) = active {
                assign(active, resources, previous);
                clusters.insert(Arc::clone(active));
            }
            self.snapshot.warming.push(cluster);
        }
        self.snapshot.clusters = Arc::new(clusters);
    }

    fn routes(&mut self, resources: &Resources, previous: &Snapshot, environment: &Environment) {
        let mut routes = HashMap::with_capacity_and_hasher(resources.routes.len(), RandomState::default());
        for (name, model) in &resources.routes {
            let before = previous.routes.get(name);
            let unchanged = previous.resources.routes.get(name).is_some_and(|old| same(old, model));
            if let (true, Some(before)) = (unchanged, before) {
                routes.insert(name.clone(), Arc::clone(before));
                continue;
            }
            let checked = known_clusters(model, false, resources);
            match checked.and_then(|()| {
                RouteTable::compile(model, &environment.shared).map_err(|error| error.to_string())
            }) {
                Ok(table) => {
                    routes.insert(name.clone(), Arc::new(table));
                }
                Err(reason) => {
                    self.refuse(ResourceId::Route(name.clone()), reason, previous);
                    routes.extend(before.map(|before| (name.clone(), Arc::clone(before))));
                }
            }
        }
        self.snapshot.routes = routes;
    }

    fn listeners(
        &mut self,
        resources: &Resources,
        previous: &Snapshot,
        fetches: &Fetches,
        environment: &Environment,
    ) {
        let mut addresses = HashSet::new();
        for (name, model) in &resources.listeners {
            let before = previous.listeners.get(name);
            if let Some(before) = before.filter(|before| same(&before.model, model)) {
                addresses.insert(&model.address);
                self.snapshot.listeners.insert(name.clone(), Arc::clone(before));
                continue;
            }
            let clash = model.bind_to_port && !addresses.insert(&model.address) && !is_port_zero(model);
            let checked = if clash {
                Err(format!("address {}: another listener has the same address", model.address))
            } else {
                inline_clusters(model, resources)
            };
            let missing: Vec<_> = listener_references(model)
                .into_iter()
                .filter(|reference| !self.is_here(reference, fetches, environment))
                .collect();
            // It is compiled and bound also while it waits: what is wrong with it is told now, not later.
            let waited = previous.waiting.get(name).filter(|waited| same(&waited.model, model));
            let compiled = checked.and_then(|()| match waited {
                Some(waited) => Ok(Arc::clone(waited)),
                None => Listener::compile(model, before, environment).map(Arc::new),
            });
            let starts = missing.is_empty() && fetches.listeners_may_start;
            let kept = before.map(|before| (name.clone(), Arc::clone(before)));
            match compiled
                .and_then(|listener| if starts { listener.listen().map(|()| listener) } else { Ok(listener) })
            {
                Ok(listener) if starts => {
                    self.snapshot.listeners.insert(name.clone(), listener);
                }
                Ok(listener) => {
                    self.waiting.extend(missing);
                    self.snapshot.waiting.insert(name.clone(), listener);
                    self.snapshot.listeners.extend(kept);
                }
                Err(reason) => {
                    self.refuse(ResourceId::Listener(name.clone()), reason, previous);
                    self.snapshot.listeners.extend(kept);
                }
            }
        }
    }

    fn is_here(&self, reference: &Reference, fetches: &Fetches, environment: &Environment) -> bool {
        fetches.given_up.contains(reference)
            || match reference {
                Reference::Route(name, _) => self.snapshot.routes.contains_key(name),
                Reference::Secret(name, _) => environment.secrets.contains(Space::Fetched, name),
                Reference::Endpoints(..) => true,
            }
    }

    /// Notes a refusal and puts what was accepted before back among the resources.
    fn refuse(&mut self, resource: ResourceId, reason: String, previous: &Snapshot) {
        self.snapshot.resources.restore(&resource, &previous.resources);
        self.refused.push(Refused { resource, reason });
    }
}

fn is_port_zero(model: &model::Listener) -> bool {
    matches!(&model.address, model::Address::Socket(address) if address.port == 0)
}

fn new_cluster(model: &Arc<model::Cluster>, environment: &Environment) -> Result<Arc<Cluster>, String> {
    let transport = |found: &UpstreamTransport, place: &str| transport(found, place, model, environment);
    let matches = model.transport_matches.iter().enumerate();
    let transports = Transports {
        default: transport(&model.transport, "transport_socket")?,
        matches: matches
            .map(|(index, entry)| {
                transport(&entry.transport, &format!("transport_socket_matches[{index}].transport_socket"))
            })
            .collect::<Result<_, _>>()?,
    };
    let cluster = Cluster::new(Arc::clone(model), transports, &environment.registry, environment.runtime())
        .map_err(|error| error.detail().to_owned())?;
    if let Some(background) = &environment.background {
        cluster.start(background);
    }
    Ok(cluster)
}

fn transport(
    found: &UpstreamTransport,
    place: &str,
    cluster: &model::Cluster,
    environment: &Environment,
) -> Result<Transport, String> {
    match found {
        UpstreamTransport::Plain => Ok(Transport::Plain),
        UpstreamTransport::Tls(tls) => {
            let secrets = Arc::clone(&environment.secrets);
            let tls = ClientTls::new((**tls).clone(), cluster.http.auto_san_validation, secrets);
            tls.check().map_err(|reason| format!("{place}.{reason}"))?;
            Ok(Transport::Tls(Arc::new(tls)))
        }
        UpstreamTransport::Proxied(proxied) => {
            let place = format!("{place}.transport_socket");
            let inner = transport(&proxied.inner, &place, cluster, environment)?;
            Ok(Transport::Proxied(Arc::new(Proxied { model: (**proxied).clone(), inner })))
        }
    }
}

/// Hands a cluster its endpoints when they come from EDS and are new to it.
fn assign(cluster: &Cluster, resources: &Resources, previous: &Snapshot) {
    if let model::Discovery::Eds { service_name, .. } = &cluster.model().discovery
        && let Some(assignment) = resources.assignments.get(service_name)
    {
        let before = previous.resources.assignments.get(service_name);
        let known = before.is_some_and(|before| Arc::ptr_eq(before, assignment));
        if !known || !cluster.is_ready() {
            cluster.update_endpoints(assignment);
        }
    }
}

/// Whether two resources are the same; most often they are the same object.
fn same<T: PartialEq>(a: &Arc<T>, b: &Arc<T>) -> bool {
    Arc::ptr_eq(a, b) || **a == **b
}

fn inline_clusters(listener: &model::Listener, resources: &Resources) -> Result<(), String> {
    let chains = listener.filter_chains.iter().chain(&listener.default_filter_chain);
    for (index, chain) in chains.enumerate() {
        if let NetworkFilter::Http(http) = &chain.filter
            && let RouteSource::Inline(table) = &http.routes
        {
            known_clusters(table, true, resources)
                .map_err(|reason| format!("filter_chains[{index}].route_config.{reason}"))?;
        }
    }
    Ok(())
}

/// The first names of those that are known, for an error.
fn known_names<'a>(names: impl ExactSizeIterator<Item = &'a ClusterName>) -> String {
    let count = names.len();
    let first: Vec<_> = names.take(NAMES_SHOWN_MAX).map(ClusterName::as_str).collect();
    match count.saturating_sub(first.len()) {
        _ if count == 0 => "there is none".to_owned(),
        0 => format!("known: {}", first.join(", ")),
        more => format!("known: {} and {more} more", first.join(", ")),
    }
}

/// Whether every cluster that `table` names exists, when that is asked for (`validate_clusters`).
fn known_clusters(table: &RouteConfiguration, by_default: bool, resources: &Resources) -> Result<(), String> {
    if !table.validate_clusters.unwrap_or(by_default) {
        return Ok(());
    }
    for (host_index, host) in table.virtual_hosts.iter().enumerate() {
        for (index, route) in host.routes.iter().enumerate() {
            let RouteAction::Forward(forward) = &route.action else { continue };
            let names: Vec<&ClusterName> = match &forward.target {
                ClusterTarget::Cluster(name) => vec![name],
                ClusterTarget::Weighted(entries) => {
                    entries.clusters.iter().map(|entry| &entry.name).collect()
                }
                ClusterTarget::Header(_) => Vec::new(),
            };
            if let Some(unknown) = names.into_iter().find(|name| !resources.clusters.contains_key(*name)) {
                let place = format!("virtual_hosts[{host_index}].routes[{index}].route");
                return Err(format!(
                    "{place}: unknown cluster {unknown}; {}",
                    known_names(resources.clusters.keys())
                ));
            }
        }
    }
    Ok(())
}
