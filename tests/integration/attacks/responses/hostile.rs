//! One row of the table.

use harness::raw_backend::{Answer, Then};

/// An answer, and what must come of it.
#[derive(Debug, Clone)]
pub struct Hostile {
    pub name: String,
    pub method: &'static str,
    /// Fields of the request.
    pub fields: &'static str,
    pub answer: Answer,
    /// Whether the bytes must come together: what comes late may come when the connection serves another request,
    /// and no reader can know.
    pub together: bool,
    /// Status and body as the client got them, and whether the backend's connection was used again.
    pub expected: String,
}

/// A name, the bytes, what becomes of the connection, and the line that must come of it: `200 "ok" kept, reused`.
pub type Row = (&'static str, &'static str, Then, &'static str);

impl Hostile {
    pub fn new(name: &str, bytes: impl Into<Vec<u8>>, then: Then, expected: &str) -> Self {
        let answer = Answer { bytes: bytes.into(), bytewise: false, then };
        let (name, expected) = (format!("answer: {name}"), expected.to_owned());
        Self { name, method: "GET", fields: "", answer, together: false, expected }
    }

    pub fn together(mut self) -> Self {
        self.together = true;
        self
    }

    pub fn to(mut self, method: &'static str) -> Self {
        self.method = method;
        self
    }
}

pub fn rows(rows: &[Row]) -> Vec<Hostile> {
    rows.iter().map(|(name, bytes, then, expected)| Hostile::new(name, *bytes, *then, expected)).collect()
}
