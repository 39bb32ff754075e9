//! The drains of one worker's filter chains: whoever serves a connection watches its chain's.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::drain::{Drain, Draining};
use crate::snapshot::{Chain, Snapshot};

/// Drains by chain.
pub(super) struct ChainDrains {
    entries: RefCell<HashMap<*const Chain, Entry>>,
    drain_time: Duration,
}

struct Entry {
    /// Keeps the chain's address from being used again.
    _chain: Arc<Chain>,
    drain: Rc<Drain>,
}

impl ChainDrains {
    pub(super) fn new(drain_time: Duration) -> Self {
        Self { entries: RefCell::default(), drain_time }
    }

    /// A handle for a connection of `chain`.
    pub(super) fn watch(&self, chain: &Arc<Chain>) -> Draining {
        let mut entries = self.entries.borrow_mut();
        let entry = entries
            .entry(Arc::as_ptr(chain))
            .or_insert_with(|| Entry { _chain: Arc::clone(chain), drain: Rc::new(Drain::new()) });
        entry.drain.watch()
    }

    /// Drains the connections of chains that are not in `snapshot`, and cuts what is left after the drain time.
    pub(super) fn drain_all_but(&self, snapshot: &Snapshot) {
        let kept: HashSet<*const Chain> = snapshot
            .listeners
            .values()
            .flat_map(|listener| listener.chains.iter().chain(&listener.default_chain))
            .map(Arc::as_ptr)
            .collect();
        let gone: Vec<Entry> = {
            let mut entries = self.entries.borrow_mut();
            entries.extract_if(|chain, _| !kept.contains(chain)).map(|(_, entry)| entry).collect()
        };
        for entry in gone {
            entry.drain.start();
            let limit = self.drain_time;
            tokio::task::spawn_local(async move {
                let finished = tokio::time::timeout(limit, entry.drain.finished()).await;
                if finished.is_err() {
                    entry.drain.stop();
                    entry.drain.finished().await;
                }
            });
        }
    }

    /// Drains every connection.
    pub(super) fn drain_all(&self) {
        self.entries.borrow().values().for_each(|entry| entry.drain.start());
    }

    /// Cuts every connection.
    pub(super) fn stop_all(&self) {
        self.entries.borrow().values().for_each(|entry| entry.drain.stop());
    }
}
