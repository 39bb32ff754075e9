//! A connection to an endpoint's address, before anything is said on it.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpSocket, UnixStream};
use xds::model::{Address, TcpKeepalive};

use crate::codec::io::Stream;
use crate::error::{Error, Reason};

/// Connects to `address`; without Nagle's delay, and with the keepalive asked for. Waits as long as the system
/// does: the caller sets the limit.
///
/// # Errors
/// `ConnectFailed`, naming the address and what the system said.
pub async fn connect(address: &Address, keepalive: Option<TcpKeepalive>) -> Result<Stream, Error> {
    let connected = match address {
        Address::Socket(socket) => match socket.ip() {
            Some(ip) => tcp(ip, keepalive).await,
            None => Err(io::Error::new(io::ErrorKind::InvalidInput, "the name is not resolved")),
        },
        Address::Pipe(path) => unix(path).await,
    };
    connected.map_err(|error| Error::new(Reason::ConnectFailed, format!("connect to {address}: {error}")))
}

async fn tcp(address: SocketAddr, keepalive: Option<TcpKeepalive>) -> io::Result<Stream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_nodelay(true)?;
    if let Some(TcpKeepalive { probes, time, interval }) = keepalive {
        let mut settings = socket2::TcpKeepalive::new();
        if let Some(time) = time {
            settings = settings.with_time(time);
        }
        if let Some(interval) = interval {
            settings = settings.with_interval(interval);
        }
        if let Some(probes) = probes {
            settings = settings.with_retries(probes);
        }
        socket2::SockRef::from(&socket).set_tcp_keepalive(&settings)?;
    }
    Ok(Stream::Tcp(socket.connect(address).await?))
}

async fn unix(path: &str) -> io::Result<Stream> {
    let stream = match path.strip_prefix('@') {
        None => UnixStream::connect(path).await?,
        Some(name) => {
            use std::os::linux::net::SocketAddrExt;
            let address = std::os::unix::net::SocketAddr::from_abstract_name(name)?;
            // A Unix socket's connect does not wait for a network.
            let stream = std::os::unix::net::UnixStream::connect_addr(&address)?;
            stream.set_nonblocking(true)?;
            UnixStream::from_std(stream)?
        }
    };
    Ok(Stream::Unix(stream))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_connection_has_no_delay_and_the_keepalive_asked_for() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let keepalive = TcpKeepalive {
            probes: Some(4),
            time: Some(Duration::from_secs(33)),
            interval: Some(Duration::from_secs(5)),
        };
        let address = listener.local_addr().unwrap().into();
        let stream = connect(&address, Some(keepalive)).await.unwrap();
        let socket = stream.tcp().unwrap();
        assert!(socket.nodelay().unwrap(), "nodelay is set");
        let socket = socket2::SockRef::from(socket);
        assert!(socket.keepalive().unwrap(), "keepalive is on");
        assert_eq!(socket.tcp_keepalive_time().unwrap(), Duration::from_secs(33));
        assert_eq!(socket.tcp_keepalive_interval().unwrap(), Duration::from_secs(5));
        assert_eq!(socket.tcp_keepalive_retries().unwrap(), 4);
    }

    #[tokio::test]
    async fn a_refused_connection_names_the_address() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let error = connect(&address.into(), None).await.unwrap_err();
        assert_eq!(error.reason(), Reason::ConnectFailed);
        assert!(error.detail().contains(&address.to_string()), "{error}");
    }

    #[tokio::test]
    async fn a_name_that_is_not_resolved_is_an_error() {
        let address = Address::Socket(xds::model::SocketAddress {
            host: xds::model::Host::Name("nowhere.test".to_owned()),
            port: 80,
        });
        let error = connect(&address, None).await.unwrap_err();
        assert!(error.detail().contains("nowhere.test:80"), "{error}");
    }

    #[tokio::test]
    async fn pipes_are_files_or_abstract() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let listener = tokio::net::UnixListener::bind(&path).unwrap();
        let address = Address::Pipe(path.to_str().unwrap().to_owned());
        let mut stream = connect(&address, None).await.unwrap();
        let (mut peer, _) = listener.accept().await.unwrap();
        peer.write_all(b"hi").await.unwrap();
        drop(peer);
        let mut read = String::new();
        stream.read_to_string(&mut read).await.unwrap();
        assert_eq!(read, "hi");
        let name = format!("tombolo-test-{}", std::process::id());
        use std::os::linux::net::SocketAddrExt;
        let abstract_address = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
        let _listener = std::os::unix::net::UnixListener::bind_addr(&abstract_address).unwrap();
        assert!(connect(&Address::Pipe(format!("@{name}")), None).await.is_ok(), "an abstract socket");
    }
}
