//! How connections of one pool are made: where to, over what, speaking what.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use tokio::time::timeout;
use xds::model::{self, TcpKeepalive, UpstreamProtocol};

use super::facts::ConnectionFacts;
use super::h1::{H1ClientSettings, H1Connection};
use super::h2::{H2ClientSettings, H2Connection};
use crate::body::{Text, Version};
use crate::codec::h2::Keepalive;
use crate::codec::io::Stream;
use crate::error::{Error, Reason};
use crate::identity::{AlpnFallback, ClientTls};
use crate::limits;
use crate::upstream::host::Host;
use crate::upstream::origin::Origin;
use crate::upstream::transport::Transport;
use crate::upstream::{connect, handshake};

/// Which HTTP is spoken on new connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wanted {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2.
    Http2,
    /// What the endpoint chooses by ALPN; HTTP/1.1 without TLS.
    Agreed,
    /// None: bytes.
    Bytes,
}

/// TLS as it is at the moment a pool is made.
#[derive(Debug, Clone)]
pub struct Tls {
    /// Where it comes from, to see whether it has changed since.
    pub source: Arc<ClientTls>,
    /// Its number.
    pub generation: u64,
    config: Arc<ClientConfig>,
}

/// How connections are made.
#[derive(Debug)]
pub struct Plan {
    pub wanted: Wanted,
    pub tls: Option<Tls>,
    pub server_name: Option<Text>,
    /// Whose connections they are, where endpoints are told.
    pub origin: Option<Arc<Origin>>,
    pub connect_timeout: Duration,
    pub keepalive: Option<TcpKeepalive>,
    pub http1: Rc<H1ClientSettings>,
    pub http2: H2ClientSettings,
}

/// A connection that speaks HTTP.
#[derive(Debug)]
pub enum Dialed {
    Http1(H1Connection),
    Http2(H2Connection),
}

impl Wanted {
    /// What a cluster with `protocol` speaks for a client that came with `downstream`.
    #[must_use]
    pub fn of(protocol: UpstreamProtocol, downstream: Version, transport: &Transport) -> Self {
        match protocol {
            UpstreamProtocol::Http1 => Self::Http1,
            UpstreamProtocol::Http2 => Self::Http2,
            UpstreamProtocol::Downstream if downstream == Version::Http2 => Self::Http2,
            UpstreamProtocol::Downstream => Self::Http1,
            UpstreamProtocol::Auto if transport.is_tls() => Self::Agreed,
            UpstreamProtocol::Auto => Self::Http1,
        }
    }
}

impl Tls {
    /// The TLS for connections made now; `None` for plain ones.
    ///
    /// # Errors
    /// `UpstreamTls` while there is no usable identity or trust.
    pub fn now(transport: &Transport, wanted: Wanted) -> Result<Option<Self>, Error> {
        let Some(source) = transport.tls() else { return Ok(None) };
        let session = source.session()?;
        let config = match wanted {
            Wanted::Http1 => session.config_for(AlpnFallback::Http1),
            Wanted::Http2 => session.config_for(AlpnFallback::Http2),
            Wanted::Agreed => session.config_for(AlpnFallback::Auto),
            Wanted::Bytes => &session.config,
        };
        let config = Arc::clone(config);
        Ok(Some(Self { source: Arc::clone(source), generation: session.generation, config }))
    }

    /// Whether a connection made now would be made with another identity or trust.
    #[must_use]
    pub fn is_old(&self) -> bool {
        self.source.session().is_ok_and(|session| session.generation != self.generation)
    }
}

impl Plan {
    /// The plan of a cluster for connections over `tls`.
    #[must_use]
    pub fn new(
        cluster: &model::Cluster,
        wanted: Wanted,
        tls: Option<Tls>,
        server_name: Option<Text>,
        origin: Option<Arc<Origin>>,
    ) -> Self {
        let http = &cluster.http;
        Self {
            wanted,
            tls,
            server_name,
            origin,
            connect_timeout: cluster.connect_timeout,
            keepalive: cluster.tcp_keepalive,
            http1: Rc::new(H1ClientSettings {
                enable_trailers: http.http1.enable_trailers,
                ..H1ClientSettings::default()
            }),
            http2: http2_settings(http),
        }
    }

    /// Opens a connection to `host`, TLS included, within the cluster's connect timeout.
    ///
    /// # Errors
    /// `ConnectFailed`, `ConnectTimeout` or `UpstreamTls`.
    pub async fn open(&self, host: &Host) -> Result<Stream, Error> {
        match timeout(self.connect_timeout, self.open_without_limit(host)).await {
            Ok(opened) => opened,
            Err(_) => {
                let (address, limit) = (host.address(), self.connect_timeout);
                let detail = format!("connect to {address}: not established within {limit:?}");
                Err(Error::new(Reason::ConnectTimeout, detail))
            }
        }
    }

    /// Opens a connection to `host` that speaks HTTP.
    ///
    /// # Errors
    /// As [`Self::open`], and what the HTTP/2 preface may give.
    pub async fn dial(&self, host: &Host) -> Result<(Dialed, Rc<ConnectionFacts>), Error> {
        let stream = self.open(host).await?;
        let http2 = match self.wanted {
            Wanted::Http2 => true,
            Wanted::Agreed => handshake::agreed_on_h2(&stream),
            Wanted::Http1 | Wanted::Bytes => false,
        };
        let version = if http2 { Version::Http2 } else { Version::Http11 };
        let facts = Rc::new(ConnectionFacts::of(&stream, Some(version)));
        let dialed = if http2 {
            Dialed::Http2(H2Connection::handshake(stream, &self.http2).await?)
        } else {
            Dialed::Http1(H1Connection::new(stream, Rc::clone(&self.http1)))
        };
        Ok((dialed, facts))
    }

    async fn open_without_limit(&self, host: &Host) -> Result<Stream, Error> {
        let mut stream = connect::connect(host.address(), self.keepalive).await?;
        if let Some(proxied) = host.transport().proxied() {
            handshake::introduce(&mut stream, &proxied.model, self.origin.as_deref(), host.address()).await?;
        }
        let Some(tls) = &self.tls else { return Ok(stream) };
        let name = handshake::server_name(tls.source.model(), host, self.server_name.as_deref())?;
        handshake::secure(stream, Arc::clone(&tls.config), name, host.address()).await
    }
}

fn http2_settings(http: &model::UpstreamHttp) -> H2ClientSettings {
    let model::Http2Options {
        max_concurrent_streams,
        initial_stream_window_size,
        initial_connection_window_size,
        keepalive_interval,
        keepalive_timeout,
        // What a server offers; a client asks for it by using it.
        allow_connect: _,
    } = http.http2;
    let default = H2ClientSettings::default();
    H2ClientSettings {
        max_concurrent_streams: max_concurrent_streams.unwrap_or(default.max_concurrent_streams),
        initial_stream_window_size: initial_stream_window_size.unwrap_or(default.initial_stream_window_size),
        initial_connection_window_size: initial_connection_window_size
            .unwrap_or(default.initial_connection_window_size),
        keepalive: keepalive_interval.map(|interval| Keepalive {
            interval,
            timeout: keepalive_timeout.unwrap_or(limits::H2_KEEPALIVE_TIMEOUT),
        }),
        max_requests: http.max_requests_per_connection.map(u64::from),
        ..default
    }
}
