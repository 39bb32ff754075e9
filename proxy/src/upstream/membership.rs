//! Who belongs to a cluster: a new assignment is compared with the last one, and who stays keeps its state.
//!
//! Only the cluster's lock holder touches this, never the request path.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::time::Instant;
use xds::model::{self, Endpoint, LoadAssignment, Locality};

use super::host::Host;
use super::set::{LocalityHosts, Terms};
use super::state::{HealthFlag, HostState};
use super::transport::Transports;

/// The endpoints of one locality as they are to be, each under the key by which it is known again: its address,
/// or the name it was resolved from.
#[derive(Debug, Clone, PartialEq)]
pub struct LocalityMembers {
    /// Where.
    pub locality: Locality,
    /// 0 is preferred.
    pub priority: u32,
    /// Share of the locality.
    pub weight: Option<u32>,
    /// Key and endpoint.
    pub endpoints: Vec<(String, Endpoint)>,
}

/// The members of a cluster.
#[derive(Debug, Default)]
pub struct Membership {
    terms: Terms,
    wanted: Option<Vec<LocalityMembers>>,
    groups: Vec<Group>,
    states: HashMap<String, Arc<HostState>>,
}

#[derive(Debug)]
struct Group {
    locality: Arc<Locality>,
    priority: u32,
    weight: Option<u32>,
    hosts: Vec<(String, Arc<Host>)>,
}

/// What an update came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Nothing is different.
    None,
    /// Weights, health or the like.
    Terms,
    /// Endpoints came or went.
    Members,
}

/// `assignment`'s endpoints under their addresses.
#[must_use]
pub fn by_address(assignment: &LoadAssignment) -> Vec<LocalityMembers> {
    let member = |endpoint: &Endpoint| (endpoint.address.to_string(), endpoint.clone());
    assignment
        .localities
        .iter()
        .map(|locality| LocalityMembers {
            locality: locality.locality.clone(),
            priority: locality.priority,
            weight: locality.weight,
            endpoints: locality.endpoints.iter().map(member).collect(),
        })
        .collect()
}

/// What `assignment` says besides its endpoints.
#[must_use]
pub fn terms(assignment: &LoadAssignment) -> Terms {
    Terms {
        overprovisioning_factor: assignment.overprovisioning_factor,
        weighted_priority_health: assignment.weighted_priority_health,
        drop_overloads: assignment.drop_overloads.clone(),
    }
}

impl Membership {
    /// Whether anything was ever applied.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.wanted.is_some()
    }

    /// What the last assignment said besides its endpoints.
    #[must_use]
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Makes the cluster's endpoints what `wanted` says.
    pub fn apply(
        &mut self,
        cluster: &model::Cluster,
        transports: &Transports,
        terms: Terms,
        wanted: Vec<LocalityMembers>,
        now: Instant,
    ) -> Change {
        if self.terms == terms && self.wanted.as_ref() == Some(&wanted) {
            return Change::None;
        }
        let mut states = HashMap::with_capacity(self.states.len());
        let mut came = false;
        let mut groups: Vec<Group> = Vec::with_capacity(wanted.len());
        for locality in &wanted {
            let place = Arc::new(locality.locality.clone());
            let mut hosts = Vec::with_capacity(locality.endpoints.len());
            for (key, endpoint) in &locality.endpoints {
                let known = states.get(key).or_else(|| self.states.get(key)).cloned();
                let state = known.unwrap_or_else(|| {
                    came = true;
                    Arc::new(new_state(cluster, endpoint, now))
                });
                state.apply(endpoint.health);
                state.set(HealthFlag::PendingDynamicRemoval, false);
                states.insert(key.clone(), Arc::clone(&state));
                let transport = transports.of(&cluster.transport_matches, &endpoint.metadata).clone();
                let host = Host::new(endpoint, Arc::clone(&place), locality.priority, transport, state);
                hosts.push((key.clone(), Arc::new(host)));
            }
            let (priority, weight) = (locality.priority, locality.weight);
            groups.push(Group { locality: place, priority, weight, hosts });
        }
        let went = self.keep_or_remove(cluster, &mut groups, &mut states);
        self.groups = groups;
        self.states = states;
        self.terms = terms;
        self.wanted = Some(wanted);
        if came || went { Change::Members } else { Change::Terms }
    }

    /// Endpoints that are not wanted any more: those that pass their checks stay until they fail, unless the
    /// cluster says otherwise (`ignore_health_on_host_removal`); the others go. Whether any went.
    fn keep_or_remove(
        &self,
        cluster: &model::Cluster,
        groups: &mut Vec<Group>,
        states: &mut HashMap<String, Arc<HostState>>,
    ) -> bool {
        let stabilise = !cluster.health_checks.is_empty() && !cluster.ignore_health_on_host_removal;
        let mut went = false;
        for group in &self.groups {
            for (key, host) in &group.hosts {
                if states.contains_key(key) {
                    continue;
                }
                let state = host.state();
                if !stabilise || host.check().disabled || is_over(state) {
                    state.set(HealthFlag::Removed, true);
                    went = true;
                    continue;
                }
                state.set(HealthFlag::PendingDynamicRemoval, true);
                let same =
                    |other: &&mut Group| other.locality == group.locality && other.priority == group.priority;
                let member = (key.clone(), Arc::clone(host));
                match groups.iter_mut().find(same) {
                    Some(other) => other.hosts.push(member),
                    None => groups.push(Group {
                        locality: Arc::clone(&group.locality),
                        priority: group.priority,
                        weight: group.weight,
                        hosts: vec![member],
                    }),
                }
            }
        }
        for group in groups.iter() {
            for (key, host) in &group.hosts {
                states.entry(key.clone()).or_insert_with(|| Arc::clone(host.state()));
            }
        }
        went
    }

    /// Removes endpoints that only stayed because they passed their checks, and now do not; whether any went.
    pub fn drop_failed(&mut self) -> bool {
        let states = &mut self.states;
        let mut went = false;
        for group in &mut self.groups {
            group.hosts.retain(|(key, host)| {
                let state = host.state();
                let over = state.has(HealthFlag::PendingDynamicRemoval) && is_over(state);
                if over {
                    state.set(HealthFlag::Removed, true);
                    states.remove(key);
                    went = true;
                }
                !over
            });
        }
        went
    }

    /// The endpoints for a set.
    #[must_use]
    pub fn localities(&self) -> Vec<LocalityHosts> {
        let hosts = |group: &Group| group.hosts.iter().map(|(_, host)| Arc::clone(host)).collect();
        self.groups
            .iter()
            .map(|group| LocalityHosts {
                priority: group.priority,
                weight: group.weight,
                hosts: hosts(group),
            })
            .collect()
    }

    /// Marks every endpoint as gone: their connections end.
    pub fn remove_all(&mut self) {
        for state in self.states.values() {
            state.set(HealthFlag::Removed, true);
        }
    }
}

fn is_over(state: &HostState) -> bool {
    state.has(HealthFlag::FailedActiveHc)
        || state.has(HealthFlag::FailedEdsHealth)
        || state.has(HealthFlag::EdsStatusDraining)
}

fn new_state(cluster: &model::Cluster, endpoint: &Endpoint, now: Instant) -> HostState {
    let checks = cluster.health_checks.len();
    let state = HostState::new(checks, now);
    if endpoint.disable_active_health_check {
        state.leave_unchecked();
    } else if checks > 0 && cluster.load_balancing.ignore_new_hosts_until_first_hc {
        state.set(HealthFlag::PendingActiveHc, true);
    }
    state
}

#[cfg(test)]
mod tests;
