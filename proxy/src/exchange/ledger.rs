//! The books of one request: what happened is noted as it happens and closed exactly once, however the request ends.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::deadline::Deadlines;
use super::patience::Patience;
use crate::body::{Body, RequestHead, Version};
use crate::error::{Error, Reason};
use crate::fields::Fields;
use crate::observe::record::{ConnectionFacts, LoggedRequest, Record};
use crate::policy::filter::fault::Active;
use crate::policy::http::{HttpMetric, HttpPolicy};
use crate::policy::reply::Reply;
use crate::upstream::Session;

/// What all parts of a request write to.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) record: RefCell<Record>,
    pub(super) deadlines: Deadlines,
    pub(super) policy: Arc<HttpPolicy>,
    /// Whether the last thing sent to the client was all of the response.
    complete: Cell<bool>,
    tunnel: Cell<bool>,
    /// Places among the requests with a fault.
    pub(super) faults: RefCell<Vec<Active>>,
    /// The session that the request belongs to.
    pub(super) session: RefCell<Option<Box<Session>>>,
    /// What filters want that is not theirs to do.
    pub(super) wishes: Wishes,
}

/// What filters want that is not theirs to do.
#[derive(Debug, Default)]
pub(super) struct Wishes {
    /// A route is to be looked for again.
    pub(super) reroute: Cell<bool>,
    /// The answer to a request whose body a filter broke off.
    pub(super) reply: RefCell<Option<Box<Reply>>>,
}

/// Closes the books when it is dropped; there is one for each request.
#[derive(Debug)]
pub(super) struct Books(Rc<Ledger>);

impl Books {
    /// A request begins; `whole` is its body's length if the body is all here.
    pub(super) fn open(
        policy: &Arc<HttpPolicy>,
        connection: &Rc<ConnectionFacts>,
        version: Version,
        whole: Option<usize>,
        patience: Option<Rc<Patience>>,
    ) -> Self {
        let counters = &policy.stats.counters;
        counters.inc(HttpMetric::RqTotal);
        counters.inc(HttpMetric::RqActive);
        counters.inc(match version {
            Version::Http10 | Version::Http11 => HttpMetric::RqHttp1Total,
            Version::Http2 => HttpMetric::RqHttp2Total,
            Version::Http3 => HttpMetric::RqHttp3Total,
        });
        let ledger = Ledger {
            record: RefCell::new(Record::begin(
                Rc::clone(connection),
                version.as_str(),
                policy.runtime.load(),
            )),
            deadlines: Deadlines::begin(policy.request_timeout, policy.timeouts.idle, patience),
            policy: Arc::clone(policy),
            complete: Cell::new(false),
            tunnel: Cell::new(false),
            faults: RefCell::default(),
            session: RefCell::default(),
            wishes: Wishes::default(),
        };
        if let Some(bytes) = whole {
            ledger.received(bytes);
            ledger.request_complete();
        }
        Self(Rc::new(ledger))
    }

    /// The ledger, to be written by others.
    pub(super) fn ledger(&self) -> &Rc<Ledger> {
        &self.0
    }
}

impl Drop for Books {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Ledger {
    /// Bytes of the request's body arrived.
    pub(super) fn received(&self, bytes: usize) {
        self.record.borrow_mut().bytes_received += bytes as u64;
        self.deadlines.touch();
    }

    /// The request's last byte is here.
    pub(super) fn request_complete(&self) {
        let mut record = self.record.borrow_mut();
        if record.request_received.is_none() {
            record.request_received = Some(record.elapsed());
            drop(record);
            self.deadlines.request_complete();
        }
    }

    /// Waits for `time`, within the limits of the request.
    pub(super) async fn wait(&self, time: Duration) -> Result<(), Error> {
        let waited = pin!(async {
            tokio::time::sleep(time).await;
            Ok(())
        });
        self.deadlines.limit(waited).await
    }

    /// Whether all of the request is here.
    pub(super) fn is_request_complete(&self) -> bool {
        self.deadlines.completed().is_some()
    }

    /// Bytes of the response's body go to the client.
    pub(super) fn sent(&self, bytes: usize) {
        self.record.borrow_mut().bytes_sent += bytes as u64;
        self.deadlines.touch();
    }

    /// The whole response was handed over.
    pub(super) fn response_complete(&self) {
        self.complete.set(true);
    }

