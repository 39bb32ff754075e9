//! What filters may ask about, besides the message.

use std::rc::Rc;

use xds::model::RuntimeFraction;

use super::super::context::Worker;
use super::super::ledger::Ledger;
use crate::observe::record::Place;
use crate::policy::route::{Route, VirtualHost};
use crate::upstream::Clusters;

/// What a filter may ask about, besides the message.
pub(in crate::exchange) struct World<'a> {
    pub(in crate::exchange) worker: &'a Worker,
    pub(in crate::exchange) ledger: &'a Rc<Ledger>,
    /// Who sent the request.
    pub(in crate::exchange) client: &'a Place,
    /// The request's route and its host, if one was found.
    pub(in crate::exchange) route: Option<(&'a VirtualHost, &'a Route)>,
    /// The cluster that the route names.
    pub(in crate::exchange) cluster: Option<&'a str>,
    pub(in crate::exchange) clusters: &'a Clusters,
}

impl World<'_> {
    /// Whether the route sends requests to a cluster.
    pub(in crate::exchange) fn forwards(&self) -> bool {
        self.route.is_some_and(|(_, route)| route.forwards())
    }

    /// Whether the request falls into a share.
    pub(super) fn is_in(&self, share: &RuntimeFraction) -> bool {
        self.ledger.record.borrow().runtime.is_in(share, self.worker.random())
    }
}
