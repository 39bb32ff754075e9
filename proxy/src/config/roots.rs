//! The two types that everything begins with: clusters and listeners.
//!
//! One rule: listeners are asked for once the clusters were answered, as Envoy does, since a listener may name any
//! cluster and would be refused without it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use xds::model::{ConfigSource, DynamicResources};
use xds::wire::resource::ResourceType;

use super::fetch::initial_fetch_timeout;

/// Root types, where they come from, and which first answers are awaited.
#[derive(Debug)]
pub(super) struct Roots {
    sources: BTreeMap<ResourceType, ConfigSource>,
    followed: BTreeSet<ResourceType>,
    /// With the end of the wait, once it has begun.
    awaited: BTreeMap<ResourceType, Option<Instant>>,
}

impl Roots {
    /// Nothing is followed yet.
    pub(super) fn new(dynamic: &DynamicResources) -> Self {
        let sources = [
            (ResourceType::Cluster, dynamic.clusters.clone()),
            (ResourceType::Listener, dynamic.listeners.clone()),
        ];
        let sources: BTreeMap<_, _> =
            sources.into_iter().filter_map(|(ty, source)| Some((ty, source?))).collect();
        let awaited = sources.keys().map(|ty| (*ty, None)).collect();
        Self { sources, followed: BTreeSet::new(), awaited }
    }

    /// What is to be followed from now on.
    pub(super) fn next(&mut self, now: Instant) -> Vec<(ResourceType, ConfigSource)> {
        let mut next = Vec::new();
        for (ty, source) in &self.sources {
            let too_early = *ty == ResourceType::Listener && self.is_awaited(ResourceType::Cluster);
            if too_early || !self.followed.insert(*ty) {
                continue;
            }
            let end = initial_fetch_timeout(source).map(|limit| now + limit);
            self.awaited.entry(*ty).and_modify(|awaited| *awaited = end);
            next.push((*ty, source.clone()));
        }
        next
    }

    /// Whether the first answer has not come and was not given up.
    pub(super) fn is_awaited(&self, ty: ResourceType) -> bool {
        self.awaited.contains_key(&ty)
    }

    /// Whether any first answer is awaited.
    pub(super) fn are_awaited(&self) -> bool {
        !self.awaited.is_empty()
    }

    /// Notes an answer.
    pub(super) fn answered(&mut self, ty: ResourceType) {
        self.awaited.remove(&ty);
    }

    /// Notes that a file was read, or cannot be: either is the answer of who comes from it.
    pub(super) fn answered_by_file(&mut self, read: &str) {
        let sources = &self.sources;
        self.awaited.retain(|ty, _| {
            !matches!(sources.get(ty), Some(ConfigSource::Path { path, .. }) if path.as_str() == read)
        });
    }

    /// Gives up what took too long.
    pub(super) fn give_up(&mut self, now: Instant) {
        self.awaited.retain(|ty, end| {
            let over = end.is_some_and(|end| now >= end);
            if over {
                tracing::warn!(?ty, "the control plane has not answered in time; starting without it");
            }
            !over
        });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn roots(source: ConfigSource) -> Roots {
        let dynamic = DynamicResources {
            clusters: Some(source.clone()),
            listeners: Some(source),
            ..DynamicResources::default()
        };
        Roots::new(&dynamic)
    }

    fn types(next: Vec<(ResourceType, ConfigSource)>) -> Vec<ResourceType> {
        next.into_iter().map(|(ty, _)| ty).collect()
    }

    #[test]
    fn listeners_are_asked_for_once_the_clusters_are_answered() {
        let now = Instant::now();
        let mut roots = roots(ConfigSource::Ads { initial_fetch_timeout: None });
        assert_eq!(types(roots.next(now)), [ResourceType::Cluster]);
        assert_eq!(types(roots.next(now)), []);
        roots.answered(ResourceType::Cluster);
        assert_eq!(types(roots.next(now)), [ResourceType::Listener]);
        assert!(roots.are_awaited());
        roots.answered(ResourceType::Listener);
        assert!(!roots.are_awaited() && roots.next(now).is_empty());
    }

    #[test]
    fn each_has_its_own_time_from_when_it_is_asked_for() {
        let (now, limit) = (Instant::now(), Duration::from_secs(5));
        let mut roots = roots(ConfigSource::Ads { initial_fetch_timeout: Some(limit) });
        roots.next(now);
        roots.give_up(now + limit);
        assert!(!roots.is_awaited(ResourceType::Cluster));
        roots.next(now + limit);
        roots.give_up(now + limit + limit / 2);
        assert!(roots.is_awaited(ResourceType::Listener), "it was asked for half its time ago");
        roots.give_up(now + 2 * limit);
        assert!(!roots.are_awaited());
    }

    #[test]
    fn a_file_answers_for_all_that_come_from_it() {
        let mut roots = roots(ConfigSource::Path { path: "/a".into(), watched_directory: None });
        roots.next(Instant::now());
        roots.answered_by_file("/b");
        assert!(roots.is_awaited(ResourceType::Cluster));
        roots.answered_by_file("/a");
        assert!(!roots.are_awaited());
    }
}
