//! The client of a probe: one request on a connection of its own, over whatever the variant says.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::wire::{http1, tls};
use crate::work::scenario::Variant;
use crate::work::setup::Protocol;

/// Where to ask and how.
pub struct Ask {
    addr: SocketAddr,
    folder: PathBuf,
    path: String,
    front: Protocol,
    mtls: bool,
}

impl Ask {
    /// As the load of the variant will ask.
    pub fn new(addr: SocketAddr, variant: &Variant, folder: &Path) -> Self {
        let (front, mtls) = (variant.setup.front, variant.setup.mtls);
        Self { addr, folder: folder.to_owned(), path: variant.load.path(), front, mtls }
    }

    /// Asks once and returns the body of a 200; over TLS with a certificate or without.
    pub async fn once(&self, with_certificate: bool) -> Result<String, String> {
        let text = |e: std::io::Error| e.to_string();
        let stream = TcpStream::connect(self.addr).await.map_err(text)?;
        if !self.mtls {
            return self.speak(stream).await;
        }
        let alpn: &[u8] = if self.front == Protocol::Http2 { b"h2" } else { b"http/1.1" };
        let connector = tls::connector(&self.folder, alpn, with_certificate)?;
        let stream = connector.connect(tls::server_name(), stream).await.map_err(text)?;
        self.speak(stream).await
    }

    async fn speak(&self, stream: impl AsyncRead + AsyncWrite + Unpin + 'static) -> Result<String, String> {
        if self.front == Protocol::Http2 {
            self.http2(stream).await.map_err(|e| e.to_string())
        } else {
            self.http1(stream).await.map_err(|e| e.to_string())
        }
    }

    async fn http1(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) -> std::io::Result<String> {
        let request = format!("GET {} HTTP/1.1\r\nhost: bench.example\r\n\r\n", self.path);
        stream.write_all(request.as_bytes()).await?;
        stream.flush().await?;
        let mut buffer = Vec::new();
        loop {
            if stream.read_buf(&mut buffer).await? == 0 {
                return Err(std::io::Error::other("closed before the answer"));
            }
            if let Some(head) = http1::head(&buffer, 200)?
                && buffer.len() >= head.head_bytes + head.body_bytes
            {
                return Ok(String::from_utf8_lossy(&buffer[head.head_bytes..]).into_owned());
            }
        }
    }

    async fn http2(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    ) -> Result<String, h2::Error> {
        let (sender, connection) = h2::client::handshake(stream).await?;
        let driven = tokio::task::spawn_local(connection);
        let scheme = if self.mtls { "https" } else { "http" };
        let uri = format!("{scheme}://bench.example{}", self.path);
        let request = http::Request::get(uri).body(()).expect("the parts of the address are well formed");
        let (response, _) = sender.ready().await?.send_request(request, true)?;
        let response = response.await?;
        let mut text = format!("status: {}\n", response.status().as_u16());
        let mut body = response.into_body();
        while let Some(data) = body.data().await {
            let data: Bytes = data?;
            body.flow_control().release_capacity(data.len())?;
            text.push_str(&String::from_utf8_lossy(&data));
        }
        driven.abort();
        Ok(text)
    }
}
