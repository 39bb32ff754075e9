//! Filters that only take notes of a request: nothing of it changes but what they take away.

use super::pass::Pass;
use super::state::State;
use super::world::World;
use crate::body::RequestHead;
use crate::clock;
use crate::policy::facts;
use crate::policy::filter::{Kind, Setting};

impl Pass<'_> {
    /// A filter that only takes notes takes them.
    pub(super) fn note(&mut self, world: &World<'_>, head: &mut RequestHead) {
        match &self.filter.kind {
            Kind::SetMetadata(filter) => filter.note(&mut world.ledger.record.borrow_mut().attributes),
            Kind::HeaderToMetadata(filter) => {
                let filter = self.first(Setting::header_to_metadata).unwrap_or(filter);
                filter.note_request(head, &mut world.ledger.record.borrow_mut().attributes);
            }
            Kind::SetFilterState(objects) => {
                let levels = self.all(Setting::objects).rev();
                let record = &mut world.ledger.record.borrow_mut();
                for objects in std::iter::once(objects).chain(levels) {
                    objects.keep(record, &facts::heads(head));
                }
            }
            Kind::StatefulSession(sessions) => {
                let sessions = match self.first(Setting::sessions) {
                    Some(said) => said,
                    None => Some(sessions),
                };
                let found = sessions.map(|found| (found, found.of_request(head, clock::since_start())));
                if let Some((sessions, Some(session))) = found {
                    *world.ledger.session.borrow_mut() = Some(Box::new(session));
                    self.state = State::Session(sessions);
                }
            }
            _ => {}
        }
    }
}
