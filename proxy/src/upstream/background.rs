//! What a cluster does beside requests: judging endpoints, checking them, looking names up.
//!
//! One task per cluster owns all of it; it ends with the cluster, and everything it owns ends with it.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use xds::model::{ConfigSource, Discovery};

use super::cluster::Cluster;
use super::health::Checkers;
use super::resolve;

impl Cluster {
    /// Starts the cluster's background work on `runtime`; once for each cluster.
    pub fn start(self: &Arc<Self>, runtime: &Handle) {
        let task = runtime.spawn(run(Arc::downgrade(self), Arc::clone(self.changed())));
        self.run_in_background(task.abort_handle());
    }
}

async fn run(cluster: Weak<Cluster>, changed: Arc<Notify>) {
    let mut rng = fastrand::Rng::new();
    let mut resolving = JoinSet::new();
    let mut checkers = Checkers::default();
    let Some(strong) = cluster.upgrade() else { return };
    let mut judged = strong.judgement_interval().map(|interval| Instant::now() + interval);
    let mut patience = patience(&strong.model().discovery).map(|patience| Instant::now() + patience);
    if matches!(strong.model().discovery, Discovery::StrictDns { .. } | Discovery::LogicalDns { .. }) {
        resolving.spawn(resolve::run(Weak::clone(&cluster)));
    }
    checkers.follow(&strong);
    drop(strong);
    loop {
        let woken = tokio::select! {
            () = changed.notified() => Woken::Change,
            () = until(judged) => Woken::Interval,
            () = until(patience) => Woken::Patience,
        };
        let Some(cluster) = cluster.upgrade() else { return };
        match woken {
            Woken::Change => {
                cluster.maintain(Instant::now(), false, &mut rng);
                checkers.follow(&cluster);
            }
            Woken::Interval => {
                cluster.maintain(Instant::now(), true, &mut rng);
                judged = cluster.judgement_interval().map(|interval| Instant::now() + interval);
            }
            Woken::Patience => {
                patience = None;
                if !cluster.is_ready() {
                    tracing::warn!(
                        name: "initial_fetch_timeout", cluster = cluster.name(),
                        "no endpoints came in time; the cluster is used without"
                    );
                    cluster.give_up_warming();
                }
            }
        }
    }
}

/// Why the task woke.
enum Woken {
    Change,
    Interval,
    Patience,
}

/// How long the first endpoints are waited for (`initial_fetch_timeout`).
fn patience(discovery: &Discovery) -> Option<Duration> {
    match discovery {
        Discovery::Eds {
            source:
                ConfigSource::Ads { initial_fetch_timeout } | ConfigSource::Api { initial_fetch_timeout, .. },
            ..
        } => *initial_fetch_timeout,
        Discovery::Eds { source: ConfigSource::Path { .. }, .. }
        | Discovery::Static(_)
        | Discovery::StrictDns { .. }
        | Discovery::LogicalDns { .. } => None,
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}
