//! Routes (`envoy.config.route.v3`).

use std::time::Duration;

use http::StatusCode;

use super::{
    ClusterName, CookieMatcher, FilterOverride, FilterStateMatcher, HeaderMatcher, HeaderMutations,
    InternalRedirectPolicy, MatchTree, MetadataMatcher, QueryMatcher, RateLimit, Regex, RequestMirror,
    RetryPolicy, RouteConfigName, RouteRateLimits, RuntimeFraction, UpgradeConfig,
};

/// A table of virtual hosts.
#[derive(Debug, Clone, PartialEq)]
pub struct RouteConfiguration {
    /// Its name.
    pub name: RouteConfigName,
    /// Hosts; a domain stands in one of them only.
    pub virtual_hosts: Vec<VirtualHost>,
    /// On every request.
    pub request_headers: HeaderMutations,
    /// On every response.
    pub response_headers: HeaderMutations,
    /// Whether a port in the authority is ignored when matching domains.
    pub ignore_port_in_host_matching: bool,
    /// Whether the most specific of clashing mutations wins.
    pub most_specific_header_mutations_wins: bool,
    /// Whether a route to an unknown cluster refuses the table; `None`: only in a static table.
    pub validate_clusters: Option<bool>,
    /// Largest body of a direct response; Envoy's default is 4 KiB.
    pub max_direct_response_body_size_bytes: u32,
    /// Copies, for hosts without policies of their own.
    pub request_mirrors: Vec<RequestMirror>,
    /// What is said about filters; a filter stands here once.
    pub filters: Vec<FilterOverride>,
}

/// A set of domains and their routes.
#[derive(Debug, Clone, PartialEq)]
pub struct VirtualHost {
    /// Its name.
    pub name: String,
    /// Domains; at least one.
    pub domains: Vec<Domain>,
    /// Routes; the first match wins. Empty where there is a matcher.
    pub routes: Vec<Route>,
    /// Chooses the routes to be tried.
    pub matcher: Option<MatchTree<Vec<Route>>>,
    /// Who is sent to https.
    pub require_tls: RequireTls,
    /// On requests.
    pub request_headers: HeaderMutations,
    /// On responses.
    pub response_headers: HeaderMutations,
    /// Whether upstreams see `x-envoy-attempt-count`.
    pub include_request_attempt_count: bool,
    /// Whether clients see it.
    pub include_attempt_count_in_response: bool,
    /// For routes without one of their own.
    pub retry_policy: Option<RetryPolicy>,
    /// What requests are counted by.
    pub rate_limits: Vec<RateLimit>,
    /// Copies, for routes without policies of their own.
    pub request_mirrors: Vec<RequestMirror>,
    /// What is said about filters; a filter stands here once.
    pub filters: Vec<FilterOverride>,
}

/// A domain to match the authority with; lower case. Exact wins over suffix, suffix over prefix, then any; the
/// longest wildcard wins.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Domain {
    /// `*`.
    Any,
    /// `www.example.com`.
    Exact(String),
    /// `*.example.com` or `*-bar.example.com`: what must stand at the end; the star takes at least one character.
    Suffix(String),
    /// `www.example.*`: what must stand at the beginning.
    Prefix(String),
}

impl std::fmt::Display for Domain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Exact(host) => f.write_str(host),
            Self::Suffix(suffix) => write!(f, "*{suffix}"),
            Self::Prefix(prefix) => write!(f, "{prefix}*"),
        }
    }
}

/// Who is redirected to https.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RequireTls {
    /// Nobody.
    #[default]
    None,
    /// Clients outside.
    ExternalOnly,
    /// All.
    All,
}

/// A route.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// Its name; may be empty.
    pub name: String,
    /// Which requests.
    pub matches: RouteMatch,
    /// What is done.
    pub action: RouteAction,
    /// On requests.
    pub request_headers: HeaderMutations,
    /// On responses.
    pub response_headers: HeaderMutations,
    /// What is said about filters; a filter stands here once.
    pub filters: Vec<FilterOverride>,
}

