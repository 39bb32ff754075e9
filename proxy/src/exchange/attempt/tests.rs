use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use http::StatusCode;
use tokio::time::{Instant, sleep};
use xds::model::{BackOff, RetryCondition as C, RetryPolicy};

use super::{Event, Tries, run};
use crate::body::{Body, RequestHead, Response, Scheme, Version};
use crate::error::{Error, Reason};
use crate::exchange::ledger::Books;
use crate::fields::Fields;
use crate::policy::retry::{Retries, RetryRule};
use crate::policy::samples::{connection, manager, policy};
use crate::policy::timeout::Timeouts;
use crate::upstream::pool::{ConnectionFacts, Sent};

/// What one scripted attempt does.
#[derive(Clone, Copy)]
enum Act {
    Answer(u16),
    Fail(Reason),
    /// Nothing, for ever.
    Hang,
    /// An answer after so many milliseconds.
    Late(u64, u16),
}

struct Script {
    acts: VecDeque<Act>,
    lasts: Vec<bool>,
    events: Vec<Event>,
    repeatable: bool,
    permits: u32,
}

impl Tries for Script {
    type Permit = ();

    async fn once(&mut self, number: u32, last: bool) -> Result<Sent, Error> {
        self.lasts.push(last);
        assert_eq!(number as usize, self.lasts.len());
        let status = match self.acts.pop_front().expect("no more attempts than acts") {
            Act::Answer(status) => status,
            Act::Fail(reason) => return Err(reason.into()),
            Act::Hang => std::future::pending().await,
            Act::Late(millis, status) => {
                sleep(Duration::from_millis(millis)).await;
                status
            }
        };
        let response = Response::new(StatusCode::from_u16(status).unwrap(), Body::empty());
        let connection = ConnectionFacts { local: None, remote: None, version: None, tls: None };
        Ok(Sent { response, connection: Rc::new(connection) })
    }

    fn is_repeatable(&self) -> bool {
        self.repeatable
    }

    fn permit(&mut self) -> Result<(), Error> {
        self.permits = self.permits.checked_sub(1).ok_or(Error::from(Reason::Overflow))?;
        Ok(())
    }

    fn note(&mut self, event: Event) {
        self.events.push(event);
    }

    fn random(&mut self) -> u64 {
        // The longest wait that the back-off allows.
        24_999
    }
}

fn script(acts: &[Act]) -> Script {
    Script {
        acts: acts.iter().copied().collect(),
        lasts: Vec::new(),
        events: Vec::new(),
        repeatable: true,
        permits: 9,
    }
}

struct Ended {
    result: Result<u16, Reason>,
    flags: String,
    attempts: u32,
    took: u128,
    script: Script,
}

async fn play(mut script: Script, num_retries: u32, timeouts: Timeouts) -> Ended {
    let policy = policy(&manager());
    let books = Books::open(&policy, &Rc::new(connection("192.0.2.9:4000")), Version::Http11, Some(0), None);
    let ledger = Rc::clone(books.ledger());
    ledger.deadlines.set(&timeouts);
    let rule = RetryRule::compile(&RetryPolicy {
        on: vec![C::ServerError, C::ConnectFailure],
        num_retries,
        per_try_timeout: None,
        per_try_idle_timeout: None,
        retriable_status_codes: Vec::new(),
        retriable_headers: Vec::new(),
        retriable_request_headers: Vec::new(),
        back_off: BackOff {
            base_interval: Duration::from_millis(25),
            max_interval: Duration::from_millis(250),
        },
        avoid_previous_hosts: false,
        host_selection_retry_max_attempts: 1,
        avoid_previous_priorities: None,
    })
    .unwrap();
    let mut head = RequestHead {
        method: http::Method::GET,
        scheme: Scheme::Http,
        authority: "h".into(),
        path: "/".into(),
        version: Version::Http11,
        headers: Fields::new(),
        upgrade: None,
    };
    let retries = Retries::begin(Some(&rule), &mut head);
    let begun = Instant::now();
    let sent = run(&mut script, retries, &ledger).await;
    let record = ledger.record.borrow();
    Ended {
        result: sent.map(|sent| sent.response.head.status.as_u16()).map_err(|error| error.reason()),
        flags: record.flags.short().unwrap_or_default(),
        attempts: record.attempts,
        took: begun.elapsed().as_millis(),
        script,
    }
}

