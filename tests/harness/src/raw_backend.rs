//! A backend of bare sockets: it reads by the letter ([`crate::strict`]), records what came on which connection,
//! and answers with the bytes it is told to, well formed or not.
//!
//! One rule: bytes that are no request are recorded as such and never answered.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::strict::{self, Parsed, Request};

const EXCERPT_BYTES: usize = 200;

/// What came over a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The connection's number, from zero.
    pub connection: usize,
    /// What it was.
    pub what: What,
}

/// One thing that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// A request.
    Request(Request),
    /// Bytes that no reader may accept: why, and how they begin.
    Wrong(&'static str, String),
    /// Bytes after an answer that opened a tunnel, up to the connection's end.
    Tunnel(Vec<u8>),
}

/// What is sent for a request, and what becomes of the connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// The bytes, as they are.
    pub bytes: Vec<u8>,
    /// Whether each byte goes out alone.
    pub bytewise: bool,
    /// What follows.
    pub then: Then,
}

/// What becomes of the connection after an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Then {
    /// The next request is waited for.
    #[default]
    Keep,
    /// It is closed in order.
    Close,
    /// It is closed with a reset.
    Reset,
    /// What comes is a tunnel's.
    Tunnel,
}

type Script = dyn Fn(&Request) -> Answer + Send + Sync;

/// A running backend.
pub struct RawBackend {
    addr: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

struct Shared {
    script: Box<Script>,
    greeting: Mutex<Vec<u8>>,
    seen: Mutex<Vec<Seen>>,
    connections: AtomicUsize,
    open: Mutex<BTreeMap<usize, TcpStream>>,
    stopped: AtomicBool,
}

impl RawBackend {
    /// Starts on a free port of 127.0.0.1; `script` makes the answer of each request.
    pub fn start(script: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port on loopback");
        let addr = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared {
            script: Box::new(script),
            greeting: Mutex::default(),
            seen: Mutex::default(),
            connections: AtomicUsize::new(0),
            open: Mutex::default(),
            stopped: AtomicBool::new(false),
        });
        let accepting = Arc::clone(&shared);
        let acceptor = std::thread::spawn(move || accept(&listener, &accepting));
        Self { addr, shared, acceptor: Some(acceptor) }
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Bytes that new connections are greeted with, before any request.
    pub fn greet(&self, bytes: &[u8]) {
        *locked(&self.shared.greeting) = bytes.to_vec();
    }

    /// What came since the last call, oldest first.
    pub fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut locked(&self.shared.seen))
    }

    /// Ends every connection that is open.
    pub fn disconnect(&self) {
        for stream in locked(&self.shared.open).values() {
            // The other side may have closed it before.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for RawBackend {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // Wakes the acceptor; when nobody listens any more there is nothing to wake.
        let _ = TcpStream::connect(self.addr);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
        self.disconnect();
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.stopped.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let connection = shared.connections.fetch_add(1, Ordering::SeqCst);
        if let Ok(handle) = stream.try_clone() {
            locked(&shared.open).insert(connection, handle);
        }
        let shared = Arc::clone(shared);
        std::thread::spawn(move || {
            // An error is the other side's going away, which it may do at any time.
            let _ = serve(&stream, connection, &shared);
            locked(&shared.open).remove(&connection);
        });
    }
}

fn serve(mut stream: &TcpStream, connection: usize, shared: &Shared) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let record = |what| locked(&shared.seen).push(Seen { connection, what });
    let greeting = locked(&shared.greeting).clone();
    stream.write_all(&greeting)?;
    let mut buffered = Vec::new();
    loop {
        match strict::request(&buffered) {
            Parsed::Wrong(why) => {
                let excerpt = &buffered[..buffered.len().min(EXCERPT_BYTES)];
                record(What::Wrong(why, excerpt.escape_ascii().to_string()));
                return Ok(());
            }
            Parsed::Part => {
                if read(stream, &mut buffered)? == 0 {
                    return Ok(());
                }
            }
            Parsed::Whole(request, taken) => {
                buffered.drain(..taken);
                let answer = (shared.script)(&request);
                record(What::Request(request));
                send(stream, &answer)?;
                match answer.then {
                    Then::Keep => {}
                    Then::Close => return Ok(()),
                    Then::Reset => {
                        // What was sent is to be read before the reset overtakes it.
                        std::thread::sleep(Duration::from_millis(20));
                        socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO))?;
                        return Ok(());
                    }
                    Then::Tunnel => {
                        // A reset ends a tunnel as well.
                        let _ = stream.read_to_end(&mut buffered);
                        record(What::Tunnel(buffered));
                        return Ok(());
                    }
                }
            }
        }
    }
}

fn read(mut stream: &TcpStream, into: &mut Vec<u8>) -> std::io::Result<usize> {
    let mut chunk = [0; 16 * 1024];
    let read = stream.read(&mut chunk)?;
    into.extend_from_slice(&chunk[..read]);
    Ok(read)
}

fn send(mut stream: &TcpStream, answer: &Answer) -> std::io::Result<()> {
    if !answer.bytewise {
        return stream.write_all(&answer.bytes);
    }
    write_bytewise(stream, &answer.bytes)
}

/// Writes one byte per segment; long texts in pieces of a length that is nobody's buffer size.
pub fn write_bytewise(mut stream: &TcpStream, bytes: &[u8]) -> std::io::Result<()> {
    const BYTEWISE_MAX: usize = 1500;
    const PAUSE: Duration = Duration::from_micros(20);
    let piece = if bytes.len() > BYTEWISE_MAX { 997 } else { 1 };
    for piece in bytes.chunks(piece) {
        stream.write_all(piece)?;
        // Long enough for the reader to be scheduled, so that it sees most pieces alone.
        std::thread::sleep(PAUSE);
    }
    Ok(())
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("nobody panics while holding it")
}
