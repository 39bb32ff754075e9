//! The proxies that are attacked, and what the backend behind them says.

use harness::lanes::{Plan, Proxy};
use harness::raw_backend::{Answer, Then};
use harness::strict::Request;

/// Ours.
pub fn tombolo() -> Proxy {
    with_plan(Proxy::tombolo)
}

/// Real Envoy, or nothing when it is missing (which was said).
pub fn envoy() -> Option<Proxy> {
    with_plan(Proxy::envoy)
}

fn with_plan<T>(start: impl FnOnce(Plan<'_>) -> T) -> T {
    let listener = |old: &str| include_str!("listener.yaml").replace("@OLD@", old);
    start(Plan { plain: &listener("false"), old: &listener("true"), script: answer })
}

/// What a backend without ill will says: the field `x-answer` names the target, so that answers are told apart.
fn answer(request: &Request, hostile: &Answer) -> Answer {
    if request.target.starts_with("/hostile") {
        return hostile.clone();
    }
    let target: String = request.target.chars().take(60).collect();
    let body = match request.method.as_str() {
        "HEAD" => "",
        "CONNECT" => {
            let bytes = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
            return Answer { bytes, bytewise: false, then: Then::Tunnel };
        }
        _ => "ok",
    };
    if target == "/switch" && request.values("upgrade").next().is_some() {
        let head = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
        return Answer { bytes: head.as_bytes().to_vec(), bytewise: false, then: Then::Tunnel };
    }
    let head = format!("HTTP/1.1 200 OK\r\nx-answer: {target}\r\ncontent-length: 2\r\n\r\n{body}");
    Answer { bytes: head.into_bytes(), bytewise: false, then: Then::Keep }
}
