//! A body whose trailers a filter changes.

use std::rc::Rc;
use std::task::{Context, Poll, ready};

use super::super::ledger::Ledger;
use crate::body::{Body, Frame, Source};
use crate::error::Error;
use crate::policy::filter::header_mutation::Section;
use crate::policy::filter::{Kind, Setting};

/// Which filter changes which trailers, and by which settings.
pub(super) struct Trailing {
    pub(super) ledger: Rc<Ledger>,
    /// The filter's place in the chain.
    pub(super) filter: usize,
    pub(super) settings: Vec<std::sync::Arc<Setting>>,
    pub(super) section: Section,
}

/// Makes `body` one whose trailers are changed.
pub(super) fn change(body: &mut Body, trailing: Trailing) {
    if body.is_done() || body.as_full().is_some() {
        return;
    }
    let size = body.size();
    let inner = std::mem::replace(body, Body::empty());
    *body = Body::source(size, Box::new(Changed { body: inner, trailing }));
}

struct Changed {
    body: Body,
    trailing: Trailing,
}

impl Source for Changed {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, Error>>> {
        let mut polled = ready!(self.body.poll_frame(cx));
        if let Some(Ok(Frame::Trailers(fields))) = &mut polled {
            let Trailing { ledger, filter, settings, section } = &self.trailing;
            if let Some(Kind::HeaderMutation(filter)) = ledger.policy.filters.kind(*filter) {
                let levels = settings.iter().filter_map(|setting| setting.changes());
                filter.change(*section, levels, fields, None, &ledger.record.borrow());
            }
        }
        Poll::Ready(polled)
    }
}