    /// The response broke off for `error`; that, and not the client, is why it ends.
    pub(super) fn broke_off(&self, error: &Error) {
        self.complete.set(true);
        self.note_error(error);
        self.policy.stats.counters.inc(HttpMetric::ResetAfterDownstreamResponseStarted);
        self.policy.stats.counters.inc(HttpMetric::RqTxReset);
    }

    /// The response opens a tunnel.
    pub(super) fn open_tunnel(&self) {
        self.tunnel.set(true);
        self.policy.stats.counters.inc(HttpMetric::CxUpgradesTotal);
        self.policy.stats.counters.inc(HttpMetric::CxUpgradesActive);
    }

    /// Writes down what went wrong.
    pub(super) fn note_error(&self, error: &Error) {
        self.note_attempt(error);
        self.note_reason(error.reason());
        self.record.borrow_mut().details = details(error);
    }

    /// Writes down which rule answered.
    pub(super) fn note_reply(&self, reply: &Reply) {
        if let Some(reason) = reply.reason {
            self.note_reason(reason);
        }
        self.record.borrow_mut().details = reply.details.clone();
    }

    /// Writes down who answered.
    pub(super) fn note_details(&self, details: &'static str) {
        self.record.borrow_mut().details = Cow::Borrowed(details);
    }

    /// The answer as it is to be sent, with the fields that it has so far.
    pub(super) fn localized<'a>(&self, reply: &'a Reply, fields: &mut Fields) -> Cow<'a, Reply> {
        let record = &mut self.record.borrow_mut();
        self.policy.local_replies.rewrite(reply, fields, record, fastrand::u64(..))
    }

    /// Writes down why an attempt's transport failed, if that is why it ended.
    pub(super) fn note_attempt(&self, error: &Error) {
        if matches!(error.reason(), Reason::ConnectFailed | Reason::ConnectTimeout | Reason::UpstreamTls) {
            self.record.borrow_mut().upstream_failure = Cow::Owned(spoken(error));
        }
    }

    fn note_reason(&self, reason: Reason) {
        self.record.borrow_mut().flags.insert_reason(reason);
        let counters = &self.policy.stats.counters;
        match reason {
            Reason::StreamIdleTimeout => counters.inc(HttpMetric::RqIdleTimeout),
            Reason::MaxDuration => counters.inc(HttpMetric::RqMaxDurationReached),
            Reason::RequestTimeout => counters.inc(HttpMetric::RqTimeout),
            Reason::RequestHeadTimeout => counters.inc(HttpMetric::RqHeaderTimeout),
            Reason::RequestBodyTooLarge => counters.inc(HttpMetric::RqTooLarge),
            Reason::UpgradeNotAllowed => counters.inc(HttpMetric::RqWsOnNonWsRoute),
            Reason::NoRoute => counters.inc(HttpMetric::NoRoute),
            Reason::NoCluster => counters.inc(HttpMetric::NoCluster),
            _ => {}
        }
    }

    /// Keeps of the request's head what a log names.
    pub(super) fn note_request(&self, head: &RequestHead) {
        let needs = &self.policy.needs;
        let mut record = self.record.borrow_mut();
        if let Some(id) = head.headers.get("x-request-id") {
            record.request_id = Some(id.clone());
        }
        let logs = [&self.policy.access_log, &self.policy.upstream_log];
        if logs.iter().all(|log| log.is_empty()) && self.policy.local_replies.is_empty() {
            return;
        }
        record.request_headers_bytes = fields_bytes(&head.headers);
        if needs.request {
            record.request = Some(Box::new(LoggedRequest {
                method: head.method.clone(),
                path: head.path.as_bytes().clone(),
                authority: head.authority.as_bytes().clone(),
                scheme: head.scheme.as_str(),
                headers: pick(&head.headers, &needs.request_headers),
            }));
        }
    }

    /// Keeps of the response's head what a log names.
    pub(super) fn note_response(&self, status: u16, headers: &Fields) {
        let mut record = self.record.borrow_mut();
        record.status = status;
        if record.grpc_status.is_none() {
            record.grpc_status = grpc_status(headers);
        }
        if !(self.policy.access_log.is_empty() && self.policy.upstream_log.is_empty()) {
            record.response_headers_bytes = fields_bytes(headers);
            record.response_headers = pick(headers, &self.policy.needs.response_headers);
        }
    }

    /// Keeps of the response's trailers what a log names.
    pub(super) fn note_trailers(&self, trailers: &Fields) {
        let mut record = self.record.borrow_mut();
        if let Some(status) = grpc_status(trailers) {
            record.grpc_status = Some(status);
        }
        record.response_trailers = pick(trailers, &self.policy.needs.response_trailers);
    }

    /// A line for an attempt that ended, if attempts are logged.
    pub(super) fn log_attempt(&self) {
        if !self.policy.upstream_log.is_empty() {
            let mut record = self.record.borrow().clone();
            record.finished = Some(record.elapsed());
            self.policy.upstream_log.write(&record, fastrand::u64(..));
        }
    }

    fn close(&self) {
        let mut record = self.record.borrow_mut();
        let duration = record.elapsed();
        record.finished = Some(duration);
        let stats = &self.policy.stats;
        stats.counters.dec(HttpMetric::RqActive);
        stats.rq_time.record(duration);
        if !self.complete.get() {
            record.flags.insert_reason(Reason::DownstreamClosed);
            record.details = Cow::Borrowed("downstream_remote_disconnect");
            stats.counters.inc(HttpMetric::RqRxReset);
        }
        if self.tunnel.get() {
            stats.counters.dec(HttpMetric::CxUpgradesActive);
        }
        if record.status != 0 && !record.health_check {
            stats.count_status(record.status);
        }
        if record.attempts > 0 {
            self.policy.upstream_log.write(&record, fastrand::u64(..));
        }
        self.policy.access_log.write(&record, fastrand::u64(..));
    }
}

