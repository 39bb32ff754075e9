//! The filter that lets a service process: when a conversation with it begins.

use std::rc::Rc;
use std::sync::Arc;

use xds::model::Half;

use super::super::conversation::Partner;
use super::pass::Pass;
use super::processor::Session;
use super::state::{Late, State, Wait};
use super::world::World;
use crate::body::RequestHead;
use crate::observe::record::RequestView;
use crate::policy::facts;
use crate::policy::filter::Setting;
use crate::policy::filter::ext_proc::{ExtProc, Settled};

impl Pass<'_> {
    /// A request comes to the filter: gives its session, if it is one that is processed.
    pub(super) fn process(
        &mut self,
        filter: &Arc<ExtProc>,
        world: &World<'_>,
        head: &RequestHead,
    ) -> Option<Wait> {
        let session = self.session(filter, world)?;
        session.describe(Half::Request, Some(facts::view(head)), world.cluster);
        Some(Wait::Processor(session))
    }

    /// A response comes to the filter, maybe one whose request never did.
    pub(super) fn process_response(
        &mut self,
        filter: &Arc<ExtProc>,
        world: &World<'_>,
        request: Option<RequestView<'_>>,
    ) -> Option<Late> {
        let session = self.session(filter, world)?;
        if session.is_over() {
            return None;
        }
        session.describe(Half::Response, request, None);
        Some(Late::Processor(session))
    }

    fn session(&mut self, filter: &Arc<ExtProc>, world: &World<'_>) -> Option<Rc<Session>> {
        if let State::Processor(session) = &self.state {
            return session.clone();
        }
        let settled = filter.settle(self.all(Setting::ext_proc));
        let session = settled.map(|settled| begin(filter, settled, world));
        self.state = State::Processor(session.clone());
        session
    }
}

/// A session for a request for which `settled` holds.
fn begin(filter: &Arc<ExtProc>, settled: Settled, world: &World<'_>) -> Rc<Session> {
    let partner = Partner {
        pools: world.worker.pools.clone(),
        cluster: world.clusters.get(settled.service.cluster.as_str()).cloned(),
        seed: world.worker.random(),
    };
    Rc::new(Session::new(filter, settled, partner, world.ledger))
}
