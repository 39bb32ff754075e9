//! Which static resources fetch something over the aggregated stream: without one they would wait for ever.

use super::path::{Invalid, Path};
use crate::model::{
    ApiListener, CertificateSource, Cluster, CommonTls, ConfigSource, Discovery, DownstreamTransport,
    FilterChain, HttpConnectionManager, Listener, NetworkFilter, RouteSource, ValidationSource,
};

/// Refuses the first static resource that needs the aggregated stream; `path` is that of `static_resources`.
pub(super) fn none(
    path: &Path<'_>,
    listeners: &[Listener],
    api: Option<&ApiListener>,
    clusters: &[Cluster],
) -> Result<(), Invalid> {
    let reason = "fetches over ads, but dynamic_resources.ads_config is not set";
    if let Some(user) = listeners.iter().find(|listener| listener_uses(listener)) {
        return path.field("listeners").key(user.name.as_str()).refuse(reason);
    }
    if let Some(api) = api.filter(|api| routes_use(&api.manager)) {
        return path.field("listeners").key(api.name.as_str()).refuse(reason);
    }
    match clusters.iter().position(cluster_uses) {
        Some(index) => path.field("clusters").index(index).refuse(reason),
        None => Ok(()),
    }
}

fn listener_uses(listener: &Listener) -> bool {
    listener.filter_chains.iter().chain(&listener.default_filter_chain).any(chain_uses)
}

fn chain_uses(chain: &FilterChain) -> bool {
    let routes = match &chain.filter {
        NetworkFilter::Http(manager) => routes_use(manager),
        NetworkFilter::Tcp(_) | NetworkFilter::Echo | NetworkFilter::Direct(_) => false,
    };
    routes
        || match &chain.transport {
            DownstreamTransport::Plain => false,
            DownstreamTransport::Tls(context) | DownstreamTransport::Quic(context) => {
                tls_uses(&context.common)
            }
        }
}

fn routes_use(manager: &HttpConnectionManager) -> bool {
    match &manager.routes {
        RouteSource::Rds { source, .. } => is_ads(source),
        RouteSource::Inline(_) => false,
    }
}

fn cluster_uses(cluster: &Cluster) -> bool {
    let endpoints = match &cluster.discovery {
        Discovery::Eds { source, .. } => is_ads(source),
        Discovery::Static(_) | Discovery::StrictDns { .. } | Discovery::LogicalDns { .. } => false,
    };
    let mut transports =
        cluster.transport_matches.iter().map(|found| &found.transport).chain([&cluster.transport]);
    endpoints || transports.any(|transport| transport.tls().is_some_and(|context| tls_uses(&context.common)))
}

fn tls_uses(common: &CommonTls) -> bool {
    let certificates = common.certificates.iter().any(|certificate| match certificate {
        CertificateSource::Inline { .. } => false,
        CertificateSource::Secret { source, .. } => source.as_ref().is_some_and(is_ads),
    });
    certificates
        || match &common.validation {
            Some(ValidationSource::Secret { source, .. }) => source.as_ref().is_some_and(is_ads),
            Some(ValidationSource::Inline(_)) | None => false,
        }
}

fn is_ads(source: &ConfigSource) -> bool {
    matches!(source, ConfigSource::Ads { .. })
}
