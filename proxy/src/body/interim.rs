//! Interim (1xx) responses on their way from an upstream to the client, beside the final response.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::ResponseHead;
use crate::limits::INTERIM_RESPONSES_MAX;

/// A small queue shared by the two ends of one request; the downstream codec writes what appears in it.
#[derive(Debug, Clone, Default)]
pub struct Interim(Rc<RefCell<Queue>>);

#[derive(Debug, Default)]
struct Queue {
    heads: VecDeque<ResponseHead>,
    reader: Option<Waker>,
}

impl Interim {
    /// Adds an interim response. Past [`INTERIM_RESPONSES_MAX`] it is dropped, which RFC 9110 §15.2 allows a
    /// client not to notice; the answer tells whether it was kept.
    pub fn push(&self, head: ResponseHead) -> bool {
        let mut queue = self.0.borrow_mut();
        let kept = queue.heads.len() < INTERIM_RESPONSES_MAX;
        if kept {
            queue.heads.push_back(head);
            if let Some(reader) = queue.reader.take() {
                reader.wake();
            }
        }
        kept
    }

    /// The next interim response.
    pub fn poll_next(&self, cx: &mut Context<'_>) -> Poll<ResponseHead> {
        let mut queue = self.0.borrow_mut();
        match queue.heads.pop_front() {
            Some(head) => Poll::Ready(head),
            None => {
                match &mut queue.reader {
                    // Costs nothing where it is the same task again.
                    Some(reader) => reader.clone_from(cx.waker()),
                    none => *none = Some(cx.waker().clone()),
                }
                Poll::Pending
            }
        }
    }
}
