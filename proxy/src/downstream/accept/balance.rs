//! Spreads accepted connections evenly over workers (Envoy's `exact_balance`).
//!
//! One worker accepts and hands each connection to the worker that has the fewest. Worth it for few, long
//! connections; otherwise sockets of their own cost nothing and spread well enough.

use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::mpsc;

use crate::limits::HANDED_CONNECTIONS_MAX;

/// How many connections of one listener each worker has, and how to give it one more.
#[derive(Debug)]
pub struct Balance {
    loads: Vec<AtomicUsize>,
    inboxes: Vec<mpsc::Sender<Handed>>,
}

/// One worker's place in a [`Balance`].
#[derive(Debug)]
pub struct Seat {
    pub(super) balance: Arc<Balance>,
    pub(super) index: usize,
    pub(super) inbox: mpsc::Receiver<Handed>,
}

/// A connection in the count of a worker.
#[derive(Debug)]
pub struct Load {
    balance: Arc<Balance>,
    index: usize,
}

/// A connection on its way to another worker.
#[derive(Debug)]
pub struct Handed {
    pub(super) socket: TcpStream,
    pub(super) load: Load,
}

impl Balance {
    /// A balance for so many workers, and the seat of each. The first one's worker is to accept.
    #[must_use]
    pub fn seats(workers: usize) -> Vec<Seat> {
        let (senders, inboxes): (Vec<_>, Vec<_>) =
            (0..workers).map(|_| mpsc::channel(HANDED_CONNECTIONS_MAX)).unzip();
        let loads = (0..workers).map(|_| AtomicUsize::new(0)).collect();
        let balance = Arc::new(Self { loads, inboxes: senders });
        let seat = |(index, inbox)| Seat { balance: balance.clone(), index, inbox };
        inboxes.into_iter().enumerate().map(seat).collect()
    }

    /// The worker with the fewest connections, the first among equals.
    fn least_loaded(&self) -> usize {
        let load = |index: &usize| self.loads[*index].load(Ordering::Relaxed);
        (0..self.loads.len()).min_by_key(load).unwrap_or_default()
    }
}

impl Seat {
    /// Counts a connection for the least loaded worker. Gives it back, counted here, when that is this worker or
    /// one that cannot take it.
    pub(super) fn place(&self, socket: TcpStream) -> Option<Handed> {
        let index = self.balance.least_loaded();
        let handed = Handed { socket, load: Load::new(&self.balance, index) };
        if index == self.index {
            return Some(handed);
        }
        let refused = self.balance.inboxes[index].try_send(handed).err()?;
        let socket = refused.into_inner().socket;
        Some(Handed { socket, load: Load::new(&self.balance, self.index) })
    }
}

impl Load {
    fn new(balance: &Arc<Balance>, index: usize) -> Self {
        balance.loads[index].fetch_add(1, Ordering::Relaxed);
        Self { balance: balance.clone(), index }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.balance.loads[self.index].fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn connections_go_where_the_fewest_are() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let connect = || TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let mut seats = Balance::seats(3);
        let first = seats[0].place(connect()).expect("worker 0 is as idle as any");
        assert!(seats[0].place(connect()).is_none(), "the second goes to worker 1");
        assert!(seats[0].place(connect()).is_none(), "the third goes to worker 2");
        assert!(seats[0].place(connect()).is_some(), "then worker 0 again");
        drop(seats[1].inbox.try_recv().expect("worker 1 got one"));
        drop(first);
        assert_eq!(seats[0].balance.least_loaded(), 0);
        assert!(seats[2].inbox.try_recv().is_ok());
    }

    #[test]
    fn a_worker_that_is_gone_gets_nothing() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let connect = || TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let mut seats = Balance::seats(2);
        drop(seats.pop());
        let _first = seats[0].place(connect()).unwrap();
        let second = seats[0].place(connect()).expect("the accepting worker keeps it");
        assert_eq!(second.load.index, 0);
    }
}
