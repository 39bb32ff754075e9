//! What resources refer to: the names a control plane has to be asked for, and what must be there first.

use xds::model::{
    CertificateSource, Cluster, ClusterName, CommonTls, ConfigSource, Discovery, DownstreamTransport,
    FilterChain, Listener, NetworkFilter, RouteConfigName, RouteSource, SecretName, ValidationSource,
};

use super::resources::Resources;

/// A resource that another one needs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Reference {
    /// A route configuration by RDS.
    Route(RouteConfigName, ConfigSource),
    /// Endpoints by EDS, for a cluster.
    Endpoints(String, ClusterName, ConfigSource),
    /// A secret by SDS.
    Secret(SecretName, ConfigSource),
}

impl Reference {
    /// Where it is fetched.
    #[must_use]
    pub fn source(&self) -> &ConfigSource {
        match self {
            Self::Route(_, source) | Self::Endpoints(_, _, source) | Self::Secret(_, source) => source,
        }
    }
}

/// Everything `resources` refer to that is fetched from somewhere.
#[must_use]
pub fn references(resources: &Resources) -> Vec<Reference> {
    let mut found = Vec::new();
    for listener in resources.listeners.values() {
        found.extend(listener_references(listener));
    }
    for cluster in resources.clusters.values() {
        found.extend(cluster_references(cluster));
    }
    found
}

/// What one listener refers to.
pub(super) fn listener_references(listener: &Listener) -> Vec<Reference> {
    let mut found = Vec::new();
    for chain in listener.filter_chains.iter().chain(&listener.default_filter_chain) {
        if let Some((name, source)) = rds(chain) {
            found.push(Reference::Route(name.clone(), source.clone()));
        }
        if let DownstreamTransport::Tls(tls) | DownstreamTransport::Quic(tls) = &chain.transport {
            found.extend(tls_references(&tls.common));
        }
    }
    found
}

/// What one cluster refers to.
pub(super) fn cluster_references(cluster: &Cluster) -> Vec<Reference> {
    let mut found = Vec::new();
    if let Discovery::Eds { service_name, source } = &cluster.discovery {
        found.push(Reference::Endpoints(service_name.clone(), cluster.name.clone(), source.clone()));
    }
    let matches = cluster.transport_matches.iter().map(|entry| &entry.transport);
    for transport in matches.chain([&cluster.transport]) {
        if let Some(tls) = transport.tls() {
            found.extend(tls_references(&tls.common));
        }
    }
    found
}

fn rds(chain: &FilterChain) -> Option<(&RouteConfigName, &ConfigSource)> {
    match &chain.filter {
        NetworkFilter::Http(http) => match &http.routes {
            RouteSource::Rds { name, source } => Some((name, source)),
            RouteSource::Inline(_) => None,
        },
        NetworkFilter::Tcp(_) | NetworkFilter::Echo | NetworkFilter::Direct(_) => None,
    }
}

fn tls_references(common: &CommonTls) -> Vec<Reference> {
    let certificates = common.certificates.iter().filter_map(|certificate| match certificate {
        CertificateSource::Secret { name, source: Some(source) } => Some((name, source)),
        CertificateSource::Secret { source: None, .. } | CertificateSource::Inline { .. } => None,
    });
    let validation = match &common.validation {
        Some(ValidationSource::Secret { name, source: Some(source), .. }) => Some((name, source)),
        _ => None,
    };
    certificates
        .chain(validation)
        .map(|(name, source)| Reference::Secret(name.clone(), source.clone()))
        .collect()
}
