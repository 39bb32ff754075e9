//! HTTP filters (`envoy.extensions.filters.http`): what each is told, in a listener and on hosts and routes.
//!
//! One filter is one file here, in `decode` and in `encode`, under the same name.

mod router;

mod cors;

mod csrf;

mod buffer;

mod fault;

mod header_mutation;

mod local_rate_limit;

mod rate_limit;

mod compressor;

mod decompressor;

mod set_metadata;

mod header_to_metadata;

mod set_filter_state;

mod stateful_session;

mod grpc_stats;

mod health_check;

mod ext_proc;

mod processing;

pub use buffer::{Buffer, BufferPerRoute};
pub use compressor::{CompressDirection, Compressor, CompressorLibrary, CompressorPerRoute};
pub use cors::CorsPolicy;
pub use csrf::CsrfPolicy;
pub use decompressor::{DecompressDirection, Decompressor, DecompressorLibrary};
pub use ext_proc::{
    BodyMode, ExtProcOverrides, ExtProcPerRoute, ExternalProcessor, ForwardRules, MutationRules,
    ProcessingMode, ProcessorAttribute, ProcessorNamespaces, RouteCacheAction, SendMode,
};
pub use fault::{Fault, FaultAbort, FaultAbortKind, FaultDelay, FaultRateLimit};
pub use grpc_stats::{GrpcStats, GrpcStatsMethods};
pub use header_mutation::{FilterMutations, HeaderChange, HeaderMutationFilter, QueryChange};
pub use header_to_metadata::{
    HeaderToMetadata, MetadataFromValue, MetadataKind, MetadataPlace, MetadataRule, MetadataSource,
    MetadataText, MetadataWithoutValue,
};
pub use health_check::{HealthCheckFilter, HealthCheckMode};
pub use local_rate_limit::{LocalDescriptor, LocalRateLimit, VhRateLimits};
pub use processing::{
    FieldMutation, FieldSet, Half, ImmediateAnswer, PartAnswer, ProcessorAnswer, ProcessorPart,
    ProcessorQuestion, ProcessorSaid,
};
pub use rate_limit::{
    RateLimitAnswer, RateLimitFilter, RateLimitPerRoute, RateLimitQuestion, RateLimitQuota,
    RateLimitedRequests,
};
pub use router::Router;
pub use set_filter_state::SetFilterState;
pub use set_metadata::{MetadataContent, SetMetadata, SetMetadataEntry};
pub use stateful_session::{SessionState, StatefulSession, StatefulSessionPerRoute};

/// A filter of a chain.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpFilter {
    /// Its name in the chain, by which hosts and routes speak of it.
    pub name: String,
    /// What it does.
    pub kind: HttpFilterKind,
    /// Whether it is off unless a host or route turns it on.
    pub disabled: bool,
}

/// What a filter does.
#[derive(Debug, Clone, PartialEq)]
pub enum HttpFilterKind {
    /// Sends the request to its cluster; always last.
    Router(Router),
    /// Cross-origin resource sharing; hosts and routes hold the policy.
    Cors,
    /// Refuses changes that other sites ask for.
    Csrf(CsrfPolicy),
    /// Waits for the whole request.
    Buffer(Buffer),
    /// Injects faults.
    Fault(Box<Fault>),
    /// Changes fields and query parameters.
    HeaderMutation(Box<HeaderMutationFilter>),
    /// Lets only so many requests pass.
    LocalRateLimit(Box<LocalRateLimit>),
    /// Asks a service whether requests may pass.
    RateLimit(Box<RateLimitFilter>),
    /// Compresses bodies.
    Compressor(Box<Compressor>),
    /// Decompresses bodies.
    Decompressor(Box<Decompressor>),
    /// Counts gRPC calls.
    GrpcStats(Box<GrpcStats>),
    /// Answers health checks.
    HealthCheck(Box<HealthCheckFilter>),
    /// Speaks gRPC-Web with clients and gRPC with backends.
    GrpcWeb,
    /// Puts what is always the same into the dynamic metadata.
    SetMetadata(Box<SetMetadata>),
    /// Puts fields and cookies into the dynamic metadata.
    HeaderToMetadata(Box<HeaderToMetadata>),
    /// Keeps objects about the request.
    SetFilterState(Box<SetFilterState>),
    /// Keeps sessions at an endpoint.
    StatefulSession(Box<StatefulSession>),
    /// Lets a service process requests and responses.
    ExtProc(Box<ExternalProcessor>),
}

/// What a host, route or weighted cluster says about a filter (`typed_per_filter_config`).
#[derive(Debug, Clone, PartialEq)]
pub struct FilterOverride {
    /// The filter's name in the chain.
    pub filter: String,
    /// What it says.
    pub setting: FilterSetting,
}

/// What is said about a filter.
#[derive(Debug, Clone, PartialEq)]
pub enum FilterSetting {
    /// It is off here.
    Disabled,
    /// It is on here, as the chain has it.
    Enabled,
    /// It is on here, with this.
    Config(FilterConfig),
}

/// A filter's own settings on a host, route or weighted cluster.
#[derive(Debug, Clone, PartialEq)]
pub enum FilterConfig {
    /// Of the CORS filter.
    Cors(Box<CorsPolicy>),
    /// Of the CSRF filter, in place of the chain's.
    Csrf(CsrfPolicy),
    /// Of the buffer filter, in place of the chain's.
    Buffer(BufferPerRoute),
    /// Of the fault filter, in place of the chain's.
    Fault(Box<Fault>),
    /// Of the header mutation filter, beside the chain's.
    HeaderMutation(Box<FilterMutations>),
    /// Of the local rate limit filter, in place of the chain's.
    LocalRateLimit(Box<LocalRateLimit>),
    /// Of the rate limit filter.
    RateLimit(Box<RateLimitPerRoute>),
    /// Of the compressor.
    Compressor(CompressorPerRoute),
    /// Of the filter that puts fields into the dynamic metadata, in place of the chain's.
    HeaderToMetadata(Box<HeaderToMetadata>),
    /// Of the filter that keeps objects, after the chain's.
    SetFilterState(Box<SetFilterState>),
    /// Of the filter that keeps sessions, in place of the chain's.
    StatefulSession(Box<StatefulSessionPerRoute>),
    /// Of the filter that lets a service process.
    ExtProc(Box<ExtProcPerRoute>),
}
