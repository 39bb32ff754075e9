//! One worker's QUIC endpoint of a listener: from datagrams to connections that speak HTTP/3.
//!
//! Every worker has a UDP socket of its own and an endpoint of its own (RFC 9000); a datagram that the kernel gives to
//! the wrong one goes to the worker that its connection id names ([`route`]). One rule: what one unknown client may cost
//! before it has shown that it is where it says is limited and counted.

mod route;

mod session;

pub(super) use route::{Line, lines};

use std::cell::{Cell, RefCell};
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::rc::Rc;
use std::sync::Arc;

use quinn::{Endpoint, EndpointConfig, Incoming, TokioRuntime};
use rustls::pki_types::CertificateDer;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use xds::model::TransportProtocol;

use super::accept::ConnectionLimit;
use super::connection::{choose, facts};
use super::handshake::Agreed;
use super::http::{Serving, serve_h3};
use super::local::Local;
use crate::clock;
use crate::drain::{Draining, Phase};
use crate::limits;
use crate::observe::listener::ListenerMetric;
use crate::observe::peer::PeerCertificate;
use crate::observe::record::TlsFacts;
use crate::snapshot::{Arrival, Chain, ChainAction, Listener};

use session::Sessions;

/// A worker's endpoint and what its connections share.
struct Server {
    endpoint: Endpoint,
    bound: SocketAddr,
    listener: Rc<RefCell<Arc<Listener>>>,
    local: Rc<Local>,
    limit: Arc<ConnectionLimit>,
    sessions: Sessions,
    handshakes: Rc<Cell<usize>>,
}

/// Makes the endpoint. Must run inside a runtime.
fn endpoint(socket: UdpSocket, line: Line) -> io::Result<Endpoint> {
    let mut config = EndpointConfig::default();
    let ids = line.ids();
    config.cid_generator(move || Box::new(ids.clone()));
    let runtime = Arc::new(TokioRuntime);
    let socket = line.wrap(quinn::Runtime::wrap_udp_socket(&*runtime, socket)?);
    Endpoint::new_with_abstract_socket(config, Some(session::nobody()?), Arc::new(socket), runtime)
}

/// Serves QUIC on `socket` until the drain is over. Must run inside a `LocalSet`.
///
/// # Errors
/// When the system refuses the socket.
pub(super) fn start(
    socket: UdpSocket,
    line: Line,
    listener: Rc<RefCell<Arc<Listener>>>,
    local: Rc<Local>,
    limit: Arc<ConnectionLimit>,
    draining: Draining,
) -> io::Result<()> {
    let endpoint = endpoint(socket, line)?;
    let bound = endpoint.local_addr()?;
    let (sessions, handshakes) = (Sessions::default(), Rc::default());
    let server = Rc::new(Server { endpoint, bound, listener, local, limit, sessions, handshakes });
    tokio::task::spawn_local(run(server, draining));
    Ok(())
}

async fn run(server: Rc<Server>, mut draining: Draining) {
    let mut tasks = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            () = draining.reached(Phase::Draining) => break,
            Some(ended) = tasks.join_next() => server.note(ended),
            incoming = server.endpoint.accept() => match incoming {
                Some(incoming) => server.admit(incoming, &mut tasks),
                None => break,
            },
        }
    }
    server.endpoint.set_server_config(None);
    let all = async {
        while let Some(ended) = tasks.join_next().await {
            server.note(ended);
        }
    };
    let stopped = async {
        draining.reached(Phase::Stopped).await;
        sleep(limits::STOP_GRACE).await;
    };
    tokio::select! {
        () = all => {}
        // What does not end by itself is ended by dropping `tasks`.
        () = stopped => {}
    }
    drop(tasks);
    // The last words of closed connections are still to be sent.
    let _said_or_late = timeout(limits::DELAYED_CLOSE, server.endpoint.wait_idle()).await;
}

impl Server {
    fn note(&self, ended: Result<(), tokio::task::JoinError>) {
        if let Err(why) = ended
            && why.is_panic()
        {
            tracing::error!(error = %why, "a connection's task panicked; the connection is closed");
            self.listener.borrow().stats.counters().inc(ListenerMetric::CxPanicked);
        }
    }

    /// Takes a client, asks it to prove its address, or refuses it.
    fn admit(self: &Rc<Self>, incoming: Incoming, tasks: &mut JoinSet<()>) {
        let under_way = self.handshakes.get();
        let unproven = !incoming.remote_address_validated() && incoming.may_retry();
        if under_way >= limits::QUIC_UNPROVEN_MAX && unproven {
            // Costs us one datagram and no memory (RFC 9000 §8.1.2); it cannot fail where it may be sent.
            let _asked = incoming.retry();
            return;
        }
        let room = if under_way < limits::QUIC_HANDSHAKES_MAX { self.limit.admit() } else { None };
        let Some(open) = room else {
            self.listener.borrow().stats.counters().inc(ListenerMetric::CxOverflow);
            incoming.refuse();
            return;
        };
        let server = Rc::clone(self);
        tasks.spawn_local(async move {
            let listener = Arc::clone(&server.listener.borrow());
            let stats = Arc::clone(listener.stats.counters());
            stats.inc(ListenerMetric::CxTotal);
            stats.inc(ListenerMetric::CxActive);
            Box::pin(server.serve(incoming, listener)).await;
            stats.dec(ListenerMetric::CxActive);
            stats.inc(ListenerMetric::CxDestroy);
            drop(open);
        });
    }

