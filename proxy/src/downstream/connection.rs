//! The journey of one accepted connection: listener filters, filter chain, TLS, and then HTTP or bytes.

use std::cell::OnceCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use xds::model::{Address, CodecType, ListenerFilter};

use super::accept::{Accepted, Places};
use super::handshake::{self, Agreed, Failed};
use super::http::{Serving, serve as serve_http};
use super::inspect::{self, Patience, Refused};
use super::local::Local;
use super::turns::Turns;
use crate::clock;
use crate::codec::io::Stream;
use crate::drain::{Draining, Phase};
use crate::exchange::{raw, tcp};
use crate::limits::HANDSHAKE_TIMEOUT;
use crate::observe::attributes::Attributes;
use crate::observe::listener::ListenerMetric;
use crate::observe::record::{ConnectionFacts, Place, TlsFacts};
use crate::snapshot::{Arrival, Chain, ChainAction, Held, Listener};

/// Serves a connection to its end.
pub(super) async fn serve(accepted: Box<Accepted>, listener: Arc<Listener>, local: Rc<Local>) {
    let stats = Arc::clone(listener.stats.counters());
    stats.inc(ListenerMetric::CxTotal);
    stats.inc(ListenerMetric::CxActive);
    journey(accepted, listener, &local).await;
    stats.dec(ListenerMetric::CxActive);
    stats.inc(ListenerMetric::CxDestroy);
}

/// What a connection holds as long as it is: its places in all the counts.
struct Kept {
    _counted: Places,
    _held: Held,
}

/// A connection of which all is known that is decided before its first request.
struct Ready {
    stream: Stream,
    chain: Arc<Chain>,
    alpn: Option<Vec<u8>>,
    facts: Rc<ConnectionFacts>,
    draining: Draining,
    _kept: Box<Kept>,
}

async fn journey(accepted: Box<Accepted>, listener: Arc<Listener>, local: &Rc<Local>) {
    // In a box: what only the beginning needs must not make every connection's task larger.
    let Some(ready) = Box::pin(prepare(accepted, &listener, local)).await else { return };
    let buffer_limit = listener.model.per_connection_buffer_limit_bytes;
    drop(listener);
    let Ready { stream, chain, alpn, facts, draining, _kept } = *ready;
    match &chain.action {
        ChainAction::Tcp(policy) => {
            let clusters = Arc::clone(&local.live.load().clusters);
            let pools = &local.worker.pools;
            Box::pin(tcp::serve(stream, buffer_limit, policy, &clusters, pools, facts, stopped(draining)))
                .await;
        }
        ChainAction::Echo => Box::pin(raw::echo(stream, stopped(draining))).await,
        ChainAction::Direct(bytes) => Box::pin(raw::answer(stream, bytes, stopped(draining))).await,
        ChainAction::Http(http) => {
            let codec = codec(http.manager.codec_type, alpn.as_deref());
            let served = Serving {
                http: http.clone(),
                facts,
                live: Arc::clone(&local.live),
                worker: Rc::clone(&local.worker),
            };
            serve_http(stream, codec, served, draining).await;
        }
    }
}

async fn stopped(mut draining: Draining) {
    draining.reached(Phase::Stopped).await;
}

