//! Bodies far bigger than memory, through two gateways with mutual TLS between them.
//!
//! One rule: every byte is compared, and both gateways' resident memory is sampled from the first byte to the last.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use harness::process::Process;

use crate::gateways::Gateways;

/// No gateway may hold more, however big the body.
const RESIDENT_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Content repeats after this many bytes: a prime, so that no buffer's size divides it and a lost or doubled
/// buffer shows.
const PERIOD: usize = 1_000_003;
const SAMPLE_PAUSE: Duration = Duration::from_millis(20);
const SILENCE_MAX: Duration = Duration::from_secs(60);
const SLOW_BYTES_PER_SECOND: u64 = 10_000_000;

/// `TOMBOLO_BIG_BODY_GB`, or as many gigabytes as an unoptimised build moves in seconds.
fn big_bytes() -> u64 {
    let gigabytes = std::env::var("TOMBOLO_BIG_BODY_GB").unwrap_or_else(|_| "1".to_owned());
    let gigabytes: u64 = gigabytes.parse().expect("TOMBOLO_BIG_BODY_GB is a whole number of gigabytes");
    gigabytes * 1_000_000_000
}

/// Bytes that tell where they belong.
#[derive(Clone)]
struct Content(Arc<Vec<u8>>);

impl Content {
    fn new() -> Self {
        let mut random = fastrand::Rng::with_seed(7);
        // Twice, so that a whole period can be taken from any place.
        let once: Vec<u8> = std::iter::repeat_with(|| random.u8(..)).take(PERIOD).collect();
        Self(Arc::new(once.repeat(2)))
    }

    fn at(&self, offset: u64, length: usize) -> &[u8] {
        let begin = (offset % PERIOD as u64) as usize;
        &self.0[begin..begin + length]
    }

    fn write(&self, into: &mut impl Write, length: u64, pace: &Pace) -> io::Result<()> {
        let mut sent = 0;
        while sent < length {
            let now = (length - sent).min(256 * 1024);
            into.write_all(self.at(sent, now as usize))?;
            sent += now;
            pace.after(sent);
        }
        Ok(())
    }

    fn check(&self, from: &mut impl Read, length: u64, pace: &Pace) -> io::Result<()> {
        let mut buffer = vec![0; 256 * 1024];
        let mut received = 0;
        while received < length {
            let most = (length - received).min(buffer.len() as u64) as usize;
            let read = from.read(&mut buffer[..most])?;
            if read == 0 {
                return Err(io::Error::other(format!("the body ended after {received} of {length} bytes")));
            }
            if buffer[..read] != *self.at(received, read) {
                return Err(io::Error::other(format!(
                    "wrong bytes between {received} and {}",
                    received + read as u64
                )));
            }
            received += read as u64;
            pace.after(received);
        }
        Ok(())
    }
}

/// How far one side is, and how fast it may be.
struct Pace {
    begun: Instant,
    bytes_per_second: Option<u64>,
    done: Arc<AtomicU64>,
}

impl Pace {
    fn new(bytes_per_second: Option<u64>, done: &Arc<AtomicU64>) -> Self {
        Self { begun: Instant::now(), bytes_per_second, done: done.clone() }
    }

    fn after(&self, bytes: u64) {
        self.done.store(bytes, Ordering::Relaxed);
        if let Some(speed) = self.bytes_per_second {
            let due = Duration::from_secs_f64(bytes as f64 / speed as f64);
            std::thread::sleep(due.saturating_sub(self.begun.elapsed()));
        }
    }
}

/// What one transfer is.
#[derive(Clone, Copy)]
struct Transfer {
    host: &'static str,
    upload: bool,
    bytes: u64,
    /// Of the side that receives.
    bytes_per_second: Option<u64>,
}

/// A transfer's two ends, each with how far it is.
struct Ends {
    content: Content,
    transfer: Transfer,
    sent: Arc<AtomicU64>,
    received: Arc<AtomicU64>,
}

impl Ends {
    fn receiver(&self) -> Pace {
        Pace::new(self.transfer.bytes_per_second, &self.received)
    }

    fn sender(&self) -> Pace {
        Pace::new(None, &self.sent)
    }

    /// Answers one request; the backend's half.
    fn serve(&self, listener: &TcpListener) -> io::Result<()> {
        let (mut stream, _) = listener.accept()?;
        stream.set_read_timeout(Some(SILENCE_MAX))?;
        let head = head(&mut stream)?;
        let length = format!("content-length: {}", self.transfer.bytes);
        if !self.transfer.upload {
            write!(stream, "HTTP/1.1 200 OK\r\n{length}\r\n\r\n")?;
            return self.content.write(&mut stream, self.transfer.bytes, &self.sender());
        }
        if !head.to_ascii_lowercase().contains(&length) {
            return Err(io::Error::other(format!("no `{length}` in {head}")));
        }
        self.content.check(&mut stream, self.transfer.bytes, &self.receiver())?;
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
    }

