//! Listening sockets: bound before a listener is taken into use, so that a port in use refuses the listener and
//! nothing else.

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::unix::net::UnixListener;

use socket2::{Domain, SockRef, Socket, Type};
use xds::model::{Address, Host, Listener, SocketAddress};

/// The bound sockets of one address of a listener.
#[derive(Debug)]
pub struct Sockets {
    /// The address as configured.
    pub configured: Address,
    /// The address as bound: port 0 is replaced by the system's choice.
    pub bound: Address,
    /// Whether every worker has a socket of its own.
    pub reuse_port: bool,
    /// The sockets.
    pub kind: SocketKind,
}

/// What is bound.
#[derive(Debug)]
pub enum SocketKind {
    /// TCP: one for each worker with `reuse_port`, else one that all share.
    Tcp(Vec<TcpListener>),
    /// A Unix domain socket that all workers share.
    Unix(UnixListener),
    /// UDP, one for each worker; the kernel spreads clients over them by their addresses.
    Udp(Vec<UdpSocket>),
}

impl Sockets {
    /// Binds `address` for `listener`, for so many `workers`. Nobody can connect before [`Sockets::listen`].
    ///
    /// # Errors
    /// Names the address, what the system said, and the likely remedy.
    pub fn bind(address: &Address, listener: &Listener, workers: usize) -> Result<Self, String> {
        let reuse_port = listener.reuse_port && !listener.exact_balance;
        let refuse = |error: std::io::Error| {
            let hint = match error.kind() {
                std::io::ErrorKind::AddrInUse => {
                    "; another process listens there: end it, or change the listener's port_value"
                }
                std::io::ErrorKind::PermissionDenied => {
                    "; ports below 1024 need the capability CAP_NET_BIND_SERVICE"
                }
                std::io::ErrorKind::AddrNotAvailable => "; no interface of this host has that address",
                _ => "",
            };
            format!("address {address}: cannot listen: {error}{hint}")
        };
        let (bound, kind) = match address {
            Address::Pipe(path) => (address.clone(), SocketKind::Unix(bind_pipe(path).map_err(refuse)?)),
            Address::Socket(socket_address) => {
                let ip = socket_address.ip().ok_or_else(|| {
                    format!("address {address}: a listener needs an IP address, {address} is a name")
                })?;
                if listener.quic.is_some() || listener.udp.is_some() {
                    let sockets = bind_all(Type::DGRAM, ip, workers, true).map_err(refuse)?;
                    let sockets: Vec<_> = sockets.into_iter().map(UdpSocket::from).collect();
                    let bound = sockets[0].local_addr().map_err(refuse)?;
                    let kind = SocketKind::Udp(sockets);
                    return Ok(Self {
                        configured: address.clone(),
                        bound: Address::from(bound),
                        reuse_port,
                        kind,
                    });
                }
                let sockets = bind_tcp(ip, if reuse_port { workers } else { 1 }, reuse_port);
                let sockets = sockets.map_err(refuse)?;
                let bound = sockets[0].local_addr().map_err(refuse)?;
                (Address::from(bound), SocketKind::Tcp(sockets))
            }
        };
        Ok(Self { configured: address.clone(), bound, reuse_port, kind })
    }

    /// Lets clients connect; they wait until a worker accepts.
    ///
    /// # Errors
    /// What the system said, with the address.
    pub fn listen(&self, listener: &Listener) -> Result<(), String> {
        let backlog = i32::try_from(listener.tcp_backlog_size).unwrap_or(i32::MAX);
        let SocketKind::Tcp(sockets) = &self.kind else { return Ok(()) };
        sockets
            .iter()
            .try_for_each(|socket| SockRef::from(socket).listen(backlog))
            .map_err(|error| format!("address {}: cannot listen: {error}", self.configured))
    }

    /// The bound IP address and port; `None` for a Unix socket.
    #[must_use]
    pub fn bound_ip(&self) -> Option<SocketAddr> {
        match &self.bound {
            Address::Socket(SocketAddress { host: Host::Ip(ip), port }) => Some(SocketAddr::new(*ip, *port)),
            Address::Socket(_) | Address::Pipe(_) => None,
        }
    }
}

fn bind_tcp(address: SocketAddr, count: usize, reuse_port: bool) -> std::io::Result<Vec<TcpListener>> {
    Ok(bind_all(Type::STREAM, address, count, reuse_port)?.into_iter().map(TcpListener::from).collect())
}

fn bind_all(kind: Type, address: SocketAddr, count: usize, reuse_port: bool) -> std::io::Result<Vec<Socket>> {
    if reuse_port {
        // With SO_REUSEPORT another process of the same user could hold the port too and would get a share of
        // our connections in silence: a plain bind first tells.
        drop(socket(kind, address, false)?);
    }
    let first = socket(kind, address, reuse_port)?;
    let bound = first.local_addr()?.as_socket().unwrap_or(address);
    let mut sockets = vec![first];
    for _ in 1..count {
        sockets.push(socket(kind, bound, reuse_port)?);
    }
    Ok(sockets)
}

fn socket(kind: Type, address: SocketAddr, reuse_port: bool) -> std::io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), kind, None)?;
    socket.set_nonblocking(true)?;
    if kind == Type::STREAM {
        socket.set_reuse_address(true)?;
    }
    if reuse_port {
        socket.set_reuse_port(true)?;
    }
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.bind(&address.into())?;
    Ok(socket)
}

fn bind_pipe(path: &str) -> std::io::Result<UnixListener> {
    let listener = match path.strip_prefix('@') {
        Some(name) => {
            use std::os::linux::net::SocketAddrExt;
            UnixListener::bind_addr(&std::os::unix::net::SocketAddr::from_abstract_name(name)?)?
        }
        None => {
            // A socket file that nobody answers on is left over from a process that died.
            if std::os::unix::net::UnixStream::connect(path).is_err() {
                let _absent_is_fine = std::fs::remove_file(path);
            }
            UnixListener::bind(path)?
        }
    };
    listener.set_nonblocking(true)?;
    Ok(listener)
}
