//! A body of which its processor gets pieces or all, after its head has gone on.
//!
//! One rule: what waits for an answer holds back what is to come, and nothing passes on before it.

use std::collections::VecDeque;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use xds::model::{BodyMode, Half, PartAnswer, ProcessorPart};

use super::asked::{Answered, Said};
use super::session::Session;
use crate::body::{Body, Frame, Size, Source};
use crate::error::{Error, Reason};
use crate::fields::Fields;
use crate::limits::{PROCESSOR_BUFFER_BYTES, PROCESSOR_PIECES_MAX};
use crate::policy::filter::ext_proc::{Change, Section};

/// A body that is processed on its way.
pub(super) struct Streamed {
    session: Rc<Session>,
    half: Half,
    body: Body,
    /// Bytes to come, if that is known: whoever writes them may not ask for the end.
    left: Option<u64>,
    /// The last bytes, until it is known whether trailers follow.
    held: Option<Bytes>,
    mode: BodyMode,
    /// Bytes that are gathered before they are sent.
    gathered: BytesMut,
    /// Pieces without an answer.
    asked: VecDeque<Bytes>,
    asked_bytes: usize,
    /// Bytes that pass on.
    ready: Option<Bytes>,
    ended: bool,
    trailers: Option<Fields>,
    trailers_asked: bool,
}

impl Streamed {
    /// `body`, whose first bytes are `ready` to pass on.
    pub(super) fn new(session: &Rc<Session>, half: Half, body: Body, ready: Option<Bytes>) -> Self {
        Self {
            session: Rc::clone(session),
            half,
            left: match body.size() {
                Size::Exact(bytes) => Some(bytes),
                Size::Unknown => None,
            },
            held: None,
            body,
            // Who only watches sees pieces, or none.
            mode: match session.body_mode(half) {
                BodyMode::Buffered | BodyMode::BufferedPartial if session.filter.observes => BodyMode::None,
                mode => mode,
            },
            gathered: BytesMut::new(),
            asked: VecDeque::new(),
            asked_bytes: 0,
            ready,
            ended: false,
            trailers: None,
            trailers_asked: false,
        }
    }

    /// The same for a body that is over, with its trailers if there are any.
    pub(super) fn ended(self, trailers: Option<Fields>) -> Self {
        Self { ended: true, trailers, ..self }
    }

