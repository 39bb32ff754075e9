//! One request's conversation with its processor: what it was asked, and what it has answered.
//!
//! The request and its response are asked about at the same time, by two tasks; the service's messages say which of them
//! they are for. One rule: whatever the service does, the session ends in one of two ways, and both tasks see the same:
//! the message passes on, or this is the answer.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::StatusCode;
use xds::model::{
    BodyMode, FieldMutation, Half, Metadata, ProcessorAnswer, ProcessorPart, ProcessorQuestion, ProcessorSaid,
};
use xds::{decode, encode};

use super::super::super::conversation::{Conversation, Failure, Heard, Partner};
use super::super::super::ledger::Ledger;
use super::super::super::stop::Stop;
use super::asked::{Answered, Over, Said, State, Waits};
use crate::clock;
use crate::error::{Error, Reason};
use crate::limits::PROCESSOR_BUFFER_BYTES;
use crate::observe::record::RequestView;
use crate::policy::filter::ext_proc::{Change, ExtProc, Modes, ProcessorMetric, Section, Settled, at};
use crate::policy::reply::Reply;

const METHOD: &str = "/envoy.service.ext_proc.v3.ExternalProcessor/Process";

/// A request's conversation with its processor.
#[derive(Debug)]
pub(in crate::exchange::filter) struct Session {
    pub(super) filter: Arc<ExtProc>,
    pub(super) ledger: Rc<Ledger>,
    partner: Partner,
    state: RefCell<State>,
}

impl Session {
    /// A session for which `settled` holds.
    pub(in crate::exchange::filter) fn new(
        filter: &Arc<ExtProc>,
        settled: Settled,
        partner: Partner,
        ledger: &Rc<Ledger>,
    ) -> Self {
        let state = State { settled, line: None, over: None, halves: Default::default(), introduced: false };
        Self { filter: Arc::clone(filter), ledger: Rc::clone(ledger), partner, state: RefCell::new(state) }
    }

    /// What the service is sent now.
    pub(super) fn modes(&self) -> Modes {
        self.state.borrow().settled.modes
    }

    /// Whether the session is over.
    pub(in crate::exchange::filter) fn is_over(&self) -> bool {
        self.state.borrow().over.is_some()
    }

    /// Nothing more of the half is sent.
    pub(super) fn finish(&self, half: Half) {
        self.state.borrow_mut().settled.modes.finish(half);
    }

    /// Nothing more of the half's body is sent.
    pub(super) fn finish_body(&self, half: Half) {
        self.state.borrow_mut().settled.modes.finish_body(half);
    }

    /// Looks for a route again, if the service `asked` for it and may, or wherever it `changed` fields.
    pub(super) fn reroute(&self, half: Half, asked: bool, changed: bool) {
        if half == Half::Request && self.filter.reroutes(asked, changed) {
            self.ledger.wishes.reroute.set(true);
        }
    }

    /// Remembers what is told of a half with its first message, if anything is.
    pub(in crate::exchange::filter) fn describe(
        &self,
        half: Half,
        request: Option<RequestView<'_>>,
        cluster: Option<&str>,
    ) {
        if self.filter.telling.has_attributes(half) {
            let record = self.ledger.record.borrow();
            let attributes = self.filter.telling.attributes(half, &record, request, cluster);
            self.state.borrow_mut().halves[at(half)].attributes = Some(attributes);
        }
    }

    /// Sends a part of a message.
    pub(super) fn ask(&self, half: Half, part: ProcessorPart) {
        let state = &mut *self.state.borrow_mut();
        if state.over.is_some() {
            return;
        }
        let waits = match (&part, state.halves[at(half)].waits) {
            (ProcessorPart::Headers(..), _) => Waits::Head,
            (ProcessorPart::Body(..), Waits::Body(pieces)) => Waits::Body(pieces + 1),
            (ProcessorPart::Body(..), _) => Waits::Body(1),
            (ProcessorPart::Trailers(_), _) => Waits::Trailers,
        };
        let question = ProcessorQuestion {
            half,
            part,
            metadata: self.metadata(&state.settled.forwarded),
            attributes: state.halves[at(half)].attributes.take(),
            observability_mode: self.filter.observes,
            body_modes: (!std::mem::replace(&mut state.introduced, true) && !self.filter.observes)
                .then(|| state.settled.modes.bodies()),
        };
        let stats = &self.filter.stats;
        let line = state.line.get_or_insert_with(|| {
            stats.inc(ProcessorMetric::StreamsStarted);
            Conversation::begin(self.partner.clone(), &state.settled.service, METHOD)
        });
        stats.inc(ProcessorMetric::StreamMsgsSent);
        line.say(&encode::processor_question(question));
        if self.filter.observes {
            // Who only watches and does not keep up sees nothing more.
            if line.unsaid() > PROCESSOR_BUFFER_BYTES {
                stats.inc(ProcessorMetric::StreamsFailed);
                state.end(Over::PassOn);
            }
            return;
        }
        let asked = &mut state.halves[at(half)];
        asked.waits = waits;
        asked.wind(clock::now() + self.filter.message_timeout);
    }

