//! gRPC channels to the endpoints of a cluster, for the proxy's own calls.
//!
//! Every connection asks the cluster anew which endpoint to use and with which certificate, so that a rotated
//! identity and a moved control plane need no restart.

use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tonic::transport::{Channel, Endpoint, Uri};
use xds::model::{Address, ClusterName};

use crate::identity::AlpnFallback;
use crate::snapshot::Live;

/// How often an idle channel is asked whether it still lives, and how long the answer may take.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(5);

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A channel to `cluster`, connected when first used and again when it breaks.
pub(super) fn to_cluster(cluster: ClusterName, live: Arc<Live>) -> Channel {
    let connector = tower::service_fn(move |_: Uri| {
        let (cluster, live) = (cluster.clone(), Arc::clone(&live));
        async move { connect(&cluster, &live).await }
    });
    Endpoint::from_static("http://control-plane.invalid")
        .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT)
        .keep_alive_while_idle(true)
        .connect_with_connector_lazy(connector)
}

async fn connect(name: &ClusterName, live: &Live) -> Result<TokioIo<Box<dyn Io>>, BoxError> {
    let snapshot = live.load();
    let cluster = snapshot
        .clusters
        .get(name.as_str())
        .ok_or_else(|| format!("cluster {name} of the control plane is not there or has no endpoint yet"))?;
    let host = cluster.pick(&Default::default(), &mut fastrand::Rng::new())?.host;
    let Address::Socket(_) = host.address() else {
        return Err(format!("cluster {name}: a control plane behind a Unix socket is not supported").into());
    };
    let target = host.socket_address().ok_or_else(|| format!("{}: not resolved", host.address()))?;
    let timeout = cluster.model().connect_timeout;
    let tcp = tokio::time::timeout(timeout, TcpStream::connect(target))
        .await
        .map_err(|_| format!("{target}: no connection within {timeout:?}"))?
        .map_err(|error| format!("{target}: {error}"))?;
    tcp.set_nodelay(true)?;
    let Some(tls) = host.transport().tls() else { return Ok(TokioIo::new(Box::new(tcp))) };
    let session = tls.session()?;
    let config = Arc::clone(session.config_for(AlpnFallback::Http2));
    let server_name = match tls.model().sni.as_str() {
        "" => ServerName::from(target.ip()),
        sni => ServerName::try_from(sni.to_owned())?,
    };
    let handshake = tokio_rustls::TlsConnector::from(config).connect(server_name, tcp);
    let stream = tokio::time::timeout(timeout, handshake)
        .await
        .map_err(|_| format!("{target}: no TLS handshake within {timeout:?}"))?
        .map_err(|error| format!("{target}: TLS: {error}"))?;
    Ok(TokioIo::new(Box::new(stream)))
}

/// What tonic needs of a connection.
trait Io: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin {}

impl<T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin> Io for T {}
