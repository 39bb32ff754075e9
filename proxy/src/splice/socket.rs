//! A socket that carries bytes as they are: no TLS, nothing read in advance.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::task::{Context, Poll};

use tokio::io::{DuplexStream, Interest};
use tokio::net::{TcpStream, UnixStream};

/// Something that may be nothing but a socket.
pub trait AsSocket {
    /// The socket, if every byte of this goes to it and comes from it unchanged, and none waits in between.
    fn as_socket(&self) -> Option<Socket<'_>>;
}

/// A connected socket of the kernel's.
#[derive(Debug, Clone, Copy)]
pub enum Socket<'s> {
    /// TCP.
    Tcp(&'s TcpStream),
    /// A Unix domain socket.
    Unix(&'s UnixStream),
}

/// Which readiness is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Side {
    Read,
    Write,
}

impl Socket<'_> {
    /// Ready when `side` may make progress.
    pub(super) fn poll_ready(self, side: Side, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match (self, side) {
            (Self::Tcp(socket), Side::Read) => socket.poll_read_ready(cx),
            (Self::Tcp(socket), Side::Write) => socket.poll_write_ready(cx),
            (Self::Unix(socket), Side::Read) => socket.poll_read_ready(cx),
            (Self::Unix(socket), Side::Write) => socket.poll_write_ready(cx),
        }
    }

    /// Makes a call that does not block; one that would block ends the readiness.
    pub(super) fn attempt(
        self,
        side: Side,
        call: impl FnOnce(BorrowedFd<'_>) -> io::Result<usize>,
    ) -> io::Result<usize> {
        let interest = match side {
            Side::Read => Interest::READABLE,
            Side::Write => Interest::WRITABLE,
        };
        match self {
            Self::Tcp(socket) => socket.try_io(interest, || call(socket.as_fd())),
            Self::Unix(socket) => socket.try_io(interest, || call(socket.as_fd())),
        }
    }
}

impl AsSocket for TcpStream {
    fn as_socket(&self) -> Option<Socket<'_>> {
        Some(Socket::Tcp(self))
    }
}

impl AsSocket for UnixStream {
    fn as_socket(&self) -> Option<Socket<'_>> {
        Some(Socket::Unix(self))
    }
}

impl AsSocket for DuplexStream {
    fn as_socket(&self) -> Option<Socket<'_>> {
        None
    }
}