#[tokio::test(start_paused = true)]
async fn a_good_answer_is_passed_on_at_once() {
    let ended = play(script(&[Act::Answer(200)]), 2, Timeouts::default()).await;
    assert_eq!((ended.result, ended.attempts, ended.took), (Ok(200), 1, 0));
    assert!(ended.script.events.is_empty());
}

#[tokio::test(start_paused = true)]
async fn failures_are_tried_again_after_a_wait() {
    let acts = [Act::Fail(Reason::ConnectFailed), Act::Answer(503), Act::Answer(200)];
    let ended = play(script(&acts), 2, Timeouts::default()).await;
    assert_eq!((ended.result, ended.attempts), (Ok(200), 3));
    assert_eq!(ended.flags, "");
    assert_eq!(ended.script.events, [Event::BackOff, Event::BackOff, Event::RetryHelped]);
    assert_eq!(ended.script.lasts, [false, false, true], "only the last attempt may take the head");
    // Timers have a millisecond's grain.
    assert!((49..=52).contains(&ended.took), "waits are bounded by 25 and 50 ms, took {}", ended.took);
}

#[tokio::test(start_paused = true)]
async fn what_is_left_when_retries_are_spent_is_passed_on_and_marked() {
    let acts = [Act::Answer(503), Act::Answer(500)];
    let ended = play(script(&acts), 1, Timeouts::default()).await;
    assert_eq!((ended.result, ended.attempts), (Ok(500), 2));
    assert_eq!(ended.flags, "URX");
    assert_eq!(ended.script.events, [Event::BackOff, Event::LimitExceeded]);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_gone_stops_retries() {
    let stuck = Script { repeatable: false, ..script(&[Act::Answer(503)]) };
    let ended = play(stuck, 3, Timeouts::default()).await;
    assert_eq!((ended.result, ended.attempts), (Ok(503), 1));
    assert_eq!(ended.script.events, [Event::BodyGone]);
}

#[tokio::test(start_paused = true)]
async fn a_full_retry_circuit_stops_retries() {
    let full = Script { permits: 0, ..script(&[Act::Fail(Reason::ConnectFailed)]) };
    let ended = play(full, 3, Timeouts::default()).await;
    assert_eq!((ended.result, ended.attempts), (Err(Reason::ConnectFailed), 1));
    assert_eq!(ended.flags, "UO");
}

#[tokio::test(start_paused = true)]
async fn errors_that_are_not_the_upstreams_are_not_tried_again() {
    let ended = play(script(&[Act::Fail(Reason::Overflow)]), 3, Timeouts::default()).await;
    assert_eq!((ended.result, ended.attempts), (Err(Reason::Overflow), 1));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_is_late_is_replaced_by_another() {
    let timeouts = Timeouts {
        per_try: Some(Duration::from_millis(100)),
        whole: Some(Duration::from_millis(1000)),
        ..Timeouts::default()
    };
    let ended = play(script(&[Act::Hang, Act::Late(50, 200)]), 1, timeouts).await;
    assert_eq!((ended.result, ended.attempts), (Ok(200), 2));
    assert_eq!(ended.script.events, [Event::PerTryTimeout, Event::BackOff, Event::RetryHelped]);
    assert!((174..=177).contains(&ended.took), "100 + 25 + 50 ms, took {}", ended.took);
}

#[tokio::test(start_paused = true)]
async fn the_whole_timeout_ends_attempts_and_waits() {
    let timeouts = Timeouts { whole: Some(Duration::from_millis(120)), ..Timeouts::default() };
    let hanging = play(script(&[Act::Answer(503), Act::Hang]), 3, timeouts).await;
    assert_eq!((hanging.result, hanging.took), (Err(Reason::UpstreamTimeout), 120));
    assert_eq!(hanging.script.events, [Event::BackOff, Event::Timeout]);
    let timeouts = Timeouts { whole: Some(Duration::from_millis(10)), ..Timeouts::default() };
    let waiting = play(script(&[Act::Answer(503)]), 3, timeouts).await;
    assert_eq!((waiting.result, waiting.took), (Err(Reason::UpstreamTimeout), 10));
}
