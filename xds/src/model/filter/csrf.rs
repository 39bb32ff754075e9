//! Cross-site request forgery (`envoy.extensions.filters.http.csrf.v3.CsrfPolicy`).

use crate::model::{RuntimeFraction, StringMatcher};

/// Whose changes are refused.
#[derive(Debug, Clone, PartialEq)]
pub struct CsrfPolicy {
    /// Requests for which the policy holds.
    pub filter_enabled: RuntimeFraction,
    /// Requests for which it is only counted what the policy would do.
    pub shadow_enabled: Option<RuntimeFraction>,
    /// Origins that may, besides the request's own.
    pub additional_origins: Vec<StringMatcher>,
}
