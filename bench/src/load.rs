//! The load generator: N keep-alive connections, one request at a time on each, for a warm-up and a measured time.
//!
//! It writes `begin` and `end` as lines, at which the parent reads the proxy's clocks, then its counts as JSON.

use std::cell::Cell;
use std::io::Write;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const REQUEST: &[u8] =
    b"GET /api/items?page=2 HTTP/1.1\r\nhost: bench.example\r\nuser-agent: bench/1\r\naccept: */*\r\n\r\n";
const HEADERS_MAX: usize = 64;

#[derive(clap::Args)]
pub struct Options {
    /// Where to.
    #[arg(long)]
    addr: SocketAddr,
    /// Connections.
    #[arg(long)]
    connections: usize,
    /// Time before the measurement begins.
    #[arg(long)]
    warm_up_millis: u64,
    /// Time of the measurement.
    #[arg(long)]
    measured_millis: u64,
}

/// What came of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Counts {
    /// Requests answered with 200 within the measured time.
    pub requests: u64,
    /// Requests that failed, from the first connection on.
    pub failures: u64,
    /// The measured time.
    pub seconds: f64,
}

#[derive(Default)]
struct Shared {
    answered: Cell<u64>,
    failures: Cell<u64>,
}

pub fn run(options: &Options) -> Result<(), String> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    let local = tokio::task::LocalSet::new();
    let counts = local.block_on(&runtime, measure(options))?;
    say(&serde_json::to_string(&counts).map_err(|e| e.to_string())?)
}

async fn measure(options: &Options) -> Result<Counts, String> {
    let shared = Rc::new(Shared::default());
    for _ in 0..options.connections {
        tokio::task::spawn_local(keep_asking(options.addr, shared.clone()));
    }
    tokio::time::sleep(Duration::from_millis(options.warm_up_millis)).await;
    say("begin")?;
    let before = shared.answered.get();
    let begun = std::time::Instant::now();
    tokio::time::sleep(Duration::from_millis(options.measured_millis)).await;
    let requests = shared.answered.get() - before;
    let seconds = begun.elapsed().as_secs_f64();
    say("end")?;
    Ok(Counts { requests, failures: shared.failures.get(), seconds })
}

fn say(line: &str) -> Result<(), String> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{line}").and_then(|()| output.flush()).map_err(|e| format!("stdout: {e}"))
}

async fn keep_asking(addr: SocketAddr, shared: Rc<Shared>) {
    loop {
        if let Err(reason) = connection(addr, &shared).await {
            eprintln!("load: {reason}");
            shared.failures.set(shared.failures.get() + 1);
            // A proxy that refuses every connection is not to be asked a million times.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

async fn connection(addr: SocketAddr, shared: &Shared) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(addr).await?;
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(16 * 1024);
    loop {
        stream.write_all(REQUEST).await?;
        read_answer(&mut stream, &mut buffer).await?;
        buffer.clear();
        shared.answered.set(shared.answered.get() + 1);
    }
}

/// Reads one whole answer into an empty buffer; anything but a 200 is an error.
async fn read_answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> std::io::Result<()> {
    let mut wanted = None;
    loop {
        if stream.read_buf(buffer).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if wanted.is_none() {
            wanted = whole_length(buffer)?;
        }
        match wanted {
            Some(length) if buffer.len() == length => return Ok(()),
            Some(length) if buffer.len() > length => {
                return Err(std::io::Error::other("more than one answer"));
            }
            _ => {}
        }
    }
}

fn whole_length(bytes: &[u8]) -> std::io::Result<Option<usize>> {
    let mut fields = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut head = httparse::Response::new(&mut fields);
    let httparse::Status::Complete(end) = head.parse(bytes).map_err(std::io::Error::other)? else {
        return Ok(None);
    };
    if head.code != Some(200) {
        return Err(std::io::Error::other(format!("status {:?}", head.code)));
    }
    let field = head.headers.iter().find(|field| field.name.eq_ignore_ascii_case("content-length"));
    let text = field.and_then(|field| std::str::from_utf8(field.value).ok());
    let length: Option<usize> = text.and_then(|text| text.parse().ok());
    Ok(Some(end + length.ok_or_else(|| std::io::Error::other("an answer without content-length"))?))
}
