//! Conversations with gRPC services about a request, over the worker's own connections to the service's cluster: both
//! sides send messages whenever they like.
//!
//! One rule: what waits on either side has a limit, and a service that is down or lying ends its conversation, and
//! nothing else.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use http::StatusCode;
use tokio::task::AbortHandle;
use xds::model::GrpcService;

use super::call_out::{self, PREFIX_BYTES};
use super::ledger::details;
use crate::body::{Body, Frame, Interim, Request, RequestHead, Response, Size, Source};
use crate::error::{Error, Reason};
use crate::fields::Fields;
use crate::limits::{CONVERSATION_MESSAGE_BYTES_MAX, CONVERSATION_MESSAGES_UNHEARD_MAX};
use crate::policy::facts;
use crate::upstream::pool::{Pools, SendOptions};
use crate::upstream::{Cluster, PickContext};

/// gRPC's UNKNOWN.
const UNKNOWN: u32 = 2;
/// gRPC's INTERNAL.
const INTERNAL: u32 = 13;
/// gRPC's UNAVAILABLE.
const UNAVAILABLE: u32 = 14;

/// Who listens: a conversation has two listeners at most.
pub(super) const LISTENERS: usize = 2;

/// A conversation; dropping it ends it.
#[derive(Debug)]
pub(super) struct Conversation {
    line: Rc<Line>,
    task: AbortHandle,
}

/// What is heard next.
#[derive(Debug)]
pub(super) enum Heard {
    /// A message.
    Message(Bytes),
    /// The service ended the conversation, and all was well.
    End,
    /// It failed.
    Failed(Failure),
}

/// Why a conversation failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    /// The status of gRPC.
    pub(super) status: u32,
    /// What is known of it, in Envoy's words.
    pub(super) details: String,
}

/// Where a conversation is held.
#[derive(Debug, Clone)]
pub(super) struct Partner {
    /// The worker's connections.
    pub(super) pools: Pools,
    /// The service's cluster, if there is one.
    pub(super) cluster: Option<Arc<Cluster>>,
    /// For the choice of an endpoint.
    pub(super) seed: u64,
}

#[derive(Debug, Default)]
struct Line {
    saying: RefCell<Saying>,
    hearing: RefCell<Hearing>,
}

#[derive(Debug, Default)]
struct Saying {
    messages: VecDeque<Bytes>,
    bytes: usize,
    ended: bool,
    reader: Option<Waker>,
}

#[derive(Debug, Default)]
struct Hearing {
    messages: VecDeque<Bytes>,
    ended: Option<Result<(), Failure>>,
    listeners: [Option<Waker>; LISTENERS],
    /// Waits until somebody listens.
    writer: Option<Waker>,
}

impl Conversation {
    /// Begins a conversation of the method at `path`.
    pub(super) fn begin(partner: Partner, service: &GrpcService, path: &'static str) -> Self {
        let line = Rc::new(Line::default());
        let (held, head) = (Rc::clone(&line), call_out::head(service, path, None));
        let talk = async move {
            let ended = match head {
                Ok(head) => talk(&held, partner, Box::new(head)).await,
                Err(error) => Err(failure(INTERNAL, &error)),
            };
            held.hearing.borrow_mut().ended = Some(ended);
            held.wake();
        };
        Self { line, task: tokio::task::spawn_local(talk).abort_handle() }
    }

    /// Says something; it waits until the service takes it.
    pub(super) fn say(&self, message: &[u8]) {
        let Ok(framed) = call_out::framed(message) else { return };
        let saying = &mut *self.line.saying.borrow_mut();
        saying.bytes += framed.len();
        saying.messages.push_back(framed);
        if let Some(reader) = saying.reader.take() {
            reader.wake();
        }
    }

    /// Bytes that the service has not taken yet.
    pub(super) fn unsaid(&self) -> usize {
        self.line.saying.borrow().bytes
    }

