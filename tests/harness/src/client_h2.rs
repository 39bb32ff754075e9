//! An HTTP/2 client with prior knowledge, for one request per connection, in the clear or over TLS.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::message::Response;

const DEADLINE: Duration = Duration::from_secs(20);

/// How the connection is made.
#[derive(Debug, Clone)]
pub enum Transport {
    /// h2c with prior knowledge.
    Plain,
    /// TLS with this server name; the configuration should offer the ALPN name `h2`.
    Tls(String, Arc<rustls::ClientConfig>),
}

/// A request: pseudo-header fields come from `http::Request`'s parts.
pub type Request = http::Request<Bytes>;

/// Sends one request on a connection of its own and reads the whole answer.
pub fn send(addr: SocketAddr, transport: &Transport, request: Request) -> io::Result<Response> {
    send_with_trailers(addr, transport, request, HeaderMap::new())
}

/// The same with trailers after the request's body.
pub fn send_with_trailers(
    addr: SocketAddr,
    transport: &Transport,
    request: Request,
    trailers: HeaderMap,
) -> io::Result<Response> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let exchange = async {
            let tcp = TcpStream::connect(addr).await?;
            tcp.set_nodelay(true)?;
            match transport {
                Transport::Plain => exchange(tcp, request, trailers).await,
                Transport::Tls(name, config) => {
                    let name = ServerName::try_from(name.clone()).map_err(io::Error::other)?;
                    let connector = tokio_rustls::TlsConnector::from(config.clone());
                    exchange(connector.connect(name, tcp).await?, request, trailers).await
                }
            }
        };
        tokio::time::timeout(DEADLINE, exchange)
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
    })
}

async fn exchange<S>(stream: S, request: Request, trailers: HeaderMap) -> io::Result<Response>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = h2::client::handshake(stream).await.map_err(io::Error::other)?;
    let driver = tokio::spawn(connection);
    let mut sender = sender.ready().await.map_err(io::Error::other)?;
    let (parts, body) = request.into_parts();
    let request = http::Request::from_parts(parts, ());
    let bodiless = body.is_empty() && trailers.is_empty();
    let (answer, mut upload) = sender.send_request(request, bodiless).map_err(io::Error::other)?;
    if !bodiless {
        upload.send_data(body, trailers.is_empty()).map_err(io::Error::other)?;
    }
    if !trailers.is_empty() {
        upload.send_trailers(trailers).map_err(io::Error::other)?;
    }
    let response = read(answer.await.map_err(io::Error::other)?).await;
    driver.abort();
    response
}

async fn read(response: http::Response<h2::RecvStream>) -> io::Result<Response> {
    let (parts, mut stream) = response.into_parts();
    let mut body = Vec::new();
    while let Some(chunk) = stream.data().await {
        let chunk = chunk.map_err(io::Error::other)?;
        stream.flow_control().release_capacity(chunk.len()).map_err(io::Error::other)?;
        body.extend_from_slice(&chunk);
    }
    let trailers = stream.trailers().await.map_err(io::Error::other)?.unwrap_or_default();
    Ok(Response {
        status: parts.status.as_u16(),
        headers: fields(&parts.headers),
        body,
        trailers: fields(&trailers),
        interim: Vec::new(),
    })
}

fn fields(map: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    map.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}