    /// Reads what there is, and sends it.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        match ready!(self.body.poll_frame(cx)) {
            Some(Ok(Frame::Data(bytes))) => {
                self.left = self.left.map(|left| left.saturating_sub(bytes.len() as u64));
                if self.body.is_done() {
                    self.end();
                } else if self.left == Some(0) {
                    self.held = Some(bytes);
                    return Poll::Ready(Ok(()));
                }
                return Poll::Ready(self.take(bytes));
            }
            Some(Ok(Frame::Trailers(trailers))) => {
                self.trailers = Some(trailers);
                self.end();
                if let Some(held) = self.held.take()
                    && let Err(error) = self.take(held)
                {
                    return Poll::Ready(Err(error));
                }
                if self.gathers() && !self.session.is_over() {
                    self.send_gathered();
                }
            }
            Some(Err(error)) => return Poll::Ready(Err(error)),
            None => {
                self.end();
                let held = self.held.take().unwrap_or_default();
                return Poll::Ready(self.take(held));
            }
        }
        Poll::Ready(Ok(()))
    }

    fn end(&mut self) {
        self.ended = true;
        if self.half == Half::Request {
            self.session.ledger.request_complete();
        }
    }

    fn gathers(&self) -> bool {
        matches!(self.mode, BodyMode::Buffered | BodyMode::BufferedPartial)
    }

    /// Takes the next bytes; at the end there may be none.
    fn take(&mut self, bytes: Bytes) -> Result<(), Error> {
        if self.session.is_over() || self.mode == BodyMode::None {
            let gathered = self.gathered.split();
            let bytes = if gathered.is_empty() { bytes } else { [gathered.freeze(), bytes].concat().into() };
            self.ready = Some(bytes).filter(|bytes| !bytes.is_empty());
            return Ok(());
        }
        if !self.gathers() {
            self.send(bytes);
            return Ok(());
        }
        self.gathered.extend_from_slice(&bytes);
        let full = self.gathered.len() > PROCESSOR_BUFFER_BYTES;
        if full && self.mode == BodyMode::Buffered {
            return Err(match self.half {
                Half::Request => Error::new(Reason::RequestBodyTooLarge, "request_payload_too_large"),
                Half::Response => Error::new(Reason::Processor, "response_payload_too_large"),
            });
        }
        if full || self.ended {
            self.send_gathered();
        }
        Ok(())
    }

    /// Sends what was gathered; the rest passes on.
    fn send_gathered(&mut self) {
        let bytes = self.gathered.split().freeze();
        self.send(bytes);
        self.mode = BodyMode::None;
    }

    fn send(&mut self, bytes: Bytes) {
        let end = self.ended && self.trailers.is_none();
        self.session.ask(self.half, ProcessorPart::Body(bytes.to_vec(), end));
        if self.session.filter.observes {
            self.ready = Some(bytes).filter(|bytes| !bytes.is_empty());
        } else {
            self.asked_bytes += bytes.len();
            self.asked.push_back(bytes);
        }
    }

    /// The oldest piece, as the service wants it.
    fn passes(&mut self, part: PartAnswer) {
        let Some(piece) = self.asked.pop_front() else { return };
        self.asked_bytes -= piece.len();
        let bytes = part.body.flatten().map_or(piece, Bytes::from);
        self.ready = Some(bytes).filter(|bytes| !bytes.is_empty());
    }

    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        match ready!(self.session.poll_answer(self.half, cx)) {
            Answered::Said(Said::Part(part)) => self.passes(part),
            Answered::Said(Said::Trailers(_)) | Answered::PassOn => self.passes(PartAnswer::default()),
            Answered::Stop(reply) => return Poll::Ready(Err(self.session.broken(reply))),
        }
        Poll::Ready(Ok(()))
    }

    /// The trailers, as the service wants them, or the end.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, Error>>> {
        let Some(trailers) = &mut self.trailers else { return Poll::Ready(None) };
        if !self.trailers_asked && self.session.modes().trailers(self.half) {
            self.trailers_asked = true;
            let told = self.session.filter.telling.of_trailers(trailers);
            self.session.ask(self.half, ProcessorPart::Trailers(told));
        }
        if self.trailers_asked && !self.session.filter.observes {
            match ready!(self.session.poll_answer(self.half, cx)) {
                Answered::Said(Said::Trailers(Some(change))) => {
                    let changed = self.session.change(Section::Fields(trailers), &change, Change::default());
                    if let Err(reply) = changed {
                        return Poll::Ready(Some(Err(self.session.broken(reply))));
                    }
                }
                Answered::Said(_) | Answered::PassOn => {}
                Answered::Stop(reply) => return Poll::Ready(Some(Err(self.session.broken(reply)))),
            }
        }
        Poll::Ready(self.trailers.take().map(|trailers| Ok(Frame::Trailers(trailers))))
    }
}

impl Source for Streamed {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, Error>>> {
        loop {
            if let Some(bytes) = self.ready.take() {
                return Poll::Ready(Some(Ok(Frame::Data(bytes))));
            }
            let room = self.asked_bytes < PROCESSOR_BUFFER_BYTES && self.asked.len() < PROCESSOR_PIECES_MAX;
            // Behind pieces that wait only other pieces may be read.
            let sends = self.mode == BodyMode::Streamed && !self.session.is_over();
            if !self.ended && room && (self.asked.is_empty() || sends) {
                match self.poll_read(cx) {
                    Poll::Ready(Ok(())) => continue,
                    Poll::Ready(Err(error)) => return Poll::Ready(Some(Err(error))),
                    Poll::Pending if self.asked.is_empty() => return Poll::Pending,
                    Poll::Pending => {}
                }
            }
            if self.asked.is_empty() {
                return self.poll_end(cx);
            }
            if let Err(error) = ready!(self.poll_piece(cx)) {
                return Poll::Ready(Some(Err(error)));
            }
        }
    }
}
