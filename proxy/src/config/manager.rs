//! The one writer of the live snapshot.
//!
//! It collects resources from the bootstrap, files and streams, compiles them, stores the snapshot, acknowledges,
//! and subscribes to what the new resources refer to.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};
use xds::model::LoadAssignment;
use xds::wire::client::event::{Arrived, Event, Ticket};
use xds::wire::nack::Rejection;
use xds::wire::resource::{ResourceType, own_name};

use super::bootstrap::Loaded;
use super::desired::Desired;
use super::fetch::Waiting;
use super::file_update::{FileUpdate, Files};
use super::load_report::Reporters;
use super::roots::{Root, Roots};
use super::subscriptions::{StreamKey, Subscriptions};
use super::watch_file::FileRead;
use crate::drain::{Draining, Phase};
use crate::observe::control_plane::{ControlPlaneMetric, ControlPlaneStats};
use crate::snapshot::{
    Environment, Fetches, Live, Reference, Refused, Resources, Snapshot, compile, references,
};

/// How often warming is looked at while something warms.
const WARMING_INTERVAL: Duration = Duration::from_millis(20);

/// Events of streams waiting to be applied; the streams hold back when it is full.
const EVENTS_QUEUED_MAX: usize = 64;

/// How far the start has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    /// Clusters or listeners are still waited for.
    Initializing,
    /// Everything of the first configuration is in use.
    Ready,
}

/// The configuration's owner.
#[derive(Debug)]
pub struct Manager {
    live: Arc<Live>,
    environment: Environment,
    desired: Desired,
    fetches: Fetches,
    waiting: Waiting,
    subscriptions: Subscriptions,
    reporters: Reporters,
    events: mpsc::Receiver<(StreamKey, Event)>,
    reads: mpsc::Receiver<FileRead>,
    files: Files,
    roots: Roots,
    readiness: watch::Sender<Readiness>,
    stats: ControlPlaneStats,
}

impl Manager {
    /// Takes the bootstrap's static resources into use.
    ///
    /// # Errors
    /// The first static resource that is refused, with its path; nothing listens then.
    pub fn start(bootstrap: Loaded, live: Arc<Live>, environment: Environment) -> Result<Self, String> {
        let desired = desired(&bootstrap, &environment)?;
        let stats = ControlPlaneStats::register(&environment.registry);
        let (events_in, events) = mpsc::channel(EVENTS_QUEUED_MAX);
        let (reads_in, reads) = mpsc::channel(EVENTS_QUEUED_MAX);
        let subscriptions = Subscriptions::new(&bootstrap, Arc::clone(&live), events_in, reads_in);
        let roots = Roots::new(&bootstrap.model);
        let reporters = Reporters::new(
            bootstrap.model.load_stats.clone(),
            &bootstrap.model.dynamic,
            bootstrap.identity.clone(),
            Arc::clone(&live),
        );
        let mut manager = Self {
            live,
            environment,
            desired,
            fetches: Fetches::default(),
            waiting: Waiting::default(),
            subscriptions,
            reporters,
            events,
            reads,
            files: Files::default(),
            roots,
            readiness: watch::Sender::new(Readiness::Initializing),
            stats,
        };
        match manager.take_into_use().into_iter().next() {
            Some(refused) => Err(format!("{}: {refused}", bootstrap.place)),
            None => Ok(manager),
        }
    }

    /// Compiles the bootstrap's static resources and nothing more; every listener is looked at, also one that
    /// waits for something to be fetched.
    ///
    /// # Errors
    /// The first static resource that is refused, with its path.
    pub fn check(bootstrap: Loaded, live: Arc<Live>, environment: Environment) -> Result<(), String> {
        let desired = desired(&bootstrap, &environment)?;
        let given_up = references(&desired.resources).into_iter().collect();
        let fetches = Fetches { given_up, listeners_may_start: true };
        let compiled = compile(&desired.resources, &live.load(), &fetches, &environment);
        compiled.refused.first().map_or(Ok(()), |refused| Err(format!("{}: {refused}", bootstrap.place)))
    }

    /// Tells when the first configuration is in use.
    #[must_use]
    pub fn readiness(&self) -> watch::Receiver<Readiness> {
        self.readiness.subscribe()
    }

