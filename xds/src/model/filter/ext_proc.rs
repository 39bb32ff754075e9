//! Requests and responses that a service processes (`envoy.extensions.filters.http.ext_proc.v3`).

use std::time::Duration;

use http::StatusCode;

use crate::model::{GrpcService, Regex, StringMatcher};

/// The filter in a chain.
#[derive(Debug, Clone, PartialEq)]
pub struct ExternalProcessor {
    /// Who processes.
    pub service: GrpcService,
    /// Whether requests go on where the service fails.
    pub failure_mode_allow: bool,
    /// What the service is sent.
    pub mode: ProcessingMode,
    /// What is told about a request with its first message.
    pub request_attributes: Vec<ProcessorAttribute>,
    /// What is told about a response with its first message.
    pub response_attributes: Vec<ProcessorAttribute>,
    /// How long each answer may take; Envoy's default is 200 ms.
    pub message_timeout: Duration,
    /// The longest time that the service may ask for; zero: it may not ask for any.
    pub max_message_timeout: Duration,
    /// A part of the metrics' names; may be empty.
    pub stat_prefix: String,
    /// Which fields the service may change.
    pub rules: MutationRules,
    /// Which fields it is sent.
    pub forward: ForwardRules,
    /// Whether it may choose what it is sent, and if it is any, of what.
    pub mode_override: Option<Vec<ProcessingMode>>,
    /// Whether its answers in place of the upstream's count as failures.
    pub disable_immediate_response: bool,
    /// Namespaces of the dynamic metadata.
    pub metadata: ProcessorNamespaces,
    /// Whether the service only watches.
    pub observability_mode: bool,
    /// Whether a route is looked for again once the service changed fields.
    pub route_cache: RouteCacheAction,
    /// How long the service is heard after a request that it only watches.
    pub deferred_close_timeout: Duration,
    /// The status where the service fails; 500 unless said otherwise.
    pub status_on_error: StatusCode,
    /// Whether `content-length` stays although the service may change the body.
    pub allow_content_length: bool,
}

/// What a service is sent of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ProcessingMode {
    /// The request's head; sent by default.
    pub request_headers: SendMode,
    /// The response's head; sent by default.
    pub response_headers: SendMode,
    /// The request's body.
    pub request_body: BodyMode,
    /// The response's body.
    pub response_body: BodyMode,
    /// The request's trailers; not sent by default.
    pub request_trailers: SendMode,
    /// The response's trailers; not sent by default.
    pub response_trailers: SendMode,
}

/// Whether something is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SendMode {
    /// As it is by default, or was before.
    #[default]
    Default,
    /// It is.
    Send,
    /// It is not.
    Skip,
}

/// How a body is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BodyMode {
    /// Not at all.
    #[default]
    None,
    /// In pieces, as they come.
    Streamed,
    /// In one piece.
    Buffered,
    /// In one piece, of at most so many bytes as may be buffered.
    BufferedPartial,
}

/// What may be told about a request or response, by Envoy's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the name says it")]
pub enum ProcessorAttribute {
    RequestPath,
    RequestUrlPath,
    RequestQuery,
    RequestHost,
    RequestScheme,
    RequestMethod,
    RequestReferer,
    RequestUserAgent,
    RequestId,
    RequestProtocol,
    ResponseCode,
    SourceAddress,
    SourcePort,
    DestinationAddress,
    DestinationPort,
    ConnectionMtls,
    ConnectionRequestedServerName,
    ConnectionTlsVersion,
    UpstreamAddress,
    UpstreamPort,
    RouteName,
    ClusterName,
}

impl ProcessorAttribute {
    /// All of them.
    pub const ALL: [Self; 22] = [
        Self::RequestPath,
        Self::RequestUrlPath,
        Self::RequestQuery,
        Self::RequestHost,
        Self::RequestScheme,
        Self::RequestMethod,
        Self::RequestReferer,
        Self::RequestUserAgent,
        Self::RequestId,
        Self::RequestProtocol,
        Self::ResponseCode,
        Self::SourceAddress,
        Self::SourcePort,
        Self::DestinationAddress,
        Self::DestinationPort,
        Self::ConnectionMtls,
        Self::ConnectionRequestedServerName,
        Self::ConnectionTlsVersion,
        Self::UpstreamAddress,
        Self::UpstreamPort,
        Self::RouteName,
        Self::ClusterName,
    ];

    /// Envoy's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::RequestPath => "request.path",
            Self::RequestUrlPath => "request.url_path",
            Self::RequestQuery => "request.query",
            Self::RequestHost => "request.host",
            Self::RequestScheme => "request.scheme",
            Self::RequestMethod => "request.method",
            Self::RequestReferer => "request.referer",
            Self::RequestUserAgent => "request.useragent",
            Self::RequestId => "request.id",
            Self::RequestProtocol => "request.protocol",
            Self::ResponseCode => "response.code",
            Self::SourceAddress => "source.address",
            Self::SourcePort => "source.port",
            Self::DestinationAddress => "destination.address",
            Self::DestinationPort => "destination.port",
            Self::ConnectionMtls => "connection.mtls",
            Self::ConnectionRequestedServerName => "connection.requested_server_name",
            Self::ConnectionTlsVersion => "connection.tls_version",
            Self::UpstreamAddress => "upstream.address",
            Self::UpstreamPort => "upstream.port",
            Self::RouteName => "xds.route_name",
            Self::ClusterName => "xds.cluster_name",
        }
    }
}

/// Which fields a service may change (`envoy.config.common.mutation_rules.v3`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MutationRules {
    /// Those that routing depends on, too: `host`, `:authority`, `:scheme`, `:method`.
    pub allow_all_routing: bool,
    /// `x-envoy-*`, too.
    pub allow_envoy: bool,
    /// No pseudo-fields.
    pub disallow_system: bool,
    /// None.
    pub disallow_all: bool,
    /// Those whose name matches, in spite of all rules above.
    pub allow_expression: Option<Regex>,
    /// None whose name matches.
    pub disallow_expression: Option<Regex>,
    /// Whether a change that is not allowed fails the request.
    pub disallow_is_error: bool,
}

/// Which fields a service is sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ForwardRules {
    /// Those whose name matches one of these; with none, all.
    pub allowed: Vec<StringMatcher>,
    /// But none whose name matches one of these.
    pub disallowed: Vec<StringMatcher>,
}

/// Namespaces of the dynamic metadata that a service and this proxy tell each other; `None`: as elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProcessorNamespaces {
    /// What the service is told.
    pub forwarded: Option<Vec<String>>,
    /// What it may tell.
    pub received: Option<Vec<String>>,
}

/// Whether a route is looked for again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RouteCacheAction {
    /// Where the service asks for it.
    #[default]
    AsAsked,
    /// Whenever it changed fields.
    Clear,
    /// Never.
    Retain,
}

/// The filter on a host or route.
#[derive(Debug, Clone, PartialEq)]
pub enum ExtProcPerRoute {
    /// It is off.
    Disabled,
    /// What is said here holds in place of what is said elsewhere.
    Overrides(ExtProcOverrides),
}

/// What a host or route says of the filter.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ExtProcOverrides {
    /// What the service is sent.
    pub mode: Option<ProcessingMode>,
    /// Who processes.
    pub service: Option<GrpcService>,
    /// Fields that calls carry as well, in place of those of the same names.
    pub initial_metadata: Vec<(String, String)>,
    /// Namespaces of the dynamic metadata.
    pub metadata: ProcessorNamespaces,
    /// Whether requests go on where the service fails.
    pub failure_mode_allow: Option<bool>,
}
