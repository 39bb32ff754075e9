//! What came of a case on one side, without what may differ: times, ids, ports.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use harness::backend::record::Recorded;
use harness::client::Connection;
use harness::client_h2::{self, Transport};
use harness::message::{Request, Response};

use crate::case::{Action, Case, Listener};
use crate::side::Side;

/// Longer than any timeout in the bootstrap.
const DEADLINE: Duration = Duration::from_secs(8);
/// The longest wait for a first answer to raw bytes; a wrong one may be answered by silence.
const FIRST_ANSWER: Duration = Duration::from_secs(2);
/// How long a connection is silent before it counts as kept open.
const SILENCE: Duration = Duration::from_millis(150);
const RAW_ANSWERS_MAX: usize = 8;

/// Fields whose presence counts and whose value does not.
const ANY_VALUE: &[&str] = &["date", "server", "x-envoy-upstream-service-time", "x-request-id"];

/// A field that tells the time left for a request.
const REMAINING_TIME: &str = "x-envoy-expected-rq-timeout-ms";

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The final answers, in order.
    pub answers: Vec<Answer>,
    /// How the exchange ended where no answer did: `closed`, `silent`, `malformed`.
    pub end: String,
    /// What the backends received.
    pub requests: Vec<Recorded>,
    /// The echo after an upgrade.
    pub echo: Vec<u8>,
    /// Which backends were chosen at all, or that users stayed at one.
    pub spread: BTreeSet<String>,
    /// What the external processor was sent.
    pub processed: String,
}

/// One answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub interim: Vec<u16>,
    pub headers: Vec<(String, String)>,
    pub trailers: Vec<(String, String)>,
    pub body: String,
}

/// Runs the case on a side.
pub fn of(case: &Case, side: &Side) -> Outcome {
    let mark = side.mark();
    let addr = side.addr(case.listener);
    let mut outcome = Outcome::default();
    match &case.action {
        Action::Send(request) => {
            let request = side.with_ports(request);
            outcome.take(side, open(addr).and_then(|mut connection| connection.send(&request)))
        }
        Action::Http2(request) => {
            outcome.take(side, client_h2::send(addr, &Transport::Plain, request.clone()))
        }
        Action::Raw(bytes) => outcome.end = raw(side, addr, bytes, false, &mut outcome.answers),
        Action::RawEnd(bytes) => outcome.end = raw(side, addr, bytes, true, &mut outcome.answers),
        Action::Expect(head, body) => outcome.take(side, expect(addr, head, body)),
        Action::Upgrade(request, payload) => match upgrade(addr, request, payload) {
            Ok((response, echo)) => {
                outcome.take(side, Ok(response));
                outcome.echo = echo;
            }
            Err(e) => outcome.take(side, Err(e)),
        },
        Action::Spread(request, times) => {
            outcome.spread = (0..*times).map(|_| chosen(addr, request)).collect();
            return outcome;
        }
        Action::Runtime { changes, request, times } => {
            outcome.spread =
                with_runtime(side, changes, || (0..*times).map(|_| chosen(addr, request)).collect());
            return outcome;
        }
        Action::Sticky(requests) => {
            outcome.spread = sticky(addr, requests);
            return outcome;
        }
    }
    if case.listener == Listener::Processing {
        // Who only watches may not even know of a request when it has its answer.
        outcome.processed = side.processed(u32::from(case.name.contains(" /watch")));
    }
    outcome.requests = side.since(&mark).into_iter().map(|seen| neutral_request(side, seen)).collect();
    outcome
}

impl Outcome {
    fn take(&mut self, side: &Side, result: io::Result<Response>) {
        match result {
            Ok(response) => self.answers.push(neutral_answer(side, &response)),
            Err(e) => self.end = ending(&e),
        }
    }
}

fn open(addr: std::net::SocketAddr) -> io::Result<Connection> {
    let mut connection = Connection::open(addr)?;
    connection.set_deadline(DEADLINE)?;
    Ok(connection)
}

