//! Every load against the backend with nothing in between: both ends agree on what they say, and a wrong answer is
//! a failure, not a count.

use std::collections::BTreeMap;
use std::rc::Rc;

use tokio::net::TcpListener;

use super::tally::Tally;
use super::target::Target;
use super::{connections, keep_asking};
use crate::backend;
use crate::work::load::Load;
use crate::work::quantity::Quantity;
use crate::work::scenario::Variant;
use crate::work::setup::{Protocol, Setup};

const REQUESTS: u64 = 500;

fn variant(front: Protocol, load: &Load) -> Variant {
    Variant {
        name: "direct".to_owned(),
        unit: "request".to_owned(),
        setup: Setup { front, mtls: false, back: front, hop: None, conditions: Vec::new() },
        load: load.clone(),
        warm_up_millis: 0,
        measured_millis: 0,
        shown: vec![Quantity::CpuMicros],
        beside: Vec::new(),
        cannot: BTreeMap::new(),
        targets: Vec::new(),
    }
}

/// Asks for `asked` of a backend that answers `answered`; the tally after the first failure or the last answer.
fn tally_of(front: Protocol, asked: &Load, answered: &Load) -> Rc<Tally> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port is free");
        let addr = listener.local_addr().expect("it is bound");
        let answered = answered.clone();
        tokio::task::spawn_local(async move { backend::listen(vec![listener], &answered).await });
        let target =
            Target::new(addr, &std::env::temp_dir(), &variant(front, asked)).expect("no TLS to set up");
        let (target, tally) = (Rc::new(target), Rc::new(Tally::new(REQUESTS, false)));
        let mut asking = tokio::task::JoinSet::new();
        for _ in 0..connections(asked) {
            asking.spawn_local(keep_asking(target.clone(), tally.clone(), asked.clone()));
        }
        while tally.failures().0 == 0 {
            let step = std::time::Duration::from_millis(20);
            if let Ok(None) = tokio::time::timeout(step, asking.join_next()).await {
                break;
            }
        }
        tally
    })
}

fn loads() -> Vec<(Protocol, Load)> {
    let path = || "/".to_owned();
    let requests =
        |response_bytes, close| Load::Requests { connections: 4, response_bytes, close, path: path() };
    let streams = |grpc| Load::Streams { connections: 2, streams: 8, response_bytes: 1024, grpc };
    vec![
        (Protocol::Http1, requests(1024, false)),
        (Protocol::Http1, requests(1_000_000, false)),
        (Protocol::Http1, requests(1024, true)),
        (Protocol::Http2, streams(false)),
        (Protocol::Http2, streams(true)),
        (Protocol::Tcp, Load::Messages { connections: 4, message_bytes: 300_000 }),
        (Protocol::Http1, Load::Echoes { connections: 4, message_bytes: 120 }),
    ]
}

#[test]
fn every_request_of_every_load_is_answered_in_full() {
    for (front, load) in loads() {
        let tally = tally_of(front, &load, &load);
        let bytes = REQUESTS * load.response_bytes() as u64;
        assert_eq!(tally.failures(), (0, None), "{load:?}");
        assert_eq!(tally.so_far(), (REQUESTS, bytes), "{load:?}");
    }
}

#[test]
fn an_answer_of_another_length_is_a_failure() {
    let requests = |response_bytes| Load::Requests {
        connections: 1,
        response_bytes,
        close: false,
        path: "/".to_owned(),
    };
    let streams = |response_bytes| Load::Streams { connections: 1, streams: 2, response_bytes, grpc: false };
    for (front, asked, answered) in [
        (Protocol::Http1, requests(1024), requests(1023)),
        (Protocol::Http1, requests(1024), requests(1025)),
        (Protocol::Http2, streams(1024), streams(1023)),
        (Protocol::Http2, streams(1024), streams(1025)),
    ] {
        let tally = tally_of(front, &asked, &answered);
        assert_eq!(tally.so_far().0, 0, "{asked:?} was answered with {answered:?}");
        assert!(tally.failures().0 > 0, "{asked:?} was answered with {answered:?}");
    }
}

#[test]
fn steps_wait_for_all_answers_and_end_with_the_count() {
    let load = Load::Streams { connections: 1, streams: 8, response_bytes: 16, grpc: false };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let tally = Rc::new(Tally::new(20, true));
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port is free");
        let addr = listener.local_addr().expect("it is bound");
        let answered = load.clone();
        tokio::task::spawn_local(async move { backend::listen(vec![listener], &answered).await });
        let variant = variant(Protocol::Http2, &load);
        let target = Target::new(addr, &std::env::temp_dir(), &variant).expect("no TLS to set up");
        keep_asking(Rc::new(target), tally.clone(), load.clone()).await;
    });
    assert_eq!((tally.so_far().0, tally.failures().0), (20, 0), "two steps of eight and one of four");
}
