//! A connection for bytes among those that its cluster counts and limits.

use std::rc::Rc;

use super::meter::Meter;

/// What a connection for bytes holds of its cluster's limits.
#[derive(Debug)]
pub struct ConnectionGuard(Rc<Meter>);

impl ConnectionGuard {
    pub(super) fn new(meter: Rc<Meter>) -> Self {
        Self(meter)
    }

    /// Resolves when the connection must be ended: its endpoint failed, and the cluster wants its connections
    /// closed then (`close_connections_on_host_health_failure`). Cancel safe.
    pub async fn until_cut(&self) {
        self.0.until_cut().await;
    }

    /// The endpoint ended the connection, not this proxy (`upstream_cx_destroy_remote`).
    pub fn ended_by_remote(&self) {
        self.0.ended_by_remote();
    }
}
