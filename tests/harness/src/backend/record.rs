//! What a backend has received, as values and as the JSON of its answers.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

/// The most requests a backend keeps; the oldest leave first.
const RECORDED_MAX: usize = 100_000;

/// One request as the backend saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// Name of the backend.
    pub backend: String,
    /// Method.
    pub method: String,
    /// Path with query.
    pub path: String,
    /// `HTTP/1.1`, `HTTP/2.0` …
    pub version: String,
    /// `:authority`, or the `Host` field.
    pub authority: String,
    /// Header fields, in the order of their first appearance.
    pub headers: Vec<(String, String)>,
    /// Bytes of the body.
    pub body_len: u64,
    /// SHA-256 of the body, hex.
    pub body_sha256: String,
    /// Trailer fields.
    pub trailers: Vec<(String, String)>,
}

impl Recorded {
    /// The first value of a field, by lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_str())
    }
}

/// The backend's memory.
#[derive(Debug)]
pub(crate) struct Journal {
    name: String,
    requests: Mutex<std::collections::VecDeque<Recorded>>,
    attempts: Mutex<BTreeMap<String, usize>>,
}

impl Journal {
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), requests: Mutex::default(), attempts: Mutex::default() }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn add(&self, recorded: Recorded) {
        let mut requests = self.requests.lock().expect("nobody panics while recording");
        if requests.len() == RECORDED_MAX {
            requests.pop_front();
        }
        requests.push_back(recorded);
    }

    pub(crate) fn all(&self) -> Vec<Recorded> {
        self.requests.lock().expect("nobody panics while recording").iter().cloned().collect()
    }

    /// Counts an attempt under a key; returns how many came before.
    pub(crate) fn attempt(&self, key: &str) -> usize {
        let mut attempts = self.attempts.lock().expect("nobody panics while counting");
        let count = attempts.entry(key.to_owned()).or_default();
        *count += 1;
        *count - 1
    }
}

pub(crate) fn fields(map: &http::HeaderMap) -> Vec<(String, String)> {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    map.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}
