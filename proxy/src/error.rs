//! Why a request or a connection ended as it did.
//!
//! There is one [`Error`] on the request path, with a closed [`Reason`]. Each reason owns its status, its
//! access-log flag (Envoy's `%RESPONSE_FLAGS%`), the side at fault and whether a retry is sound.

use std::borrow::Cow;
use std::fmt;

/// What went wrong, and for whom; carried to the local reply, the access log and the retry decision.
#[derive(Debug, Clone)]
pub struct Error {
    reason: Reason,
    detail: Cow<'static, str>,
}

/// Who is at fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The client, or the network towards it.
    Downstream,
    /// The backend, or the network towards it.
    Upstream,
    /// This proxy or its configuration.
    Proxy,
}

/// The closed set of reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// The client sent bytes that are not valid HTTP (RFC 9112, RFC 9113).
    DownstreamProtocol,
    /// The request head is larger than the listener accepts.
    RequestHeadTooLarge,
    /// The request body is larger than a filter or buffer accepts.
    RequestBodyTooLarge,
    /// The body of a gRPC-Web request is not the base64 that it says it is.
    GrpcWebBody,
    /// The body of a request is not compressed as its head says, or becomes too much.
    RequestEncoding,
    /// The client did not send a complete request head in time (`request_headers_timeout`).
    RequestHeadTimeout,
    /// The client did not send a complete request in time (`request_timeout`).
    RequestTimeout,
    /// The client went away before the response was complete.
    DownstreamClosed,
    /// The client's protocol version is not served here.
    VersionNotSupported,
    /// An upgrade or CONNECT that no `upgrade_configs` entry allows.
    UpgradeNotAllowed,
    /// No virtual host or route matched.
    NoRoute,
    /// The route names a cluster that does not exist.
    NoCluster,
    /// The virtual host demands TLS (`require_tls`).
    TlsRequired,
    /// The cluster has no endpoint that may be chosen.
    NoHealthyUpstream,
    /// A circuit breaker threshold is reached.
    Overflow,
    /// The endpoint refused or did not accept the connection.
    ConnectFailed,
    /// The connection to the endpoint was not established within `connect_timeout`.
    ConnectTimeout,
    /// The TLS handshake with the endpoint failed.
    UpstreamTls,
    /// The endpoint closed the connection before its response was complete.
    UpstreamClosed,
    /// The endpoint reset the stream.
    UpstreamReset,
    /// The endpoint refused the stream before processing it (h2 REFUSED_STREAM, GOAWAY).
    UpstreamRefused,
    /// The endpoint sent bytes that are not valid HTTP.
    UpstreamProtocol,
    /// The body of a response is not compressed as its head says, or becomes too much.
    ResponseEncoding,
    /// No response within the route's timeout.
    UpstreamTimeout,
    /// No response within the per-try timeout.
    PerTryTimeout,
    /// Neither side sent anything for `stream_idle_timeout`.
    StreamIdleTimeout,
    /// The stream lived longer than `max_stream_duration`.
    MaxDuration,
    /// The stream to the endpoint lived longer than the cluster's `max_stream_duration`.
    UpstreamMaxDuration,
    /// The control plane wants this share of requests refused (`drop_overloads`).
    DropOverload,
    /// A fault filter answered in place of the upstream.
    FaultInjected,
    /// A rate limit is reached.
    RateLimited,
    /// A rate limit service could not be asked, and requests are refused without it.
    RateLimitService,
    /// An external processor ended the request.
    Processor,
    /// The proxy is ending and takes no more work here.
    Draining,
    /// A bug here; caught, counted and logged.
    Internal,
}

impl Reason {
    /// The HTTP status of the local reply, as Envoy answers.
    #[must_use]
    pub fn status(self) -> u16 {
        use Reason as R;
        match self {
            R::DownstreamProtocol | R::DownstreamClosed | R::GrpcWebBody | R::RequestEncoding => 400,
            R::RequestHeadTooLarge => 431,
            R::RequestBodyTooLarge => 413,
            R::RequestHeadTimeout | R::RequestTimeout | R::StreamIdleTimeout => 408,
            R::VersionNotSupported => 426,
            R::RateLimited => 429,
            R::UpgradeNotAllowed => 403,
            R::NoRoute => 404,
            R::TlsRequired => 301,
            R::NoCluster
            | R::NoHealthyUpstream
            | R::Overflow
            | R::ConnectFailed
            | R::ConnectTimeout
            | R::UpstreamTls
            | R::UpstreamClosed
            | R::UpstreamReset
            | R::UpstreamRefused
            | R::DropOverload
            | R::FaultInjected
            | R::Draining => 503,
            R::UpstreamProtocol | R::ResponseEncoding => 502,
            R::UpstreamTimeout | R::PerTryTimeout | R::MaxDuration | R::UpstreamMaxDuration => 504,
            R::RateLimitService | R::Processor | R::Internal => 500,
        }
    }