    /// Follows the control planes until `draining` is stopped.
    pub async fn run(mut self, mut draining: Draining) {
        self.follow_roots().await;
        self.follow().await;
        let mut tick = tokio::time::interval(WARMING_INTERVAL);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = draining.reached(Phase::Stopped) => return,
                Some((key, event)) = self.events.recv() => self.on_event(key, event).await,
                Some(read) = self.reads.recv() => self.on_file(read).await,
                _ = tick.tick(), if self.is_unsettled() => self.on_tick().await,
            }
            self.follow_roots().await;
        }
    }

    /// Fetches what the resources refer to, and reports what they want to have reported.
    async fn follow(&mut self) {
        self.subscriptions.follow_all(&self.desired.resources).await;
        self.reporters.follow(&self.desired.resources);
    }

    fn is_unsettled(&self) -> bool {
        *self.readiness.borrow() == Readiness::Initializing
            || !self.waiting.is_empty()
            || self.roots.are_awaited()
            || !self.live.load().warming.is_empty()
    }

    /// Asks for runtime values, then for clusters, then for listeners.
    async fn follow_roots(&mut self) {
        for Root { ty, source, interest } in self.roots.next(Instant::now()) {
            self.subscriptions.follow(ty, &source, interest).await;
        }
    }

    /// Compiles and stores, and tells the log what was refused.
    fn apply(&mut self) -> Vec<Refused> {
        let refused = self.take_into_use();
        warn_of(&refused);
        refused
    }

    /// Compiles and stores; refused resources are back to what they were.
    fn take_into_use(&mut self) -> Vec<Refused> {
        let previous = self.live.load();
        let compiled = compile(&self.desired.resources, &previous, &self.fetches, &self.environment);
        self.desired.resources = compiled.snapshot.resources.clone();
        let mut waiting = compiled.waiting;
        waiting.extend(self.missing_endpoints(&self.desired.resources));
        self.waiting.set(waiting, Instant::now());
        let settled = compiled.snapshot.warming.is_empty();
        let snapshot = Arc::new(compiled.snapshot);
        self.live.store(Arc::clone(&snapshot));
        retire(&previous, &snapshot);
        let mut refused = compiled.refused;
        refused.extend(self.note_readiness(settled));
        refused
    }

    fn missing_endpoints(&self, resources: &Resources) -> Vec<Reference> {
        let missing = |reference: &Reference| match reference {
            Reference::Endpoints(service, ..) => !resources.assignments.contains_key(service),
            Reference::Route(..) | Reference::Secret(..) => false,
        };
        references(resources).into_iter().filter(missing).collect()
    }

    /// Lets listeners start once the clusters are there, and tells when all is in use.
    fn note_readiness(&mut self, clusters_settled: bool) -> Vec<Refused> {
        let clusters_known =
            [ResourceType::Runtime, ResourceType::Cluster].iter().all(|ty| !self.roots.is_awaited(*ty));
        if clusters_known && clusters_settled && !self.fetches.listeners_may_start {
            self.fetches.listeners_may_start = true;
            return self.take_into_use();
        }
        self.note_ready();
        Vec::new()
    }

    fn note_ready(&mut self) {
        let listeners_known = !self.roots.is_awaited(ResourceType::Listener);
        if self.fetches.listeners_may_start && listeners_known && self.waiting.is_empty() {
            self.readiness.send_replace(Readiness::Ready);
        }
    }

    async fn on_tick(&mut self) {
        let now = Instant::now();
        self.roots.give_up(now);
        let gave_up = self.waiting.give_up(&mut self.fetches, &self.files, now);
        if gave_up {
            self.fill_missing_endpoints();
        }
        let warmed = self.live.load().warming.iter().any(|cluster| cluster.is_ready());
        if gave_up || warmed {
            self.apply();
            self.follow().await;
        } else {
            let settled = self.live.load().warming.is_empty();
            warn_of(&self.note_readiness(settled));
        }
    }

    /// A cluster whose endpoints were given up is taken into use without any.
    fn fill_missing_endpoints(&mut self) {
        for reference in self.missing_endpoints(&self.desired.resources) {
            let Reference::Endpoints(service, ..) = &reference else { continue };
            if self.fetches.given_up.contains(&reference) {
                let none = LoadAssignment {
                    cluster_name: service.clone(),
                    localities: Vec::new(),
                    overprovisioning_factor: 140,
                    weighted_priority_health: false,
                    drop_overloads: Vec::new(),
                };
                self.desired.resources.assignments.insert(service.clone(), Arc::new(none));
            }
        }
    }

    async fn on_event(&mut self, key: StreamKey, event: Event) {
        match event {
            Event::Connected => {
                self.stats.counters().inc(ControlPlaneMetric::Connects);
                self.stats.set_connected(true);
                tracing::info!(?key, "connected to the control plane");
            }
            Event::Disconnected { reason, retry_in } => {
                self.stats.set_connected(false);
                tracing::warn!(?key, reason, ?retry_in, "no control plane; serving what is known");
            }
            Event::Updated { ticket, resources, removed, invalid } => {
                self.on_update(&key, ticket, resources, removed, invalid).await;
            }
            Event::Gone { ty, names, why } => {
                tracing::warn!(?ty, ?names, ?why, "resources are gone");
                for name in &names {
                    self.desired.remove(ty, name, &self.environment.secrets);
                }
                self.apply();
                self.follow().await;
            }
        }
    }

    async fn on_update(
        &mut self,
        key: &StreamKey,
        ticket: Ticket,
        resources: Vec<Arrived>,
        removed: Vec<String>,
        invalid: Vec<Rejection>,
    ) {
        let ty = ticket.ty;
        self.stats.counters().inc(ControlPlaneMetric::Updates);
        let arrived: Vec<_> = resources.iter().map(|resource| resource.name.clone()).collect();
        let mut rejected = self.take(ty, resources, &removed);
        rejected.extend(invalid);
        self.roots.answered(ty);
        rejected.extend(self.apply().into_iter().filter_map(|refused| {
            let ours = arrived.iter().any(|name| name == refused.resource.name());
            ours.then(|| Rejection { name: refused.resource.name().to_owned(), error: refused.reason })
        }));
        self.stats.counters().add(ControlPlaneMetric::ResourcesRejected, rejected.len() as u64);
        let Some(stream) = self.subscriptions.stream(key) else { return };
        if stream.handle().verdict(ticket, rejected).await.is_err() {
            tracing::error!(?key, "an xDS stream has ended by itself");
        }
        self.follow().await;
    }

    /// Decodes and notes resources; gives those that were refused.
    fn take(&mut self, ty: ResourceType, resources: Vec<Arrived>, removed: &[String]) -> Vec<Rejection> {
        let mut rejected = Vec::new();
        let type_url = ty.type_url();
        for resource in resources {
            let taken = xds::decode::resource(&type_url, &resource.body)
                .map_err(|error| Rejection { name: resource.name.clone(), error: error.to_string() })
                .and_then(|decoded| self.desired.set(&resource.name, decoded, &self.environment.secrets));
            rejected.extend(taken.err());
        }
        for name in removed {
            self.desired.remove(ty, name, &self.environment.secrets);
        }
        rejected
    }

    async fn on_file(&mut self, read: FileRead) {
        self.roots.answered_by_file(&read.path);
        let bodies = match read.content {
            Ok(file) => file.resources,
            Err(error) => {
                self.files.failed(&read.path);
                return tracing::warn!(error, "a resource file cannot be read; keeping what is known");
            }
        };
        let named = bodies.into_iter().map(|body| {
            let ty = ResourceType::from_type_url(&body.type_url)
                .ok_or_else(|| format!("{:?} is not a type of resource", body.type_url));
            (ty.and_then(|ty| Ok((ty, own_name(&body)?))), body)
        });
        let FileUpdate { resources, mut refused, gone } = self.files.update(&read.path, named.collect());
        let secrets = Arc::clone(&self.environment.secrets);
        for (ty, name) in gone {
            self.desired.remove(ty, &name, &secrets);
        }
        for ((ty, name), body) in resources {
            let decoded = xds::decode::resource(&ty.type_url(), &body).map_err(|error| error.to_string());
            let taken = decoded.and_then(|decoded| {
                self.desired.set(&name, decoded, &secrets).map_err(|refused| refused.error)
            });
            refused.extend(taken.err().map(|error| format!("{} {name}: {error}", ty.message_name())));
        }
        for error in &refused {
            tracing::warn!(path = read.path, error, "a resource in a file is refused");
        }
        let refused = refused.len() + self.apply().len();
        self.stats.counters().inc(ControlPlaneMetric::Updates);
        self.stats.counters().add(ControlPlaneMetric::ResourcesRejected, refused as u64);
        self.follow().await;
    }
}

fn warn_of(refused: &[Refused]) {
    for refused in refused {
        tracing::warn!(%refused, "resource refused");
    }
}

/// What the bootstrap wants; its secrets are taken in.
fn desired(bootstrap: &Loaded, environment: &Environment) -> Result<Desired, String> {
    Desired::from_bootstrap(&bootstrap.model, &environment.secrets, Arc::clone(environment.runtime()))
        .map_err(|reason| format!("{}: {reason}", bootstrap.place))
}

/// Lets the clusters end that are not in the configuration any more.
fn retire(previous: &Snapshot, next: &Snapshot) {
    let all = |snapshot: &Snapshot| -> Vec<_> {
        let active = snapshot.clusters.iter().map(|(_, cluster)| Arc::clone(cluster));
        active.chain(snapshot.warming.iter().cloned()).collect()
    };
    let kept: HashSet<_> = all(next).iter().map(Arc::as_ptr).collect();
    for cluster in all(previous).into_iter().filter(|cluster| !kept.contains(&Arc::as_ptr(cluster))) {
        cluster.retire();
    }
}
