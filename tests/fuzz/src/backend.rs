//! Backends that answer by the script and record by the letter.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use crate::script::Part;
use crate::strict::{self, Answered, Parsed, Request};

/// What all backends of a run share.
#[derive(Debug, Default)]
pub struct Backends {
    /// Answers to come.
    pub answers: VecDeque<Part>,
    /// Requests received, in order.
    pub requests: Vec<Request>,
    /// Every connection.
    pub connections: Vec<Rc<RefCell<State>>>,
}

/// A connection as its backend sees it.
#[derive(Debug, Default)]
pub struct State {
    /// What was sent for the current request.
    sent: Vec<u8>,
    /// Its method.
    method: String,
    /// Whether bytes come one by one: some may come when the connection serves another request, and no reader can
    /// know.
    bytewise: bool,
}

impl State {
    /// Whether by the letter the connection may be used for another request: one whole answer was sent for the last
    /// one, nothing more, and both sides keep it.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        match strict::answer(&self.sent, &self.method) {
            Answered::Whole { taken, keep, .. } => keep && (taken == self.sent.len() || self.bytewise),
            Answered::Part | Answered::Wrong(_) => self.bytewise,
        }
    }

    /// Whether what was sent turns the connection into a tunnel. Only the status says that: whatever the fields are, a
    /// tunnel begins behind them (RFC 9110 §9.3.6), and what is no head at all is nothing that a proxy goes on from.
    fn opens_tunnel(&self) -> bool {
        let mut sent = &self.sent[..];
        while let Some(end) = sent.windows(4).position(|window| window == b"\r\n\r\n") {
            let status =
                sent.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok()?.parse::<u16>().ok());
            match status {
                Some(101) => return true,
                Some(100..200) => sent = &sent[end + 4..],
                Some(200..300) => return self.method == "CONNECT",
                _ => return false,
            }
        }
        false
    }
}

/// Serves a connection until it ends.
pub async fn serve(mut stream: DuplexStream, state: Rc<RefCell<State>>, all: Rc<RefCell<Backends>>) {
    let mut buffered = Vec::new();
    loop {
        let eager = all.borrow().answers.front().is_some_and(Part::is_eager);
        let wanted = if eager { Wanted::Head } else { Wanted::Whole };
        let Some(early) = receive(&mut stream, &mut buffered, &state, &all, wanted).await else { return };
        let answer = all.borrow_mut().answers.pop_front().unwrap_or_else(Part::usual);
        state.borrow_mut().bytewise = answer.is_bytewise();
        if !send(&mut stream, &state, &answer).await || answer.is_last() {
            return;
        }
        if state.borrow().opens_tunnel() {
            let _gone = stream.read_to_end(&mut buffered).await;
            return;
        }
        // What was answered early is still to come as a whole, or the connection is not used again.
        if early && receive(&mut stream, &mut buffered, &state, &all, Wanted::Rest).await.is_none() {
            return;
        }
    }
}

/// How much of a request is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Whole,
    Head,
    /// The rest of one that was answered already.
    Rest,
}

/// Receives a request, or only its head if that is enough, which is then told; nothing at the connection's end.
async fn receive(
    stream: &mut DuplexStream,
    buffered: &mut Vec<u8>,
    state: &RefCell<State>,
    all: &RefCell<Backends>,
    wanted: Wanted,
) -> Option<bool> {
    loop {
        match strict::request(buffered) {
            Parsed::Whole(request, taken) => {
                buffered.drain(..taken);
                if wanted != Wanted::Rest {
                    begin(state, &request.method);
                }
                all.borrow_mut().requests.push(request);
                return Some(false);
            }
            Parsed::Part
                if wanted == Wanted::Head && buffered.windows(4).any(|window| window == b"\r\n\r\n") =>
            {
                let method = buffered.split(|byte| *byte == b' ').next().unwrap_or_default();
                begin(state, &String::from_utf8_lossy(method));
                return Some(true);
            }
            Parsed::Part => {}
            Parsed::Wrong(why) => {
                panic!("a backend received what no reader may accept ({why}): {}", buffered.escape_ascii())
            }
        }
        if stream.read_buf(buffered).await.unwrap_or(0) == 0 {
            return None;
        }
    }
}

fn begin(state: &RefCell<State>, method: &str) {
    let mut state = state.borrow_mut();
    state.sent.clear();
    method.clone_into(&mut state.method);
}

/// Whether everything could be sent.
async fn send(stream: &mut DuplexStream, state: &RefCell<State>, answer: &Part) -> bool {
    let size = if answer.is_bytewise() { 1 } else { answer.bytes.len().max(1) };
    for piece in answer.bytes.chunks(size) {
        state.borrow_mut().sent.extend_from_slice(piece);
        if stream.write_all(piece).await.is_err() {
            return false;
        }
        if answer.is_bytewise() {
            tokio::task::yield_now().await;
        }
    }
    true
}
