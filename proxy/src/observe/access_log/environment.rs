//! What formats may know about the machine: read once at start by whoever owns the process.

use std::collections::BTreeMap;

/// The host's name and the process' environment.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// `%HOSTNAME%`; `-` when unknown.
    pub hostname: String,
    /// `%ENVIRONMENT(NAME)%` and environment data sources.
    pub variables: BTreeMap<String, String>,
}
