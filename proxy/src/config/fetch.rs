//! What is being fetched from where, since when, and when waiting ends.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use xds::model::ConfigSource;

use super::file_update::Files;
use crate::snapshot::{Fetches, Reference};

/// How long reading a file may take (Envoy's default of `initial_fetch_timeout`).
const FILE_TIMEOUT: Duration = Duration::from_secs(15);

/// How long a source is waited for before things start without it.
pub(super) fn initial_fetch_timeout(source: &ConfigSource) -> Option<Duration> {
    match source {
        ConfigSource::Ads { initial_fetch_timeout } | ConfigSource::Api { initial_fetch_timeout, .. } => {
            *initial_fetch_timeout
        }
        // A file answers as soon as it was read; this is for a disk that does not.
        ConfigSource::Path { .. } => Some(FILE_TIMEOUT),
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

    /// Gives up what took too long, or is not in a file that was read; tells whether anything was.
    pub(super) fn give_up(&mut self, fetches: &mut Fetches, files: &Files, now: Instant) -> bool {
        let over = |reference: &Reference, since: &Instant| {
            let source = reference.source();
            let is_late =
                initial_fetch_timeout(source).is_some_and(|limit| now.duration_since(*since) >= limit);
            is_late || matches!(source, ConfigSource::Path { path, .. } if files.was_read(path))
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
