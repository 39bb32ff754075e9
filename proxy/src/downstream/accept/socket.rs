//! A listening socket on one worker, of any kind, and what it gives.

use std::future::pending;
use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

use super::balance::{Handed, Load, Seat};
use super::limit::Open;
use crate::codec::io::Stream;

/// A connection that was accepted.
#[derive(Debug)]
pub struct Accepted {
    /// The connection.
    pub stream: Stream,
    /// Our end; `None` on a Unix domain socket.
    pub local: Option<SocketAddr>,
    /// The client's end; `None` on a Unix domain socket.
    pub remote: Option<SocketAddr>,
    /// Its places under the connection limit and in the balance, kept as long as the connection is.
    pub places: Places,
}

/// A connection's places in the counts; dropping it gives them back.
#[derive(Debug, Default)]
pub struct Places {
    _open: Option<Open>,
    _load: Option<Load>,
}

/// Where connections come from.
#[derive(Debug)]
pub enum Listening {
    /// A TCP socket.
    Tcp(TcpListener),
    /// A Unix domain socket.
    Unix(UnixListener),
    /// A balance over workers; the accepting worker also has the socket.
    Balanced {
        /// The socket, on one worker.
        socket: Option<TcpListener>,
        /// This worker's place.
        seat: Seat,
    },
}

impl Listening {
    /// A TCP socket that is bound and listens already. Must run inside a runtime.
    ///
    /// # Errors
    /// When the system refuses to watch the socket.
    pub fn tcp(socket: std::net::TcpListener) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        TcpListener::from_std(socket).map(Self::Tcp)
    }

    /// A Unix domain socket that is bound and listens already. Must run inside a runtime.
    ///
    /// # Errors
    /// When the system refuses to watch the socket.
    pub fn unix(socket: std::os::unix::net::UnixListener) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        UnixListener::from_std(socket).map(Self::Unix)
    }

    /// A worker's seat in a balance; one worker gets the socket too. Must run inside a runtime.
    ///
    /// # Errors
    /// When the system refuses to watch the socket.
    pub fn balanced(socket: Option<std::net::TcpListener>, seat: Seat) -> io::Result<Self> {
        let socket = socket
            .map(|socket| {
                socket.set_nonblocking(true)?;
                TcpListener::from_std(socket)
            })
            .transpose()?;
        Ok(Self::Balanced { socket, seat })
    }

    /// The next connection for this worker. Cancel safe.
    pub(super) async fn accept(&mut self) -> io::Result<Accepted> {
        match self {
            Self::Tcp(socket) => {
                let (stream, remote) = socket.accept().await?;
                Ok(Accepted::tcp(stream, remote, None))
            }
            Self::Unix(socket) => Ok(Accepted::unix(socket.accept().await?.0)),
            Self::Balanced { socket, seat } => loop {
                let placed = tokio::select! {
                    Some(handed) = seat.inbox.recv() => Some(handed),
                    accepted = accept_or_never(socket.as_ref()) => seat.place(accepted?.into_std()?),
                };
                if let Some(handed) = placed {
                    return Accepted::handed(handed);
                }
            },
        }
    }

    /// Stops listening and gives what the kernel had queued: those clients are connected already and would be reset.
    pub(super) fn into_queued(self) -> Vec<Accepted> {
        let mut queued = Vec::new();
        match self {
            Self::Tcp(socket) => drain_tcp(socket, &mut queued),
            Self::Unix(socket) => drain_unix(socket, &mut queued),
            Self::Balanced { socket, mut seat } => {
                seat.inbox.close();
                while let Ok(handed) = seat.inbox.try_recv() {
                    queued.extend(Accepted::handed(handed));
                }
                if let Some(socket) = socket {
                    // Other workers are draining too and may have closed their inboxes.
                    drain_tcp(socket, &mut queued);
                }
            }
        }
        queued
    }
}

/// Asks the kernel itself: the runtime may not have heard yet that somebody is waiting. What fails is not
/// waited for; the process is letting go of the socket.
fn drain_tcp(socket: TcpListener, queued: &mut Vec<Accepted>) {
    let Ok(socket) = socket.into_std() else { return };
    while let Ok((stream, remote)) = socket.accept() {
        let stream = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream));
        queued.extend(stream.map(|stream| Accepted::tcp(stream, remote, None)));
    }
}

fn drain_unix(socket: UnixListener, queued: &mut Vec<Accepted>) {
    let Ok(socket) = socket.into_std() else { return };
    while let Ok((stream, _)) = socket.accept() {
        let stream = stream.set_nonblocking(true).and_then(|()| UnixStream::from_std(stream));
        queued.extend(stream.map(Accepted::unix));
    }
}

async fn accept_or_never(socket: Option<&TcpListener>) -> io::Result<TcpStream> {
    match socket {
        Some(socket) => Ok(socket.accept().await?.0),
        None => pending().await,
    }
}

impl Accepted {
    /// Notes its place under the connection limit.
    pub(super) fn admitted(mut self, open: Open) -> Self {
        self.places._open = Some(open);
        self
    }

    fn tcp(stream: TcpStream, remote: SocketAddr, load: Option<Load>) -> Self {
        // Small frames must not wait for acknowledgements; Envoy does the same. A socket that refuses is dead.
        let _refused = stream.set_nodelay(true);
        let local = stream.local_addr().ok().map(canonical);
        Self {
            stream: stream.into(),
            local,
            remote: Some(canonical(remote)),
            places: Places { _open: None, _load: load },
        }
    }

    fn unix(stream: UnixStream) -> Self {
        Self { stream: stream.into(), local: None, remote: None, places: Places::default() }
    }

    fn handed(Handed { socket, load }: Handed) -> io::Result<Self> {
        let remote = socket.peer_addr()?;
        Ok(Self::tcp(TcpStream::from_std(socket)?, remote, Some(load)))
    }
}

/// An IPv4 client of an IPv6 socket is an IPv4 client to rules and logs.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}
