//! The proxies: who is connected, what each was told, what it took and what it refused.
//!
//! One rule: a proxy is known by its certificate; what it says of itself is shown, never believed.

pub mod proxy;

pub mod blame;

pub mod report;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;
use xds::wire::server::status::StreamStatus;

use self::proxy::{Known, Proxy};
use crate::ca::spiffe::SpiffeId;
use crate::limits;

struct Entry {
    proxy: Proxy,
    status: watch::Receiver<StreamStatus>,
}

impl Entry {
    fn is_connected(&self) -> bool {
        self.status.has_changed().is_ok()
    }
}

/// All proxies that are or were connected, by identity and node id.
#[derive(Default)]
pub struct Fleet {
    entries: Mutex<BTreeMap<(SpiffeId, String), Entry>>,
}

impl Fleet {
    /// A proxy opened a stream; what becomes of it is to be sent there. A proxy that is still
    /// remembered under the same identity and node id is replaced.
    pub fn join(&self, proxy: Proxy) -> watch::Sender<StreamStatus> {
        let (sender, status) = watch::channel(StreamStatus::default());
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= limits::PROXIES_REMEMBERED_MAX {
            forget_oldest(&mut entries);
        }
        entries.insert((proxy.id.clone(), proxy.node.clone()), Entry { proxy, status });
        sender
    }

    /// All proxies, by identity.
    pub fn known(&self) -> Vec<Known> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries
            .values()
            .map(|entry| Known {
                proxy: entry.proxy.clone(),
                is_connected: entry.is_connected(),
                status: entry.status.borrow().clone(),
            })
            .collect()
    }
}

/// Makes room: a proxy that left is forgotten before one that is here.
fn forget_oldest(entries: &mut BTreeMap<(SpiffeId, String), Entry>) {
    let oldest = entries.iter().min_by_key(|(_, entry)| (entry.is_connected(), entry.proxy.since));
    if let Some(key) = oldest.map(|(key, _)| key.clone()) {
        entries.remove(&key);
    }
}