/// Which requests a route takes.
#[derive(Debug, Clone, PartialEq)]
pub struct RouteMatch {
    /// The path, without query.
    pub path: PathMatch,
    /// Whether the path's case counts; never set to false with a regular expression.
    pub case_sensitive: bool,
    /// All must hold.
    pub headers: Vec<HeaderMatcher>,
    /// All must hold.
    pub query_parameters: Vec<QueryMatcher>,
    /// All must hold.
    pub cookies: Vec<CookieMatcher>,
    /// Whether only gRPC requests match.
    pub grpc: bool,
    /// The share of otherwise matching requests.
    pub runtime_fraction: Option<RuntimeFraction>,
    /// All must hold of the dynamic metadata that is there before the filters run.
    pub dynamic_metadata: Vec<MetadataMatcher>,
    /// All must hold of the filter state that is there before the filters run: the connection's.
    pub filter_state: Vec<FilterStateMatcher>,
}

/// How a path is matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathMatch {
    /// Begins with.
    Prefix(String),
    /// Equal.
    Exact(String),
    /// Equal, or begins with it and a slash; has no slash at the end.
    SeparatedPrefix(String),
    /// The whole path.
    Regex(Regex),
    /// CONNECT requests.
    Connect,
}

/// What a route does.
#[derive(Debug, Clone, PartialEq)]
pub enum RouteAction {
    /// Sends the request to a cluster.
    Forward(Box<Forward>),
    /// Sends the client elsewhere.
    Redirect(Redirect),
    /// Answers.
    DirectResponse(DirectResponse),
}

/// Where and how a request is sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Forward {
    /// Where to.
    pub target: ClusterTarget,
    /// The status when the cluster does not exist: 503, 404 or 500.
    pub cluster_not_found: StatusCode,
    /// The whole exchange from the request's end to the response's; `None` is no limit, Envoy's default is 15 s.
    pub timeout: Option<Duration>,
    /// `Some(None)` turns the connection manager's `stream_idle_timeout` off.
    pub idle_timeout: Option<Option<Duration>>,
    /// Limits on the stream's life and on `grpc-timeout`.
    pub max_stream_duration: MaxStreamDuration,
    /// The path the upstream sees.
    pub path_rewrite: PathRewrite,
    /// The authority the upstream sees.
    pub host_rewrite: HostRewrite,
    /// Whether the old authority is appended to `x-forwarded-host` when it is rewritten.
    pub append_x_forwarded_host: bool,
    /// When to try again.
    pub retry: Option<RetryPolicy>,
    /// What a hash balancer hashes, in order.
    pub hash_policy: Vec<HashPolicy>,
    /// Upgrades; they win over the connection manager's.
    pub upgrades: Vec<UpgradeConfig>,
    /// Whether tunnels end here; only where `upgrades` has `connect`. `None` passes CONNECT requests on.
    pub connect: Option<ConnectConfig>,
    /// Which circuit breaker thresholds count.
    pub priority: RoutingPriority,
    /// What requests are counted by.
    pub rate_limits: RouteRateLimits,
    /// Who gets copies.
    pub request_mirrors: Vec<RequestMirror>,
    /// Which redirects are followed; `None`: none.
    pub internal_redirects: Option<InternalRedirectPolicy>,
}

/// Tunnels that end here: what they carry goes to the cluster as bytes (`ConnectConfig`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectConfig {
    /// Whether the body of a POST request is such bytes, too.
    pub allow_post: bool,
}

/// Limits on a stream's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MaxStreamDuration {
    /// Longest life; `Some(ZERO)` is no limit, `None` the connection manager's.
    pub max_stream_duration: Option<Duration>,
    /// Longest `grpc-timeout` that is honoured; `Some(ZERO)` honours any, `None` ignores the field.
    pub grpc_timeout_header_max: Option<Duration>,
    /// Taken off `grpc-timeout`.
    pub grpc_timeout_header_offset: Duration,
}

