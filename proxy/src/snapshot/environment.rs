//! What every compiled piece may hold on to.
//!
//! One rule: it is the same for the whole life of the process, whatever the configuration says.

use std::sync::Arc;

use crate::identity::Secrets;
use crate::observe::metrics::Registry;
use crate::policy::http::Shared;
use crate::policy::tcp::TcpScopes;
use crate::runtime::LiveRuntime;

/// What compiled pieces hold on to.
#[derive(Debug, Clone)]
pub struct Environment {
    /// Certificates.
    pub secrets: Arc<Secrets>,
    /// Where metrics are shown.
    pub registry: Arc<Registry>,
    /// What compiled policy shares: access log outputs, counters by prefix.
    pub shared: Arc<Shared>,
    /// The counters of TCP proxies by prefix.
    pub tcp: Arc<TcpScopes>,
    /// How many workers there are.
    pub workers: usize,
    /// Where health checks and lookups run; `None` when a configuration is only checked: then nothing runs and
    /// nothing is bound.
    pub background: Option<tokio::runtime::Handle>,
}

impl Environment {
    /// What overrules defaults of the configuration.
    #[must_use]
    pub fn runtime(&self) -> &Arc<LiveRuntime> {
        &self.shared.environment().runtime
    }
}