/// Writes, then reads answers until the connection ends, is silent, or an answer says that it will be closed.
fn raw(
    side: &Side,
    addr: std::net::SocketAddr,
    bytes: &[u8],
    half_close: bool,
    answers: &mut Vec<Answer>,
) -> String {
    let exchange = |answers: &mut Vec<Answer>| -> io::Result<&'static str> {
        let mut connection = open(addr)?;
        connection.write(bytes)?;
        if half_close {
            connection.half_close()?;
        }
        connection.set_deadline(FIRST_ANSWER)?;
        while answers.len() < RAW_ANSWERS_MAX {
            let response = connection.read_response(bytes.starts_with(b"HEAD "))?;
            answers.push(neutral_answer(side, &response));
            if response.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close")) {
                return Ok("closing");
            }
            connection.set_deadline(SILENCE)?;
        }
        Ok("more answers than are wanted")
    };
    exchange(answers).map_or_else(|e| ending(&e), str::to_owned)
}

fn expect(addr: std::net::SocketAddr, head: &Request, body: &[u8]) -> io::Result<Response> {
    let mut connection = open(addr)?;
    let mut bytes = head.bytes();
    let end = bytes.len() - body.len();
    let late = bytes.split_off(end);
    connection.write(&bytes)?;
    // Whoever asks for the body does so at once; whoever waits for it gets it after this time.
    std::thread::sleep(Duration::from_millis(100));
    connection.write(&late)?;
    connection.read_response(false)
}

fn upgrade(addr: std::net::SocketAddr, request: &Request, payload: &[u8]) -> io::Result<(Response, Vec<u8>)> {
    let mut connection = open(addr)?;
    let response = connection.send(request)?;
    if response.status != 101 {
        return Ok((response, Vec::new()));
    }
    connection.write(payload)?;
    // A masked frame comes back without its four bytes of mask; other bytes come back as they are.
    let masked = payload.get(1).is_some_and(|byte| byte & 0x80 != 0);
    let echo = connection.read_exactly(payload.len() - if masked { 4 } else { 0 })?;
    Ok((response, echo))
}

fn chosen(addr: std::net::SocketAddr, request: &Request) -> String {
    match open(addr).and_then(|mut connection| connection.send(request)) {
        Ok(response) => format!("{} {}", response.status, response.backend().unwrap_or_default()),
        Err(e) => ending(&e),
    }
}

/// What `exchange` gives while runtime values are set, and what the admin server says of them.
fn with_runtime(side: &Side, changes: &str, exchange: impl FnOnce() -> BTreeSet<String>) -> BTreeSet<String> {
    let admin = |method: &str, target: String| {
        open(side.admin())
            .and_then(|mut connection| connection.send(&Request::new(method, "admin", &target)))
            .map_or_else(|e| (ending(&e), Vec::new()), |answer| (answer.status.to_string(), answer.body))
    };
    let (status, said) = admin("POST", format!("/runtime_modify?{changes}"));
    let mut found =
        BTreeSet::from([format!("modify: {status} {}", String::from_utf8_lossy(&said).trim_end())]);
    let keys: Vec<&str> = changes.split('&').filter_map(|change| Some(change.split_once('=')?.0)).collect();
    let (_, shown) = admin("GET", "/runtime".to_owned());
    let shown: serde_json::Value = serde_json::from_slice(&shown).unwrap_or_default();
    found.insert(format!("layers: {}", shown["layers"]));
    found.extend(keys.iter().map(|key| {
        let entry = &shown["entries"][*key];
        format!("{key}: {} of {}", entry["final_value"], entry["layer_values"])
    }));
    // Envoy's workers take values over in their own time.
    std::thread::sleep(Duration::from_millis(30));
    found.extend(exchange());
    let back: Vec<String> = keys.iter().map(|key| format!("{key}=")).collect();
    if !back.is_empty() {
        admin("POST", format!("/runtime_modify?{}", back.join("&")));
    }
    found
}

fn sticky(addr: std::net::SocketAddr, requests: &[Request]) -> BTreeSet<String> {
    const TIMES: usize = 4;
    let mut places: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for request in requests.iter().cycle().take(requests.len() * TIMES) {
        places.entry(format!("{request:?}")).or_default().insert(chosen(addr, request));
    }
    let stayed = places.values().all(|chosen| chosen.len() == 1);
    let used: BTreeSet<&String> = places.values().flatten().collect();
    BTreeSet::from([format!("users stay: {stayed}"), format!("more than one backend: {}", used.len() > 1)])
}

fn neutral_request(side: &Side, mut seen: Recorded) -> Recorded {
    seen.headers = neutral_fields(side, &seen.headers);
    seen.headers.retain(|(name, _)| name != "host");
    if seen.headers.iter().any(|(name, value)| name == "content-encoding" && value == "gzip") {
        // Two encoders need not write the same bytes.
        (seen.body_len, seen.body_sha256) = (0, "(compressed)".to_owned());
    }
    seen.trailers = neutral_fields(side, &seen.trailers);
    seen.authority = side.neutral(&seen.authority);
    seen
}