    fn metadata(&self, namespaces: &[String]) -> Metadata {
        let record = self.ledger.record.borrow();
        let known = record.attributes.metadata();
        let found = namespaces.iter().filter_map(|name| Some((name.clone(), known.of(name)?.clone())));
        Metadata(found.collect())
    }

    /// The answer to the oldest question about a half, within the limits of the request.
    pub(super) async fn answer(&self, half: Half) -> Result<Option<Said>, Stop> {
        let answered = pin!(poll_fn(|cx| self.poll_answer(half, cx).map(Ok)));
        match self.ledger.deadlines.limit(answered).await? {
            Answered::Said(said) => Ok(Some(said)),
            Answered::PassOn => Ok(None),
            Answered::Stop(reply) => Err(Stop::Reply(reply)),
        }
    }

    /// The same, where it is polled for.
    pub(super) fn poll_answer(&self, half: Half, cx: &mut Context<'_>) -> Poll<Answered> {
        let state = &mut *self.state.borrow_mut();
        loop {
            if let Some(said) = state.halves[at(half)].answers.pop_front() {
                return Poll::Ready(Answered::Said(said));
            }
            match &state.over {
                Some(Over::PassOn) => return Poll::Ready(Answered::PassOn),
                Some(Over::Reply(reply)) => return Poll::Ready(Answered::Stop(reply.clone())),
                None => {}
            }
            let Some(line) = &state.line else { return Poll::Ready(Answered::PassOn) };
            match line.poll_heard(cx, at(half)) {
                Poll::Ready(Heard::Message(message)) => match decode::processor_answer(&message) {
                    Ok(answer) => self.hear(state, answer),
                    Err(invalid) => {
                        self.failed(state, &Failure { status: 13, details: format!("{{{invalid}}}") });
                    }
                },
                Poll::Ready(Heard::End) => {
                    self.filter.stats.inc(ProcessorMetric::StreamsClosed);
                    self.filter.stats.inc(ProcessorMetric::ServerHalfClosed);
                    state.end(Over::PassOn);
                }
                Poll::Ready(Heard::Failed(failure)) => self.failed(state, &failure),
                Poll::Pending => {
                    let timer = state.halves[at(half)].timer.as_mut();
                    if timer.is_none_or(|timer| timer.as_mut().poll(cx).is_pending()) {
                        return Poll::Pending;
                    }
                    self.late(state);
                }
            }
        }
    }

