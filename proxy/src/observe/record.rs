//! What is known of one request or connection: plain facts, collected on the way, written down at the end.
//!
//! One rule: a record only remembers. Nothing here decides, and reading it changes nothing.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderValue, Method};
use tokio::time::Instant;

use xds::model::{Address, Tlv};

use super::attributes::Attributes;
use super::flags::Flags;
use super::peer::PeerCertificate;

use crate::clock;
use crate::fields::Fields;
use crate::runtime::RuntimeSnapshot;

/// Where one end of a connection stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Place {
    /// An IP address and port.
    Ip(SocketAddr),
    /// A Unix domain socket's path; empty for an unnamed one.
    Pipe(Arc<str>),
}

impl Place {
    /// The IP address, if it is one.
    #[must_use]
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Self::Ip(address) => Some(address.ip()),
            Self::Pipe(_) => None,
        }
    }

    /// The port, if there is one.
    #[must_use]
    pub fn port(&self) -> Option<u16> {
        match self {
            Self::Ip(address) => Some(address.port()),
            Self::Pipe(_) => None,
        }
    }
}

impl From<SocketAddr> for Place {
    fn from(address: SocketAddr) -> Self {
        Self::Ip(address)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => write!(f, "{address}"),
            Self::Pipe(path) => f.write_str(path),
        }
    }
}

/// What is known of a downstream connection; the same for all its requests.
#[derive(Debug, Clone)]
pub struct ConnectionFacts {
    /// Unique in this process.
    pub id: u64,
    /// The listener's name.
    pub listener: Arc<str>,
    /// The filter chain's name; may be empty.
    pub filter_chain: Arc<str>,
    /// Who opened the TCP connection: the last hop.
    pub direct_remote: Place,
    /// Who a PROXY protocol header says it was; else the same.
    pub remote: Place,
    /// Where the client connected to.
    pub local: Place,
    /// The server name asked for in the ClientHello.
    pub server_name: Option<Arc<str>>,
    /// What a PROXY protocol header said beside that and may be passed on.
    pub tlvs: Option<Arc<[Tlv]>>,
    /// TLS, if the connection speaks it.
    pub tls: Option<TlsFacts>,
    /// The IP address of `remote` as text, once it was asked for.
    pub remote_text: OnceCell<HeaderValue>,
    /// What filters noted about it.
    pub attributes: Attributes,
}

impl ConnectionFacts {
    /// The IP address of `remote` as a field's value, if it has one.
    #[must_use]
    pub fn remote_text(&self) -> Option<&HeaderValue> {
        let ip = self.remote.ip()?;
        Some(self.remote_text.get_or_init(|| ip_text(ip)))
    }
}

/// An IP address as a field's value.
#[must_use]
pub fn ip_text(ip: IpAddr) -> HeaderValue {
    HeaderValue::try_from(ip.to_string()).expect("an address is ASCII")
}

/// What is known of a connection's TLS.
#[derive(Debug, Clone)]
pub struct TlsFacts {
    /// `TLSv1.2` or `TLSv1.3`.
    pub version: &'static str,
    /// The cipher suite's name.
    pub cipher: &'static str,
    /// The certificate the peer presented and that was verified.
    pub peer: Option<Arc<PeerCertificate>>,
    /// URI SANs of our own certificate.
    pub local_uri_sans: Arc<[String]>,
}

/// The upstream side of the last attempt.
#[derive(Debug, Clone)]
pub struct UpstreamFacts {
    /// The endpoint chosen.
    pub host: Address,
    /// Our end of the connection, once there is one.
    pub local: Option<SocketAddr>,
    /// `HTTP/1.1` or `HTTP/2`; empty for TCP.
    pub protocol: &'static str,
}

/// A request's head as far as a log wants it.
#[derive(Debug, Clone, Default)]
pub struct LoggedRequest {
    /// The method.
    pub method: Method,
    /// Path and query as sent upstream.
    pub path: Bytes,
    /// The authority as sent upstream.
    pub authority: Bytes,
    /// `http` or `https`.
    pub scheme: &'static str,
    /// The fields that a log names.
    pub headers: Fields,
}

