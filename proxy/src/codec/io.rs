//! A byte stream to a peer, whatever it runs over.
//!
//! The set is closed so that no read or write goes through a virtual call. One rule: a layer on top of a
//! stream (TLS, bytes given back by a sniffer) is itself a stream, so that layers stack in any order.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

use crate::clock;
use crate::splice::{AsSocket, Socket};

/// A stream of bytes in both directions.
#[derive(Debug)]
pub enum Stream {
    /// A TCP connection.
    Tcp(TcpStream),
    /// A Unix domain socket connection.
    Unix(UnixStream),
    /// TLS accepted on a stream.
    TlsServer(Box<tokio_rustls::server::TlsStream<Stream>>),
    /// TLS begun on a stream.
    TlsClient(Box<tokio_rustls::client::TlsStream<Stream>>),
    /// A stream whose first bytes were read already and are to be read again.
    Rewound(Box<Rewound>),
    /// A pipe inside the process: internal listeners and tests.
    Memory(DuplexStream),
}

/// Bytes that a sniffer took from a stream, in front of the rest of it. The layer goes once they are read.
#[derive(Debug)]
pub struct Rewound {
    prefix: Bytes,
    inner: Option<Stream>,
}

impl Rewound {
    const WHOLE: &'static str = "the stream is taken out only when this layer goes";

    fn inner(&self) -> &Stream {
        self.inner.as_ref().expect(Self::WHOLE)
    }

    fn inner_mut(&mut self) -> &mut Stream {
        self.inner.as_mut().expect(Self::WHOLE)
    }
}

impl Stream {
    /// Puts `prefix` in front of what is still to be read.
    #[must_use]
    pub fn rewound(self, prefix: Bytes) -> Self {
        if prefix.is_empty() { self } else { Self::Rewound(Box::new(Rewound { prefix, inner: Some(self) })) }
    }

    /// Whether bytes are encrypted on the way.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        match self {
            Self::TlsServer(_) | Self::TlsClient(_) => true,
            Self::Rewound(rewound) => rewound.inner().is_tls(),
            Self::Tcp(_) | Self::Unix(_) | Self::Memory(_) => false,
        }
    }

    /// The TCP socket at the bottom of the layers, if there is one.
    #[must_use]
    pub fn tcp(&self) -> Option<&TcpStream> {
        match self {
            Self::Tcp(socket) => Some(socket),
            Self::TlsServer(tls) => tls.get_ref().0.tcp(),
            Self::TlsClient(tls) => tls.get_ref().0.tcp(),
            Self::Rewound(rewound) => rewound.inner().tcp(),
            Self::Unix(_) | Self::Memory(_) => None,
        }
    }

    /// The rustls session of a stream accepted over TLS.
    #[must_use]
    pub fn tls_server(&self) -> Option<&rustls::ServerConnection> {
        match self {
            Self::TlsServer(tls) => Some(tls.get_ref().1),
            Self::Rewound(rewound) => rewound.inner().tls_server(),
            Self::Tcp(_) | Self::Unix(_) | Self::TlsClient(_) | Self::Memory(_) => None,
        }
    }

    /// The rustls session of a stream begun over TLS.
    #[must_use]
    pub fn tls_client(&self) -> Option<&rustls::ClientConnection> {
        match self {
            Self::TlsClient(tls) => Some(tls.get_ref().1),
            Self::Rewound(rewound) => rewound.inner().tls_client(),
            Self::Tcp(_) | Self::Unix(_) | Self::TlsServer(_) | Self::Memory(_) => None,
        }
    }

    /// Makes the coming drop reset a TCP connection instead of ending it in order: the only way to tell the
    /// peer that a message whose end is the connection's end was cut short (RFC 9112 §8). Best effort.
    pub fn reset_on_drop(&self) {
        if let Some(socket) = self.tcp() {
            // A socket that refuses the option is gone already.
            let _refused = socket.set_zero_linger();
        }
    }
}

impl AsSocket for Stream {
    fn as_socket(&self) -> Option<Socket<'_>> {
        match self {
            Self::Tcp(socket) => Some(Socket::Tcp(socket)),
            Self::Unix(socket) => Some(Socket::Unix(socket)),
            Self::Rewound(_) | Self::TlsServer(_) | Self::TlsClient(_) | Self::Memory(_) => None,
        }
    }
}

impl From<TcpStream> for Stream {
    fn from(socket: TcpStream) -> Self {
        Self::Tcp(socket)
    }
}

impl From<UnixStream> for Stream {
    fn from(socket: UnixStream) -> Self {
        Self::Unix(socket)
    }
}

impl From<DuplexStream> for Stream {
    fn from(pipe: DuplexStream) -> Self {
        Self::Memory(pipe)
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let stream = self.get_mut();
        match stream {
            Self::Tcp(socket) => noted(Pin::new(socket).poll_read(cx, into)),
            Self::Unix(socket) => noted(Pin::new(socket).poll_read(cx, into)),
            Self::TlsServer(tls) => Pin::new(tls).poll_read(cx, into),
            Self::TlsClient(tls) => Pin::new(tls).poll_read(cx, into),
            Self::Rewound(rewound) if rewound.prefix.is_empty() => {
                *stream = rewound.inner.take().expect(Rewound::WHOLE);
                Pin::new(stream).poll_read(cx, into)
            }
            Self::Rewound(rewound) => {
                let taken = rewound.prefix.len().min(into.remaining());
                into.put_slice(&rewound.prefix.split_to(taken));
                Poll::Ready(Ok(()))
            }
            Self::Memory(pipe) => Pin::new(pipe).poll_read(cx, into),
        }
    }
}

