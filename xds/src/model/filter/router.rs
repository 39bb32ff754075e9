//! The router (`envoy.extensions.filters.http.router.v3.Router`).

use crate::model::AccessLog;

/// Router settings.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Router {
    /// Whether `x-envoy-*` response and request fields are left out.
    pub suppress_envoy_headers: bool,
    /// Request fields (`x-envoy-retry-on` …) that must be well formed.
    pub strict_check_headers: Vec<String>,
    /// Logs, a line per attempt.
    pub upstream_log: Vec<AccessLog>,
}
