//! What is subscribed to, on which stream, and which files are watched.
//!
//! One rule: exactly what the resources refer to is wanted, and each stream is opened once.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::mpsc;
use xds::model::ConfigSource;
use xds::wire::client::event::Event;
use xds::wire::client::machine::Identity;
use xds::wire::client::stream::Service;
use xds::wire::resource::{Interest, ResourceType};

use super::bootstrap::Loaded;
use super::source::Stream;
use super::watch_file::{FileRead, WatchedFile};
use crate::snapshot::{Live, Reference, Resources, references};

/// Which stream an event comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum StreamKey {
    Ads,
    Own(ResourceType, ConfigSource),
}

/// Streams and watched files, with what is wanted of each.
#[derive(Debug)]
pub(super) struct Subscriptions {
    ads: Option<ConfigSource>,
    identity: Identity,
    live: Arc<Live>,
    streams: HashMap<StreamKey, Stream>,
    files: HashMap<String, WatchedFile>,
    subscribed: HashMap<(StreamKey, ResourceType), Interest>,
    events: mpsc::Sender<(StreamKey, Event)>,
    reads: mpsc::Sender<FileRead>,
}

impl Subscriptions {
    /// None yet; what arrives goes to `events` and `reads`.
    pub(super) fn new(
        bootstrap: &Loaded,
        live: Arc<Live>,
        events: mpsc::Sender<(StreamKey, Event)>,
        reads: mpsc::Sender<FileRead>,
    ) -> Self {
        Self {
            ads: bootstrap.model.dynamic.ads.clone(),
            identity: bootstrap.identity.clone(),
            live,
            streams: HashMap::new(),
            files: HashMap::new(),
            subscribed: HashMap::new(),
            events,
            reads,
        }
    }

    /// The stream that events marked with `key` come from.
    pub(super) fn stream(&self, key: &StreamKey) -> Option<&Stream> {
        self.streams.get(key)
    }

    /// Subscribes to exactly what `resources` refer to.
    pub(super) async fn follow_all(&mut self, resources: &Resources) {
        let mut wanted: HashMap<(ResourceType, ConfigSource), Vec<String>> = HashMap::new();
        for reference in references(resources) {
            let (ty, name) = match &reference {
                Reference::Route(name, _) => (ResourceType::RouteConfiguration, name.to_string()),
                Reference::Endpoints(service, ..) => (ResourceType::ClusterLoadAssignment, service.clone()),
                Reference::Secret(name, _) => (ResourceType::Secret, name.to_string()),
            };
            wanted.entry((ty, reference.source().clone())).or_default().push(name);
        }
        let mut by_stream: HashMap<(ResourceType, ConfigSource), Vec<String>> = HashMap::new();
        for ((ty, source), names) in wanted {
            // ADS sources differ in their timeouts only: one subscription serves them all.
            let source = match source {
                ConfigSource::Ads { .. } => ConfigSource::Ads { initial_fetch_timeout: None },
                other => other,
            };
            by_stream.entry((ty, source)).or_default().extend(names);
        }
        let forgotten: Vec<_> = self
            .subscribed
            .keys()
            .filter(|(key, ty)| {
                let is_bootstraps = ty.is_root() || *ty == ResourceType::Runtime;
                !is_bootstraps && !by_stream.keys().any(|(t, s)| t == ty && stream_key(*t, s) == *key)
            })
            .cloned()
            .collect();
        for (key, ty) in forgotten {
            self.subscribe(key, ty, Interest::default()).await;
        }
        for ((ty, source), names) in by_stream {
            self.follow(ty, &source, Interest::named(names)).await;
        }
    }

    /// Wants `interest` of `ty` from `source`, opening a stream or watching a file when there is none.
    pub(super) async fn follow(&mut self, ty: ResourceType, source: &ConfigSource, interest: Interest) {
        if let ConfigSource::Path { path, watched_directory: _ } = source {
            let reads = self.reads.clone();
            self.files.entry(path.clone()).or_insert_with(|| WatchedFile::start(path.clone(), reads));
            return;
        }
        let key = stream_key(ty, source);
        if !self.streams.contains_key(&key) {
            let (source, service) = match (source, &self.ads) {
                (ConfigSource::Ads { .. }, Some(ads)) => (ads, Service::Aggregated),
                (ConfigSource::Ads { .. }, None) => {
                    tracing::error!(?ty, "a resource wants ADS, but the bootstrap has no ads_config");
                    return;
                }
                (own, _) => (own, Service::Of(ty)),
            };
            let events = self.events.clone();
            match Stream::open(key.clone(), source, service, &self.identity, &self.live, events) {
                Ok(stream) => {
                    self.streams.insert(key.clone(), stream);
                }
                Err(error) => return tracing::error!(error, ?ty, "a config source cannot be used"),
            }
        }
        self.subscribe(key, ty, interest).await;
    }

    async fn subscribe(&mut self, key: StreamKey, ty: ResourceType, interest: Interest) {
        let slot = (key, ty);
        if self.subscribed.get(&slot) == Some(&interest) {
            return;
        }
        if let Some(stream) = self.streams.get(&slot.0) {
            stream.subscribe(ty, interest.clone()).await;
        }
        self.subscribed.insert(slot, interest);
    }
}

fn stream_key(ty: ResourceType, source: &ConfigSource) -> StreamKey {
    match source {
        ConfigSource::Ads { .. } => StreamKey::Ads,
        own => StreamKey::Own(ty, own.clone()),
    }
}