/// Listener filters, filter chain and TLS; `None` if the connection ends there.
async fn prepare(accepted: Box<Accepted>, listener: &Arc<Listener>, local: &Rc<Local>) -> Option<Box<Ready>> {
    let stats = listener.stats.counters();
    let model = &listener.model;
    let Accepted { stream, local: bound, remote, places } = *accepted;
    let mut arrival = Arrival::new(bound, remote);
    let patience = Patience {
        timeout: model.listener_filters_timeout,
        continue_on_timeout: model.continue_on_listener_filters_timeout,
    };
    let mut stream = match inspect::inspect(
        stream,
        &model.listener_filters,
        patience,
        listener.proxy_protocol.as_deref(),
        &mut arrival,
    )
    .await
    {
        Ok(stream) => stream,
        Err(refused) => {
            let metric = match refused {
                Refused::Timeout => ListenerMetric::PreCxTimeout,
                Refused::Closed | Refused::ProxyProtocol(_) => ListenerMetric::PreCxError,
            };
            stats.inc(metric);
            tracing::debug!(?refused, listener = %model.name, "connection refused by a listener filter");
            return None;
        }
    };
    let Some(chain) = choose(listener, &arrival) else {
        stats.inc(ListenerMetric::NoFilterChainMatch);
        tracing::debug!(?arrival, listener = %model.name, "connection matches no filter chain");
        return None;
    };
    // The drain is watched from before the handshake, so that a chain that goes takes this connection along.
    let draining = local.drains.watch(chain);
    let held = match chain.rules.admit(clock::since_start()) {
        Ok(held) => held,
        Err(refusal) => {
            raw::hold(&mut stream, refusal.delay()).await;
            return None;
        }
    };
    let (stream, agreed) = match secure(stream, chain, &local.handshakes).await {
        Ok(secured) => secured,
        Err(failed) => {
            stats.inc(match failed {
                Failed::Timeout(_) => ListenerMetric::SslHandshakeTimeout,
                Failed::Io(_) | Failed::Refused(_) => ListenerMetric::SslConnectionError,
            });
            tracing::debug!(%failed, ?remote, listener = %model.name, "no TLS connection");
            return None;
        }
    };
    if agreed.is_some() {
        stats.inc(ListenerMetric::SslHandshake);
    }
    let alpn = agreed.as_ref().and_then(|agreed| agreed.alpn.clone());
    let facts = facts(listener, chain, &arrival, bound, remote, agreed);
    Some(Box::new(Ready {
        stream,
        chain: Arc::clone(chain),
        alpn,
        facts,
        draining,
        _kept: Box::new(Kept { _counted: places, _held: held }),
    }))
}

pub(super) fn choose<'a>(listener: &'a Listener, arrival: &Arrival) -> Option<&'a Arc<Chain>> {
    let chosen = listener.matcher.choose(arrival).and_then(|index| listener.chains.get(index));
    chosen.or(listener.default_chain.as_ref())
}

async fn secure(stream: Stream, chain: &Chain, turns: &Turns) -> Result<(Stream, Option<Agreed>), Failed> {
    let Some(tls) = &chain.tls else { return Ok((stream, None)) };
    let config = tls.session().map_err(|error| {
        tracing::warn!(%error, "a connection cannot be secured");
        Failed::Refused(rustls::Error::General(error.detail().to_owned()))
    })?;
    let configured = chain.model.transport_socket_connect_timeout;
    let timeout = if configured.is_zero() { HANDSHAKE_TIMEOUT } else { configured };
    let (stream, agreed) = handshake::accept(stream, config, timeout, turns).await?;
    Ok((stream, Some(agreed)))
}

/// Which version to speak, when that is known before the first byte.
fn codec(configured: CodecType, alpn: Option<&[u8]>) -> CodecType {
    match (configured, alpn) {
        (CodecType::Auto, Some(b"h2")) => CodecType::Http2,
        (CodecType::Auto, Some(_)) => CodecType::Http1,
        (configured, _) => configured,
    }
}

pub(super) fn facts(
    listener: &Listener,
    chain: &Chain,
    arrival: &Arrival,
    bound: Option<SocketAddr>,
    remote: Option<SocketAddr>,
    agreed: Option<Agreed>,
) -> Rc<ConnectionFacts> {
    let server_name = agreed
        .as_ref()
        .and_then(|agreed| agreed.server_name.clone())
        .or_else(|| arrival.server_name.as_deref().map(Arc::from));
    let tls: Option<TlsFacts> = agreed.map(|agreed| agreed.facts);
    let proxied = listener
        .model
        .listener_filters
        .iter()
        .any(|filter| matches!(filter, ListenerFilter::ProxyProtocol(_) | ListenerFilter::OriginalDst));
    let path = match &listener.model.address {
        Address::Pipe(path) => Arc::from(path.as_str()),
        Address::Socket(_) => Arc::from(""),
    };
    let place = |found: Option<SocketAddr>, socket: Option<SocketAddr>| {
        let address = if proxied { found.or(socket) } else { socket };
        address.map_or_else(|| Place::Pipe(Arc::clone(&path)), Place::Ip)
    };
    let early_name = arrival.server_name.as_deref().map(Arc::from);
    let facts = ConnectionFacts {
        id: next_id(),
        listener: Arc::from(listener.model.name.as_str()),
        filter_chain: Arc::from(chain.model.name.as_str()),
        remote: place(arrival.source, remote),
        local: place(arrival.destination, bound),
        direct_remote: place(None, remote),
        server_name,
        tlvs: arrival.tlvs.clone(),
        tls,
        remote_text: OnceCell::new(),
        attributes: Attributes::NONE,
    };
    Rc::new(chain.rules.note(facts, early_name))
}

/// Connection ids are unique in the process.
fn next_id() -> u64 {
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
    NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
}
