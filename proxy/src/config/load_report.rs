//! Reports of load to the servers that ask for them (LRS).
//!
//! One rule: a server is told what it asked for, as often as it asked; nothing is told unasked.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use xds::model::{ClusterLoad, ConfigSource, DynamicResources, WantedLoad};
use xds::wire::client::backoff::Backoff;
use xds::wire::client::machine::Identity;
use xds::wire::load::{self, Event};

use super::channel;
use super::source::metadata;
use crate::snapshot::{Live, Loads, Resources};

/// A stream of reports; ends when dropped.
#[derive(Debug)]
struct Reporter([AbortHandle; 2]);

impl Drop for Reporter {
    fn drop(&mut self) {
        self.0.iter().for_each(AbortHandle::abort);
    }
}

/// Every stream of reports.
#[derive(Debug)]
pub(super) struct Reporters {
    /// To the server for all clusters (`load_stats_config`).
    all: Option<ConfigSource>,
    /// To the server that clusters come from, for those that say so (`lrs_server.self`).
    own: Option<ConfigSource>,
    identity: Identity,
    live: Arc<Live>,
    running: [Option<Reporter>; 2],
    /// Whether it was said that `lrs_server` names nobody.
    warned: bool,
}

impl Reporters {
    /// None yet.
    pub(super) fn new(
        all: Option<ConfigSource>,
        dynamic: &DynamicResources,
        identity: Identity,
        live: Arc<Live>,
    ) -> Self {
        let own = match &dynamic.clusters {
            Some(source @ ConfigSource::Api { .. }) => Some(source.clone()),
            _ => dynamic.ads.clone(),
        };
        Self { all, own, identity, live, running: [None, None], warned: false }
    }

    /// Reports what `resources` want to have reported, from now on.
    pub(super) fn follow(&mut self, resources: &Resources) {
        let marked = resources.clusters.values().any(|cluster| cluster.reports_load);
        let sources = [self.all.as_ref(), self.own.as_ref().filter(|_| marked)];
        for (marked_only, (source, running)) in sources.into_iter().zip(&mut self.running).enumerate() {
            match source {
                Some(source) if running.is_none() => {
                    let loads = Loads::new(marked_only == 1);
                    *running = start(source, &self.identity, &self.live, loads);
                }
                Some(_) => {}
                None => *running = None,
            }
        }
        if marked && self.own.is_none() && !std::mem::replace(&mut self.warned, true) {
            tracing::warn!("clusters ask for load reports to their control plane, but they come from a file");
        }
    }
}

fn start(source: &ConfigSource, identity: &Identity, live: &Arc<Live>, loads: Loads) -> Option<Reporter> {
    let ConfigSource::Api { cluster, initial_metadata, .. } = source else { return None };
    let metadata =
        metadata(initial_metadata).inspect_err(|error| tracing::warn!(error, "no load is reported")).ok()?;
    let options = load::Options { node: identity.node.clone(), metadata, backoff: Backoff::default() };
    let (reports, events, driver) =
        load::connect(channel::to_cluster(cluster.clone(), Arc::clone(live)), options);
    let driving = tokio::spawn(driver).abort_handle();
    let reporting = tokio::spawn(report(loads, Arc::clone(live), reports, events)).abort_handle();
    Some(Reporter([driving, reporting]))
}

async fn report(
    mut loads: Loads,
    live: Arc<Live>,
    reports: mpsc::Sender<Vec<ClusterLoad>>,
    mut events: mpsc::Receiver<Event>,
) {
    let mut wanted: Option<(WantedLoad, tokio::time::Instant)> = None;
    loop {
        let due = wanted.as_ref().map(|(_, due)| *due);
        tokio::select! {
            event = events.recv() => match event {
                None => return,
                Some(Event::Wanted(now)) => {
                    loads.track(&live.load(), &now, Instant::now());
                    wanted = Some(from_now(now));
                }
                Some(Event::Disconnected { reason, retry_in }) => {
                    tracing::info!(reason, ?retry_in, "load is not reported now");
                    wanted = None;
                }
            },
            () = until(due) => if let Some((what, _)) = wanted.take() {
                let report = loads.take(&live.load(), &what, Instant::now());
                if reports.send(report).await.is_err() {
                    return;
                }
                wanted = Some(from_now(what));
            },
        }
    }
}

fn from_now(wanted: WantedLoad) -> (WantedLoad, tokio::time::Instant) {
    let due = tokio::time::Instant::now() + wanted.interval.min(INTERVAL_MAX);
    (wanted, due)
}

/// An interval beyond this is as good as never, and later times cannot be told.
const INTERVAL_MAX: Duration = Duration::from_secs(365 * 24 * 3600);

async fn until(due: Option<tokio::time::Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}
