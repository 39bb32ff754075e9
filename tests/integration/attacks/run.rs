//! Carries a case out: the bytes, the request after them, and a look at what the backend received.

use std::io::{self, ErrorKind, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use harness::client;
use harness::lanes::Lane;
use harness::message::{Reader, Response};
use harness::raw_backend::{What, write_bytewise};

use super::case::{After, Case, Door};
use super::outcome::{End, HOST, Outcome};

/// How the bytes are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// All at once, the request after them too.
    AtOnce,
    /// One byte per segment.
    Bytewise,
    /// All at once; the request after them when the answers are there.
    InTurn,
}

/// All ways.
pub const WAYS: [Way; 3] = [Way::AtOnce, Way::Bytewise, Way::InTurn];

const CANARY: &str = "/canary";
const FENCE: &str = "/fence";

/// The longest wait for anything; longer than the route's timeout.
const DEADLINE: Duration = Duration::from_secs(5);

const ANSWERS_MAX: usize = 200;

/// Carries one case out.
pub fn case(lane: &Lane, case: &Case, way: Way) -> Outcome {
    lane.backend.take();
    let addr = match case.door {
        Door::Plain => lane.plain,
        Door::Old => lane.old,
    };
    let (statuses, end) = exchange(addr, case, way).unwrap_or_else(|e| panic!("{}: {e}", case.name));
    fence(lane);
    let mut seen = lane.backend.take();
    if end == End::Tunnel {
        harness::wait::until("the tunnel to end", DEADLINE, || {
            seen.extend(lane.backend.take());
            let ended = seen.iter().any(|seen| matches!(seen.what, What::Tunnel(_)));
            if ended { Ok(()) } else { Err(format!("{}: {seen:?}", case.name)) }
        });
    }
    seen.retain(|seen| !matches!(&seen.what, What::Request(request) if request.target == FENCE));
    if end == End::Kept
        && let Some(canary) = seen.iter().rposition(|seen| is_canary(&seen.what))
    {
        seen.remove(canary);
    }
    Outcome { statuses, end, seen }
}

/// A request on a connection of its own: once it is answered, everything before it has reached the backend.
pub fn fence(lane: &Lane) {
    let answer = client::get(lane.plain, HOST, FENCE);
    assert!(answer.as_ref().is_ok_and(|answer| answer.status == 200), "the fence was answered by {answer:?}");
}

/// Waits until the proxy has seen that its connections to the backend were ended: then one request goes over a new
/// connection, which is ended as well.
pub fn settle(lane: &Lane) {
    harness::wait::until("the proxy to open a new connection", DEADLINE, || {
        let answer = client::get(lane.plain, HOST, FENCE).map_err(|e| e.to_string())?;
        if answer.status == 200 { Ok(()) } else { Err(answer.status.to_string()) }
    });
    lane.backend.disconnect();
    std::thread::sleep(Duration::from_millis(50));
}

fn is_canary(what: &What) -> bool {
    let What::Request(request) = what else { return false };
    request.method == "GET" && request.target == CANARY && request.host() == HOST && request.body.is_empty()
}

fn exchange(addr: SocketAddr, case: &Case, way: Way) -> io::Result<(Vec<u16>, End)> {
    let stream = TcpStream::connect(addr)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(DEADLINE))?;
    stream.set_write_timeout(Some(DEADLINE))?;
    let mut bytes = case.bytes.clone();
    let canary = format!("GET {CANARY} HTTP/1.1\r\nhost: {HOST}\r\n\r\n").into_bytes();
    let wanted = case.expected.split(' ').map_while(|word| word.parse::<u16>().ok()).count();
    let mut later =
        (way == Way::InTurn && case.after == After::Canary && wanted > 0).then_some(canary.clone());
    if case.after == After::Canary && later.is_none() {
        bytes.extend(canary);
    }
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            write(&stream, &bytes, way);
            if case.after == After::End {
                // The other side may have closed it before.
                let _ = stream.shutdown(Shutdown::Write);
            }
        });
        let mut reader = Reader::new(&stream);
        let mut statuses = Vec::new();
        let end = loop {
            if statuses.len() == wanted
                && let Some(canary) = later.take()
            {
                write(&stream, &canary, way);
            }
            let tunnel = case.bytes.starts_with(b"CONNECT ") && case.expected.starts_with("200");
            let head = statuses.is_empty() && (tunnel || case.bytes.starts_with(b"HEAD "));
            match reader.response(head) {
                Ok(response) if is_canary_answer(&response) => break End::Kept,
                Ok(response) if statuses.len() < ANSWERS_MAX => {
                    statuses.push(response.status);
                    if response.status == 101 || case.bytes.starts_with(b"CONNECT ") && response.status == 200
                    {
                        break End::Tunnel;
                    }
                }
                Ok(_) => break End::Malformed,
                Err(e) => break ending(&e),
            }
        };
        // Whatever is still to be written, nobody reads it any more, but for a tunnel's other end.
        if end != End::Tunnel {
            let _ = stream.shutdown(Shutdown::Both);
        }
        writer.join().expect("a writer does not panic");
        let _ = stream.shutdown(Shutdown::Both);
        Ok((statuses, end))
    })
}

/// Writes as much as the other side takes: it may refuse the rest, and its answer says why.
fn write(mut stream: &TcpStream, bytes: &[u8], way: Way) {
    let _ = match way {
        Way::Bytewise => write_bytewise(stream, bytes),
        Way::AtOnce | Way::InTurn => stream.write_all(bytes),
    };
}

fn is_canary_answer(response: &Response) -> bool {
    response.status == 200 && response.header("x-answer") == Some(CANARY) && response.body == b"ok"
}

/// What an error of reading says about the connection.
pub fn ending(error: &io::Error) -> End {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => End::Silent,
        ErrorKind::InvalidData => End::Malformed,
        _ => End::Closed,
    }
}
