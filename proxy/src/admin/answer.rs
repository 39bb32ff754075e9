//! What an admin endpoint answers.

use std::collections::BTreeMap;
use std::fmt::Display;

use http::StatusCode;

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) content_type: &'static str,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn text(body: impl Into<String>) -> Self {
        Self { status: StatusCode::OK, content_type: "text/plain; charset=UTF-8", body: body.into() }
    }

    pub(super) fn json(body: &serde_json::Value) -> Self {
        let body = format!("{body:#}\n");
        Self { status: StatusCode::OK, content_type: "application/json", body }
    }

    pub(super) fn refuse(status: StatusCode, why: impl Display) -> Self {
        Self { status, ..Self::text(format!("{why}\n")) }
    }
}

/// One parameter of a query string, percent-decoded; `None` when absent.
pub(super) fn parameter(query: &str, name: &str) -> Option<String> {
    query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (key == name).then(|| decode(value))
    })
}

/// All parameters of a query string, percent-decoded. As in Envoy a plus sign is one, and the first of a name
/// counts.
pub(super) fn parameters(query: &str) -> BTreeMap<String, String> {
    let mut parameters = BTreeMap::new();
    for pair in query.split('&').filter(|_| !query.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        parameters.entry(decode_with(key, b'+')).or_insert_with(|| decode_with(value, b'+'));
    }
    parameters
}

fn decode(text: &str) -> String {
    decode_with(text, b' ')
}

/// `plus` is what a plus sign stands for.
fn decode_with(text: &str, plus: u8) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let escaped = match (byte, after) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)).map(|(high, low)| high * 16 + low),
            _ => None,
        };
        rest = if escaped.is_some() { &after[2..] } else { after };
        bytes.push(escaped.unwrap_or(if byte == b'+' { plus } else { byte }));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
