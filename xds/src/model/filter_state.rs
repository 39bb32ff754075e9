//! Objects that filters keep about a request or connection (`envoy.extensions.filters.common.set_filter_state.v3`).

use super::{AccessLogFormat, StringMatcher};

/// An object that is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct FilterStateValue {
    /// Under which name; never empty.
    pub key: String,
    /// What it is.
    pub factory: FilterStateFactory,
    /// What it is made of; never the default line.
    pub value: AccessLogFormat,
    /// Whether an empty text makes none.
    pub skip_if_empty: bool,
}

/// What an object is, and so what reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilterStateFactory {
    /// A text for formats.
    Text,
    /// A text that requests can be hashed by, too.
    HashableText,
    /// The server name that is asked for upstream, in place of the cluster's.
    UpstreamServerName,
    /// The cluster that a TCP proxy takes, in place of its own.
    TcpCluster,
}

impl FilterStateFactory {
    /// All of them with Envoy's names, under which what reads them looks for them.
    pub const ALL: [(&str, Self); 4] = [
        ("envoy.string", Self::Text),
        ("envoy.hashable_string", Self::HashableText),
        ("envoy.network.upstream_server_name", Self::UpstreamServerName),
        ("envoy.tcp_proxy.cluster", Self::TcpCluster),
    ];

    /// Envoy's name for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => Self::ALL[0].0,
            Self::HashableText => Self::ALL[1].0,
            Self::UpstreamServerName => Self::ALL[2].0,
            Self::TcpCluster => Self::ALL[3].0,
        }
    }
}

/// A test on an object (`envoy.type.matcher.v3.FilterStateMatcher`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterStateMatcher {
    /// Its name; never empty.
    pub key: String,
    /// What its text must be.
    pub text: StringMatcher,
}

/// What is kept about a connection, in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ConnectionState {
    /// When it begins.
    pub on_new_connection: Vec<FilterStateValue>,
    /// After its TLS handshake.
    pub on_downstream_tls_handshake: Vec<FilterStateValue>,
}
