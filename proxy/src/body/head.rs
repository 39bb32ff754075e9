//! Heads of requests and responses, the same for every codec.
//!
//! A head is normalised when it arrives: the authority stands in `authority` and not in a `host` field, and
//! hop-by-hop fields (RFC 9110 §7.6.1) are gone; what they said is in the typed fields here.

use http::{Method, StatusCode};

use super::Text;

use crate::fields::Fields;

/// The protocol version a message arrived in, or is to leave in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// HTTP/1.0 (RFC 1945).
    Http10,
    /// HTTP/1.1 (RFC 9112).
    Http11,
    /// HTTP/2 (RFC 9113).
    Http2,
    /// HTTP/3 (RFC 9114).
    Http3,
}

impl Version {
    /// As in Envoy's `%PROTOCOL%`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http10 => "HTTP/1.0",
            Self::Http11 => "HTTP/1.1",
            Self::Http2 => "HTTP/2",
            Self::Http3 => "HTTP/3",
        }
    }
}

/// `http` or `https`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Plain text.
    Http,
    /// Over TLS.
    Https,
}

impl Scheme {
    /// `http` or `https`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// The head of a request.
#[derive(Debug, Clone)]
pub struct RequestHead {
    /// The method.
    pub method: Method,
    /// The scheme the client used (`:scheme`, absolute form, or the connection's).
    pub scheme: Scheme,
    /// `:authority` or `Host`; empty only for HTTP/1.0 without a `Host`.
    pub authority: Text,
    /// Path and query as sent (origin form), starting with `/`; `*` for `OPTIONS *`; empty for plain CONNECT.
    pub path: Text,
    /// Version on the side the request came from.
    pub version: Version,
    /// Fields without `host`, `:`-fields and hop-by-hop fields. `te` stays only as `trailers`.
    pub headers: Fields,
    /// The protocol asked for by `Upgrade` (HTTP/1.1) or `:protocol` (RFC 8441): lower case, e.g. `websocket`.
    /// With it, or with CONNECT, the body is the tunnel's bytes.
    pub upgrade: Option<Text>,
}

impl RequestHead {
    /// Whether the message's body is a tunnel's bytes: an upgrade or CONNECT.
    #[must_use]
    pub fn is_tunnel(&self) -> bool {
        self.upgrade.is_some() || self.method == Method::CONNECT
    }
}

/// The head of a response.
#[derive(Debug, Clone)]
pub struct ResponseHead {
    /// The status. 101 (and 2xx to CONNECT) means that the body is the tunnel's bytes; an HTTP/2 codec turns
    /// 101 into 200 and back (RFC 8441 §5).
    pub status: StatusCode,
    /// Fields without hop-by-hop fields.
    pub headers: Fields,
}