fn neutral_answer(side: &Side, response: &Response) -> Answer {
    let response = &decoded(response);
    let mut answer = Answer {
        status: response.status,
        interim: response.interim.clone(),
        headers: neutral_fields(side, &response.headers),
        trailers: neutral_fields(side, &response.trailers),
        body: side.neutral(&response.text()),
    };
    // What the backend tells of the request is compared as the request it received.
    if let Some(backend) = response.backend() {
        answer.body = format!("(what {backend} received)");
    }
    let tells = response.header("x-backend").is_some();
    if tells && response.header("content-type") == Some("application/json") {
        for (_, value) in answer.headers.iter_mut().filter(|(name, _)| name == "content-length") {
            "(its length)".clone_into(value);
        }
    }
    answer
}

/// The response with its body as it was before it was compressed; two encoders need not write the same bytes.
fn decoded(response: &Response) -> Response {
    let mut read: Box<dyn Read + '_> = match response.header("content-encoding") {
        Some("gzip") => Box::new(flate2::read::GzDecoder::new(&response.body[..])),
        Some("br") => Box::new(brotli::Decompressor::new(&response.body[..], 4096)),
        Some("zstd") => match zstd::Decoder::new(&response.body[..]) {
            Ok(decoder) => Box::new(decoder),
            Err(_) => return response.clone(),
        },
        _ => return response.clone(),
    };
    let mut body = Vec::new();
    // What is no such encoding is compared as it is.
    if read.read_to_end(&mut body).is_err() {
        return response.clone();
    }
    drop(read);
    Response { body, ..response.clone() }
}

fn neutral_fields(side: &Side, fields: &[(String, String)]) -> Vec<(String, String)> {
    let neutral = |(name, value): &(String, String)| {
        let name = name.to_ascii_lowercase();
        let value = match name.as_str() {
            any if ANY_VALUE.contains(&any) => "(any)".to_owned(),
            // What the backend tells of the request, as a message of gRPC.
            "grpc-message" if value.starts_with("{\"backend\":") => "(what a backend received)".to_owned(),
            REMAINING_TIME => value.parse().map_or_else(|_| value.clone(), rounded),
            // From there on each proxy has its own words.
            "x-details" => match value.split_once("remote_connection_failure") {
                Some((before, _)) => side.neutral(before),
                None => side.neutral(value),
            },
            // The value is made of the connection's ports.
            "set-cookie" if value.starts_with("hash=\"") => {
                let rest = value["hash=\"".len()..].split_once('"').map_or("", |(_, rest)| rest);
                format!("hash=(any){rest}")
            }
            "x-session" => side.neutral(&readable(value)),
            "cookie" | "set-cookie" => match value.split_once("session=") {
                Some((before, rest)) => {
                    let rest = rest.trim_start_matches('"');
                    let end = rest.find(['"', ';']).unwrap_or(rest.len());
                    format!("{before}session={}{}", side.neutral(&readable(&rest[..end])), &rest[end..])
                }
                None => side.neutral(value),
            },
            _ => side.neutral(value),
        };
        (name, value)
    };
    let mut fields: Vec<(String, String)> = fields.iter().map(neutral).collect();
    // Stable: repeated fields keep their order.
    fields.sort_by(|one, two| one.0.cmp(&two.0));
    fields
}

/// What a session's Base64 holds, without what is no text.
fn readable(encoded: &str) -> String {
    match BASE64.decode(encoded) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).chars().filter(|char| !char.is_control()).collect(),
        Err(_) => encoded.to_owned(),
    }
}

/// The time left for a request shrinks by the milliseconds that its first tries have taken.
fn rounded(millis: u64) -> String {
    (millis.div_ceil(250) * 250).to_string()
}

fn ending(error: &io::Error) -> String {
    use io::ErrorKind as K;
    match error.kind() {
        K::UnexpectedEof | K::ConnectionReset | K::BrokenPipe | K::ConnectionAborted => "closed".to_owned(),
        K::WouldBlock | K::TimedOut => "silent".to_owned(),
        K::InvalidData => format!("malformed: {error}"),
        _ => format!("failed: {error}"),
    }
}