    /// One connection to its end.
    async fn serve(&self, incoming: Incoming, listener: Arc<Listener>) {
        let stats = listener.stats.counters();
        let remote = canonical(incoming.remote_address());
        let here = SocketAddr::new(incoming.local_ip().unwrap_or_else(|| self.bound.ip()), self.bound.port());
        let arrival = Arrival {
            transport: TransportProtocol::Quic,
            application_protocols: vec!["h3".to_owned()],
            ..Arrival::new(Some(canonical(here)), Some(remote))
        };
        let Some(chain) = choose(&listener, &arrival).cloned() else {
            stats.inc(ListenerMetric::NoFilterChainMatch);
            return incoming.refuse();
        };
        // Watched from before the handshake, so that a chain that goes takes this connection along.
        let draining = self.local.drains.watch(&chain);
        let _held = match chain.rules.admit(clock::since_start()) {
            Ok(held) => held,
            Err(refusal) => {
                sleep(refusal.delay()).await;
                return incoming.refuse();
            }
        };
        let handshake = Handshake::begin(&self.handshakes);
        let connection = match self.shake_hands(incoming, &listener, &chain).await {
            Ok(connection) => connection,
            Err((metric, why)) => {
                stats.inc(metric);
                tracing::debug!(%why, %remote, listener = %listener.model.name, "no QUIC connection");
                return;
            }
        };
        drop(handshake);
        stats.inc(ListenerMetric::SslHandshake);
        let agreed = Some(agreed(&connection));
        let facts = facts(&listener, &chain, &arrival, arrival.destination, Some(remote), agreed);
        drop(listener);
        if let ChainAction::Http(http) = &chain.action {
            let (live, worker) = (Arc::clone(&self.local.live), Rc::clone(&self.local.worker));
            let serving = Serving { http: http.clone(), facts, live, worker };
            serve_h3(connection, serving, draining).await;
        }
    }

    async fn shake_hands(
        &self,
        incoming: Incoming,
        listener: &Listener,
        chain: &Chain,
    ) -> Result<quinn::Connection, (ListenerMetric, String)> {
        let failed = |why: String| (ListenerMetric::SslConnectionError, why);
        let (Some(tls), Some(options)) = (&chain.tls, &listener.model.quic) else {
            incoming.refuse();
            return Err(failed("the chain has no QUIC transport".to_owned()));
        };
        let config = tls.session().map_err(|error| error.detail().to_owned());
        let config = match config.and_then(|tls| self.sessions.config(&tls, options)) {
            Ok(config) => config,
            Err(why) => {
                tracing::warn!(%why, "a connection cannot be secured");
                incoming.refuse();
                return Err(failed(why));
            }
        };
        let connecting = incoming.accept_with(config).map_err(|why| failed(why.to_string()))?;
        match timeout(options.handshake_timeout, connecting).await {
            Ok(connection) => connection.map_err(|why| failed(why.to_string())),
            Err(_) => Err((ListenerMetric::SslHandshakeTimeout, "handshake not finished in time".to_owned())),
        }
    }
}

/// A handshake in the count.
struct Handshake(Rc<Cell<usize>>);

impl Handshake {
    fn begin(count: &Rc<Cell<usize>>) -> Self {
        count.set(count.get() + 1);
        Self(Rc::clone(count))
    }
}

impl Drop for Handshake {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

fn agreed(connection: &quinn::Connection) -> Agreed {
    let data = connection.handshake_data().and_then(|data| {
        let data: Box<quinn::crypto::rustls::HandshakeData> = data.downcast().ok()?;
        Some(*data)
    });
    let (alpn, server_name) = data.map_or((None, None), |data| (data.protocol, data.server_name));
    let certificates =
        connection.peer_identity().and_then(|peer| peer.downcast::<Vec<CertificateDer<'static>>>().ok());
    let facts = TlsFacts {
        version: "TLSv1.3",
        // `quinn` does not tell.
        cipher: "",
        peer: certificates.and_then(|chain| PeerCertificate::shared(&chain)),
        local_uri_sans: Arc::new([]),
    };
    Agreed { facts, server_name: server_name.map(|name| name.to_ascii_lowercase().into()), alpn }
}

/// An IPv4 client of an IPv6 socket is an IPv4 client to rules and logs.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}
