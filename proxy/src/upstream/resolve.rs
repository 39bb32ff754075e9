//! Names to addresses: STRICT_DNS and LOGICAL_DNS clusters.
//!
//! Every name is looked up on its own schedule; what is known of all names becomes the cluster's endpoints. One
//! rule: a lookup that fails takes nothing away.

use std::collections::{BTreeSet, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::Weak;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
#[cfg(test)]
use hickory_resolver::config::NameServerConfig;
use hickory_resolver::config::{LookupIpStrategy, ResolveHosts, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::{Resolver, TokioResolver};
use tokio::time::sleep;
use xds::model::{Address, Discovery, DnsLookupFamily, DnsOptions, Endpoint, Host, LoadAssignment};

use super::cluster::Cluster;
use super::health::jitter;
use super::membership::{self, LocalityMembers};
use super::stats::ClusterMetric;

/// What a lookup gave.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Answer {
    addresses: Vec<IpAddr>,
    /// How long it holds.
    ttl: Duration,
}

/// Looks names up.
#[derive(Debug, Clone)]
pub struct Names(Result<Box<TokioResolver>, String>);

impl std::fmt::Debug for Answers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(&self.0).finish()
    }
}

/// The last good answer of each name.
#[derive(Default)]
struct Answers(HashMap<String, Vec<IpAddr>>);

impl Names {
    /// By the system's configuration (`/etc/resolv.conf`, `/etc/hosts`).
    #[must_use]
    pub fn system(family: DnsLookupFamily) -> Self {
        // Without a readable configuration, names in the hosts file are still found.
        let builder = TokioResolver::builder_tokio().unwrap_or_else(|error| {
            tracing::warn!(name: "dns_configuration", %error, "system's DNS configuration cannot be read");
            let nobody = ResolverConfig::from_parts(None, Vec::new(), Vec::new());
            Resolver::builder_with_config(nobody, TokioRuntimeProvider::default())
        });
        Self::build(builder, family)
    }

    /// By these servers instead of the system's.
    #[cfg(test)]
    fn at(servers: &[SocketAddr], family: DnsLookupFamily) -> Self {
        let servers = servers
            .iter()
            .map(|server| {
                let mut config = NameServerConfig::udp_and_tcp(server.ip());
                for connection in &mut config.connections {
                    connection.port = server.port();
                }
                config
            })
            .collect();
        let config = ResolverConfig::from_parts(None, Vec::new(), servers);
        Self::build(Resolver::builder_with_config(config, TokioRuntimeProvider::default()), family)
    }

    fn build(
        mut builder: hickory_resolver::ResolverBuilder<TokioRuntimeProvider>,
        family: DnsLookupFamily,
    ) -> Self {
        let options = builder.options_mut();
        // When to ask again is the cluster's to say.
        options.cache_size = 0;
        options.use_hosts_file = ResolveHosts::Always;
        options.ip_strategy = match family {
            DnsLookupFamily::Auto => LookupIpStrategy::Ipv6thenIpv4,
            DnsLookupFamily::V4Only => LookupIpStrategy::Ipv4Only,
            DnsLookupFamily::V6Only => LookupIpStrategy::Ipv6Only,
            DnsLookupFamily::V4Preferred => LookupIpStrategy::Ipv4thenIpv6,
            DnsLookupFamily::All => LookupIpStrategy::Ipv4AndIpv6,
        };
        Self(builder.build().map(Box::new).map_err(|error| error.to_string()))
    }

    /// The addresses of `name`, which may be none; an error when that could not be found out.
    async fn lookup(&self, name: &str) -> Result<Answer, String> {
        let resolver = self.0.as_ref().map_err(Clone::clone)?;
        match resolver.lookup_ip(name).await {
            Ok(found) => {
                let now = std::time::Instant::now();
                let ttl = found.valid_until().saturating_duration_since(now);
                Ok(Answer { addresses: found.iter().collect(), ttl })
            }
            Err(error) if error.is_no_records_found() => {
                Ok(Answer { addresses: Vec::new(), ttl: Duration::ZERO })
            }
            Err(error) => Err(error.to_string()),
        }
    }
}

/// Looks the cluster's names up again and again, until it is gone.
pub async fn run(cluster: Weak<Cluster>) {
    let Some(strong) = cluster.upgrade() else { return };
    let discovery = strong.model().discovery.clone();
    drop(strong);
    let (assignment, dns, logical) = match &discovery {
        Discovery::StrictDns { assignment, dns } => (assignment, dns, false),
        Discovery::LogicalDns { assignment, dns } => (assignment, dns, true),
        Discovery::Static(_) | Discovery::Eds { .. } => return,
    };
    follow(&cluster, &Names::system(dns.lookup_family), assignment, dns, logical).await;
}

