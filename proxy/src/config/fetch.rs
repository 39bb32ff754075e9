//! What is being fetched from where, since when, and when waiting ends.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use xds::model::ConfigSource;

use crate::snapshot::{Fetches, Reference};

/// How long a source is waited for before things start without it.
pub(super) fn initial_fetch_timeout(source: &ConfigSource) -> Option<Duration> {
    match source {
        ConfigSource::Ads { initial_fetch_timeout } | ConfigSource::Api { initial_fetch_timeout, .. } => {
            *initial_fetch_timeout
        }
        // A file is there or it is not.
        ConfigSource::Path { .. } => Some(Duration::ZERO),
    }
}

/// References that something waits for.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    since: HashMap<Reference, Instant>,
}

impl Waiting {
    /// Notes what is waited for now; what is no longer waited for is forgotten.
    pub(super) fn set(&mut self, references: Vec<Reference>, now: Instant) {
        let before = std::mem::take(&mut self.since);
        for reference in references {
            let since = before.get(&reference).copied().unwrap_or(now);
            self.since.insert(reference, since);
        }
    }

    /// Whether anything is waited for.
    pub(super) fn is_empty(&self) -> bool {
        self.since.is_empty()
    }

    /// Gives up what took too long; tells whether anything was.
    pub(super) fn give_up(&mut self, fetches: &mut Fetches, now: Instant) -> bool {
        let over = |reference: &Reference, since: &Instant| {
            initial_fetch_timeout(reference.source()).is_some_and(|limit| now.duration_since(*since) >= limit)
        };
        let late: Vec<_> = self.since.extract_if(|reference, since| over(reference, since)).collect();
        for (reference, _) in &late {
            tracing::warn!(?reference, "not received in time; going on without it");
        }
        let any = !late.is_empty();
        fetches.given_up.extend(late.into_iter().map(|(reference, _)| reference));
        any
    }
}
