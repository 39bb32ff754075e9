//! Counts of gRPC calls (`envoy.extensions.filters.http.grpc_stats.v3.FilterConfig`).

/// What is counted, and how finely.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrpcStats {
    /// Which methods have counts of their own.
    pub methods: GrpcStatsMethods,
    /// Whether the time is measured that upstreams take.
    pub enable_upstream_stats: bool,
    /// Whether dots in services' names become underscores where every method has counts of its own.
    pub replace_dots_in_grpc_service_name: bool,
}

/// Which methods have counts of their own; the others share those of their cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GrpcStatsMethods {
    /// All; true by `stats_for_all_methods`.
    All,
    /// None.
    None,
    /// These, each with its service's name first.
    Listed(Vec<(String, String)>),
}
