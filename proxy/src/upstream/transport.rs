//! How bytes travel to an endpoint: plain or in TLS, chosen by the endpoint's metadata.

use std::collections::BTreeMap;
use std::sync::Arc;

use xds::model::{Metadata, ProxiedTransport, TransportSocketMatch, Value};

use crate::identity::ClientTls;

/// The metadata that chooses among a cluster's transports.
const MATCH_KEY: &str = "envoy.transport_socket_match";

/// How bytes travel.
#[derive(Debug, Clone)]
pub enum Transport {
    /// As they are.
    Plain,
    /// In TLS, with an identity that is always current.
    Tls(Arc<ClientTls>),
    /// After a header that says who asked.
    Proxied(Arc<Proxied>),
}

/// A transport that begins with a header.
#[derive(Debug)]
pub struct Proxied {
    /// The header.
    pub model: ProxiedTransport,
    /// What follows: plain or TLS.
    pub inner: Transport,
}

/// The transports of a cluster; `matches` stands in the order of the model's `transport_matches`.
#[derive(Debug, Clone)]
pub struct Transports {
    /// When no match holds.
    pub default: Transport,
    /// One for each of the model's matches.
    pub matches: Vec<Transport>,
}

impl Transports {
    /// Plain for every endpoint.
    #[must_use]
    pub fn plain() -> Self {
        Self { default: Transport::Plain, matches: Vec::new() }
    }

    /// Whether some endpoints are told who asked.
    #[must_use]
    pub fn tell_origin(&self) -> bool {
        self.default.proxied().is_some() || self.matches.iter().any(|found| found.proxied().is_some())
    }

    /// The transport for an endpoint with `metadata`: the first of `matches` whose every criterion is in the
    /// endpoint's `envoy.transport_socket_match`, else the default.
    #[must_use]
    pub fn of(&self, matches: &[TransportSocketMatch], metadata: &Metadata) -> &Transport {
        let none = BTreeMap::new();
        let fields = metadata.of(MATCH_KEY).unwrap_or(&none);
        matches
            .iter()
            .zip(&self.matches)
            .find(|(wanted, _)| holds_all(fields, &wanted.matches))
            .map_or(&self.default, |(_, transport)| transport)
    }
}

impl Transport {
    /// The TLS, if bytes are encrypted.
    #[must_use]
    pub fn tls(&self) -> Option<&Arc<ClientTls>> {
        match self {
            Self::Plain => None,
            Self::Tls(tls) => Some(tls),
            Self::Proxied(proxied) => proxied.inner.tls(),
        }
    }

    /// The header in front, if there is one.
    #[must_use]
    pub fn proxied(&self) -> Option<&Arc<Proxied>> {
        match self {
            Self::Plain | Self::Tls(_) => None,
            Self::Proxied(proxied) => Some(proxied),
        }
    }

    /// Whether bytes are encrypted.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.tls().is_some()
    }
}

fn holds_all(fields: &BTreeMap<String, Value>, wanted: &BTreeMap<String, Value>) -> bool {
    wanted.iter().all(|(key, value)| fields.get(key) == Some(value))
}

#[cfg(test)]
mod tests {
    use xds::model::{CommonTls, UpstreamTls, UpstreamTransport};

    use super::*;

    fn fields(entries: &[(&str, &str)]) -> BTreeMap<String, Value> {
        let value = |value: &str| Value::String(value.to_owned());
        entries.iter().map(|(key, text)| ((*key).to_owned(), value(text))).collect()
    }

    fn wanted(entries: &[(&str, &str)]) -> TransportSocketMatch {
        TransportSocketMatch {
            name: String::new(),
            matches: fields(entries),
            transport: UpstreamTransport::Plain,
        }
    }

    #[test]
    fn the_first_match_that_holds_entirely_wins() {
        let tls = || {
            let model = UpstreamTls {
                common: CommonTls::default(),
                sni: String::new(),
                auto_host_sni: false,
                auto_sni_san_validation: false,
            };
            Transport::Tls(Arc::new(ClientTls::new(model, false, Arc::default())))
        };
        let transports =
            Transports { default: Transport::Plain, matches: vec![tls(), Transport::Plain, tls()] };
        let matches = [
            wanted(&[("tlsMode", "istio"), ("tunnel", "http")]),
            wanted(&[("tlsMode", "disabled")]),
            wanted(&[("tlsMode", "istio")]),
        ];
        for (endpoint, want) in [
            (&[("tlsMode", "istio")][..], true),
            (&[("tlsMode", "disabled"), ("tunnel", "http")], false),
            (&[("tlsMode", "istio"), ("tunnel", "http")], true),
            (&[], false),
            (&[("tlsMode", "other")], false),
        ] {
            let metadata = Metadata(BTreeMap::from([(MATCH_KEY.to_owned(), fields(endpoint))]));
            assert_eq!(transports.of(&matches, &metadata).is_tls(), want, "{endpoint:?}");
        }
        assert!(!transports.of(&matches, &Metadata::default()).is_tls(), "the default");
        assert!(transports.of(&[wanted(&[])], &Metadata::default()).is_tls(), "an empty match takes all");
    }
}
