//! TLS towards an endpoint: which server name is asked for, and the handshake.

use std::net::IpAddr;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::io::AsyncWriteExt;
use tokio_rustls::TlsConnector;
use xds::model::{Address, ProxiedTransport, UpstreamTls};

use super::host::Host;
use super::origin::{self, Origin};
use crate::codec::io::Stream;
use crate::error::{Error, Reason};

/// The server name for a connection to `host`: `asked` (the request's authority, when the cluster has
/// `auto_sni`), else the endpoint's hostname if `auto_host_sni` says so, else the configured name. Without any
/// the endpoint's address stands in, for which TLS sends no name (RFC 6066 §3).
///
/// # Errors
/// `UpstreamTls` when the name is not a DNS name.
pub fn server_name(
    tls: &UpstreamTls,
    host: &Host,
    asked: Option<&str>,
) -> Result<ServerName<'static>, Error> {
    let hostname = Some(host.hostname()).filter(|name| tls.auto_host_sni && !name.is_empty());
    let name = asked.or(hostname).unwrap_or(&tls.sni);
    if name.is_empty() {
        let ip = match host.address() {
            Address::Socket(address) => address.ip().map(|address| address.ip()),
            Address::Pipe(_) => None,
        };
        return Ok(ServerName::from(ip.unwrap_or(IpAddr::from([127, 0, 0, 1]))));
    }
    ServerName::try_from(name.to_owned()).map_err(|_| {
        let detail = format!("server name for {}: {name:?} is not a DNS name", host.address());
        Error::new(Reason::UpstreamTls, detail)
    })
}

/// What of an authority can be a server name: its host, unless that is an address (Envoy's `auto_sni`).
#[must_use]
pub fn name_of_authority(authority: &str) -> Option<&str> {
    if authority.starts_with('[') {
        return None;
    }
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    (!host.is_empty() && host.parse::<IpAddr>().is_err()).then_some(host)
}

/// Says on `stream` who asked: `origin`, or this proxy itself.
///
/// # Errors
/// `ConnectFailed` when that cannot be said.
pub async fn introduce(
    stream: &mut Stream,
    model: &ProxiedTransport,
    origin: Option<&Origin>,
    address: &Address,
) -> Result<(), Error> {
    let own = stream.tcp().and_then(|socket| Some((socket.local_addr().ok()?, socket.peer_addr().ok()?)));
    let failed = |why: &dyn std::fmt::Display| {
        Error::new(Reason::ConnectFailed, format!("PROXY header to {address}: {why}"))
    };
    let header = origin::header(model, origin, own).map_err(|why| failed(&why))?;
    stream.write_all(&header).await.map_err(|why| failed(&why))
}

/// Speaks TLS on `stream`. Waits as long as the endpoint does: the caller sets the limit.
///
/// # Errors
/// `UpstreamTls` with what TLS said.
pub async fn secure(
    stream: Stream,
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    address: &Address,
) -> Result<Stream, Error> {
    match TlsConnector::from(config).connect(name, stream).await {
        Ok(tls) => Ok(Stream::TlsClient(Box::new(tls))),
        Err(error) => Err(Error::new(Reason::UpstreamTls, format!("TLS handshake with {address}: {error}"))),
    }
}

/// Whether both sides agreed on HTTP/2.
#[must_use]
pub fn agreed_on_h2(stream: &Stream) -> bool {
    stream.tls_client().and_then(|session| session.alpn_protocol()) == Some(b"h2")
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;
    use xds::model::{CommonTls, Endpoint, EndpointHealth, Locality, Metadata};

    use super::*;
    use crate::upstream::state::HostState;
    use crate::upstream::transport::Transport;

    fn host(hostname: &str) -> Host {
        let endpoint = Endpoint {
            address: std::net::SocketAddr::from(([10, 0, 0, 1], 443)).into(),
            hostname: hostname.to_owned(),
            health: EndpointHealth::Unknown,
            weight: 1,
            metadata: Metadata::default(),
            health_check_port: None,
            health_check_hostname: String::new(),
            disable_active_health_check: false,
        };
        let state = Arc::new(HostState::new(0, Instant::now()));
        Host::new(&endpoint, Arc::new(Locality::default()), 0, Transport::Plain, state)
    }

    #[tokio::test]
    async fn the_most_specific_server_name_wins() {
        let tls = |sni: &str, auto_host_sni| UpstreamTls {
            common: CommonTls::default(),
            sni: sni.to_owned(),
            auto_host_sni,
            auto_sni_san_validation: false,
        };
        for (asked, hostname, sni, auto_host, want) in [
            (Some("asked.test"), "host.test", "sni.test", true, "asked.test"),
            (None, "host.test", "sni.test", true, "host.test"),
            (None, "host.test", "sni.test", false, "sni.test"),
            (None, "", "sni.test", true, "sni.test"),
            (None, "", "", false, "10.0.0.1"),
        ] {
            let name = server_name(&tls(sni, auto_host), &host(hostname), asked).unwrap();
            assert_eq!(name.to_str(), want, "{asked:?}, {hostname:?}, {sni:?}, auto: {auto_host}");
        }
        let error = server_name(&tls("not a name", false), &host(""), None).unwrap_err();
        assert!(error.detail().contains("not a name"), "{error}");
    }

    #[test]
    fn an_authority_gives_its_host_unless_it_is_an_address() {
        for (authority, want) in [
            ("example.com:8443", Some("example.com")),
            ("example.com", Some("example.com")),
            ("10.1.2.3:80", None),
            ("10.1.2.3", None),
            ("[::1]:80", None),
            ("", None),
        ] {
            assert_eq!(name_of_authority(authority), want, "{authority}");
        }
    }
}
