//! Bodies of gRPC calls, whose messages and end are counted on their way.

use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::super::ledger::Ledger;
use crate::body::{Body, Frame, Response, Source};
use crate::error::Error;
use crate::fields::Fields;
use crate::policy::filter::grpc_stats::{Messages, has_messages};
use crate::upstream::{Call, CallMetric};

const GRPC_STATUS: &str = "grpc-status";

/// Counts the messages of a request.
pub(super) fn request(body: &mut Body, call: &Arc<Call>) {
    if let Some(bytes) = body.as_full() {
        call.add(CallMetric::RequestMessages, Messages::default().begun(bytes));
    } else if !body.is_done() {
        let messages = Some((CallMetric::RequestMessages, Messages::default()));
        wrap(body, Tallied { body: Body::empty(), call: Arc::clone(call), messages, end: None });
    }
}

/// Counts the messages of a response and how it ends; `clock` measures the upstream's time.
pub(super) fn response(response: &mut Response, call: &Arc<Call>, clock: Option<&Rc<Ledger>>) {
    note_status(call, &response.head.headers);
    if response.body.is_done() {
        note_time(call, clock);
        return;
    }
    let messages = has_messages(&response.head).then(|| (CallMetric::ResponseMessages, Messages::default()));
    let end = Some(clock.cloned());
    wrap(&mut response.body, Tallied { body: Body::empty(), call: Arc::clone(call), messages, end });
}

fn wrap(body: &mut Body, mut tallied: Tallied) {
    let size = body.size();
    tallied.body = std::mem::replace(body, Body::empty());
    *body = Body::source(size, Box::new(tallied));
}

fn note_status(call: &Call, fields: &Fields) {
    if let Some(status) = fields.get(GRPC_STATUS) {
        call.end(status.as_bytes());
    }
}

/// From the request's last byte to now.
fn note_time(call: &Call, clock: Option<&Rc<Ledger>>) {
    let Some(ledger) = clock else { return };
    let record = ledger.record.borrow();
    if let Some(received) = record.request_received.filter(|_| record.response_started.is_some()) {
        call.took(record.elapsed().saturating_sub(received));
    }
}

struct Tallied {
    body: Body,
    call: Arc<Call>,
    messages: Option<(CallMetric, Messages)>,
    /// What measures the time, if anything does, of a body whose trailers count.
    end: Option<Option<Rc<Ledger>>>,
}

impl Source for Tallied {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, Error>>> {
        let polled = ready!(self.body.poll_frame(cx));
        match (&polled, &mut self.messages, &self.end) {
            (Some(Ok(Frame::Data(bytes))), Some((metric, messages)), _) => match messages.begun(bytes) {
                0 => {}
                begun => self.call.add(*metric, begun),
            },
            (Some(Ok(Frame::Trailers(trailers))), _, Some(clock)) => {
                note_status(&self.call, trailers);
                note_time(&self.call, clock.as_ref());
            }
            _ => {}
        }
        Poll::Ready(polled)
    }
}
