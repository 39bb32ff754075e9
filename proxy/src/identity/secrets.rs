//! Secrets by name, live: what the bootstrap holds, what SDS brings, and the proxy's own SVID.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use xds::model::{Secret, SecretName};

use super::variables::Variables;

/// The static secret under which this proxy's SVID is found.
pub(super) const SVID_SECRET: &str = "tombolo_svid";

/// The static secret under which the trust bundles it was given are found.
pub(super) const BUNDLE_SECRET: &str = "tombolo_bundle";

/// Most secrets of either kind; more are refused.
pub const SECRETS_MAX: usize = 100_000;

/// All secrets of a process. Static ones (bootstrap, own SVID) and fetched ones have names of their own.
#[derive(Debug, Default)]
pub struct Secrets {
    fixed: RwLock<HashMap<SecretName, Held>>,
    fetched: RwLock<HashMap<SecretName, Held>>,
    changes: AtomicU64,
    variables: Arc<Variables>,
}

/// A secret with the number of the change that brought it.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) version: u64,
    pub(super) secret: Arc<Secret>,
}

/// Which of the two name spaces is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Space {
    /// Bootstrap secrets and the proxy's own identity: a reference without `sds_config`.
    Static,
    /// Brought by SDS.
    Fetched,
}

impl Secrets {
    /// No secrets yet; those that stand in the environment are looked up in `variables`.
    #[must_use]
    pub fn new(variables: Variables) -> Self {
        Self { variables: Arc::new(variables), ..Self::default() }
    }

    /// Sets a static secret; the same content again changes nothing.
    pub fn set_static(&self, secret: Secret) {
        self.set(Space::Static, secret);
    }

    /// Sets a secret that SDS brought; the same content again changes nothing.
    pub fn set_fetched(&self, secret: Secret) {
        self.set(Space::Fetched, secret);
    }

    /// Forgets a secret that SDS removed; who needs it opens no new connections.
    pub fn remove_fetched(&self, name: &SecretName) {
        let removed = self.fetched.write().unwrap_or_else(PoisonError::into_inner).remove(name);
        if removed.is_some() {
            self.changes.fetch_add(1, Ordering::Release);
        }
    }

    /// Whether the secret is there.
    #[must_use]
    pub fn contains(&self, space: Space, name: &SecretName) -> bool {
        self.get(space, name).is_some()
    }

    /// Whether a secret that is not there may still come: those of the bootstrap are there from the start.
    pub(super) fn may_come(space: Space, name: &SecretName) -> bool {
        space == Space::Fetched || [SVID_SECRET, BUNDLE_SECRET].contains(&name.as_str())
    }

    /// Every secret now, for the admin server; keys do not print.
    #[must_use]
    pub fn all(&self) -> Vec<(Space, Arc<Secret>)> {
        let of = |space: Space| {
            let map = self.map(space).read().unwrap_or_else(PoisonError::into_inner);
            map.values().map(|held| (space, Arc::clone(&held.secret))).collect::<Vec<_>>()
        };
        let mut all = of(Space::Static);
        all.extend(of(Space::Fetched));
        all
    }

    /// The static secrets as they are now, on their own.
    #[must_use]
    pub fn static_copy(&self) -> Self {
        let copy = Self { variables: Arc::clone(&self.variables), ..Self::default() };
        for (_, secret) in self.all().into_iter().filter(|(space, _)| *space == Space::Static) {
            copy.set_static((*secret).clone());
        }
        copy
    }

    /// Where a `DataSource` that names a variable is looked up.
    pub(super) fn variables(&self) -> &Variables {
        &self.variables
    }

    /// Counts every change; equal values mean that nothing changed in between.
    pub(super) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    pub(super) fn get(&self, space: Space, name: &SecretName) -> Option<Held> {
        self.map(space).read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    fn map(&self, space: Space) -> &RwLock<HashMap<SecretName, Held>> {
        match space {
            Space::Static => &self.fixed,
            Space::Fetched => &self.fetched,
        }
    }

    fn set(&self, space: Space, secret: Secret) {
        let mut map = self.map(space).write().unwrap_or_else(PoisonError::into_inner);
        if map.get(&secret.name).is_some_and(|held| *held.secret == secret) {
            return;
        }
        if map.len() >= SECRETS_MAX && !map.contains_key(&secret.name) {
            tracing::warn!(name = %secret.name, limit = SECRETS_MAX, "secret refused: too many");
            return;
        }
        let version = self.changes.fetch_add(1, Ordering::AcqRel) + 1;
        map.insert(secret.name.clone(), Held { version, secret: Arc::new(secret) });
    }
}