    /// What is heard next; `listener` is woken whenever there is something to hear.
    pub(super) fn poll_heard(&self, cx: &mut Context<'_>, listener: usize) -> Poll<Heard> {
        let hearing = &mut *self.line.hearing.borrow_mut();
        if let Some(message) = hearing.messages.pop_front() {
            if let Some(writer) = hearing.writer.take() {
                writer.wake();
            }
            return Poll::Ready(Heard::Message(message));
        }
        match &hearing.ended {
            Some(Ok(())) => Poll::Ready(Heard::End),
            Some(Err(failure)) => Poll::Ready(Heard::Failed(failure.clone())),
            None => {
                hearing.listeners[listener] = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    /// Wakes all listeners: something was decided that they have to know.
    pub(super) fn wake(&self) {
        self.line.wake();
    }

    /// Says nothing more, and lets the service take what was said for so long at most.
    pub(super) fn linger(self, time: Duration) {
        tokio::task::spawn_local(async move {
            {
                let saying = &mut *self.line.saying.borrow_mut();
                saying.ended = true;
                if let Some(reader) = saying.reader.take() {
                    reader.wake();
                }
            }
            let heard = pin!(poll_fn(|cx| {
                while let Poll::Ready(heard) = self.poll_heard(cx, 0) {
                    if !matches!(heard, Heard::Message(_)) {
                        return Poll::Ready(());
                    }
                }
                Poll::Pending
            }));
            // What it does after that time is its own affair.
            let _late = tokio::time::timeout(time, heard).await;
        });
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Line {
    fn wake(&self) {
        for listener in &mut self.hearing.borrow_mut().listeners {
            if let Some(listener) = listener.take() {
                listener.wake();
            }
        }
    }

    /// Hands a message over, once there is room for it.
    async fn hear(&self, message: Bytes) {
        poll_fn(|cx| {
            let hearing = &mut *self.hearing.borrow_mut();
            if hearing.messages.len() < CONVERSATION_MESSAGES_UNHEARD_MAX {
                return Poll::Ready(());
            }
            hearing.writer = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
        self.hearing.borrow_mut().messages.push_back(message);
        self.wake();
    }
}

/// The body of the call.
struct Said(Rc<Line>);

impl Source for Said {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, Error>>> {
        let saying = &mut *self.0.saying.borrow_mut();
        if let Some(message) = saying.messages.pop_front() {
            saying.bytes -= message.len();
            return Poll::Ready(Some(Ok(Frame::Data(message))));
        }
        if saying.ended {
            return Poll::Ready(None);
        }
        saying.reader = Some(cx.waker().clone());
        Poll::Pending
    }
}

/// Holds the conversation to its end.
async fn talk(line: &Rc<Line>, partner: Partner, head: Box<RequestHead>) -> Result<(), Failure> {
    let Partner { pools, cluster, seed } = partner;
    let unavailable = |error: Error| failure(UNAVAILABLE, &error);
    let cluster = cluster.ok_or_else(|| unavailable(Error::from(Reason::NoCluster)))?;
    let rng = &mut fastrand::Rng::with_seed(seed);
    let picked = cluster.pick(&PickContext::default(), rng).map_err(unavailable)?;
    let body = Body::source(Size::Unknown, Box::new(Said(Rc::clone(line))));
    let request = Request { head, body, interim: Interim::default() };
    let sent = pools.send(&cluster, &picked.host, request, &SendOptions::default()).await;
    let Response { head, mut body, .. } = sent.map_err(unavailable)?.response;
    if head.status != StatusCode::OK {
        let error = call_out::failed(format!("status {} instead of gRPC", head.status));
        return Err(failure(of_http(head.status), &error));
    }
    if body.is_done() {
        return status(&head.headers);
    }
    let broken = |error: Error| failure(INTERNAL, &error);
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        match frame.map_err(broken)? {
            Frame::Trailers(trailers) => return status(&trailers),
            Frame::Data(data) => bytes.extend_from_slice(&data),
        }
        while let Some(message) = unframed(&mut bytes).map_err(broken)? {
            line.hear(message).await;
        }
    }
    Err(failure(UNKNOWN, &call_out::failed("an end without a status".to_owned())))
}

fn failure(status: u32, error: &Error) -> Failure {
    tracing::debug!(%error, "conversation with a service");
    let details = format!("{}{{{}}}", error.reason().client_text(), details(error));
    Failure { status, details }
}

/// The next whole message of `bytes`, if there is one.
fn unframed(bytes: &mut BytesMut) -> Result<Option<Bytes>, Error> {
    let Some((mut prefix, rest)) = bytes.split_at_checked(PREFIX_BYTES) else { return Ok(None) };
    let (flag, length) = (prefix.get_u8(), prefix.get_u32() as usize);
    if flag != 0 {
        return Err(call_out::failed("a compressed message, which was not asked for".to_owned()));
    }
    if length > CONVERSATION_MESSAGE_BYTES_MAX {
        return Err(call_out::failed(format!(
            "a message of {length} bytes; at most {CONVERSATION_MESSAGE_BYTES_MAX} are accepted"
        )));
    }
    if rest.len() < length {
        return Ok(None);
    }
    bytes.advance(PREFIX_BYTES);
    Ok(Some(bytes.split_to(length).freeze()))
}

/// What the status in `trailers` says.
fn status(trailers: &Fields) -> Result<(), Failure> {
    let status = facts::text(trailers, "grpc-status").and_then(|status| status.parse().ok());
    match status.unwrap_or(UNKNOWN) {
        0 => Ok(()),
        status => {
            let message = facts::text(trailers, "grpc-message").unwrap_or_default();
            Err(Failure { status, details: format!("{message}{{via_upstream}}") })
        }
    }
}

/// The status of gRPC that stands for one of HTTP (gRPC, "HTTP to gRPC Status Code Mapping").
fn of_http(status: StatusCode) -> u32 {
    match status.as_u16() {
        400 => INTERNAL,
        401 => 16,
        403 => 7,
        404 => 12,
        429 | 502 | 503 | 504 => UNAVAILABLE,
        _ => UNKNOWN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_out_one_by_one_however_they_are_cut() {
        let all = [&b"one"[..], b"", b"three"].map(|message| call_out::framed(message).unwrap()).concat();
        for cut in 1..all.len() {
            let (mut bytes, mut found) = (BytesMut::new(), Vec::new());
            for piece in all.chunks(cut) {
                bytes.extend_from_slice(piece);
                while let Some(message) = unframed(&mut bytes).unwrap() {
                    found.push(message);
                }
            }
            assert_eq!(found, [&b"one"[..], b"", b"three"], "pieces of {cut}");
        }
    }

    #[test]
    fn a_message_that_is_too_long_is_refused_before_it_is_read() {
        let mut bytes = BytesMut::from(&b"\0\xff\xff\xff\xff"[..]);
        assert!(unframed(&mut bytes).unwrap_err().detail().contains("4294967295"));
        let mut bytes = BytesMut::from(&b"\x01\0\0\0\0"[..]);
        assert!(unframed(&mut bytes).unwrap_err().detail().contains("compressed"));
    }
}
