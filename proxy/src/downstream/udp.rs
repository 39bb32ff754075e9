//! One worker's socket of a UDP listener: takes datagrams and hands them to sessions.
//!
//! One rule: a listener that goes begins no sessions, and those that it has go on until they are idle or the drain is over.

use std::cell::RefCell;
use std::io;
use std::net::UdpSocket;
use std::rc::Rc;
use std::sync::Arc;

use tokio::net::UdpSocket as Socket;

use super::local::Local;
use crate::drain::{Draining, Phase};
use crate::exchange::udp::Sessions;
use crate::limits::UDP_DRAIN_LOOK;
use crate::observe::listener::ListenerMetric;
use crate::snapshot::Listener;

/// Serves `socket` until the drain is over. Must run inside a `LocalSet`.
///
/// # Errors
/// When the system refuses the socket.
pub(super) fn start(
    socket: UdpSocket,
    listener: Rc<RefCell<Arc<Listener>>>,
    local: Rc<Local>,
    draining: Draining,
) -> io::Result<()> {
    socket.set_nonblocking(true)?;
    let socket = Rc::new(Socket::from_std(socket)?);
    tokio::task::spawn_local(run(socket, listener, local, draining));
    Ok(())
}

async fn run(
    socket: Rc<Socket>,
    listener: Rc<RefCell<Arc<Listener>>>,
    local: Rc<Local>,
    mut draining: Draining,
) {
    let mut buffer = vec![0; usize::from(u16::MAX)];
    let mut sessions: Option<Sessions> = None;
    let mut leaving = false;
    let mut stopping = draining.clone();
    loop {
        tokio::select! {
            biased;
            () = stopping.reached(Phase::Stopped) => return,
            () = draining.reached(Phase::Draining), if !leaving => leaving = true,
            () = tokio::time::sleep(UDP_DRAIN_LOOK), if leaving => {
                if sessions.as_ref().is_none_or(Sessions::is_empty) {
                    return;
                }
            }
            read = socket.recv_from(&mut buffer) => {
                let current = Arc::clone(&listener.borrow());
                let Some(policy) = &current.udp else { continue };
                let (length, client) = match read {
                    Ok(read) => read,
                    Err(_) => {
                        policy.failed();
                        continue;
                    }
                };
                if length > usize::from(policy.model.downstream_bytes_max) {
                    current.stats.counters().inc(ListenerMetric::UdpRxDatagramDropped);
                    continue;
                }
                // Another policy begins anew, as a listener that is replaced does in Envoy.
                let kept = sessions.take().filter(|sessions| Arc::ptr_eq(sessions.policy(), policy));
                let taking =
                    sessions.insert(kept.unwrap_or_else(|| Sessions::new(Rc::clone(&socket), Arc::clone(policy))));
                taking.take(&local.live.load().clusters, client, &buffer[..length], leaving);
            }
        }
    }
}