/// The fields of `from` that are named.
fn pick(from: &Fields, names: &[http::HeaderName]) -> Fields {
    let mut picked = Fields::new();
    for name in names {
        for value in from.get_all(name) {
            picked.append(name.clone(), value.clone());
        }
    }
    picked
}

/// Bytes of the fields as HTTP/1.1 would carry them.
fn fields_bytes(headers: &Fields) -> u64 {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum::<usize>() as u64
}

/// `grpc-status`, from trailers or from a response that is all trailers.
fn grpc_status(fields: &Fields) -> Option<u32> {
    std::str::from_utf8(fields.get("grpc-status")?.as_bytes()).ok()?.parse().ok()
}

/// `%RESPONSE_CODE_DETAILS%` of an error, in Envoy's words.
pub(super) fn details(error: &Error) -> Cow<'static, str> {
    let before = |reset: &str| {
        let spoken = spoken(error);
        let separator = if spoken.is_empty() { "" } else { "|" };
        Cow::Owned(format!("upstream_reset_before_response_started{{{reset}{separator}{spoken}}}"))
    };
    match error.reason() {
        Reason::ConnectFailed | Reason::UpstreamTls => before("remote_connection_failure"),
        Reason::ConnectTimeout => before("connection_timeout"),
        Reason::UpstreamClosed => before("connection_termination"),
        Reason::UpstreamReset => before("remote_reset"),
        Reason::UpstreamRefused => before("remote_refused_stream_reset"),
        Reason::UpstreamProtocol => before("protocol_error"),
        Reason::Overflow => Cow::Borrowed("upstream_reset_before_response_started{overflow}"),
        Reason::NoHealthyUpstream => Cow::Borrowed("no_healthy_upstream"),
        Reason::DropOverload => Cow::Borrowed("drop_overload"),
        Reason::NoRoute => Cow::Borrowed("route_not_found"),
        Reason::NoCluster => Cow::Borrowed("cluster_not_found"),
        Reason::UpgradeNotAllowed => Cow::Borrowed("upgrade_failed"),
        Reason::DownstreamClosed => Cow::Borrowed("downstream_remote_disconnect"),
        _ => Cow::Owned(spoken(error)),
    }
}

/// The detail as one word: log lines are split at spaces.
fn spoken(error: &Error) -> String {
    error.detail().replace(char::is_whitespace, "_")
}

/// Counts a body that is all here, so that nothing has to watch it.
pub(super) fn whole_len(body: &Body) -> Option<usize> {
    if body.is_done() { Some(0) } else { body.as_full().map(bytes::Bytes::len) }
}