    /// Envoy's short response flag for the access log; empty where Envoy has none.
    #[must_use]
    pub fn flag(self) -> &'static str {
        use Reason as R;
        match self {
            R::DownstreamProtocol | R::RequestHeadTooLarge | R::VersionNotSupported => "DPE",
            R::DownstreamClosed => "DC",
            R::NoRoute => "NR",
            R::NoCluster => "NC",
            R::NoHealthyUpstream => "UH",
            R::Overflow => "UO",
            R::ConnectFailed | R::ConnectTimeout | R::UpstreamTls => "UF",
            R::UpstreamClosed => "UC",
            R::UpstreamReset | R::UpstreamRefused => "UR",
            R::UpstreamProtocol | R::ResponseEncoding => "UPE",
            R::UpstreamTimeout | R::PerTryTimeout => "UT",
            R::StreamIdleTimeout => "SI",
            R::MaxDuration => "DT",
            R::UpstreamMaxDuration => "UMSDR",
            R::DropOverload => "DO",
            R::FaultInjected => "FI",
            R::RateLimited => "RL",
            R::RateLimitService => "RLSE",
            R::RequestBodyTooLarge
            | R::GrpcWebBody
            | R::RequestEncoding
            | R::RequestHeadTimeout
            | R::RequestTimeout
            | R::UpgradeNotAllowed
            | R::TlsRequired
            | R::Processor
            | R::Draining
            | R::Internal => "",
        }
    }

    /// Who is at fault.
    #[must_use]
    pub fn side(self) -> Side {
        use Reason as R;
        match self {
            R::DownstreamProtocol
            | R::RequestHeadTooLarge
            | R::RequestBodyTooLarge
            | R::GrpcWebBody
            | R::RequestEncoding
            | R::RequestHeadTimeout
            | R::RequestTimeout
            | R::DownstreamClosed
            | R::VersionNotSupported
            | R::UpgradeNotAllowed
            | R::TlsRequired => Side::Downstream,
            R::ConnectFailed
            | R::ConnectTimeout
            | R::UpstreamTls
            | R::UpstreamClosed
            | R::UpstreamReset
            | R::UpstreamRefused
            | R::UpstreamProtocol
            | R::ResponseEncoding
            | R::UpstreamTimeout
            | R::PerTryTimeout
            | R::NoHealthyUpstream => Side::Upstream,
            R::NoRoute
            | R::NoCluster
            | R::Overflow
            | R::DropOverload
            | R::FaultInjected
            | R::RateLimited
            | R::RateLimitService
            | R::StreamIdleTimeout
            | R::MaxDuration
            | R::UpstreamMaxDuration
            | R::Processor
            | R::Draining
            | R::Internal => Side::Proxy,
        }
    }

    /// The text a client sees in a local reply: Envoy's wording, never an internal address.
    #[must_use]
    pub fn client_text(self) -> &'static str {
        use Reason as R;
        match self {
            R::NoHealthyUpstream => "no healthy upstream",
            R::Overflow => {
                "upstream connect error or disconnect/reset before headers. reset reason: overflow"
            }
            R::ConnectFailed => {
                "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure"
            }
            R::ConnectTimeout => {
                "upstream connect error or disconnect/reset before headers. reset reason: connection timeout"
            }
            R::UpstreamTls => {
                "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure"
            }
            R::UpstreamClosed => {
                "upstream connect error or disconnect/reset before headers. reset reason: connection termination"
            }
            R::UpstreamReset => {
                "upstream connect error or disconnect/reset before headers. reset reason: remote reset"
            }
            R::UpstreamRefused => {
                "upstream connect error or disconnect/reset before headers. reset reason: remote refused stream reset"
            }
            R::UpstreamProtocol => {
                "upstream connect error or disconnect/reset before headers. reset reason: protocol error"
            }
            R::UpstreamTimeout | R::PerTryTimeout => "upstream request timeout",
            R::DropOverload => "drop overload",
            R::RequestTimeout => "request timeout",
            R::StreamIdleTimeout => "stream timeout",
            R::MaxDuration => "downstream duration timeout",
            R::UpstreamMaxDuration => "upstream max stream duration reached",
            R::RequestBodyTooLarge => "Payload Too Large",
            R::RequestEncoding => "Bad Request",
            R::GrpcWebBody => "Bad gRPC-web request, invalid base64 data.",
            R::DownstreamProtocol => "Bad Request",
            R::RequestHeadTooLarge => "Request Header Fields Too Large",
            _ => "",
        }
    }
}

impl Error {
    /// An error with a detail for the log; `detail` names what was attempted and found.
    pub fn new(reason: Reason, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { reason, detail: detail.into() }
    }

    /// The closed reason.
    #[must_use]
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// The detail for logs (`%RESPONSE_CODE_DETAILS%`); never sent to a client.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

impl From<Reason> for Error {
    fn from(reason: Reason) -> Self {
        Self { reason, detail: Cow::Borrowed("") }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.detail.as_ref() {
            "" => write!(f, "{:?}", self.reason),
            detail => write!(f, "{:?}: {detail}", self.reason),
        }
    }
}

impl std::error::Error for Error {}

/// Configuration that cannot be compiled: where the offending value stands and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// The field's path from the compiled message, e.g. `access_log[0].filter`; empty for the message itself.
    pub path: String,
    /// What was found and what is accepted.
    pub reason: String,
}

impl Invalid {
    /// A value at `path` that is refused for `reason`.
    pub fn new(path: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { path: path.into(), reason: reason.into() }
    }

    /// The same, seen from a message that holds the refused one at `outer`.
    #[must_use]
    pub fn within(self, outer: &str) -> Self {
        let path = match (outer, self.path.as_str()) {
            ("", inner) => inner.to_owned(),
            (outer, "") => outer.to_owned(),
            (outer, inner) if inner.starts_with('[') => format!("{outer}{inner}"),
            (outer, inner) => format!("{outer}.{inner}"),
        };
        Self { path, reason: self.reason }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => f.write_str(&self.reason),
            path => write!(f, "{path}: {}", self.reason),
        }
    }
}

impl std::error::Error for Invalid {}
