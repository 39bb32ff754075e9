//! One row of the table. In its texts a line ends in `\n`, which stands for CRLF on the wire.

use harness::raw_backend::{Answer, Then};

/// Section, name, what the client sends, and what comes of it. Where `[wait]` stands, the client waits for a head.
pub type Row = (&'static str, &'static str, &'static str, &'static str);

/// Section, name, method of the request, what the backend answers, and what comes of it. `[close]` at the end closes.
pub type AnswerRow = (&'static str, &'static str, &'static str, &'static str, &'static str);

/// Which listener is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// As configuration is when nothing is said.
    Plain,
    /// HTTP/1.0 is served, trailers pass, and `via` is set.
    Old,
}

/// Bytes of a client and of a backend, and what must come of them.
#[derive(Debug, Clone)]
pub struct Case {
    /// `9112 §3.2`.
    pub section: &'static str,
    /// A name of its own; `differences.md` speaks of it.
    pub name: String,
    pub door: Door,
    /// What the client sends, in steps: after each but the last it waits for a head.
    pub steps: Vec<String>,
    /// What the backend answers; nothing: the target as text.
    pub answer: Answer,
    /// Whether what follows the head is a tunnel's, so that no request comes after it.
    pub tunnel: bool,
    /// The line of [`super::line`].
    pub expected: String,
}

impl Case {
    pub fn new(door: Door, (section, name, sent, expected): &Row) -> Self {
        Self {
            section,
            name: format!("http1: {name}"),
            door,
            steps: wire(sent).split("[wait]").map(str::to_owned).collect(),
            answer: Answer::default(),
            tunnel: false,
            expected: (*expected).to_owned(),
        }
    }

    /// The row's request, answered by these bytes.
    pub fn answered(mut self, text: &str) -> Self {
        let (text, then) = match text.strip_suffix("[close]") {
            Some(text) => (text, Then::Close),
            None => (text, Then::Keep),
        };
        self.answer = Answer { bytes: wire(text).into_bytes(), bytewise: false, then };
        self
    }

    /// What follows the answer is a tunnel.
    pub fn tunnel(mut self) -> Self {
        self.tunnel = true;
        self.answer.then = Then::Tunnel;
        self
    }
}

/// Rows at a listener.
pub fn at(door: Door, rows: &[Row]) -> Vec<Case> {
    rows.iter().map(|row| Case::new(door, row)).collect()
}

/// Rows of answers at a listener, to a request for `/x` without more fields.
pub fn answers(door: Door, rows: &[AnswerRow]) -> Vec<Case> {
    let case = |(section, name, method, text, expected): &AnswerRow| {
        let mut case = Case::new(door, &(section, name, "", expected)).answered(text);
        case.steps = vec![format!("{method} /x HTTP/1.1\r\nhost: a.test\r\n\r\n")];
        case
    };
    rows.iter().map(case).collect()
}

fn wire(text: &str) -> String {
    text.replace('\n', "\r\n")
}
