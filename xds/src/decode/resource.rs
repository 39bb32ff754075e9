//! A decoded resource of any of the types that are fetched.

use crate::model::{
    ApiListener, Cluster, Listener, LoadAssignment, RouteConfiguration, RuntimeValues, Secret,
};

/// A decoded resource.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "made once per update and taken apart at once")]
pub enum Resource {
    /// LDS.
    Listener(Listener),
    /// LDS, for a program that is its own proxy.
    ApiListener(ApiListener),
    /// RDS.
    RouteConfiguration(RouteConfiguration),
    /// CDS.
    Cluster(Cluster),
    /// EDS.
    LoadAssignment(LoadAssignment),
    /// SDS.
    Secret(Secret),
    /// RTDS.
    Runtime(RuntimeValues),
}

impl Resource {
    /// The name under which it is subscribed to.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Listener(listener) => listener.name.as_str(),
            Self::ApiListener(listener) => listener.name.as_str(),
            Self::RouteConfiguration(table) => table.name.as_str(),
            Self::Cluster(cluster) => cluster.name.as_str(),
            Self::LoadAssignment(assignment) => &assignment.cluster_name,
            Self::Secret(secret) => secret.name.as_str(),
            Self::Runtime(runtime) => &runtime.name,
        }
    }
}