/// Facts about one request (or, for TCP, one connection).
#[derive(Debug, Clone)]
pub struct Record {
    /// The connection.
    pub connection: Rc<ConnectionFacts>,
    /// The runtime values that hold for all of it.
    pub runtime: Arc<RuntimeSnapshot>,
    /// When it began, on the clock that never jumps.
    pub started: Instant,
    /// When it began, on the wall clock.
    pub started_at: SystemTime,
    /// The client: `x-forwarded-for` where that is trusted, else the connection's.
    pub remote: Place,
    /// `HTTP/1.1` …; empty for TCP.
    pub protocol: &'static str,
    /// Body bytes from the client.
    pub bytes_received: u64,
    /// Body bytes to the client.
    pub bytes_sent: u64,
    /// Status sent to the client; 0: none was sent.
    pub status: u16,
    /// Why that status (`%RESPONSE_CODE_DETAILS%`); empty: nothing to say.
    pub details: Cow<'static, str>,
    /// What went wrong.
    pub flags: Flags,
    /// From start to the last byte of the request.
    pub request_received: Option<Duration>,
    /// From start to the response head from upstream.
    pub response_started: Option<Duration>,
    /// From start to the last byte to the client.
    pub finished: Option<Duration>,
    /// Route name; empty if unnamed or none.
    pub route: Arc<str>,
    /// Cluster name; empty if none.
    pub cluster: Arc<str>,
    /// The endpoint of the last attempt.
    pub upstream: Option<UpstreamFacts>,
    /// Attempts made.
    pub attempts: u32,
    /// Why the last attempt's transport failed; empty if it did not.
    pub upstream_failure: Cow<'static, str>,
    /// Why the downstream connection ended, if there is something to say.
    pub termination: Cow<'static, str>,
    /// `x-request-id`.
    pub request_id: Option<HeaderValue>,
    /// Whether it is a health check, which is not counted among requests.
    pub health_check: bool,
    /// `grpc-status` of the response, from trailers or head.
    pub grpc_status: Option<u32>,
    /// The request, as far as a log wants it; `None` before it is read or when no log asks.
    pub request: Option<Box<LoggedRequest>>,
    /// Response fields that a log names.
    pub response_headers: Fields,
    /// Response trailers that a log names.
    pub response_trailers: Fields,
    /// Bytes of the request's fields.
    pub request_headers_bytes: u64,
    /// Bytes of the response's fields.
    pub response_headers_bytes: u64,
    /// What filters noted about it.
    pub attributes: Attributes,
}

impl Record {
    /// A record that begins now; `protocol` is empty for TCP.
    #[must_use]
    pub fn begin(
        connection: Rc<ConnectionFacts>,
        protocol: &'static str,
        runtime: Arc<RuntimeSnapshot>,
    ) -> Self {
        let remote = connection.remote.clone();
        let attributes = connection.attributes.for_request();
        Self {
            connection,
            runtime,
            started: clock::now(),
            started_at: clock::wall(),
            remote,
            protocol,
            bytes_received: 0,
            bytes_sent: 0,
            status: 0,
            details: Cow::Borrowed(""),
            flags: Flags::default(),
            request_received: None,
            response_started: None,
            finished: None,
            route: empty(),
            cluster: empty(),
            upstream: None,
            attempts: 0,
            upstream_failure: Cow::Borrowed(""),
            termination: Cow::Borrowed(""),
            request_id: None,
            health_check: false,
            grpc_status: None,
            request: None,
            response_headers: Fields::new(),
            response_trailers: Fields::new(),
            request_headers_bytes: 0,
            response_headers_bytes: 0,
            attributes,
        }
    }

    /// The time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        clock::since(self.started)
    }
}

/// One shared empty text, so that a record without a name costs no allocation.
fn empty() -> Arc<str> {
    thread_local! {
        static EMPTY: Arc<str> = Arc::from("");
    }
    EMPTY.with(Arc::clone)
}

/// The heads that a format or a filter looks into.
#[derive(Debug, Clone, Copy, Default)]
pub struct Heads<'a> {
    /// The request; `None` for TCP and for requests that never had a valid head.
    pub request: Option<RequestView<'a>>,
    /// Response fields.
    pub response: Option<&'a Fields>,
    /// Response trailers.
    pub trailers: Option<&'a Fields>,
    /// The body of an answer that is made here, while its format is filled in.
    pub local_reply_body: &'a str,
}

/// A request's head, seen but not held.
#[derive(Debug, Clone, Copy)]
pub struct RequestView<'a> {
    /// The method.
    pub method: &'a str,
    /// Path and query.
    pub path: &'a str,
    /// The authority.
    pub authority: &'a str,
    /// `http` or `https`.
    pub scheme: &'a str,
    /// The fields.
    pub headers: &'a Fields,
}

impl Record {
    /// The heads kept for the logs.
    #[must_use]
    pub fn heads(&self) -> Heads<'_> {
        let text = |bytes| std::str::from_utf8(bytes).unwrap_or_default();
        Heads {
            request: self.request.as_ref().map(|request| RequestView {
                method: request.method.as_str(),
                path: text(&request.path),
                authority: text(&request.authority),
                scheme: request.scheme,
                headers: &request.headers,
            }),
            response: Some(&self.response_headers),
            trailers: Some(&self.response_trailers),
            local_reply_body: "",
        }
    }
}
