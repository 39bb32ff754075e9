//! Where a load goes and what it says there.

use std::net::SocketAddr;
use std::path::Path;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::wire::tls;
use crate::work::load::Load;
use crate::work::scenario::Variant;
use crate::work::setup::Protocol;

/// A connection, encrypted or not.
pub trait Stream: AsyncRead + AsyncWrite + Unpin {}

impl<S: AsyncRead + AsyncWrite + Unpin> Stream for S {}

/// Where a load goes.
pub struct Target {
    addr: SocketAddr,
    connector: Option<TlsConnector>,
    /// What is spoken.
    pub front: Protocol,
    /// The request on HTTP/1.1.
    pub request: Vec<u8>,
    /// The path asked for.
    pub path: String,
    /// Whether the requests are gRPC calls.
    pub grpc: bool,
    /// Payload bytes of each answer.
    pub response_bytes: usize,
}

impl Target {
    /// The target of a variant; the certificates lie in the folder.
    pub fn new(addr: SocketAddr, folder: &Path, variant: &Variant) -> Result<Self, String> {
        let front = variant.setup.front;
        let alpn: &[u8] = if front == Protocol::Http2 { b"h2" } else { b"http/1.1" };
        let connector = if variant.setup.mtls { Some(tls::connector(folder, alpn, true)?) } else { None };
        let (path, close) = (variant.load.path(), matches!(variant.load, Load::Requests { close: true, .. }));
        let last = if close { "connection: close\r\n\r\n" } else { "\r\n" };
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: bench.example\r\nuser-agent: bench/1\r\naccept: */*\r\n{last}"
        );
        let grpc = matches!(variant.load, Load::Streams { grpc: true, .. });
        let response_bytes = variant.load.response_bytes();
        Ok(Self { addr, connector, front, request: request.into_bytes(), path, grpc, response_bytes })
    }

    /// Connects without TLS.
    pub async fn connect(&self) -> std::io::Result<TcpStream> {
        let stream = TcpStream::connect(self.addr).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// Connects with whatever the variant asks for.
    pub async fn open(&self) -> std::io::Result<Open> {
        let stream = self.connect().await?;
        match &self.connector {
            None => Ok(Open::Plain(stream)),
            Some(connector) => {
                let stream = connector.connect(tls::server_name(), stream).await?;
                Ok(Open::Tls(Box::new(stream)))
            }
        }
    }
}

/// An open connection.
pub enum Open {
    /// Without TLS.
    Plain(TcpStream),
    /// With it.
    Tls(Box<TlsStream<TcpStream>>),
}
