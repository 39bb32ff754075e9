//! Connections: accepted, bounded, served, and drained at the end.
//!
//! One rule: no connection outlives the certificate that it was let in with.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use super::tls;
use crate::discovery::Peer;
use crate::limits;

/// How the connections of one listener are served.
#[derive(Clone)]
pub struct Service {
    /// Answers requests.
    pub router: Router,
    /// TLS with the mesh's trust domain; `None` is plain.
    pub tls: Option<(TlsAcceptor, Arc<str>)>,
    /// Ends everything.
    pub stop: CancellationToken,
    /// Owns the connections' tasks.
    pub tasks: TaskTracker,
}

/// Accepts until stopped. Above the limit of connections, the next one waits in the kernel.
pub async fn run(listener: TcpListener, service: Service) {
    let room = Arc::new(Semaphore::new(limits::CONNECTIONS_MAX));
    loop {
        let accepted = async {
            let permit = Arc::clone(&room).acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            () = service.stop.cancelled() => return,
            accepted = accepted => accepted,
        };
        match accepted {
            Ok((stream, address)) => {
                let connection = connection(service.clone(), stream, address);
                service.tasks.spawn(async move {
                    connection.await;
                    drop(permit);
                });
            }
            Err(error) => {
                // Out of file descriptors, most likely: trying at once would only spin.
                tracing::warn!(%error, "connection was not accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn connection(service: Service, stream: TcpStream, address: SocketAddr) {
    let _ = stream.set_nodelay(true);
    let Some((acceptor, trust_domain)) = service.tls.clone() else {
        return serve(service, stream, None).await;
    };
    let handshake = tokio::time::timeout(limits::HANDSHAKE_TIMEOUT, acceptor.accept(stream));
    let stream = tokio::select! {
        () = service.stop.cancelled() => return,
        stream = handshake => stream,
    };
    let stream = match stream {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return tracing::debug!(%address, %error, "TLS handshake failed"),
        Err(_) => return tracing::debug!(%address, "TLS handshake took too long"),
    };
    let chain = stream.get_ref().1.peer_certificates();
    let peer = match chain.map(|chain| tls::peer(&trust_domain, chain, address)).transpose() {
        Ok(peer) => peer,
        Err(error) => return tracing::warn!(%address, error, "client certificate is not of this mesh"),
    };
    serve(service, stream, peer).await;
}

async fn serve(
    service: Service,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: Option<Peer>,
) {
    let expired = expiry(peer.as_ref().map(|peer| peer.not_after));
    let router = service.router.map_request(move |mut request: http::Request<hyper::body::Incoming>| {
        if let Some(peer) = &peer {
            request.extensions_mut().insert(peer.clone());
        }
        request.map(axum::body::Body::new)
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits::REQUEST_HEAD_TIMEOUT)
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(limits::KEEPALIVE_INTERVAL)
        .keep_alive_timeout(limits::KEEPALIVE_TIMEOUT);
    let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        result = connection.as_mut() => {
            if let Err(error) = result {
                tracing::debug!(%error, "connection ended");
            }
            return;
        }
        () = service.stop.cancelled() => {}
        () = expired => tracing::info!("connection outlived the client's certificate"),
    }
    connection.as_mut().graceful_shutdown();
    // Streams of proxies end only when they want to; they connect again elsewhere or later.
    let _ = tokio::time::timeout(limits::CONNECTION_GRACE, connection).await;
}

/// Ends when a certificate does; never without one.
fn expiry(not_after: Option<SystemTime>) -> impl Future<Output = ()> {
    let left = not_after.map(|end| end.duration_since(SystemTime::now()).unwrap_or_default());
    async move {
        match left {
            Some(left) => tokio::time::sleep(left).await,
            None => std::future::pending().await,
        }
    }
}
