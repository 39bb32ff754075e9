//! Connections for checks: made as requests' are, but never pooled with them.

use hyper::body::Bytes;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::task::JoinSet;
use xds::model::{Address, SocketAddress};

use super::problem::Problem;
use crate::codec::io::Stream;
use crate::identity::AlpnFallback;
use crate::upstream::host::Host;
use crate::upstream::{connect, handshake};

/// What requests of checks carry.
pub(super) type Body = http_body_util::Full<Bytes>;

/// Where `host` is checked: at its own check port, else at the check's, else at the endpoint's.
pub(super) fn address(host: &Host, alt_port: Option<u16>) -> Address {
    match (host.address(), host.check().port.or(alt_port)) {
        (Address::Socket(socket), Some(port)) => {
            Address::Socket(SocketAddress { host: socket.host.clone(), port })
        }
        (address, _) => address.clone(),
    }
}

/// Connects to `address`, over what the endpoint's bytes travel in; `alpn` is what is offered with TLS.
pub(super) async fn connect(
    host: &Host,
    address: &Address,
    alpn: Option<AlpnFallback>,
) -> Result<Stream, Problem> {
    let mut stream = connect::connect(address, None).await.map_err(Problem::unreachable)?;
    if let Some(proxied) = host.transport().proxied() {
        let said = handshake::introduce(&mut stream, &proxied.model, None, address).await;
        said.map_err(Problem::unreachable)?;
    }
    let Some(tls) = host.transport().tls() else { return Ok(stream) };
    let session = tls.session().map_err(Problem::unreachable)?;
    let config = alpn.map_or(&session.config, |alpn| session.config_for(alpn));
    let name = handshake::server_name(tls.model(), host, None).map_err(Problem::unreachable)?;
    handshake::secure(stream, config.clone(), name, address).await.map_err(Problem::unreachable)
}

/// A client on a connection, which ends with it.
#[derive(Debug)]
pub(super) struct Client {
    sender: Sender,
    // Drives the connection; dropped, and so aborted, with the client.
    _driver: JoinSet<()>,
}

#[derive(Debug)]
enum Sender {
    Http1(http1::SendRequest<Body>),
    Http2(http2::SendRequest<Body>),
}

impl Client {
    /// A client that speaks HTTP/1.1 or HTTP/2 with `host` at `address`.
    pub(super) async fn connect(host: &Host, address: &Address, http2: bool) -> Result<Self, Problem> {
        let alpn = if http2 { AlpnFallback::Http2 } else { AlpnFallback::Http1 };
        let io = TokioIo::new(connect(host, address, Some(alpn)).await?);
        let mut driver = JoinSet::new();
        // A connection's end shows in its next use.
        let sender = if http2 {
            let made = http2::handshake(TokioExecutor::new(), io).await;
            let (sender, connection) = made.map_err(Problem::unreachable)?;
            driver.spawn(async { drop(connection.await) });
            Sender::Http2(sender)
        } else {
            let made = http1::handshake(io).await;
            let (sender, connection) = made.map_err(Problem::unreachable)?;
            driver.spawn(async { drop(connection.await) });
            Sender::Http1(sender)
        };
        Ok(Self { sender, _driver: driver })
    }

    /// Whether it can be used once more.
    pub(super) async fn is_ready(&mut self) -> bool {
        match &mut self.sender {
            Sender::Http1(sender) => sender.ready().await.is_ok(),
            Sender::Http2(sender) => sender.ready().await.is_ok(),
        }
    }

    /// Sends a request and waits for the head of the response.
    pub(super) async fn send(
        &mut self,
        request: http::Request<Body>,
    ) -> Result<http::Response<hyper::body::Incoming>, Problem> {
        let sent = match &mut self.sender {
            Sender::Http1(sender) => sender.send_request(request).await,
            Sender::Http2(sender) => sender.send_request(request).await,
        };
        sent.map_err(Problem::unreachable)
    }
}
