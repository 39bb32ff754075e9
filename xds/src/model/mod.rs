//! What the mesh means: resources as plain data, every value valid by construction.
//!
//! Only `decode` (and code that builds resources, such as a control plane) makes these; readers never have to
//! check a range again. A type here is named as Envoy names it.

mod name;

mod address;

mod source;

mod runtime;

mod matcher;

mod format;

mod access_log;

mod metadata;

mod metadata_matcher;

mod match_tree;

mod key;

mod tls_params;

mod tls;

mod secret;

mod proxy_protocol;

mod listener;

mod filter_state;

mod network;

mod header;

mod upgrade;

mod filter;

mod local_reply;

mod rate_limit;

mod http;

mod grpc_service;

mod mirror;

mod internal_redirect;

mod route;

mod retry;

mod tcp;

mod udp;

mod endpoint;

mod health;

mod balance;

mod cluster;

mod bootstrap;

mod load;

pub use access_log::{AccessLog, AccessLogFilter, AccessLogFormat, AccessLogSink, Comparison, JsonValue};
pub use address::{Address, Cidr, Host, SocketAddress};
pub use balance::{
    HashFunction, LbPolicy, LeastRequest, LoadBalancing, LocalityBalancing, Maglev, RingHash, SlowStart,
};
pub use bootstrap::{Admin, Bootstrap, DynamicResources, Node};
pub use cluster::{
    CircuitBreakers, Cluster, Discovery, DnsLookupFamily, DnsOptions, ProxiedTransport, RetryBudget,
    TcpKeepalive, Thresholds, TransportSocketMatch, UpstreamHttp, UpstreamProtocol, UpstreamTransport,
};
pub use endpoint::{Endpoint, EndpointHealth, LoadAssignment, Locality, LocalityEndpoints};
pub use filter::{
    BodyMode, Buffer, BufferPerRoute, CompressDirection, Compressor, CompressorLibrary, CompressorPerRoute,
    CorsPolicy, CsrfPolicy, DecompressDirection, Decompressor, DecompressorLibrary, ExtProcOverrides,
    ExtProcPerRoute, ExternalProcessor, Fault, FaultAbort, FaultAbortKind, FaultDelay, FaultRateLimit,
    FieldMutation, FieldSet, FilterConfig, FilterMutations, FilterOverride, FilterSetting, ForwardRules,
    GrpcStats, GrpcStatsMethods, Half, HeaderChange, HeaderMutationFilter, HeaderToMetadata,
    HealthCheckFilter, HealthCheckMode, HttpFilter, HttpFilterKind, ImmediateAnswer, LocalDescriptor,
    LocalRateLimit, MetadataContent, MetadataFromValue, MetadataKind, MetadataPlace, MetadataRule,
    MetadataSource, MetadataText, MetadataWithoutValue, MutationRules, PartAnswer, ProcessingMode,
    ProcessorAnswer, ProcessorAttribute, ProcessorNamespaces, ProcessorPart, ProcessorQuestion,
    ProcessorSaid, QueryChange, RateLimitAnswer, RateLimitFilter, RateLimitPerRoute, RateLimitQuestion,
    RateLimitQuota, RateLimitedRequests, RouteCacheAction, Router, SendMode, SessionState, SetFilterState,
    SetMetadata, SetMetadataEntry, StatefulSession, StatefulSessionPerRoute, VhRateLimits,
};
pub use filter_state::{ConnectionState, FilterStateFactory, FilterStateMatcher, FilterStateValue};
pub use format::{Command, FilterStateForm, FormatPart, FormatString, Operator};
pub use grpc_service::GrpcService;
pub use header::{AppendAction, HeaderAdd, HeaderMutations};
pub use health::{
    GrpcHealthCheck, HealthCheck, HealthCheckKind, HttpHealthCheck, OutlierDetection, StatusRange,
    TcpHealthCheck,
};
pub use http::{
    CodecType, EdgeOptions, EscapedSlashes, ForwardClientCert, ForwardedCertFields, Http1Options,
    Http2Options, HttpConnectionManager, InternalAddressConfig, OriginalIpDetection, PathNormalization,
    RouteSource, SchemeTransformation, ServerHeader, StripPort, UnderscoreHeaders,
};
pub use internal_redirect::{InternalRedirectPolicy, InternalRedirectPredicate};
pub use key::{CertificateChain, PrivateKey};
pub use listener::{
    ApiListener, DownstreamTransport, FilterChain, FilterChainMatch, Listener, ListenerFilter, NetworkFilter,
    QuicOptions, SourceType, TrafficDirection, TransportProtocol,
};
pub use load::{ClusterLoad, Load, LocalityLoad, WantedClusters, WantedLoad};
pub use local_reply::{BodyFormat, LocalReplies, LocalReplyMapper};
pub use match_tree::{Branches, MatchData, MatchInput, MatchTree, OnMatch, Predicate};
pub use matcher::{
    CookieMatcher, Fraction, HeaderMatcher, HeaderTest, QueryMatcher, QueryTest, Regex, StringMatcher,
    StringPattern,
};
pub use metadata::{Metadata, MetadataKey, Value};
pub use metadata_matcher::{MetadataMatcher, ValueMatcher};
pub use mirror::{MirrorTarget, RequestMirror};
pub use name::{ClusterName, ListenerName, RouteConfigName, SecretName};
pub use network::{ConnectionFilter, ConnectionLimit, ConnectionRateLimit};
pub use proxy_protocol::{ProxyProtocolFilter, ProxyProtocolVersion, Tlv, TlvSelection};
pub use rate_limit::{DescriptorAction, RateLimit, RouteRateLimits, TokenBucket};
pub use retry::{BackOff, RetryCondition, RetryPolicy};
pub use route::{
    ClusterTarget, ConnectConfig, DirectResponse, Domain, Forward, HashPolicy, HashSource, HostRewrite,
    MaxStreamDuration, PathMatch, PathRewrite, Redirect, RedirectPath, RequireTls, Route, RouteAction,
    RouteConfiguration, RouteMatch, RoutingPriority, VirtualHost, WeightedCluster, WeightedClusters,
};
pub use runtime::{
    RuntimeFraction, RuntimeLayer, RuntimeSource, RuntimeSwitch, RuntimeUInt32, RuntimeValues,
};
pub use secret::{Secret, SecretKind};
pub use source::{ApiType, ConfigSource, DataSource};
pub use tcp::{TcpProxy, TcpTarget};
pub use tls::{
    CertificateSource, CommonTls, DownstreamTls, ObjectIdentifier, SanMatcher, SanType, TlsVersion,
    UpstreamTls, ValidationContext, ValidationSource,
};
pub use tls_params::{CipherSuite, KeyExchange, Named, SignatureAlgorithm};
pub use udp::{UdpHash, UdpProxy};
pub use upgrade::UpgradeConfig;
