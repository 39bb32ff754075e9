//! The proxies that the table is held against, and the backend that answers when a row does not.

use harness::lanes::{Plan, Proxy};
use harness::raw_backend::{Answer, Then};
use harness::strict::Request;

use super::exchange::{CANARY, FENCE};

/// Ours.
pub fn tombolo() -> Proxy {
    with_plan(Proxy::tombolo)
}

/// Real Envoy, or nothing when it is missing (which was said).
pub fn envoy() -> Option<Proxy> {
    with_plan(Proxy::envoy)
}

fn with_plan<T>(start: impl FnOnce(Plan<'_>) -> T) -> T {
    let listener =
        |old: &str, via: &str| include_str!("listener.yaml").replace("@OLD@", old).replace("@VIA@", via);
    start(Plan { plain: &listener("false", "\"\""), old: &listener("true", "1.1 tombolo"), script: answer })
}

/// The row's own answer; without one, the target as text.
fn answer(request: &Request, told: &Answer) -> Answer {
    let ours = [CANARY, FENCE].contains(&request.target.as_str());
    if !ours && !told.bytes.is_empty() {
        return told.clone();
    }
    let text = &request.target;
    let body = if request.method == "HEAD" { "" } else { text };
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", text.len());
    Answer { bytes: head.into_bytes(), bytewise: false, then: Then::Keep }
}