    /// The service has said something.
    fn hear(&self, state: &mut State, answer: ProcessorAnswer) {
        if self.filter.observes {
            return;
        }
        let ProcessorAnswer { metadata, mode, timeout, said } = answer;
        if let Some(timeout) = timeout {
            let extended = timeout.is_ok_and(|timeout| self.filter.allows(timeout) && state.extend(timeout));
            self.filter.stats.inc(match extended {
                true => ProcessorMetric::OverrideMessageTimeoutReceived,
                false => ProcessorMetric::OverrideMessageTimeoutIgnored,
            });
            return;
        }
        let about_head = state.halves.iter().any(|asked| asked.waits == Waits::Head);
        if let Some(mode) = mode.filter(|_| about_head) {
            self.filter.choose(&mut state.settled.modes, mode);
        }
        for (namespace, fields) in
            metadata.into_iter().filter(|(name, _)| state.settled.received.contains(name))
        {
            self.ledger.record.borrow_mut().attributes.metadata_mut().merge(&namespace, &fields);
        }
        let wanted = match said {
            ProcessorSaid::Headers(half, part) => state.take(half, Waits::Head, Said::Part(part)),
            ProcessorSaid::Body(half, part) => state.take(half, Waits::Body(1), Said::Part(part)),
            ProcessorSaid::Trailers(half, change) => {
                state.take(half, Waits::Trailers, Said::Trailers(change))
            }
            ProcessorSaid::Immediate(answer) => match self.filter.immediate(*answer) {
                Some(reply) => {
                    self.filter.stats.inc(ProcessorMetric::StreamsClosed);
                    self.reply(state, reply);
                    Ok(())
                }
                None => Err("unhandled_immediate_response_due_to_config_disabled_it"),
            },
            ProcessorSaid::Nothing => Err("unhandled_message"),
        };
        match wanted {
            Ok(()) => self.filter.stats.inc(ProcessorMetric::StreamMsgsReceived),
            Err(why) => {
                self.filter.stats.inc(ProcessorMetric::SpuriousMsgsReceived);
                self.filter.stats.inc(ProcessorMetric::StreamsClosed);
                self.fail(state, why, None);
            }
        }
    }

    /// The conversation failed.
    fn failed(&self, state: &mut State, Failure { status, details }: &Failure) {
        self.filter.stats.inc(ProcessorMetric::StreamsFailed);
        self.filter.stats.inc(ProcessorMetric::ServerHalfClosed);
        if state.settled.failure_mode_allow {
            self.filter.stats.inc(ProcessorMetric::StreamsClosed);
        }
        self.fail(state, &format!("ext_proc_error_gRPC_error_{status}{{{details}}}"), None);
    }

    /// An answer has not come in time.
    fn late(&self, state: &mut State) {
        self.filter.stats.inc(ProcessorMetric::MessageTimeouts);
        self.filter.stats.inc(ProcessorMetric::StreamsClosed);
        let status = StatusCode::GATEWAY_TIMEOUT;
        self.fail(state, "ext_proc_error_per-message_timeout_exceeded", Some(status));
    }

    fn fail(&self, state: &mut State, details: &str, status: Option<StatusCode>) {
        tracing::debug!(details, "external processor");
        if state.settled.failure_mode_allow {
            self.filter.stats.inc(ProcessorMetric::FailureModeAllowed);
            return state.end(Over::PassOn);
        }
        let reply = self.filter.failure(one_word(details));
        let status = status.unwrap_or(reply.status);
        self.reply(state, Reply { status, ..reply });
    }

    /// The session ends in an answer.
    fn reply(&self, state: &mut State, reply: Reply) {
        self.filter.stats.inc(ProcessorMetric::ImmediateResponsesSent);
        state.end(Over::Reply(Box::new(reply)));
    }

    /// Changes fields as the service said; a change that fails the request ends the session.
    pub(super) fn change(
        &self,
        section: Section<'_>,
        mutation: &FieldMutation,
        how: Change,
    ) -> Result<(), Box<Reply>> {
        self.filter.rules.change(section, mutation, how).map_err(|why| self.refuse(why))
    }

    /// Ends the session for an answer that must not be.
    pub(super) fn refuse(&self, why: &str) -> Box<Reply> {
        let reply = Reply::status(StatusCode::INTERNAL_SERVER_ERROR, one_word(why));
        self.filter.stats.inc(ProcessorMetric::StreamsClosed);
        self.reply(&mut self.state.borrow_mut(), reply.clone());
        Box::new(reply)
    }

    /// The error that breaks a body off; the request's answer is kept for who gives it.
    pub(super) fn broken(&self, reply: Box<Reply>) -> Error {
        let error = Error::new(Reason::Processor, reply.details.clone());
        *self.ledger.wishes.reply.borrow_mut() = Some(reply);
        error
    }

    /// How the half's body is sent.
    pub(super) fn body_mode(&self, half: Half) -> BodyMode {
        self.modes().body(half)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let Some(line) = self.state.get_mut().line.take() else { return };
        self.filter.stats.inc(ProcessorMetric::StreamsClosed);
        if self.filter.observes {
            line.linger(self.filter.deferred_close);
        }
    }
}

/// A text as logs want it.
fn one_word(text: &str) -> String {
    text.replace(|char: char| char.is_ascii_whitespace(), "_")
}