/// Lets the worker look at the clock when bytes arrived. Here, below every codec: a worker that is never idle
/// would otherwise not see time pass.
fn noted(read: Poll<io::Result<()>>) -> Poll<io::Result<()>> {
    if read.is_ready() {
        clock::tick();
    }
    read
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(socket) => Pin::new(socket).poll_write(cx, bytes),
            Self::Unix(socket) => Pin::new(socket).poll_write(cx, bytes),
            Self::TlsServer(tls) => Pin::new(tls).poll_write(cx, bytes),
            Self::TlsClient(tls) => Pin::new(tls).poll_write(cx, bytes),
            Self::Rewound(rewound) => Pin::new(rewound.inner_mut()).poll_write(cx, bytes),
            Self::Memory(pipe) => Pin::new(pipe).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Tcp(socket) => Pin::new(socket).poll_write_vectored(cx, pieces),
            Self::Unix(socket) => Pin::new(socket).poll_write_vectored(cx, pieces),
            Self::TlsServer(tls) => Pin::new(tls).poll_write_vectored(cx, pieces),
            Self::TlsClient(tls) => Pin::new(tls).poll_write_vectored(cx, pieces),
            Self::Rewound(rewound) => Pin::new(rewound.inner_mut()).poll_write_vectored(cx, pieces),
            Self::Memory(pipe) => Pin::new(pipe).poll_write_vectored(cx, pieces),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Tcp(socket) => socket.is_write_vectored(),
            Self::Unix(socket) => socket.is_write_vectored(),
            Self::TlsServer(tls) => tls.is_write_vectored(),
            Self::TlsClient(tls) => tls.is_write_vectored(),
            Self::Rewound(rewound) => rewound.inner().is_write_vectored(),
            Self::Memory(pipe) => pipe.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(socket) => Pin::new(socket).poll_flush(cx),
            Self::Unix(socket) => Pin::new(socket).poll_flush(cx),
            Self::TlsServer(tls) => Pin::new(tls).poll_flush(cx),
            Self::TlsClient(tls) => Pin::new(tls).poll_flush(cx),
            Self::Rewound(rewound) => Pin::new(rewound.inner_mut()).poll_flush(cx),
            Self::Memory(pipe) => Pin::new(pipe).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Tcp(socket) => Pin::new(socket).poll_shutdown(cx),
            Self::Unix(socket) => Pin::new(socket).poll_shutdown(cx),
            Self::TlsServer(tls) => Pin::new(tls).poll_shutdown(cx),
            Self::TlsClient(tls) => Pin::new(tls).poll_shutdown(cx),
            Self::Rewound(rewound) => Pin::new(rewound.inner_mut()).poll_shutdown(cx),
            Self::Memory(pipe) => Pin::new(pipe).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn bytes_given_back_are_read_before_the_rest() {
        let (mut peer, here) = tokio::io::duplex(64);
        peer.write_all(b" world").await.unwrap();
        drop(peer);
        let mut stream = Stream::from(here).rewound(Bytes::from_static(b"hello"));
        let mut read = Vec::new();
        stream.read_to_end(&mut read).await.unwrap();
        assert_eq!(read, b"hello world", "the prefix comes first and once");
        assert!(matches!(stream, Stream::Memory(_)), "the layer is gone with its bytes");
    }

    #[tokio::test]
    async fn a_small_read_takes_only_part_of_the_bytes_given_back() {
        let (peer, here) = tokio::io::duplex(64);
        drop(peer);
        let mut stream = Stream::from(here).rewound(Bytes::from_static(b"abc"));
        let mut two = [0; 2];
        assert_eq!(stream.read(&mut two).await.unwrap(), 2, "two of three bytes fit");
        assert_eq!(stream.read(&mut two).await.unwrap(), 1, "the third is still there");
        assert_eq!(stream.read(&mut two).await.unwrap(), 0, "then the end");
    }

    #[test]
    fn a_worker_sees_time_pass_when_bytes_arrive() {
        let worker = std::thread::spawn(|| {
            clock::enter_worker();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let (mut peer, here) = UnixStream::pair().unwrap();
                let (mut stream, before) = (Stream::from(here), clock::now());
                std::thread::sleep(std::time::Duration::from_millis(5));
                peer.write_all(b"x").await.unwrap();
                assert_eq!(clock::now(), before, "nothing was read yet");
                assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 1);
                assert!(clock::now() > before, "the read was noticed");
            });
        });
        worker.join().unwrap();
    }

    #[test]
    fn nothing_to_give_back_adds_no_layer() {
        let (_peer, here) = tokio::io::duplex(64);
        let stream = Stream::from(here).rewound(Bytes::new());
        assert!(matches!(stream, Stream::Memory(_)), "an empty prefix wraps nothing");
    }
}
