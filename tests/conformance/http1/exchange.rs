//! Carries a case out: the client's steps, a request after them on the same connection, and a look at the backend.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use harness::lanes::Lane;
use harness::message::Reader;
use harness::raw_backend::What;
use harness::strict::{self, Answered};
use harness::{client, meaning};

use super::case::{Case, Door};
use super::line::{self, HOST};

/// The target of the request after a case: answered, the connection goes on.
pub const CANARY: &str = "/canary";

/// The target of a request on another connection: answered, what came before it has reached the backend.
pub const FENCE: &str = "/fence";

/// The longest wait for anything; longer than the route's timeout.
const DEADLINE: Duration = Duration::from_secs(5);

/// What came of the case, in one line.
pub fn run(lane: &Lane, case: &Case) -> String {
    lane.backend.take();
    lane.tell(case.answer.clone());
    let got = exchange(lane, case).unwrap_or_else(|e| panic!("{}: {e}", case.name));
    let fence = client::get(lane.plain, HOST, FENCE);
    assert!(fence.as_ref().is_ok_and(|answer| answer.status == 200), "{}: {fence:?}", case.name);
    let mut seen = lane.backend.take();
    if got.ends_with("tunnel") {
        harness::wait::until("the tunnel to end", DEADLINE, || {
            seen.extend(lane.backend.take());
            let ended = seen.iter().any(|seen| matches!(seen.what, What::Tunnel(_)));
            if ended { Ok(()) } else { Err(format!("{}: {seen:?}", case.name)) }
        });
    }
    let ours =
        |what: &What| matches!(what, What::Request(one) if [CANARY, FENCE].contains(&one.target.as_str()));
    let seen: Vec<String> =
        seen.iter().filter(|seen| !ours(&seen.what)).map(|seen| line::seen(&seen.what)).collect();
    if seen.is_empty() { got } else { format!("{got} | {}", seen.join("; ")) }
}

/// What the client got, and what became of its connection.
fn exchange(lane: &Lane, case: &Case) -> io::Result<String> {
    let stream = TcpStream::connect(match case.door {
        Door::Plain => lane.plain,
        Door::Old => lane.old,
    })?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(DEADLINE))?;
    let mut bytes = Vec::new();
    let mut heads = 0;
    for (index, step) in case.steps.iter().enumerate() {
        if index > 0 {
            heads += 1;
            while bytes.windows(4).filter(|four| four == b"\r\n\r\n").count() < heads {
                if read(&stream, &mut bytes)?.is_some() {
                    break;
                }
            }
        }
        send(&stream, step);
    }
    if case.tunnel {
        let _ = stream.shutdown(Shutdown::Write);
    } else {
        send(&stream, &format!("GET {CANARY} HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n\r\n"));
    }
    let end = loop {
        if let Some(end) = read(&stream, &mut bytes)? {
            break end;
        }
    };
    Ok(told(case, &bytes, end))
}

/// Writes as much as the other side takes: it may have closed, and its answer says why.
fn send(mut stream: &TcpStream, text: &str) {
    let _ = stream.write_all(text.as_bytes());
}

/// Reads once; how the connection ended, if it did.
fn read(mut stream: &TcpStream, into: &mut Vec<u8>) -> io::Result<Option<&'static str>> {
    let mut chunk = [0; 16 * 1024];
    match stream.read(&mut chunk) {
        Ok(0) => Ok(Some("closed")),
        Ok(count) => {
            into.extend_from_slice(&chunk[..count]);
            Ok(None)
        }
        Err(e) if matches!(e.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
            Ok(Some("silent"))
        }
        Err(e) if e.kind() == io::ErrorKind::ConnectionReset => Ok(Some("reset")),
        Err(e) => Err(e),
    }
}

/// The answers among the bytes, then the connection's fate.
fn told(case: &Case, bytes: &[u8], end: &str) -> String {
    let sent = case.steps.concat();
    let methods: Vec<String> =
        meaning::of(sent.as_bytes()).into_iter().map(|request| request.method).collect();
    let (mut rest, mut parts) = (bytes, Vec::new());
    for index in 0.. {
        let method = methods.get(index).map_or("GET", String::as_str);
        let taken = match strict::answer(rest, method) {
            _ if rest.is_empty() => break,
            Answered::Whole { taken, .. } => taken,
            // Without a length the body ends with the connection.
            Answered::Part => rest.len(),
            Answered::Wrong(why) => {
                parts.push(format!("WRONG ({why}) \"{}\"", rest.escape_ascii()));
                break;
            }
        };
        let (answer, body) = decoded(&rest[..taken], method == "HEAD");
        rest = &rest[taken..];
        if body == CANARY {
            parts.push("kept".to_owned());
            return parts.join(" ");
        }
        let switched = answer.starts_with("101") || (method == "CONNECT" && answer.starts_with("200"));
        parts.push(answer);
        if switched {
            parts.push(format!("\"{}\" tunnel", rest.escape_ascii()));
            return parts.join(" ");
        }
    }
    parts.push(end.to_owned());
    parts.join(" ")
}

/// One answer with the interim ones before it, and its body.
fn decoded(bytes: &[u8], head: bool) -> (String, String) {
    let mut reader = Reader::new(bytes);
    let (mut parts, mut rest) = (Vec::new(), bytes);
    loop {
        let first = rest.split(|byte| *byte == b'\r').next().unwrap_or_default();
        let status_line = String::from_utf8_lossy(first).into_owned();
        let mut response = match reader.head() {
            Ok(response) => response,
            Err(e) => return (format!("MALFORMED ({e}) \"{}\"", rest.escape_ascii()), String::new()),
        };
        if (100..200).contains(&response.status) && response.status != 101 {
            parts.push(line::answer(&status_line, &response));
            let end = rest.windows(4).position(|four| four == b"\r\n\r\n").map_or(rest.len(), |at| at + 4);
            rest = &rest[end..];
            continue;
        }
        if let Err(e) = reader.body(&mut response, head) {
            parts.push(format!("CUT ({:?})", e.kind()));
        }
        parts.push(line::answer(&status_line, &response));
        return (parts.join(" "), response.text());
    }
}
