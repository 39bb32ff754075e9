//! What is known of a connection, for the access log and for whoever sends on it.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use rustls_pki_types::CertificateDer;
use xds::model::RoutingPriority;

use crate::body::{Response, Text, Version};
use crate::codec::io::Stream;
use crate::upstream::origin::Origin;

/// How a request is to be sent.
#[derive(Debug, Clone)]
pub struct SendOptions {
    /// Which circuit breakers count.
    pub priority: RoutingPriority,
    /// The version the client spoke, for clusters that speak what the client does.
    pub downstream_version: Version,
    /// The server name to ask for instead of the configured one. Without it, `Pools::send` takes the request's
    /// authority where the cluster has `auto_sni`.
    pub server_name: Option<Text>,
    /// Who asked, where the cluster's endpoints are told.
    pub origin: Option<Arc<Origin>>,
}

impl Default for SendOptions {
    fn default() -> Self {
        Self {
            priority: RoutingPriority::Default,
            downstream_version: Version::Http11,
            server_name: None,
            origin: None,
        }
    }
}

/// A response, and the connection it came on.
#[derive(Debug)]
pub struct Sent {
    /// The response; its body keeps what the request holds (circuit breakers, counters) until it ends.
    pub response: Response,
    /// The connection.
    pub connection: Rc<ConnectionFacts>,
}

/// What is known of a connection.
#[derive(Debug, Clone)]
pub struct ConnectionFacts {
    /// Our address; `None` for pipes.
    pub local: Option<SocketAddr>,
    /// The endpoint's address; `None` for pipes.
    pub remote: Option<SocketAddr>,
    /// The HTTP version spoken; `None` when only bytes are.
    pub version: Option<Version>,
    /// TLS, if it is spoken.
    pub tls: Option<TlsFacts>,
}

/// What a handshake came to.
#[derive(Debug, Clone)]
pub struct TlsFacts {
    /// As in Envoy's `%UPSTREAM_TLS_VERSION%`, e.g. `TLSv1.3`.
    pub version: &'static str,
    /// The cipher suite's name.
    pub cipher: &'static str,
    /// The endpoint's certificate.
    pub peer_certificate: Option<CertificateDer<'static>>,
}

impl ConnectionFacts {
    /// The facts of `stream`.
    #[must_use]
    pub fn of(stream: &Stream, version: Option<Version>) -> Self {
        let tls = stream.tls_client().map(|session| TlsFacts {
            version: match session.protocol_version() {
                Some(rustls::ProtocolVersion::TLSv1_2) => "TLSv1.2",
                Some(rustls::ProtocolVersion::TLSv1_3) => "TLSv1.3",
                _ => "",
            },
            cipher: session
                .negotiated_cipher_suite()
                .and_then(|suite| suite.suite().as_str())
                .unwrap_or_default(),
            peer_certificate: session
                .peer_certificates()
                .and_then(|chain| chain.first())
                .map(|certificate| certificate.clone().into_owned()),
        });
        let socket = stream.tcp();
        Self {
            local: socket.and_then(|socket| socket.local_addr().ok()),
            remote: socket.and_then(|socket| socket.peer_addr().ok()),
            version,
            tls,
        }
    }
}
