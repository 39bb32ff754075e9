//! Sessions that stay at an endpoint (`envoy.extensions.filters.http.stateful_session.v3`).

use std::time::Duration;

/// How a session's endpoint is known again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StatefulSession {
    /// Where clients keep it; `None`: there are no sessions.
    pub state: Option<SessionState>,
    /// Whether a request whose endpoint is not there is refused; else it goes to another one.
    pub strict: bool,
}

/// Where clients keep a session's endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionState {
    /// In a cookie.
    Cookie {
        /// Its name; never empty.
        name: String,
        /// How long it is good, in whole seconds; zero is for ever.
        ttl: Duration,
        /// Its path; only requests below it have a session.
        path: String,
        /// Further attributes, with their values if they have one.
        attributes: Vec<(String, String)>,
    },
    /// In a field, lower case.
    Header(String),
}

/// What a host, route or weighted cluster says about sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatefulSessionPerRoute {
    /// There are none.
    Disabled,
    /// These, in place of the chain's.
    Session(StatefulSession),
}
