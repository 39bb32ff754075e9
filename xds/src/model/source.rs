//! Where configuration and secrets come from (`ConfigSource`, `DataSource` of `envoy.config.core.v3`).

use std::time::Duration;

use super::ClusterName;

/// Where a resource is fetched from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ConfigSource {
    /// The aggregated stream of the bootstrap.
    Ads {
        /// How long warming waits for the first answer; `None` waits for ever. Envoy's default is 15 s.
        initial_fetch_timeout: Option<Duration>,
    },
    /// A stream of its own to a management cluster.
    Api {
        /// State of the world or delta.
        api_type: ApiType,
        /// The cluster that serves it.
        cluster: ClusterName,
        /// Whether the node is only sent in the first request of a stream.
        set_node_on_first_message_only: bool,
        /// Metadata sent with the stream, e.g. `authorization`.
        initial_metadata: Vec<(String, String)>,
        /// As above.
        initial_fetch_timeout: Option<Duration>,
    },
    /// A file holding a DiscoveryResponse, read again when it is replaced.
    Path {
        /// The file.
        path: String,
        /// A directory to watch instead of the file (Kubernetes mounts).
        watched_directory: Option<String>,
    },
}

/// Which dialect a gRPC stream speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ApiType {
    /// State of the world (`GRPC`, `AGGREGATED_GRPC`).
    Grpc,
    /// Incremental (`DELTA_GRPC`, `AGGREGATED_DELTA_GRPC`).
    DeltaGrpc,
}

/// Bytes that stand in the configuration or elsewhere.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum DataSource {
    /// Read from a file when the resource is taken into use.
    File {
        /// The file.
        path: String,
        /// A directory whose change means that the file is to be read again.
        watched_directory: Option<String>,
    },
    /// Here.
    Inline(Vec<u8>),
    /// In an environment variable.
    Environment(String),
}

impl std::fmt::Debug for DataSource {
    // Inline bytes may be a private key: never shown.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File { path, .. } => write!(f, "File({path})"),
            Self::Inline(bytes) => write!(f, "Inline({} bytes)", bytes.len()),
            Self::Environment(name) => write!(f, "Environment({name})"),
        }
    }
}
