//! One worker: accepts connections on its sockets and serves each in a task of its own.
//!
//! The worker follows the live snapshot: sockets that appear are accepted on, sockets that went are closed, and
//! connections of a chain that left the configuration are drained. One rule: what did not change is not touched.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::net::UdpSocket;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use xds::model::ListenerName;

use super::accept::{self, AcceptEvent, Accepted, Balance, ConnectionLimit, Listening, Seat};
use super::chain_drains::ChainDrains;
use super::connection;
use super::local::Local;
#[cfg(feature = "http3")]
use super::quic;
use super::turns::Turns;
use super::udp;
use crate::drain::{Drain, Draining, Phase};
use crate::exchange::context::Worker;
use crate::limits;
use crate::observe::listener::ListenerMetric;
use crate::snapshot::{Listener, Live, Snapshot, SocketKind, Sockets};

/// What all workers share.
#[derive(Debug)]
pub struct Shared {
    live: Arc<Live>,
    workers: usize,
    drain_time: Duration,
    connections: Arc<ConnectionLimit>,
    seats: Mutex<HashMap<usize, Vec<Option<Seat>>>>,
    #[cfg(feature = "http3")]
    lines: Mutex<HashMap<usize, Vec<Option<quic::Line>>>>,
}

impl Shared {
    /// For so many `workers`, which cut connections of a drained chain after `drain_time`.
    #[must_use]
    pub fn new(live: Arc<Live>, workers: usize, drain_time: Duration) -> Self {
        let connections = ConnectionLimit::new("downstream_connections", limits::DOWNSTREAM_CONNECTIONS_MAX);
        Self {
            live,
            workers,
            drain_time,
            connections,
            seats: Mutex::default(),
            #[cfg(feature = "http3")]
            lines: Mutex::default(),
        }
    }

    /// Worker `index`'s seat in the balance of a socket that all workers share.
    fn seat(&self, index: usize, sockets: &Arc<Sockets>) -> Option<Seat> {
        let mut seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        let key = Arc::as_ptr(sockets) as usize;
        let table =
            seats.entry(key).or_insert_with(|| Balance::seats(self.workers).into_iter().map(Some).collect());
        let seat = table.get_mut(index).and_then(Option::take);
        if table.iter().all(Option::is_none) {
            seats.remove(&key);
        }
        seat
    }

    fn listening(&self, index: usize, listener: &Listener, sockets: &Arc<Sockets>) -> io::Result<Listening> {
        match &sockets.kind {
            SocketKind::Unix(socket) => Listening::unix(socket.try_clone()?),
            SocketKind::Tcp(own) if listener.model.exact_balance => {
                let seat = self.seat(index, sockets).ok_or_else(|| io::Error::other("the seat is taken"))?;
                let socket = if index == 0 { Some(own[0].try_clone()?) } else { None };
                Listening::balanced(socket, seat)
            }
            SocketKind::Tcp(own) => Listening::tcp(own[index % own.len()].try_clone()?),
            SocketKind::Udp(_) => Err(io::Error::other("a UDP socket has no connections to accept")),
        }
    }

    /// Worker `index`'s end of the lines between the workers of a QUIC listener.
    #[cfg(feature = "http3")]
    fn line(&self, index: usize, sockets: &Arc<Sockets>) -> Option<quic::Line> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let key = Arc::as_ptr(sockets) as usize;
        let table =
            lines.entry(key).or_insert_with(|| quic::lines(self.workers).into_iter().map(Some).collect());
        let line = table.get_mut(index).and_then(Option::take);
        if table.iter().all(Option::is_none) {
            lines.remove(&key);
        }
        line
    }
}

/// Sockets that are accepted on, for a listener that may be replaced under them.
struct Accepting {
    sockets: Arc<Sockets>,
    listener: Rc<RefCell<Arc<Listener>>>,
    drain: Rc<Drain>,
}

/// Runs worker `index` until `draining` is stopped, or started and every connection is done. Must be called
/// inside a `LocalSet`.
pub async fn run(index: usize, shared: Arc<Shared>, mut draining: Draining) {
    let local = Rc::new(Local {
        live: Arc::clone(&shared.live),
        worker: Rc::new(Worker::new()),
        drains: ChainDrains::new(shared.drain_time),
        handshakes: Turns::new(),
    });
    let mut accepting: HashMap<(ListenerName, usize), Accepting> = HashMap::new();
    let mut leaving: Vec<Rc<Drain>> = Vec::new();
    let mut changes = shared.live.watch();
    loop {
        changes.mark_unchanged();
        let snapshot = shared.live.load();
        leaving.retain(|drain| !drain.is_finished());
        leave(&snapshot, &mut accepting, &mut leaving);
        arrive(index, &snapshot, &mut accepting, &shared, &local);
        local.drains.drain_all_but(&snapshot);
        tokio::select! {
            changed = changes.changed() => if changed.is_err() { break },
            () = draining.reached(Phase::Draining) => break,
        }
    }
    leaving.extend(accepting.into_values().map(|entry| entry.drain));
    leaving.iter().for_each(|drain| drain.start());
    local.drains.drain_all();
    let finished = async {
        for drain in &leaving {
            drain.finished().await;
        }
    };
    tokio::select! {
        () = finished => {}
        () = draining.reached(Phase::Stopped) => {
            local.drains.stop_all();
            leaving.iter().for_each(|drain| drain.stop());
            // A connection that is cut says so, where its protocol has words for it.
            let said = async {
                for drain in &leaving {
                    drain.finished().await;
                }
            };
            let _said_or_late = tokio::time::timeout(limits::STOP_GRACE, said).await;
        }
    }
}

