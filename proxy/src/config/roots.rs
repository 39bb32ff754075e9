//! What everything begins with: runtime values, clusters and listeners.
//!
//! One rule: listeners are asked for once the clusters were answered, as Envoy does, since a listener may name any
//! cluster and would be refused without it; and clusters once the runtime values were.

use std::collections::BTreeMap;
use std::time::Instant;

use xds::model::{Bootstrap, ConfigSource, RuntimeSource};
use xds::wire::resource::{Interest, ResourceType};

use super::fetch::initial_fetch_timeout;

/// The types in the order in which their first answers are waited for.
const ORDER: [ResourceType; 3] = [ResourceType::Runtime, ResourceType::Cluster, ResourceType::Listener];

/// Something to begin with.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Root {
    pub(super) ty: ResourceType,
    pub(super) source: ConfigSource,
    pub(super) interest: Interest,
}

/// Roots, and which first answers are awaited.
#[derive(Debug)]
pub(super) struct Roots {
    /// Those that are not followed yet, by type.
    ahead: BTreeMap<ResourceType, Vec<Root>>,
    /// Those that are.
    followed: Vec<Root>,
    /// With the end of the wait, once it has begun.
    awaited: BTreeMap<ResourceType, Option<Instant>>,
}

impl Roots {
    /// Nothing is followed yet.
    pub(super) fn new(bootstrap: &Bootstrap) -> Self {
        let dynamic = &bootstrap.dynamic;
        let mut ahead: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (ty, source) in
            [(ResourceType::Cluster, &dynamic.clusters), (ResourceType::Listener, &dynamic.listeners)]
        {
            let root = source.clone().map(|source| Root { ty, source, interest: Interest::all() });
            ahead.extend(root.map(|root| (ty, vec![root])));
        }
        let runtime = runtime(bootstrap);
        if !runtime.is_empty() {
            ahead.insert(ResourceType::Runtime, runtime);
        }
        let awaited = ahead.keys().map(|ty| (*ty, None)).collect();
        Self { ahead, followed: Vec::new(), awaited }
    }

    /// What is to be followed from now on.
    pub(super) fn next(&mut self, now: Instant) -> Vec<Root> {
        let mut next = Vec::new();
        for ty in ORDER {
            let roots = self.ahead.remove(&ty).unwrap_or_default();
            let ends = roots.iter().map(|root| initial_fetch_timeout(&root.source).map(|limit| now + limit));
            // The longest wait counts; one that never ends is the longest.
            let end = ends.reduce(|one, other| Some(one?.max(other?))).flatten();
            if !roots.is_empty() {
                self.awaited.entry(ty).and_modify(|awaited| *awaited = end);
            }
            next.extend(roots);
            if self.is_awaited(ty) {
                break;
            }
        }
        self.followed.extend(next.iter().cloned());
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
        let (ahead, followed) = (&self.ahead, &self.followed);
        self.awaited.retain(|ty, _| {
            !ahead.values().flatten().chain(followed).any(|root| {
                root.ty == *ty && matches!(&root.source, ConfigSource::Path { path, .. } if path == read)
            })
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

/// The runtime values that layers fetch: one root for each source.
fn runtime(bootstrap: &Bootstrap) -> Vec<Root> {
    let ty = ResourceType::Runtime;
    let mut roots: Vec<Root> = Vec::new();
    for layer in &bootstrap.runtime {
        let RuntimeSource::Rtds { resource, source } = &layer.source else { continue };
        match roots.iter_mut().find(|root| root.source == *source) {
            Some(root) => {
                root.interest.names.insert(resource.clone());
            }
            None => {
                let interest = Interest::named([resource.clone()]);
                roots.push(Root { ty, source: source.clone(), interest });
            }
        }
    }
    roots
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use xds::model::RuntimeLayer;

    use super::*;

    /// A bootstrap that fetches clusters and listeners, and as many runtime layers as are named.
    fn bootstrap(source: &ConfigSource, layers: &[&str]) -> Bootstrap {
        let mut bootstrap = xds::decode::bootstrap(&Default::default()).unwrap();
        bootstrap.dynamic.clusters = Some(source.clone());
        bootstrap.dynamic.listeners = Some(source.clone());
        bootstrap.runtime = layers
            .iter()
            .map(|name| RuntimeLayer {
                name: format!("layer {name}"),
                source: RuntimeSource::Rtds { resource: (*name).to_owned(), source: source.clone() },
            })
            .collect();
        bootstrap
    }

    fn roots(source: ConfigSource) -> Roots {
        Roots::new(&bootstrap(&source, &[]))
    }

    fn types(next: Vec<Root>) -> Vec<ResourceType> {
        next.into_iter().map(|root| root.ty).collect()
    }

    #[test]
    fn clusters_are_asked_for_once_the_runtime_values_are_answered() {
        let now = Instant::now();
        let ads = ConfigSource::Ads { initial_fetch_timeout: None };
        let mut roots = Roots::new(&bootstrap(&ads, &["a", "b"]));
        let first = roots.next(now);
        let wanted = Root { ty: ResourceType::Runtime, source: ads, interest: Interest::named(["a", "b"]) };
        assert_eq!(first, [wanted], "both layers in one subscription");
        assert_eq!(types(roots.next(now)), []);
        roots.answered(ResourceType::Runtime);
        assert_eq!(types(roots.next(now)), [ResourceType::Cluster]);
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
