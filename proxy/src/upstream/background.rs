//! What a cluster does beside requests: judging endpoints, checking them, looking names up.
//!
//! One task per cluster owns all of it; it ends with the cluster, and everything it owns ends with it.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use super::cluster::Cluster;

impl Cluster {
    /// Starts the cluster's background work on `runtime`; once for each cluster.
    pub fn start(self: &Arc<Self>, runtime: &Handle) {
        let task = runtime.spawn(run(Arc::downgrade(self), Arc::clone(self.changed()), self.interval()));
        self.run_in_background(task.abort_handle());
    }

    /// How often rates are judged.
    fn interval(&self) -> Option<Duration> {
        self.model().outlier_detection.as_ref().map(|config| config.interval)
    }
}

async fn run(cluster: Weak<Cluster>, changed: Arc<Notify>, interval: Option<Duration>) {
    let mut rng = fastrand::Rng::new();
    let mut due = interval.map(|interval| Instant::now() + interval);
    loop {
        let tick = tokio::select! {
            () = changed.notified() => false,
            () = until(due) => true,
        };
        let Some(cluster) = cluster.upgrade() else { return };
        cluster.maintain(Instant::now(), tick, &mut rng);
        if tick {
            due = interval.map(|interval| Instant::now() + interval);
        }
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}
