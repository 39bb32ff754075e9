//! The HTTP connection manager
//! (`envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager`).

use std::time::Duration;

use http::StatusCode;

use super::{
    AccessLog, Cidr, ConfigSource, HeaderChange, HttpFilter, LocalReplies, RouteConfigName,
    RouteConfiguration, UpgradeConfig,
};

/// Everything a listener's chain says about HTTP. `None` durations mean "no limit".
#[derive(Debug, Clone, PartialEq)]
pub struct HttpConnectionManager {
    /// Name in metrics.
    pub stat_prefix: String,
    /// Which versions are spoken.
    pub codec_type: CodecType,
    /// Where routes come from.
    pub routes: RouteSource,
    /// Filters in order; the last is the router.
    pub http_filters: Vec<HttpFilter>,
    /// Connections without streams are closed after this; Envoy's default is 1 h.
    pub idle_timeout: Option<Duration>,
    /// Longest life of a connection.
    pub max_connection_duration: Option<Duration>,
    /// Longest life of a stream.
    pub max_stream_duration: Option<Duration>,
    /// Most requests on a connection.
    pub max_requests_per_connection: Option<u32>,
    /// Most fields in a head; Envoy's default is 100.
    pub max_headers_count: u32,
    /// What is done with field names that contain underscores.
    pub headers_with_underscores: UnderscoreHeaders,
    /// Largest request head in KiB; Envoy's default is 60.
    pub max_request_headers_kb: u32,
    /// A stream on which nothing moves is reset after this; Envoy's default is 5 min.
    pub stream_idle_timeout: Option<Duration>,
    /// The whole request must be here in this time.
    pub request_timeout: Option<Duration>,
    /// The request's head must be here in this time.
    pub request_headers_timeout: Option<Duration>,
    /// Between the announcement of a drain (GOAWAY) and its end; Envoy's default is 5 s.
    pub drain_timeout: Duration,
    /// How long a closed connection is read on; Envoy's default is 1 s.
    pub delayed_close_timeout: Option<Duration>,
    /// HTTP/1 settings.
    pub http1: Http1Options,
    /// HTTP/2 settings.
    pub http2: Http2Options,
    /// Whether this proxy is the edge: the peer's address is the client's.
    pub use_remote_address: bool,
    /// How many proxies in front are trusted.
    pub xff_num_trusted_hops: u32,
    /// Where requests come from, and what else is made of them at the edge.
    pub edge: EdgeOptions,
    /// Whether `x-forwarded-for` is left as it is.
    pub skip_xff_append: bool,
    /// Appended to `via` both ways; empty: nothing.
    pub via: String,
    /// `server` of responses; Envoy's default is `envoy`.
    pub server_name: String,
    /// When `server` is written.
    pub server_header: ServerHeader,
    /// Whether requests without `x-request-id` get one.
    pub generate_request_id: bool,
    /// Whether an `x-request-id` from outside is kept.
    pub preserve_external_request_id: bool,
    /// Whether responses always carry `x-request-id`.
    pub always_set_request_id_in_response: bool,
    /// Whether `x-forwarded-port` is added.
    pub append_x_forwarded_port: bool,
    /// Whether paths are normalised before routing.
    pub path: PathNormalization,
    /// Which ports are cut from the authority.
    pub strip_port: StripPort,
    /// Whether a dot at the end of the host is cut.
    pub strip_trailing_host_dot: bool,
    /// Upgrades that are allowed unless a route says otherwise.
    pub upgrades: Vec<UpgradeConfig>,
    /// Logs.
    pub access_log: Vec<AccessLog>,
    /// What becomes of answers that are made here.
    pub local_replies: LocalReplies,
    /// What is done with `x-forwarded-client-cert`.
    pub forward_client_cert: ForwardClientCert,
    /// Which fields of the peer's certificate it gets.
    pub forwarded_cert_fields: ForwardedCertFields,
    /// Whether `Expect: 100-continue` is passed on instead of answered here.
    pub proxy_100_continue: bool,
}

/// Which versions a chain speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodecType {
    /// By ALPN, else by the first bytes.
    Auto,
    /// HTTP/1 only.
    Http1,
    /// HTTP/2 only.
    Http2,
    /// HTTP/3 only.
    Http3,
}

/// Where requests come from, and what else is made of them at the edge.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EdgeOptions {
    /// Whose requests count as internal.
    pub internal_addresses: InternalAddressConfig,
    /// Who says where requests come from, in order; empty: `x-forwarded-for`. Never with `use_remote_address` or
    /// `xff_num_trusted_hops`.
    pub original_ip_detection: Vec<OriginalIpDetection>,
    /// What becomes of the scheme.
    pub scheme: SchemeTransformation,
    /// Changes of a request's fields before anything else looks at them.
    pub early_header_mutations: Vec<HeaderChange>,
}

