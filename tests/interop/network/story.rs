//! A case as a list of steps, and what came of it as one line.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use harness::message::Request;

use super::stand::Stand;

/// The longest wait for bytes that are to come.
const FIRST: Duration = Duration::from_secs(3);
/// How long a connection is silent before no more is expected of it.
const SILENCE: Duration = Duration::from_millis(150);
/// How long a datagram is waited for.
const HEARD: Duration = Duration::from_millis(400);
/// How long nothing must come where nothing is to come.
const QUIET: Duration = Duration::from_millis(400);

/// One thing that a client does. Connections are called by numbers.
#[derive(Debug, Clone)]
pub enum Step {
    /// Connects to a listener.
    Open(usize, &'static str),
    /// Sends bytes.
    Send(usize, Vec<u8>),
    /// Sends no more.
    End(usize),
    /// Reads what comes.
    Read(usize),
    /// Looks that nothing comes, and whether the connection is open.
    Quiet(usize),
    /// Sends a datagram; the first of a client makes its socket.
    Datagram(usize, &'static str, Vec<u8>),
    /// Receives a datagram.
    Hear(usize),
    /// Receives a datagram for each of these clients; looked at is how many came, from how many backends.
    Spread(Vec<usize>),
    /// Closes.
    Close(usize),
    /// Sets runtime values (`key=text&key=text`).
    Runtime(&'static str),
    /// Reads the used counters whose names fit an expression.
    Stats(&'static str),
    /// Lets time pass.
    Wait(Duration),
}

/// A row of a table.
#[derive(Debug, Clone)]
pub struct Case {
    pub name: String,
    pub steps: Vec<Step>,
}

/// What came of a case.
pub fn tell(case: &Case, stand: &Stand) -> String {
    let mut told = Told {
        stand,
        open: BTreeMap::new(),
        sockets: BTreeMap::new(),
        sessions: Vec::new(),
        names: Vec::new(),
        line: Vec::new(),
    };
    for step in &case.steps {
        told.step(step);
    }
    told.open.clear();
    // What a case leaves open must not count in the next.
    std::thread::sleep(SILENCE);
    told.line.join("; ")
}

struct Told<'a> {
    stand: &'a Stand,
    open: BTreeMap<usize, TcpStream>,
    sockets: BTreeMap<usize, UdpSocket>,
    sessions: Vec<String>,
    /// Ports of clients and what they are called.
    names: Vec<(u16, String)>,
    line: Vec<String>,
}

impl Told<'_> {
    fn step(&mut self, step: &Step) {
        match step {
            Step::Open(client, listener) => self.open(*client, listener),
            Step::Send(client, bytes) => {
                let bytes = self.stand.filled(bytes);
                // The other side may have closed; what it did is read afterwards.
                let _ = self.stream(*client).write_all(&bytes);
            }
            Step::End(client) => {
                let _ = self.stream(*client).shutdown(Shutdown::Write);
            }
            Step::Read(client) => self.read(*client, FIRST),
            Step::Quiet(client) => self.read(*client, QUIET),
            Step::Datagram(client, listener, bytes) => self.datagram(*client, listener, bytes),
            Step::Hear(client) => {
                let heard = self.hear(*client).map_or("nothing".to_owned(), |text| format!("{text:?}"));
                self.line.push(format!("{client} {}", shortened(heard)));
            }
            Step::Spread(clients) => {
                let heard: Vec<String> = clients.iter().filter_map(|client| self.hear(*client)).collect();
                let names: BTreeSet<&str> = heard.iter().filter_map(|text| text.split(' ').next()).collect();
                self.line.push(format!("{} answers of {} backends", heard.len(), names.len()));
            }
            Step::Close(client) => {
                self.open.remove(client);
                std::thread::sleep(SILENCE);
            }
            Step::Runtime(changes) => {
                let status = self.stand.admin("POST", &format!("/runtime_modify?{changes}")).status;
                self.line.push(format!("runtime {status}"));
            }
            Step::Stats(names) => self.stats(names),
            Step::Wait(time) => std::thread::sleep(*time),
        }
    }

    fn stream(&mut self, client: usize) -> &mut TcpStream {
        self.open.get_mut(&client).expect("a case opens what it uses")
    }

    fn open(&mut self, client: usize, listener: &str) {
        match TcpStream::connect(self.stand.addr(listener)) {
            Ok(stream) => {
                let port = stream.local_addr().expect("a connected socket has an address").port();
                self.names.push((port, format!("CLIENT{client}")));
                self.open.insert(client, stream);
            }
            Err(error) => self.line.push(format!("{client} not connected: {:?}", error.kind())),
        }
    }

    fn datagram(&mut self, client: usize, listener: &str, bytes: &[u8]) {
        let addr = self.stand.addr(listener);
        let socket = self.sockets.entry(client).or_insert_with(|| {
            let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port on loopback");
            socket.connect(addr).expect("loopback has a route");
            socket.set_read_timeout(Some(HEARD)).expect("a wait above zero");
            socket
        });
        // What the network says of a datagram before does not matter.
        let _ = socket.send(bytes);
    }

    fn hear(&mut self, client: usize) -> Option<String> {
        let mut bytes = vec![0; 65_536];
        let read = self.sockets[&client].recv(&mut bytes).ok()?;
        Some(self.renumbered(&bytes[..read].escape_ascii().to_string()))
    }

    /// An answer in which sessions have the numbers in which the case met them.
    fn renumbered(&mut self, text: &str) -> String {
        let parts = text.strip_prefix('<').and_then(|rest| rest.split_once('>'));
        let Some((session, said)) = parts else { return text.to_owned() };
        let known = self.sessions.iter().position(|known| known == session);
        let number = known.unwrap_or_else(|| {
            self.sessions.push(session.to_owned());
            self.sessions.len() - 1
        });
        let name = session.split(' ').next().unwrap_or_default();
        format!("<{name} in session {number}>{said}")
    }

    /// What comes within `first`, and then until there is silence or an end.
    fn read(&mut self, client: usize, first: Duration) {
        let stream = self.stream(client);
        let mut bytes = Vec::new();
        let end = loop {
            let wait = if bytes.is_empty() { first } else { SILENCE };
            stream.set_read_timeout(Some(wait)).expect("a wait above zero");
            let mut piece = [0; 4096];
            match stream.read(&mut piece) {
                Ok(0) => break "closed",
                Ok(read) => bytes.extend_from_slice(&piece[..read]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    break "open";
                }
                // An end with bytes that nobody read is a reset, which of the two is a race.
                Err(_) => break "closed",
            }
        };
        let text = self.neutral(&shortened(readable(&bytes)));
        self.line.push(format!("{client} {text:?} {end}").replace('\\', ""));
    }

    fn stats(&mut self, names: &str) {
        let names = names.replace('\\', "%5C").replace('+', "%2B");
        let target = format!("/stats?usedonly&filter={names}");
        let deadline = Instant::now() + FIRST;
        let mut before = String::new();
        // Counting lags behind what a client sees.
        loop {
            std::thread::sleep(SILENCE);
            let text = self.stand.admin("GET", &target).text();
            if text == before || Instant::now() > deadline {
                let mut lines: Vec<&str> = text.lines().collect();
                lines.sort_unstable();
                self.line.push(self.neutral(&lines.join(", ")));
                return;
            }
            before = text;
        }
    }

    /// A text in which ports are words.
    fn neutral(&self, text: &str) -> String {
        let mut told = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(|char: char| char.is_ascii_digit()) {
            let (before, number) = rest.split_at(at);
            let end = number.find(|char: char| !char.is_ascii_digit()).unwrap_or(number.len());
            told.push_str(before);
            let word = number[..end].parse().ok().and_then(|port: u16| self.word(port));
            told.push_str(word.unwrap_or(&number[..end]));
            rest = &number[end..];
        }
        told + rest
    }

    fn word(&self, port: u16) -> Option<&str> {
        let named = self.names.iter().rev().find(|(known, _)| *known == port);
        named.map(|(_, name)| name.as_str()).or_else(|| self.stand.word(port))
    }
}

fn shortened(text: String) -> String {
    const BYTES_MAX: usize = 300;
    if text.len() > BYTES_MAX { format!("{}… ({} bytes)", &text[..BYTES_MAX], text.len()) } else { text }
}

/// Bytes as text; of an HTTP response, its status and body.
fn readable(bytes: &[u8]) -> String {
    let text = bytes.escape_ascii().to_string();
    let Some(rest) = text.strip_prefix("HTTP/1.1 ") else { return text };
    let body = text.split_once("\\r\\n\\r\\n").map_or("", |(_, body)| body);
    format!("{} {body}", &rest[..3.min(rest.len())])
}

/// A request of an HTTP client that keeps its connection.
pub fn get(path: &str, fields: &[(&str, &str)]) -> Vec<u8> {
    let mut request = Request::new("GET", "host.example", path);
    for (name, value) in fields {
        request = request.header(name, value);
    }
    request.bytes()
}
