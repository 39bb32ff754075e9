//! An HTTP/1.1 client that sends what it is told, well formed or not, in the clear or over TLS.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;

use crate::message::{Reader, Request, Response};

/// The longest a read or write may take unless a test says otherwise.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// A stream of bytes: TCP, or TLS over it.
#[derive(Debug)]
pub enum Stream {
    /// In the clear.
    Plain(TcpStream),
    /// Encrypted.
    Tls(Box<rustls::StreamOwned<rustls::ClientConnection, TcpStream>>),
}

impl Read for Stream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Plain(stream) => stream.read(into),
            Stream::Tls(stream) => stream.read(into),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Plain(stream) => stream.write(bytes),
            Stream::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Stream::Plain(stream) => stream.flush(),
            Stream::Tls(stream) => stream.flush(),
        }
    }
}

/// One connection; requests on it are answered in order.
#[derive(Debug)]
pub struct Connection {
    reader: Reader<Stream>,
}

impl Connection {
    /// Connects in the clear.
    pub fn open(addr: SocketAddr) -> io::Result<Self> {
        Ok(Self { reader: Reader::new(Stream::Plain(tcp(addr)?)) })
    }

    /// Connects and finishes the TLS handshake.
    pub fn open_tls(addr: SocketAddr, name: &str, config: Arc<rustls::ClientConfig>) -> io::Result<Self> {
        let name = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
        let connection = rustls::ClientConnection::new(config, name).map_err(io::Error::other)?;
        let mut stream = rustls::StreamOwned::new(connection, tcp(addr)?);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        Ok(Self { reader: Reader::new(Stream::Tls(Box::new(stream))) })
    }

    /// Sets the longest a read may take.
    pub fn set_deadline(&mut self, deadline: Duration) -> io::Result<()> {
        self.socket().set_read_timeout(Some(deadline))
    }

    /// Writes bytes as they are.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let stream = self.reader.stream();
        stream.write_all(bytes)?;
        stream.flush()
    }

    /// Says that nothing more will be written.
    pub fn half_close(&mut self) -> io::Result<()> {
        self.socket().shutdown(Shutdown::Write)
    }

    /// Reads the next response; `head` is true after a HEAD request.
    pub fn read_response(&mut self, head: bool) -> io::Result<Response> {
        self.reader.response(head)
    }

    /// Reads exactly this many bytes.
    pub fn read_exactly(&mut self, count: usize) -> io::Result<Vec<u8>> {
        self.reader.exactly(count)
    }

    /// Reads until the other side closes.
    pub fn read_to_end(&mut self) -> io::Result<Vec<u8>> {
        self.reader.to_end()
    }

    /// Sends a request and reads its response.
    pub fn send(&mut self, request: &Request) -> io::Result<Response> {
        self.write(&request.bytes())?;
        self.read_response(request.method == "HEAD")
    }

    fn socket(&mut self) -> &TcpStream {
        match self.reader.stream() {
            Stream::Plain(stream) => stream,
            Stream::Tls(stream) => &stream.sock,
        }
    }
}

/// Sends one request on a connection of its own.
pub fn send(addr: SocketAddr, request: &Request) -> io::Result<Response> {
    Connection::open(addr)?.send(request)
}

/// Sends one GET on a connection of its own.
pub fn get(addr: SocketAddr, host: &str, target: &str) -> io::Result<Response> {
    send(addr, &Request::new("GET", host, target))
}

fn tcp(addr: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&addr, DEADLINE)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(DEADLINE))?;
    stream.set_write_timeout(Some(DEADLINE))?;
    Ok(stream)
}
