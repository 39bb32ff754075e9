//! One row of the tables.

use std::collections::BTreeSet;

/// Whether `TOMBOLO_CASES`, which narrows the cases to names that contain its text, wants this one.
pub fn wanted(name: &str) -> bool {
    name.contains(&std::env::var("TOMBOLO_CASES").unwrap_or_default())
}

/// Fails if a name is used twice or, unless they are narrowed, there are fewer than `min`.
pub fn assert_many_and_named<'a>(names: impl Iterator<Item = &'a str>, min: usize) {
    let names: Vec<&str> = names.collect();
    let distinct: BTreeSet<&str> = names.iter().copied().collect();
    assert_eq!(distinct.len(), names.len(), "names used twice");
    let narrowed = std::env::var("TOMBOLO_CASES").is_ok();
    assert!(narrowed || names.len() >= min, "{} cases, {min} at least", names.len());
}

/// Which listener is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// As configuration is when nothing is said.
    Plain,
    /// HTTP/1.0 is served and trailers pass.
    Old,
}

/// Whether a request follows the bytes on the same connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// One that a sound connection answers.
    Canary,
    /// The client ends its side: the bytes are not whole.
    End,
    /// Nothing: the bytes after the head belong to a tunnel.
    Nothing,
}

/// Bytes that a client sends, and what must come of them.
#[derive(Debug, Clone)]
pub struct Case {
    /// A name of its own; `differences.md` speaks of it.
    pub name: String,
    pub door: Door,
    pub bytes: Vec<u8>,
    pub after: After,
    /// The line of [`crate::attacks::outcome::Outcome`] that must come of it.
    pub expected: String,
}

/// The usual row: a name, fields after `Host`, what follows the head, and what must come of it.
pub type Row = (&'static str, &'static str, &'static str, &'static str);

/// Answered once, closed, and nothing at the backend.
pub const BAD: &str = "400 closed";

/// A transfer coding that is not served.
pub const CODING: &str = "501 closed";

/// Bytes that would be a request if anything before them were read wrongly.
pub const NEXT: &str = "GET /smuggled HTTP/1.1\r\nhost: a.test\r\n\r\n";

impl Case {
    /// Bytes at the plain listener, followed by a request.
    pub fn new(name: &str, bytes: impl Into<Vec<u8>>, expected: &str) -> Self {
        Self {
            name: format!("attack: {name}"),
            door: Door::Plain,
            bytes: bytes.into(),
            after: After::Canary,
            expected: expected.to_owned(),
        }
    }

    /// The same at the other listener.
    pub fn old(mut self) -> Self {
        self.door = Door::Old;
        self
    }

    /// The same, and the client ends its side.
    pub fn ended(mut self) -> Self {
        self.after = After::End;
        self
    }

    /// The same with nothing after it.
    pub fn alone(mut self) -> Self {
        self.after = After::Nothing;
        self
    }
}

/// Rows as POST requests for `/`; `NEXT` stands for a request to be smuggled.
pub fn posts(rows: &[Row]) -> Vec<Case> {
    rows.iter().map(|row| with_head("POST / HTTP/1.1\r\nhost: a.test\r\n", row)).collect()
}

/// Rows as GET requests for `/`.
pub fn gets(rows: &[Row]) -> Vec<Case> {
    rows.iter().map(|row| with_head("GET / HTTP/1.1\r\nhost: a.test\r\n", row)).collect()
}

fn with_head(head: &str, (name, fields, rest, expected): &Row) -> Case {
    Case::new(name, format!("{head}{fields}\r\n{}", rest.replace("NEXT", NEXT)), expected)
}
