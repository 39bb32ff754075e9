//! What all requests share.
//!
//! One rule: whatever touches the disk runs where blocking is allowed.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::reply::Failure;
use crate::auth::AdminToken;
use crate::ca::Authority;
use crate::discovery::publisher::Publisher;
use crate::fleet::Fleet;
use crate::limits;
use crate::store::Store;

/// What all requests share; cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The desired state.
    pub store: Arc<Store>,
    /// Issues identities.
    pub authority: Arc<Authority>,
    /// What proxies are told.
    pub publisher: Arc<Publisher>,
    /// What proxies answered.
    pub fleet: Arc<Fleet>,
    /// Who is the administrator.
    pub admin: Arc<AdminToken>,
    /// Room for watches.
    pub watches: Arc<Semaphore>,
}

impl App {
    /// Shared parts and the administrator's token.
    pub fn new(
        store: &Arc<Store>,
        authority: &Arc<Authority>,
        publisher: &Arc<Publisher>,
        fleet: &Arc<Fleet>,
        admin: AdminToken,
    ) -> Self {
        Self {
            store: Arc::clone(store),
            authority: Arc::clone(authority),
            publisher: Arc::clone(publisher),
            fleet: Arc::clone(fleet),
            admin: Arc::new(admin),
            watches: Arc::new(Semaphore::new(limits::WATCHES_MAX)),
        }
    }

    /// Does something that blocks.
    pub async fn blocking<T, E>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, E> + Send + 'static,
    ) -> Result<T, Failure>
    where
        T: Send + 'static,
        E: Into<Failure> + Send + 'static,
    {
        let app = self.clone();
        match tokio::task::spawn_blocking(move || work(&app)).await {
            Ok(result) => result.map_err(Into::into),
            Err(error) => {
                tracing::error!(%error, "a request failed");
                Err(Failure::new("internal", "the request failed; see the control API's log"))
            }
        }
    }
}