/// Whose requests count as internal: they may carry `x-envoy-*` fields (`InternalAddressConfig`).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InternalAddressConfig {
    /// Those that come over Unix sockets.
    pub unix_sockets: bool,
    /// Those from these addresses.
    pub cidr_ranges: Vec<Cidr>,
}

/// Who says where a request comes from (`envoy.extensions.http.original_ip_detection`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OriginalIpDetection {
    /// `x-forwarded-for`.
    Xff {
        /// How many of its last addresses are skipped; zero where there are trusted blocks.
        trusted_hops: u32,
        /// If there are any, the peer has to be in one, and what stands there of its like is skipped.
        trusted_cidrs: Vec<Cidr>,
        /// Whether the peer's address is not appended.
        skip_append: bool,
    },
    /// Another field.
    CustomHeader {
        /// Its name; lower case.
        name: String,
        /// Whether its address may be internal.
        trusted: bool,
        /// With what a request is refused whose field has no address.
        reject: Option<StatusCode>,
    },
}

/// What becomes of a request's scheme (`SchemeHeaderTransformation`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SchemeTransformation {
    /// Nothing.
    #[default]
    Keep,
    /// It becomes `http`.
    Http,
    /// It becomes `https`.
    Https,
    /// It becomes what the upstream's transport is.
    MatchUpstream,
}

/// Where routes come from.
#[derive(Debug, Clone, PartialEq)]
pub enum RouteSource {
    /// In the listener.
    Inline(Box<RouteConfiguration>),
    /// A resource of its own.
    Rds {
        /// Its name.
        name: RouteConfigName,
        /// Where it is fetched.
        source: ConfigSource,
    },
}

/// HTTP/1 settings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Http1Options {
    /// Whether HTTP/1.0 is served; else 426.
    pub accept_http_10: bool,
    /// The host of HTTP/1.0 requests without one.
    pub default_host_for_http_10: String,
    /// Whether trailers are passed on.
    pub enable_trailers: bool,
    /// Whether field names leave with every word capitalised (`proper_case_words`).
    pub proper_case_headers: bool,
}

/// HTTP/2 settings; `None` is this proxy's default.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Http2Options {
    /// Most streams at once.
    pub max_concurrent_streams: Option<u32>,
    /// Stream window, bytes, 65,535 to 2^31-1.
    pub initial_stream_window_size: Option<u32>,
    /// Connection window, bytes, 65,535 to 2^31-1.
    pub initial_connection_window_size: Option<u32>,
    /// How often a PING is sent.
    pub keepalive_interval: Option<Duration>,
    /// How long its answer may take.
    pub keepalive_timeout: Option<Duration>,
    /// Whether extended CONNECT is allowed (RFC 8441).
    pub allow_connect: bool,
}

/// How paths are normalised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PathNormalization {
    /// RFC 3986 normalisation.
    pub normalize: bool,
    /// `//` becomes `/`.
    pub merge_slashes: bool,
    /// `%2F`, `%5C`.
    pub escaped_slashes: EscapedSlashes,
}

/// What is done with escaped slashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EscapedSlashes {
    /// Nothing.
    #[default]
    KeepUnchanged,
    /// 400.
    RejectRequest,
    /// 307 to the unescaped path.
    UnescapeAndRedirect,
    /// Unescaped.
    UnescapeAndForward,
}

/// Which ports are cut from the authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StripPort {
    /// None.
    #[default]
    None,
    /// The listener's.
    Matching,
    /// Any.
    Any,
}

/// When the `server` field is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ServerHeader {
    /// Always.
    #[default]
    Overwrite,
    /// If the upstream sent none.
    AppendIfAbsent,
    /// Never.
    PassThrough,
}

/// What is done with field names that contain underscores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnderscoreHeaders {
    /// Passed on.
    #[default]
    Allow,
    /// 400.
    RejectRequest,
    /// Dropped.
    DropHeader,
}

/// What is done with `x-forwarded-client-cert`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "each variant is Envoy's of the same name")]
pub enum ForwardClientCert {
    #[default]
    Sanitize,
    ForwardOnly,
    AppendForward,
    SanitizeSet,
    AlwaysForwardOnly,
}

/// Which fields of the peer's certificate `x-forwarded-client-cert` gets; `By` and `Hash` always stand there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs, reason = "each field is Envoy's of the same name")]
pub struct ForwardedCertFields {
    pub subject: bool,
    pub cert: bool,
    pub chain: bool,
    pub dns: bool,
    pub uri: bool,
}
