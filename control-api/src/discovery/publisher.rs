//! Every connected proxy's world, kept up to date with the store.
//!
//! One rule: a proxy's world is made anew whenever the mesh changes and sent only if it differs, so
//! a change that does not concern a proxy does not reach it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tokio::sync::watch;
use xds::wire::resource::ResourceType;
use xds::wire::server::world::{Item, Resources, World as WireWorld};

use crate::ca::spiffe::SpiffeId;
use crate::publish::{self, Published};
use crate::resource::world::World;
use crate::store::Store;

/// Makes worlds for proxies.
pub struct Publisher {
    store: Arc<Store>,
    bundle: String,
    feeds: Mutex<BTreeMap<SpiffeId, Feed>>,
}

/// One proxy's world.
struct Feed {
    world: watch::Sender<Arc<WireWorld>>,
    /// The revision of the mesh up to which it is kept.
    revision: u64,
}

impl Publisher {
    /// A publisher for the mesh in `store`, whose own trust bundle is `bundle`.
    pub fn new(store: Arc<Store>, bundle: &str) -> Self {
        Self { store, bundle: bundle.into(), feeds: Mutex::default() }
    }

    /// The world of a proxy, as it changes.
    pub fn subscribe(&self, proxy: &SpiffeId) -> watch::Receiver<Arc<WireWorld>> {
        // The newest world is read under the lock, so that a later one is sure to be sent.
        let mut feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(feed) = feeds.get(proxy) {
            return feed.world.subscribe();
        }
        let world = self.store.world();
        let wire = wire_world(&world, proxy, &self.bundle, &WireWorld::default());
        let (sender, receiver) = watch::channel(Arc::new(wire));
        feeds.insert(proxy.clone(), Feed { world: sender, revision: world.revision });
        receiver
    }

    /// The world of a connected proxy, and the revision of the mesh that it stands for.
    pub fn told(&self, proxy: &SpiffeId) -> Option<(u64, Arc<WireWorld>)> {
        let feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        feeds.get(proxy).map(|feed| (feed.revision, feed.world.borrow().clone()))
    }

    /// Follows the store until it is dropped or the task is.
    pub async fn run(self: Arc<Self>) {
        let mut worlds = self.store.worlds();
        while worlds.changed().await.is_ok() {
            let world = worlds.borrow_and_update().clone();
            let publisher = Arc::clone(&self);
            // A large mesh takes a while; the runtime has other things to do.
            let told = tokio::task::spawn_blocking(move || publisher.tell(&world)).await;
            if let Err(error) = told {
                tracing::error!(%error, "worlds were not published");
            }
        }
    }

    fn tell(&self, world: &World) {
        let mut feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        feeds.retain(|_, feed| feed.world.receiver_count() > 0);
        for (proxy, feed) in feeds.iter_mut() {
            let next = wire_world(world, proxy, &self.bundle, &feed.world.borrow());
            feed.world.send_if_modified(|current| {
                let differs = **current != next;
                if differs {
                    *current = Arc::new(next);
                }
                differs
            });
            feed.revision = world.revision;
        }
    }

    /// What a proxy is told now, with what each resource was made from.
    pub fn published(&self, proxy: &SpiffeId) -> publish::Resources {
        publish::publish(&self.store.world(), proxy, &self.bundle)
    }
}

/// A proxy's world on the wire. A type whose resources are those of `previous` keeps its version;
/// else its version is the mesh's revision, which means something to people.
fn wire_world(world: &World, proxy: &SpiffeId, bundle: &str, previous: &WireWorld) -> WireWorld {
    let mut by_type: BTreeMap<ResourceType, BTreeMap<String, Arc<Item>>> = BTreeMap::new();
    for ((type_url, name), published) in publish::publish(world, proxy, bundle).by_name {
        let of = ResourceType::from_type_url(&type_url).expect("only types that streams carry are published");
        by_type.entry(of).or_default().insert(name, Arc::new(item(published)));
    }
    let mut wire = WireWorld::default();
    for of in ResourceType::ALL {
        let items = by_type.remove(&of).unwrap_or_default();
        let before = previous.resources(of);
        wire = wire.with(
            of,
            if *before.items() == items && !before.version().is_empty() {
                before.clone()
            } else {
                Resources::versioned(world.revision.to_string(), items)
            },
        );
    }
    wire
}

fn item(published: Published) -> Item {
    Item { version: version(&published.body.value), body: published.body }
}

/// The version of a resource is made from its bytes, so it survives a restart of the control API:
/// a proxy that comes back is sent only what changed.
pub fn version(body: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, body);
    URL_SAFE_NO_PAD.encode(&digest.as_ref()[..12])
}
