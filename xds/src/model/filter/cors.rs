//! Cross-origin resource sharing (`envoy.extensions.filters.http.cors.v3.CorsPolicy`).

use crate::model::{RuntimeFraction, StringMatcher};

/// Which other origins may use a resource, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct CorsPolicy {
    /// Origins that may; none: nobody.
    pub allow_origin: Vec<StringMatcher>,
    /// `access-control-allow-methods`; empty: not said.
    pub allow_methods: String,
    /// `access-control-allow-headers`; empty: not said.
    pub allow_headers: String,
    /// `access-control-expose-headers`; empty: not said.
    pub expose_headers: String,
    /// `access-control-max-age`; empty: not said.
    pub max_age: String,
    /// Whether credentials may come along; `None`: a less specific policy decides.
    pub allow_credentials: Option<bool>,
    /// Requests for which the policy holds; `None` is all.
    pub filter_enabled: Option<RuntimeFraction>,
    /// Requests for which it is only counted what the policy would do.
    pub shadow_enabled: Option<RuntimeFraction>,
    /// Whether a site may reach into a more private network; `None`: a less specific policy decides.
    pub allow_private_network_access: Option<bool>,
    /// Whether preflight requests of origins that may not are forwarded; `None`: a less specific policy decides,
    /// in the end they are.
    pub forward_not_matching_preflights: Option<bool>,
}
