//! One worker: accepts connections on its sockets and serves each in a task of its own.
//!
//! The worker follows the live snapshot: sockets that appear are accepted on, sockets that went are closed, and
//! connections of a chain that left the configuration are drained. One rule: what did not change is not touched.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use xds::model::ListenerName;

use super::accept::{self, AcceptEvent, Accepted, Balance, ConnectionLimit, Listening, Seat};
use super::chain_drains::ChainDrains;
use super::connection;
use super::local::Local;
use super::turns::Turns;
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
}

impl Shared {
    /// For so many `workers`, which cut connections of a drained chain after `drain_time`.
    #[must_use]
    pub fn new(live: Arc<Live>, workers: usize, drain_time: Duration) -> Self {
        let connections = ConnectionLimit::new("downstream_connections", limits::DOWNSTREAM_CONNECTIONS_MAX);
        Self { live, workers, drain_time, connections, seats: Mutex::default() }
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
        }
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
            match shared.listening(index, listener, sockets) {
                Ok(listening) => {
                    accepting.insert(key, start(listening, listener, sockets, shared, local));
                }
                Err(error) => {
                    tracing::error!(%error, listener = %name, "a worker cannot use a listener's socket");
                }
            }
        }
    }
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
