//! Redirects of upstreams that are followed here (`envoy.config.route.v3.InternalRedirectPolicy`).

use http::StatusCode;

/// Which redirects are followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InternalRedirectPolicy {
    /// For one request, at most; 32 are the most that can be asked for.
    pub max_internal_redirects: u32,
    /// Those of 301, 302, 303, 307 and 308 that are followed.
    pub redirect_response_codes: Vec<StatusCode>,
    /// All must hold.
    pub predicates: Vec<InternalRedirectPredicate>,
    /// Whether a redirect may lead from http to https or back.
    pub allow_cross_scheme_redirect: bool,
    /// Fields of the redirect that the next request gets; lower case. One that the redirect lacks is removed.
    pub response_headers_to_copy: Vec<String>,
}

/// What a redirect must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InternalRedirectPredicate {
    /// To a route that no redirect of this route has led to before.
    PreviousRoutes,
    /// To a route with one of these names.
    AllowListedRoutes(Vec<String>),
    /// Not from http to https.
    SafeCrossScheme,
}