async fn follow(
    cluster: &Weak<Cluster>,
    names: &Names,
    assignment: &LoadAssignment,
    dns: &DnsOptions,
    logical: bool,
) {
    let all = names_in(assignment);
    let mut answers = Answers::default();
    let mut answered = BTreeSet::new();
    let lookup = |name: String, after: Duration, failures: u32| async move {
        sleep(after).await;
        (names.lookup(&name).await, name, failures)
    };
    let mut lookups: FuturesUnordered<_> =
        all.iter().map(|name| lookup(name.clone(), Duration::ZERO, 0)).collect();
    if all.is_empty() {
        apply(cluster, assignment, &answers, logical);
    }
    let mut rng = fastrand::Rng::new();
    while let Some((answer, name, failures)) = lookups.next().await {
        let Some(strong) = cluster.upgrade() else { return };
        strong.stats().inc(ClusterMetric::UpdateAttempt);
        let failures = match &answer {
            Ok(answer) => {
                strong.stats().inc(ClusterMetric::UpdateSuccess);
                answers.0.insert(name.clone(), answer.addresses.clone());
                0
            }
            Err(error) => {
                strong.stats().inc(ClusterMetric::UpdateFailure);
                tracing::warn!(name: "dns_failure", cluster = strong.name(), host = %name, %error, "lookup failed");
                failures + 1
            }
        };
        drop(strong);
        answered.insert(name.clone());
        // The first answers are taken together, so that a cluster is not used with half of its endpoints.
        if answered.len() == all.len() {
            apply(cluster, assignment, &answers, logical);
        }
        let wait = next_lookup(dns, answer.ok().map(|answer| answer.ttl), failures, &mut rng);
        lookups.push(lookup(name, wait, failures));
    }
    // No names: nothing is ever looked up again, and there is nothing to end.
}

/// How long to wait until the next lookup, after an answer with its `ttl` or after so many `failures` in a row.
fn next_lookup(dns: &DnsOptions, ttl: Option<Duration>, failures: u32, rng: &mut fastrand::Rng) -> Duration {
    let wait = match (ttl, dns.failure_refresh) {
        (Some(ttl), _) if dns.respect_dns_ttl && !ttl.is_zero() => ttl,
        (None, Some((base, max))) => {
            // Exponential with full jitter, but never at once.
            let most = base.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1))).min(max);
            jitter(most, rng).max(base.min(Duration::from_millis(1)))
        }
        (Some(_) | None, _) => dns.refresh_rate,
    };
    wait + jitter(dns.jitter, rng)
}

fn apply(cluster: &Weak<Cluster>, assignment: &LoadAssignment, answers: &Answers, logical: bool) {
    if let Some(cluster) = cluster.upgrade() {
        cluster.apply(membership::terms(assignment), expand(assignment, answers, logical));
    }
}

fn names_in(assignment: &LoadAssignment) -> BTreeSet<String> {
    let name = |endpoint: &Endpoint| match &endpoint.address {
        Address::Socket(socket) => match &socket.host {
            Host::Name(name) => Some(name.clone()),
            Host::Ip(_) => None,
        },
        Address::Pipe(_) => None,
    };
    assignment.localities.iter().flat_map(|locality| &locality.endpoints).filter_map(name).collect()
}

/// `assignment` with every name replaced by its addresses; for a logical name, by the first, under the name: so
/// that a changed address is still the same endpoint, whose connections stay.
fn expand(assignment: &LoadAssignment, answers: &Answers, logical: bool) -> Vec<LocalityMembers> {
    let mut taken = BTreeSet::new();
    let mut localities = Vec::new();
    for locality in &assignment.localities {
        let mut endpoints = Vec::new();
        for endpoint in &locality.endpoints {
            for (key, endpoint) in resolved(endpoint, answers, logical) {
                // Two names with one address are one endpoint.
                if taken.insert(key.clone()) {
                    endpoints.push((key, endpoint));
                }
            }
        }
        localities.push(LocalityMembers {
            locality: locality.locality.clone(),
            priority: locality.priority,
            weight: locality.weight,
            endpoints,
        });
    }
    localities
}

fn resolved(endpoint: &Endpoint, answers: &Answers, logical: bool) -> Vec<(String, Endpoint)> {
    let original = endpoint.address.to_string();
    let Address::Socket(socket) = &endpoint.address else { return vec![(original, endpoint.clone())] };
    let Host::Name(name) = &socket.host else { return vec![(original, endpoint.clone())] };
    let at = |ip: &IpAddr| {
        let mut endpoint = endpoint.clone();
        endpoint.address = SocketAddr::new(*ip, socket.port).into();
        if endpoint.hostname.is_empty() {
            endpoint.hostname.clone_from(name);
        }
        let key = if logical { original.clone() } else { endpoint.address.to_string() };
        (key, endpoint)
    };
    let most = if logical { 1 } else { usize::MAX };
    answers.0.get(name).into_iter().flatten().take(most).map(at).collect()
}

#[cfg(test)]
mod tests;