/// Which cluster.
#[derive(Debug, Clone, PartialEq)]
pub enum ClusterTarget {
    /// One.
    Cluster(ClusterName),
    /// One of several by weight.
    Weighted(WeightedClusters),
    /// The one a request header names; lower case.
    Header(String),
}

/// Several clusters; the sum of their weights is not zero.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightedClusters {
    /// At least one.
    pub clusters: Vec<WeightedCluster>,
    /// With a dot and a cluster's name behind it, the runtime key whose value stands in place of that cluster's
    /// weight; empty for none.
    pub runtime_key_prefix: String,
}

/// One of several clusters.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightedCluster {
    /// Which.
    pub name: ClusterName,
    /// Its share.
    pub weight: u32,
    /// On requests.
    pub request_headers: HeaderMutations,
    /// On responses.
    pub response_headers: HeaderMutations,
    /// The authority the upstream sees.
    pub host_rewrite_literal: String,
    /// What is said about filters; a filter stands here once.
    pub filters: Vec<FilterOverride>,
}

/// The path the upstream sees.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum PathRewrite {
    /// As it is.
    #[default]
    None,
    /// What matched (prefix or exact path) is replaced.
    Prefix(String),
    /// Every match is replaced; the query stays.
    Regex {
        /// The expression.
        regex: Regex,
        /// With `\1` groups.
        substitution: String,
    },
}

/// The authority the upstream sees.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum HostRewrite {
    /// As it is.
    #[default]
    None,
    /// This.
    Literal(String),
    /// The endpoint's hostname.
    Auto,
    /// The value of a request header; lower case.
    Header(String),
    /// Made from the path.
    PathRegex {
        /// The expression.
        regex: Regex,
        /// With `\1` groups.
        substitution: String,
    },
}

/// What a hash balancer hashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HashPolicy {
    /// What.
    pub source: HashSource,
    /// Whether later policies are skipped when this one gave a hash.
    pub terminal: bool,
}

/// Where a hash comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HashSource {
    /// A request header.
    Header {
        /// Its name; lower case.
        name: String,
        /// What is replaced in its values before they are hashed, and by what.
        rewrite: Option<(Regex, String)>,
    },
    /// A cookie, generated with `ttl` when missing.
    Cookie {
        /// Its name.
        name: String,
        /// `None`: not generated.
        ttl: Option<Duration>,
        /// Its path.
        path: String,
        /// Further attributes of a generated one, with their values if they have one.
        attributes: Vec<(String, String)>,
    },
    /// The client's address.
    SourceIp,
    /// A query parameter.
    QueryParameter(String),
    /// An object of the filter state, if it can be hashed.
    FilterState(String),
}

/// Which thresholds count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum RoutingPriority {
    /// Default.
    #[default]
    Default,
    /// High.
    High,
}

/// Sends the client elsewhere; what is `None` stays as it was.
#[derive(Debug, Clone, PartialEq)]
pub struct Redirect {
    /// `http` or `https`.
    pub scheme: Option<String>,
    /// Host.
    pub host: Option<String>,
    /// Port.
    pub port: Option<u16>,
    /// Path.
    pub path: RedirectPath,
    /// 301, 302, 303, 307 or 308.
    pub status: StatusCode,
    /// Whether the query is dropped.
    pub strip_query: bool,
}

/// The path of a redirect.
#[derive(Debug, Clone, PartialEq)]
pub enum RedirectPath {
    /// As it is.
    Keep,
    /// This; a `?` in it replaces the query too.
    Replace(String),
    /// What matched is replaced.
    Prefix(String),
    /// Every match is replaced.
    Regex {
        /// The expression.
        regex: Regex,
        /// With `\1` groups.
        substitution: String,
    },
}

/// An answer from the configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct DirectResponse {
    /// 200 to 599.
    pub status: StatusCode,
    /// At most the table's `max_direct_response_body_size_bytes`.
    pub body: Option<super::DataSource>,
}