/// Stops accepting on sockets that are not in `snapshot`; their connections go on under their chains' drains.
fn leave(
    snapshot: &Snapshot,
    accepting: &mut HashMap<(ListenerName, usize), Accepting>,
    leaving: &mut Vec<Rc<Drain>>,
) {
    accepting.retain(|(name, position), entry| {
        let listener = snapshot.listeners.get(name);
        let sockets = listener.and_then(|listener| listener.sockets.get(*position));
        let stays = sockets.is_some_and(|sockets| Arc::ptr_eq(sockets, &entry.sockets));
        if !stays {
            entry.drain.start();
            leaving.push(Rc::clone(&entry.drain));
        }
        stays
    });
}

/// Accepts on the sockets of `snapshot`; the listener behind a socket that stays is replaced.
fn arrive(
    index: usize,
    snapshot: &Snapshot,
    accepting: &mut HashMap<(ListenerName, usize), Accepting>,
    shared: &Arc<Shared>,
    local: &Rc<Local>,
) {
    for (name, listener) in &snapshot.listeners {
        for (position, sockets) in listener.sockets.iter().enumerate() {
            let key = (name.clone(), position);
            if let Some(entry) = accepting.get(&key) {
                *entry.listener.borrow_mut() = Arc::clone(listener);
                continue;
            }
            let started = match &sockets.kind {
                SocketKind::Udp(own) if listener.udp.is_some() => {
                    start_udp(index, own, listener, sockets, local)
                }
                SocketKind::Udp(own) => start_quic(index, own, listener, sockets, shared, local),
                SocketKind::Tcp(_) | SocketKind::Unix(_) => shared
                    .listening(index, listener, sockets)
                    .map(|listening| start(listening, listener, sockets, shared, local)),
            };
            match started {
                Ok(started) => {
                    accepting.insert(key, started);
                }
                Err(error) => {
                    tracing::error!(%error, listener = %name, "a worker cannot use a listener's socket");
                }
            }
        }
    }
}

fn start_udp(
    index: usize,
    own: &[UdpSocket],
    listener: &Arc<Listener>,
    sockets: &Arc<Sockets>,
    local: &Rc<Local>,
) -> io::Result<Accepting> {
    let socket = own[index % own.len()].try_clone()?;
    let current = Rc::new(RefCell::new(Arc::clone(listener)));
    let drain = Rc::new(Drain::new());
    udp::start(socket, Rc::clone(&current), Rc::clone(local), drain.watch())?;
    Ok(Accepting { sockets: Arc::clone(sockets), listener: current, drain })
}

#[cfg(feature = "http3")]
fn start_quic(
    index: usize,
    own: &[UdpSocket],
    listener: &Arc<Listener>,
    sockets: &Arc<Sockets>,
    shared: &Arc<Shared>,
    local: &Rc<Local>,
) -> io::Result<Accepting> {
    let line = shared.line(index, sockets).ok_or_else(|| io::Error::other("the line is taken"))?;
    let socket = own[index % own.len()].try_clone()?;
    let current = Rc::new(RefCell::new(Arc::clone(listener)));
    let drain = Rc::new(Drain::new());
    let limit = Arc::clone(&shared.connections);
    quic::start(socket, line, Rc::clone(&current), Rc::clone(local), limit, drain.watch())?;
    Ok(Accepting { sockets: Arc::clone(sockets), listener: current, drain })
}

/// A chain for QUIC is refused before anything is bound.
#[cfg(not(feature = "http3"))]
fn start_quic(
    _index: usize,
    _own: &[UdpSocket],
    _listener: &Arc<Listener>,
    _sockets: &Arc<Sockets>,
    _shared: &Arc<Shared>,
    _local: &Rc<Local>,
) -> io::Result<Accepting> {
    Err(io::Error::other("this build has no http3"))
}

fn start(
    listening: Listening,
    listener: &Arc<Listener>,
    sockets: &Arc<Sockets>,
    shared: &Arc<Shared>,
    local: &Rc<Local>,
) -> Accepting {
    let current = Rc::new(RefCell::new(Arc::clone(listener)));
    let drain = Rc::new(Drain::new());
    let (serving, within) = (Rc::clone(&current), Rc::clone(local));
    let serve = async move |accepted: Box<Accepted>| {
        let listener = Arc::clone(&serving.borrow());
        connection::serve(accepted, listener, Rc::clone(&within)).await;
    };
    let stats = Arc::clone(listener.stats.counters());
    let note = move |event| {
        stats.inc(match event {
            AcceptEvent::Overflow => ListenerMetric::CxOverflow,
            AcceptEvent::Exhausted => ListenerMetric::AcceptError,
            AcceptEvent::Panicked => ListenerMetric::CxPanicked,
        });
    };
    let limit = Arc::clone(&shared.connections);
    tokio::task::spawn_local(accept::run(listening, limit, drain.watch(), note, serve));
    Accepting { sockets: Arc::clone(sockets), listener: current, drain }
}
