//! The whole relay, from a client's bytes to its backends' and back, with virtual time.
//!
//! Checked: backends receive what the client's bytes mean and nothing else, no connection in doubt is used again, the
//! client receives HTTP, and everything comes to an end.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use http::StatusCode;
use proxy::body::{Body, Request, Response};
use proxy::codec::io::Stream;
use proxy::downstream::http::h1::{self, H1Settings};
use proxy::drain::Drain;
use proxy::upstream::pool::h1::{H1ClientSettings, H1Connection};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use crate::backend::{self, Backends, State};
use crate::meaning;
use crate::script::{Part, Script};
use crate::strict::{self, Answered};

/// Longer than every wait of the engine together; nobody waits for it, because the time is virtual.
const PATIENCE: Duration = Duration::from_secs(24 * 3600);

const PIPE_BYTES: usize = 16 * 1024;

/// A connection that is free, with what its backend knows.
type Idle = (H1Connection, Rc<RefCell<State>>);

/// Runs a script.
pub fn check(data: &[u8]) {
    let script = Script::read(data);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime needs nothing that may be missing");
    let backends = Rc::new(RefCell::new(Backends { answers: script.answers.into(), ..Backends::default() }));
    let local = tokio::task::LocalSet::new();
    let received = local.block_on(&runtime, run(&script.client, &backends));
    judge_requests(&script.client.bytes, &backends.borrow());
    judge_answers(&script.client.bytes, &received);
}

async fn run(client: &Part, backends: &Rc<RefCell<Backends>>) -> Vec<u8> {
    let settings =
        H1Settings { enable_trailers: true, accept_http_10: client.is_eager(), ..H1Settings::default() };
    let (theirs, ours) = tokio::io::duplex(PIPE_BYTES);
    let drain = Drain::new();
    let idle: Rc<RefCell<Vec<Idle>>> = Rc::default();
    let mut servers = tokio::task::JoinSet::new();
    let (opened, mut to_serve) = tokio::sync::mpsc::unbounded_channel();
    let handler = async |request| exchange(request, &idle, backends, &opened).await;
    let serving = h1::serve(Stream::from(ours), &settings, drain.watch(), handler);
    let accepting = async {
        while let Some((stream, state)) = to_serve.recv().await {
            servers.spawn_local(backend::serve(stream, state, Rc::clone(backends)));
        }
    };
    let both = async {
        tokio::select! {
            served = async { tokio::join!(serving, talk(theirs, client)) } => served.1,
            () = accepting => unreachable!("connections can be opened as long as requests are served"),
        }
    };
    let received = tokio::time::timeout(PATIENCE, both).await.expect("the relay hangs");
    // With the connections gone, every backend ends; one that found fault panics here.
    idle.borrow_mut().clear();
    while let Some(ended) = servers.join_next().await {
        ended.expect("a backend ends well");
    }
    received
}

/// Sends the client's bytes and gives all that was answered.
async fn talk(stream: DuplexStream, client: &Part) -> Vec<u8> {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut received = Vec::new();
    let write = async {
        let size = if client.is_bytewise() { 1 } else { client.bytes.len().max(1) };
        for piece in client.bytes.chunks(size) {
            if writer.write_all(piece).await.is_err() {
                break;
            }
            tokio::task::yield_now().await;
        }
        // Whoever waits for an answer half-closes later.
        if !client.is_last() {
            tokio::time::sleep(Duration::from_secs(600)).await;
        }
        let _gone = writer.shutdown().await;
    };
    let read = async {
        let _gone = reader.read_to_end(&mut received).await;
    };
    tokio::join!(write, read);
    received
}

/// What stands between the two engines: a pool that keeps every connection that comes back.
async fn exchange(
    request: Request,
    idle: &Rc<RefCell<Vec<Idle>>>,
    backends: &Rc<RefCell<Backends>>,
    opened: &tokio::sync::mpsc::UnboundedSender<(DuplexStream, Rc<RefCell<State>>)>,
) -> Response {
    let (connection, state) = take(idle).unwrap_or_else(|| {
        let (ours, theirs) = tokio::io::duplex(PIPE_BYTES);
        let state = Rc::new(RefCell::new(State::default()));
        backends.borrow_mut().connections.push(Rc::clone(&state));
        // The receiver lives as long as requests are served.
        let _served = opened.send((theirs, Rc::clone(&state)));
        let settings = H1ClientSettings { enable_trailers: true, ..H1ClientSettings::default() };
        (H1Connection::new(Stream::from(ours), Rc::new(settings)), state)
    });
    let shelf = Rc::clone(idle);
    let give_back = Rc::new(move |connection| shelf.borrow_mut().push((connection, Rc::clone(&state))));
    match connection.send(request, give_back).await {
        Ok(response) => response,
        Err(failed) => {
            let status =
                StatusCode::from_u16(failed.error.reason().status()).unwrap_or(StatusCode::BAD_GATEWAY);
            Response::new(status, Body::empty())
        }
    }
}

/// A connection that is free and still open, which must be sound by the letter.
fn take(idle: &RefCell<Vec<Idle>>) -> Option<Idle> {
    while let Some((mut connection, state)) = idle.borrow_mut().pop() {
        if connection.is_open() {
            assert!(state.borrow().is_sound(), "a connection in doubt is used again: {:?}", state.borrow());
            return Some((connection, state));
        }
    }
    None
}

/// Every request that a backend received was meant by the client, in this order and once.
fn judge_requests(sent: &[u8], backends: &Backends) {
    let mut meant = meaning::of(sent).into_iter();
    for request in &backends.requests {
        let mut came = meaning::received(request);
        came.fields.retain(|(name, _)| name != "upgrade");
        let found = meant.any(|one| meaning::forwarded(&one) == came);
        assert!(found, "nobody meant {came:?}\nin {}", sent.escape_ascii());
    }
}

/// The client received HTTP, and no more answers than it asked for.
fn judge_answers(sent: &[u8], received: &[u8]) {
    let asked = meaning::of(sent);
    let mut rest = received;
    for index in 0.. {
        let method = asked.get(index).map_or("GET", |request| request.method.as_str());
        match strict::answer(rest, method) {
            _ if rest.is_empty() => return,
            Answered::Whole { status, taken, keep } => {
                assert!(index <= asked.len(), "more answers than questions: {}", received.escape_ascii());
                if status == 101 || (method == "CONNECT" && (200..300).contains(&status)) {
                    return;
                }
                if !keep {
                    // A refusal has a body whatever the method was: nobody could read it.
                    assert!(taken == rest.len() || method == "HEAD", "more than the last answer");
                    return;
                }
                rest = &rest[taken..];
            }
            // Cut short, or to be read until the end.
            Answered::Part => return,
            Answered::Wrong(why) => {
                panic!("the client received what no reader may accept ({why}): {}", received.escape_ascii())
            }
        }
    }
}