    /// Sends one request; the client's half.
    fn ask(&self, gateway: SocketAddr) -> io::Result<()> {
        let mut stream = TcpStream::connect(gateway)?;
        stream.set_read_timeout(Some(SILENCE_MAX))?;
        let Transfer { host, upload, bytes, .. } = self.transfer;
        match upload {
            true => write!(stream, "PUT / HTTP/1.1\r\nhost: {host}\r\ncontent-length: {bytes}\r\n\r\n")?,
            false => write!(stream, "GET / HTTP/1.1\r\nhost: {host}\r\n\r\n")?,
        }
        if upload {
            self.content.write(&mut stream, bytes, &self.sender())?;
        }
        let head = head(&mut stream)?;
        if !head.starts_with("HTTP/1.1 200 ") {
            return Err(io::Error::other(head));
        }
        if upload { Ok(()) } else { self.content.check(&mut stream, bytes, &self.receiver()) }
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
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// The most that was ever resident (of either gateway), and the most that ever was on the way.
struct Peaks {
    resident: [u64; 2],
    on_the_way: u64,
}

fn run(transfer: Transfer) -> Peaks {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let gateways = Gateways::start(listener.local_addr().expect("it is bound"));
    let ends = Ends { content: Content::new(), transfer, sent: Arc::default(), received: Arc::default() };
    let ended = AtomicBool::new(false);
    let begun = Instant::now();
    let (peaks, served, asked) = std::thread::scope(|scope| {
        let sampler = scope.spawn(|| sample(&gateways, &ends, &ended));
        let server = scope.spawn(|| ends.serve(&listener));
        let asked = ends.ask(gateways.plain);
        // A backend that nobody has reached would wait for ever.
        if asked.is_err() {
            drop(TcpStream::connect(listener.local_addr().expect("it is bound")));
        }
        let served = server.join().expect("the backend does not panic");
        ended.store(true, Ordering::Relaxed);
        (sampler.join().expect("the sampler does not panic"), served, asked)
    });
    let took = begun.elapsed();
    let Transfer { host, upload, bytes, .. } = transfer;
    println!(
        "{} of {bytes} bytes as {host}: {took:.1?} ({:.0} MB/s); most resident: gateway 1 {:.1} MiB, gateway 2 {:.1} \
         MiB; most on the way {:.1} MiB",
        if upload { "upload" } else { "download" },
        bytes as f64 / 1e6 / took.as_secs_f64(),
        mebibytes(peaks.resident[0]),
        mebibytes(peaks.resident[1]),
        mebibytes(peaks.on_the_way),
    );
    assert!(served.is_ok() && asked.is_ok(), "{host}: backend {served:?}, client {asked:?}");
    for (resident, name) in peaks.resident.iter().zip(["gateway 1", "gateway 2"]) {
        assert!((1..RESIDENT_BYTES_MAX).contains(resident), "{name} held {} MiB", mebibytes(*resident));
    }
    peaks
}

fn sample(gateways: &Gateways, ends: &Ends, ended: &AtomicBool) -> Peaks {
    let mut peaks = Peaks { resident: [0; 2], on_the_way: 0 };
    while !ended.load(Ordering::Relaxed) {
        for (peak, gateway) in peaks.resident.iter_mut().zip([&gateways.first, &gateways.second]) {
            *peak = held_bytes(gateway).max(*peak);
        }
        // The receiver's count is read first: what arrives in between only makes the difference bigger.
        let received = ends.received.load(Ordering::Relaxed);
        let sent = ends.sent.load(Ordering::Relaxed);
        peaks.on_the_way = peaks.on_the_way.max(sent.saturating_sub(received));
        std::thread::sleep(SAMPLE_PAUSE);
    }
    peaks
}

/// What a gateway holds: all that is resident, but in an unoptimised build without the pages of its own program
/// file, which alone are near the limit there.
fn held_bytes(gateway: &Process) -> u64 {
    if std::env::var("TOMBOLO_PROFILE").is_ok_and(|profile| profile != "dev") {
        return gateway.resident_bytes();
    }
    let status = std::fs::read_to_string(format!("/proc/{}/status", gateway.pid())).unwrap_or_default();
    let anonymous = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap_or("0 kB");
    anonymous.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) * 1024
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / 1_048_576.0
}

fn whole(host: &'static str, upload: bool) -> Transfer {
    Transfer { host, upload, bytes: big_bytes(), bytes_per_second: None }
}

fn slow(host: &'static str, upload: bool) -> Transfer {
    let speed = SLOW_BYTES_PER_SECOND;
    Transfer { host, upload, bytes: 5 * speed, bytes_per_second: Some(speed) }
}

#[test]
fn a_big_upload_needs_no_memory() {
    run(whole("big-h2.test", true));
}

#[test]
fn a_big_download_needs_no_memory() {
    run(whole("big-h2.test", false));
}

#[test]
fn a_slow_receiver_holds_back_a_fast_sender() {
    for host in ["big-h1.test", "big-h2.test"] {
        for upload in [true, false] {
            let peaks = run(slow(host, upload));
            assert!(
                peaks.on_the_way < RESIDENT_BYTES_MAX / 2,
                "{} MiB on the way",
                mebibytes(peaks.on_the_way)
            );
        }
    }
}
