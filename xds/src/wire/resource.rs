//! Resource types, their type URLs, and what a client asks for.
//!
//! The one rule: what differs between types stands in a method of [`ResourceType`], nowhere else.

use std::collections::BTreeSet;

use envoy_types::pb::envoy::service::discovery::v3::Resource;
use envoy_types::pb::google::protobuf::Any;
use prost::Message as _;

use super::limits::NAME_BYTES_MAX;

/// The name that stands for all resources of a type.
pub const WILDCARD: &str = "*";

const PREFIX: &str = "type.googleapis.com/";
const WRAPPER: &str = "type.googleapis.com/envoy.service.discovery.v3.Resource";

/// A type of resource that streams carry, in the order in which changes are sent (make before break).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceType {
    /// `envoy.config.cluster.v3.Cluster` (CDS).
    Cluster,
    /// `envoy.config.endpoint.v3.ClusterLoadAssignment` (EDS).
    ClusterLoadAssignment,
    /// `envoy.config.listener.v3.Listener` (LDS).
    Listener,
    /// `envoy.config.route.v3.RouteConfiguration` (RDS).
    RouteConfiguration,
    /// `envoy.extensions.transport_sockets.tls.v3.Secret` (SDS).
    Secret,
    /// `envoy.config.core.v3.TypedExtensionConfig` (ECDS).
    ExtensionConfig,
    /// `envoy.service.runtime.v3.Runtime` (RTDS).
    Runtime,
}

impl ResourceType {
    /// All types, in the order in which changes are sent.
    pub const ALL: [Self; 7] = [
        Self::Cluster,
        Self::ClusterLoadAssignment,
        Self::Listener,
        Self::RouteConfiguration,
        Self::Secret,
        Self::ExtensionConfig,
        Self::Runtime,
    ];

    /// The protobuf name of the resource's message.
    pub const fn message_name(self) -> &'static str {
        match self {
            Self::Cluster => "envoy.config.cluster.v3.Cluster",
            Self::ClusterLoadAssignment => "envoy.config.endpoint.v3.ClusterLoadAssignment",
            Self::Listener => "envoy.config.listener.v3.Listener",
            Self::RouteConfiguration => "envoy.config.route.v3.RouteConfiguration",
            Self::Secret => "envoy.extensions.transport_sockets.tls.v3.Secret",
            Self::ExtensionConfig => "envoy.config.core.v3.TypedExtensionConfig",
            Self::Runtime => "envoy.service.runtime.v3.Runtime",
        }
    }

    /// The type URL, as requests and responses carry it.
    pub fn type_url(self) -> String {
        format!("{PREFIX}{}", self.message_name())
    }

    /// The type with this URL, if it is one of ours.
    pub fn from_type_url(url: &str) -> Option<Self> {
        let name = url.strip_prefix(PREFIX)?;
        Self::ALL.into_iter().find(|ty| ty.message_name() == name)
    }

    /// Whether a response in state-of-the-world mode is complete, so that absence means deletion, and whether a
    /// first request without names means all of them (listeners and clusters).
    pub const fn is_root(self) -> bool {
        matches!(self, Self::Listener | Self::Cluster)
    }

    /// The gRPC path of the type's own service, for control planes without aggregated discovery.
    pub const fn own_service(self, delta: bool) -> &'static str {
        match (self, delta) {
            (Self::Cluster, false) => "/envoy.service.cluster.v3.ClusterDiscoveryService/StreamClusters",
            (Self::Cluster, true) => "/envoy.service.cluster.v3.ClusterDiscoveryService/DeltaClusters",
            (Self::ClusterLoadAssignment, false) => {
                "/envoy.service.endpoint.v3.EndpointDiscoveryService/StreamEndpoints"
            }
            (Self::ClusterLoadAssignment, true) => {
                "/envoy.service.endpoint.v3.EndpointDiscoveryService/DeltaEndpoints"
            }
            (Self::Listener, false) => "/envoy.service.listener.v3.ListenerDiscoveryService/StreamListeners",
            (Self::Listener, true) => "/envoy.service.listener.v3.ListenerDiscoveryService/DeltaListeners",
            (Self::RouteConfiguration, false) => "/envoy.service.route.v3.RouteDiscoveryService/StreamRoutes",
            (Self::RouteConfiguration, true) => "/envoy.service.route.v3.RouteDiscoveryService/DeltaRoutes",
            (Self::Secret, false) => "/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets",
            (Self::Secret, true) => "/envoy.service.secret.v3.SecretDiscoveryService/DeltaSecrets",
            (Self::ExtensionConfig, false) => {
                "/envoy.service.extension.v3.ExtensionConfigDiscoveryService/StreamExtensionConfigs"
            }
            (Self::ExtensionConfig, true) => {
                "/envoy.service.extension.v3.ExtensionConfigDiscoveryService/DeltaExtensionConfigs"
            }
            (Self::Runtime, false) => "/envoy.service.runtime.v3.RuntimeDiscoveryService/StreamRuntime",
            (Self::Runtime, true) => "/envoy.service.runtime.v3.RuntimeDiscoveryService/DeltaRuntime",
        }
    }
}

impl std::fmt::Display for ResourceType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.message_name())
    }
}

/// What a client wants of one type: resources by name, and perhaps whatever else there is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Interest {
    /// Whether every resource of the type is wanted.
    pub wildcard: bool,
    /// The resources wanted by name.
    pub names: BTreeSet<String>,
}

impl Interest {
    /// Every resource of the type.
    pub fn all() -> Self {
        Self { wildcard: true, names: BTreeSet::new() }
    }

    /// These resources; none of them ends the subscription.
    pub fn named<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Self {
        Self { wildcard: false, names: names.into_iter().map(Into::into).collect() }
    }

    /// Whether a resource of this name is wanted.
    pub fn covers(&self, name: &str) -> bool {
        self.wildcard || self.names.contains(name)
    }

    /// Whether nothing is wanted.
    pub fn is_empty(&self) -> bool {
        !self.wildcard && self.names.is_empty()
    }

    /// The names as the wire has them, with `*` for the wildcard.
    pub fn wire_names(&self) -> BTreeSet<String> {
        let star = self.wildcard.then(|| WILDCARD.to_owned());
        self.names.iter().cloned().chain(star).collect()
    }
}

/// The resource in an element of a state-of-the-world response: bare, or wrapped to carry a time to live.
pub fn unwrapped(element: Any) -> Result<Resource, String> {
    if element.type_url == WRAPPER {
        return Resource::decode(element.value.as_slice())
            .map_err(|error| format!("a wrapped resource is damaged: {error}"));
    }
    Ok(Resource { resource: Some(element), ..Resource::default() })
}

/// The name that the resource itself bears: field 1 in each of our types.
pub fn own_name(body: &Any) -> Result<String, String> {
    #[derive(Clone, PartialEq, prost::Message)]
    struct NameOnly {
        #[prost(string, tag = "1")]
        name: String,
    }
    let named = NameOnly::decode(body.value.as_slice())
        .map_err(|error| format!("a {} is damaged: {error}", body.type_url))?;
    match named.name {
        name if name.is_empty() => Err(format!("a {} has no name", body.type_url)),
        name if name.len() > NAME_BYTES_MAX => Err(format!(
            "a {} has a name of {} bytes, at most {NAME_BYTES_MAX} are accepted",
            body.type_url,
            name.len()
        )),
        name => Ok(name),
    }
}
