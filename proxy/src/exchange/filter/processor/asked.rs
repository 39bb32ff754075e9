//! What a processor was asked about a request and its response, and which answers are wanted.

use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};
use xds::model::{FieldMutation, Half, PartAnswer, Value};

use super::super::super::conversation::Conversation;
use crate::clock;
use crate::policy::filter::ext_proc::{Settled, at};
use crate::policy::reply::Reply;

/// How a session stands.
#[derive(Debug)]
pub(super) struct State {
    pub(super) settled: Settled,
    pub(super) line: Option<Conversation>,
    pub(super) over: Option<Over>,
    pub(super) halves: [Asked; 2],
    /// Whether the service knows how bodies are sent.
    pub(super) introduced: bool,
}

/// How it ended.
#[derive(Debug, Clone)]
pub(super) enum Over {
    PassOn,
    Reply(Box<Reply>),
}

/// What is asked about one half.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) waits: Waits,
    pub(super) answers: VecDeque<Said>,
    pub(super) timer: Option<Pin<Box<Sleep>>>,
    /// Whether the service got more time for the running question.
    pub(super) extended: bool,
    pub(super) attributes: Option<BTreeMap<String, Value>>,
}

/// Which answers are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Waits {
    #[default]
    Nothing,
    Head,
    /// About so many pieces of a body.
    Body(usize),
    Trailers,
}

/// An answer that was wanted.
#[derive(Debug)]
pub(super) enum Said {
    /// About a head or a piece of a body.
    Part(PartAnswer),
    /// About trailers.
    Trailers(Option<FieldMutation>),
}

/// What came of a question.
#[derive(Debug)]
pub(super) enum Answered {
    /// An answer.
    Said(Said),
    /// The service says nothing more: the message passes on as it is.
    PassOn,
    /// This is the answer to the request.
    Stop(Box<Reply>),
}

impl State {
    /// Takes an answer, if it is wanted.
    pub(super) fn take(&mut self, half: Half, about: Waits, said: Said) -> Result<(), &'static str> {
        let asked = &mut self.halves[at(half)];
        asked.waits = match (asked.waits, about) {
            (Waits::Head, Waits::Head) | (Waits::Trailers, Waits::Trailers) => Waits::Nothing,
            (Waits::Body(pieces), Waits::Body(_)) if pieces > 1 => Waits::Body(pieces - 1),
            (Waits::Body(_), Waits::Body(_)) => Waits::Nothing,
            _ => return Err("spurious_message"),
        };
        if asked.waits == Waits::Nothing {
            asked.timer = None;
        }
        asked.extended = false;
        asked.answers.push_back(said);
        Ok(())
    }

    /// Gives the running question more time, if there is one that has not got any yet.
    pub(super) fn extend(&mut self, time: Duration) -> bool {
        let until = clock::now() + time;
        let running = |asked: &&mut Asked| asked.timer.is_some() && !asked.extended;
        match self.halves.iter_mut().find(running) {
            Some(asked) => {
                asked.wind(until);
                asked.extended = true;
                true
            }
            None => false,
        }
    }

    /// The session ends; both halves get to know.
    pub(super) fn end(&mut self, over: Over) {
        self.over = Some(over);
        if let Some(line) = self.line.take() {
            line.wake();
        }
        for asked in &mut self.halves {
            asked.timer = None;
        }
    }
}

impl Asked {
    /// The running answer is to come until then.
    pub(super) fn wind(&mut self, until: Instant) {
        self.extended = false;
        match &mut self.timer {
            Some(timer) => timer.as_mut().reset(until),
            None => self.timer = Some(Box::pin(sleep_until(until))),
        }
    }
}
