//! Where a redirected connection was meant to go (iptables REDIRECT, `SO_ORIGINAL_DST`).

use std::net::SocketAddr;

use socket2::SockRef;
use tokio::net::TcpStream;

/// The address that the client connected to before the redirect; `None` for a connection that was not redirected.
#[must_use]
pub fn original_destination(socket: &TcpStream) -> Option<SocketAddr> {
    let local = socket.local_addr().ok()?;
    let reference = SockRef::from(socket);
    let asked = if local.ip().to_canonical().is_ipv4() {
        reference.original_dst_v4()
    } else {
        reference.original_dst_v6()
    };
    // Without connection tracking of this socket the kernel answers ENOENT or ENOPROTOOPT: nothing was redirected.
    asked.ok()?.as_socket()
}
