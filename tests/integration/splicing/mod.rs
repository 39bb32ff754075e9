//! What goes through the kernel from socket to socket: TCP, and HTTP/1.1 bodies of a known length.
//!
//! One rule: every byte that was sent is compared and found in the access log, and no descriptor stays.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use harness::ports::free_addr;
use harness::process::Process;
use harness::{binaries, workspace};

const DEADLINE: Duration = Duration::from_secs(30);
const CLIENTS: usize = 12;
const BODY_BYTES: usize = 3_000_001;
/// What a worker may keep when nothing goes on: 16 pipes of two descriptors, and a connection to the backend for each
/// request there ever was at once.
const KEPT_DESCRIPTORS_MAX: usize = 2 * 16 + CLIENTS;

struct Proxy {
    process: Process,
    http: SocketAddr,
    tcp: SocketAddr,
    log: PathBuf,
    _dir: tempfile::TempDir,
}

impl Proxy {
    fn start() -> Self {
        let dir = workspace::temp_dir();
        let [http, tcp] = [(); 2].map(|()| free_addr());
        let log = dir.path().join("access.log");
        let config = include_str!("proxy.yaml")
            .replace("@HTTP@", &http.port().to_string())
            .replace("@TCP@", &tcp.port().to_string())
            .replace("@ECHO@", &echo().port().to_string())
            .replace("@LOG@", &log.display().to_string());
        let config = workspace::write(dir.path(), "proxy.yaml", &config);
        let mut command = binaries::proxy(&binaries::binary("tombolo-proxy"), &config);
        let mut process = Process::spawn("tombolo-proxy", &mut command);
        process.wait_accepts(http, DEADLINE);
        process.wait_accepts(tcp, DEADLINE);
        Self { process, http, tcp, log, _dir: dir }
    }

    fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.process.pid())).map_or(0, Iterator::count)
    }

    /// Waits until a line is in the access log as often as it must be.
    fn wait_lines(&mut self, line: &str, times: usize) {
        let log = self.log.clone();
        self.process.wait_until(&format!("{times} x `{line}` in the access log"), DEADLINE, |_| {
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            let found = text.lines().filter(|written| *written == line).count();
            if found == times { Ok(()) } else { Err(format!("{found} times in\n{text}")) }
        });
    }

    fn wait_descriptors(&mut self, most: usize) {
        let path = format!("/proc/{}/fd", self.process.pid());
        self.process.wait_until(&format!("at most {most} descriptors"), DEADLINE, |_| {
            let open = std::fs::read_dir(&path).map_or(0, Iterator::count);
            if open <= most { Ok(()) } else { Err(format!("{open} are open")) }
        });
    }
}

/// A backend that sends everything back: a request's body as the response's, other bytes as they are.
fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let addr = listener.local_addr().expect("it is bound");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A connection that breaks is the client's to notice.
            std::thread::spawn(move || serve(stream));
        }
    });
    addr
}

fn serve(mut stream: TcpStream) -> io::Result<()> {
    loop {
        let mut first = [0; 4];
        stream.read_exact(&mut first)?;
        if &first != b"PUT " {
            stream.write_all(&first)?;
            let mut source = stream.try_clone()?;
            io::copy(&mut source, &mut stream)?;
            return stream.shutdown(Shutdown::Write);
        }
        let length = content_length(&head(&mut stream)?);
        let mut body = vec![0; length];
        stream.read_exact(&mut body)?;
        write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n")?;
        stream.write_all(&body)?;
    }
}

/// Reads up to the empty line, not a byte more.
fn head(stream: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&head).to_ascii_lowercase())
}

fn content_length(head: &str) -> usize {
    let value = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    value.and_then(|value| value.parse().ok()).unwrap_or(0)
}

/// Bytes that are wrong wherever one is lost, doubled or moved.
fn noise(seed: u64) -> Vec<u8> {
    let mut noise = vec![0; BODY_BYTES];
    fastrand::Rng::with_seed(seed).fill(&mut noise);
    noise
}

fn connect(addr: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(addr).expect("the proxy accepts");
    stream.set_read_timeout(Some(DEADLINE)).expect("a time-out can be set");
    stream
}

/// Sends a body and gives what comes back; the sending has a thread of its own, so that neither side must hold all.
fn put(stream: &mut TcpStream, path: &str, body: &[u8]) -> Vec<u8> {
    let mut sender = stream.try_clone().expect("a socket can be doubled");
    std::thread::scope(|scope| {
        scope.spawn(move || {
            write!(sender, "PUT {path} HTTP/1.1\r\nhost: a\r\ncontent-length: {}\r\n\r\n", body.len())?;
            sender.write_all(body)
        });
        let head = head(stream).expect("a response comes");
        assert!(head.starts_with("http/1.1 200 "), "{head}");
        let mut back = vec![0; content_length(&head)];
        stream.read_exact(&mut back).expect("the whole body comes");
        back
    })
}

/// Lets so many clients do something at once.
fn at_once(act: impl Fn(u64) + Sync) {
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let act = &act;
            scope.spawn(move || act(client as u64));
        }
    });
}

#[test]
fn http_bodies_come_back_whole_are_counted_and_leave_no_descriptor() {
    let mut proxy = Proxy::start();
    let before = proxy.descriptors();
    at_once(|client| {
        let mut stream = connect(proxy.http);
        for path in ["/", "/retried", "/"] {
            let body = noise(client);
            assert!(put(&mut stream, path, &body) == body, "client {client}: {path} came back changed");
        }
    });
    proxy.wait_lines(&format!("http {BODY_BYTES} {BODY_BYTES} -"), 3 * CLIENTS);
    proxy.wait_descriptors(before + KEPT_DESCRIPTORS_MAX);
}

#[test]
fn tcp_bytes_come_back_whole_are_counted_and_leave_no_descriptor() {
    let mut proxy = Proxy::start();
    let before = proxy.descriptors();
    at_once(|client| {
        let mut stream = connect(proxy.tcp);
        let mut sender = stream.try_clone().expect("a socket can be doubled");
        let bytes = noise(client);
        std::thread::scope(|scope| {
            let sent = scope.spawn(|| {
                sender.write_all(&bytes)?;
                sender.shutdown(Shutdown::Write)
            });
            let mut back = Vec::new();
            stream.read_to_end(&mut back).expect("the proxy passes the end on");
            sent.join().expect("the sender does not panic").expect("everything is taken");
            assert!(back == bytes, "client {client}: {} bytes came back changed", back.len());
        });
    });
    proxy.wait_lines(&format!("tcp {BODY_BYTES} {BODY_BYTES} -"), CLIENTS);
    proxy.wait_descriptors(before + KEPT_DESCRIPTORS_MAX);
}

#[test]
fn a_client_that_leaves_in_the_middle_leaves_no_descriptor_and_harms_no_other() {
    let mut proxy = Proxy::start();
    let before = proxy.descriptors();
    at_once(|client| {
        let mut stream = connect(proxy.http);
        let body = noise(client);
        if client % 2 == 0 {
            write!(stream, "PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: {BODY_BYTES}\r\n\r\n")
                .expect("sent");
            stream.write_all(&body[..BODY_BYTES / 2]).expect("half of it is taken");
        } else {
            assert!(put(&mut stream, "/", &body) == body, "client {client}: the body came back changed");
        }
    });
    proxy.wait_lines(&format!("http {BODY_BYTES} {BODY_BYTES} -"), CLIENTS / 2);
    proxy.wait_descriptors(before + KEPT_DESCRIPTORS_MAX);
    let body = noise(99);
    assert!(put(&mut connect(proxy.http), "/", &body) == body, "another client got other bytes");
}
