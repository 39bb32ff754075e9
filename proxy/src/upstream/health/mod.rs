//! Active health checks: every endpoint is asked again and again whether it is well.
//!
//! One task for each check of each endpoint, on the background runtime; `verdict` decides, the other files ask.
//! One rule: a check that hangs is a check that failed.

mod verdict;

mod problem;

mod dial;

mod tcp;

mod http;

mod grpc;

pub use verdict::jitter;

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use ::http::uri::Authority;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use xds::model::{HealthCheck, HealthCheckKind};

use super::cluster::Cluster;
use super::host::Host;
use super::stats::ClusterMetric;
use crate::observe::metrics::Counters;
use problem::Problem;
use verdict::{Finding, Verdict};

/// The checks of a cluster that run now. Dropping it ends them.
#[derive(Debug, Default)]
pub struct Checkers(HashMap<u64, (Arc<Host>, JoinSet<()>)>);

impl Checkers {
    /// Starts checks for endpoints that came, and ends those of endpoints that went or moved.
    pub fn follow(&mut self, cluster: &Arc<Cluster>) {
        if cluster.model().health_checks.is_empty() {
            return;
        }
        let set = cluster.endpoints();
        let hosts: HashMap<u64, &Arc<Host>> =
            set.hosts().iter().map(|host| (host.state().id(), host)).collect();
        self.0.retain(|id, (checked, _)| hosts.get(id).is_some_and(|host| is_checked_alike(checked, host)));
        for (id, host) in hosts {
            if host.check().disabled || self.0.contains_key(&id) {
                continue;
            }
            let mut tasks = JoinSet::new();
            for index in 0..cluster.model().health_checks.len() {
                tasks.spawn(watch(Arc::downgrade(cluster), Arc::clone(host), index));
            }
            self.0.insert(id, (Arc::clone(host), tasks));
        }
    }
}

fn is_checked_alike(left: &Host, right: &Host) -> bool {
    left.address() == right.address() && left.check() == right.check()
}

/// Checks `host` by check number `index` until the cluster is gone.
async fn watch(cluster: Weak<Cluster>, host: Arc<Host>, index: usize) {
    let Some(strong) = cluster.upgrade() else { return };
    let Some(check) = strong.model().health_checks.get(index).cloned() else { return };
    let stats = Arc::clone(strong.stats());
    let name = strong.name().to_owned();
    drop(strong);
    let mut rng = fastrand::Rng::new();
    let mut verdict = Verdict::default();
    let mut asker = None;
    sleep(jitter(check.initial_jitter, &mut rng)).await;
    loop {
        let asked = {
            let asker = asker.get_or_insert_with(|| Asker::new(&check, &name, &host));
            timeout(check.timeout, asker.ask(&host)).await
        };
        let (finding, why) = match asked {
            Ok(Ok(())) => (Finding::Passed, None),
            Ok(Err(problem)) => {
                if problem.other_service {
                    stats.inc(ClusterMetric::HealthCheckVerifyCluster);
                }
                (problem.finding, Some(problem.detail))
            }
            Err(_) => (Finding::Unreachable, Some(format!("no answer within {:?}", check.timeout))),
        };
        if finding != Finding::Passed || !check.reuse_connection {
            asker = None;
        }
        count(&stats, finding);
        let step = verdict.record(finding, &check);
        tell(&name, &host, step.is_news.then_some(step.healthy), why.as_deref());
        let Some(strong) = cluster.upgrade() else { return };
        strong.checked(&host, index, step.healthy);
        drop(strong);
        let has_traffic = stats.get(ClusterMetric::UpstreamCxTotal) > 0;
        sleep(step.wait(&check, has_traffic, &mut rng)).await;
    }
}

fn count(stats: &Counters<ClusterMetric>, finding: Finding) {
    stats.inc(ClusterMetric::HealthCheckAttempt);
    match finding {
        Finding::Passed => stats.inc(ClusterMetric::HealthCheckSuccess),
        Finding::Failed => stats.inc(ClusterMetric::HealthCheckFailure),
        Finding::Unreachable => {
            stats.inc(ClusterMetric::HealthCheckFailure);
            stats.inc(ClusterMetric::HealthCheckNetworkFailure);
        }
    }
}

/// The log of health: changes are told, single failures only when somebody looks closely.
fn tell(cluster: &str, host: &Host, news: Option<bool>, why: Option<&str>) {
    let (endpoint, reason) = (host.address(), why.unwrap_or_default());
    match (news, why) {
        (Some(healthy), _) => tracing::info!(
            name: "health_change", cluster, %endpoint, healthy, reason, "active check gave a verdict"
        ),
        (None, Some(_)) => {
            tracing::debug!(name: "health_check_failure", cluster, %endpoint, reason, "active check failed");
        }
        (None, None) => {}
    }
}

/// Asks one endpoint, and keeps what it may need for asking again.
#[derive(Debug)]
enum Asker {
    Tcp(tcp::Asker),
    Http(http::Asker),
    Grpc(grpc::Asker),
}

impl Asker {
    fn new(check: &HealthCheck, cluster: &str, host: &Host) -> Self {
        let address = dial::address(host, check.alt_port);
        let authority = |configured: &str| {
            [configured, &host.check().hostname, cluster]
                .into_iter()
                .find(|name| !name.is_empty() && name.parse::<Authority>().is_ok())
                // A cluster's name may hold what no authority may.
                .unwrap_or("cluster")
                .to_owned()
        };
        match &check.kind {
            HealthCheckKind::Tcp(tcp) => Self::Tcp(tcp::Asker::new(tcp.clone(), address)),
            HealthCheckKind::Http(http) => {
                Self::Http(http::Asker::new((**http).clone(), authority(&http.host), address))
            }
            HealthCheckKind::Grpc(grpc) => {
                Self::Grpc(grpc::Asker::new(grpc.clone(), authority(&grpc.authority), address))
            }
        }
    }

    async fn ask(&mut self, host: &Host) -> Result<(), Problem> {
        match self {
            Self::Tcp(asker) => asker.ask(host).await,
            Self::Http(asker) => asker.ask(host).await,
            Self::Grpc(asker) => asker.ask(host).await,
        }
    }
}

#[cfg(test)]
mod tests;
