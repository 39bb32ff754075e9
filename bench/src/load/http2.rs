//! HTTP/2: so many requests in flight on a connection, each of the same bytes; answers are counted by their last
//! frame and checked by status and length.

use std::io;

use tokio::io::AsyncWriteExt;

use super::tally::Tally;
use super::target::{Open, Stream, Target};
use crate::wire::frames::{self, Frame, Inbox, Received, flag, kind, setting};
use crate::wire::hpack::{self, Field, Name};

const STREAM_WINDOW_BYTES: u32 = 1024 * 1024;
const GET: u8 = 0x82;
const POST: u8 = 0x83;
const SCHEME_HTTP: u8 = 0x86;
const SCHEME_HTTPS: u8 = 0x87;

/// Bytes of the message in a gRPC request, its five of prefix included.
const GRPC_REQUEST_BYTES: usize = 128;

/// Keeps so many requests in flight until there is nothing more to ask for.
pub async fn keep_alive(target: &Target, tally: &Tally, streams: usize) -> io::Result<()> {
    match target.open().await? {
        Open::Plain(mut stream) => Connection::new(target, false).run(&mut stream, tally, streams).await,
        Open::Tls(mut stream) => Connection::new(target, true).run(&mut *stream, tally, streams).await,
    }
}

/// Asks once and leaves the connection as it is.
pub async fn ask_once(stream: &mut impl Stream, target: &Target, tls: bool) -> io::Result<()> {
    let tally = Tally::new(1, true);
    Connection::new(target, tls).run(stream, &tally, 1).await
}

struct Connection {
    inbox: Inbox,
    out: Vec<u8>,
    first_block: Vec<u8>,
    next_block: Vec<u8>,
    message: Option<Vec<u8>>,
    response_bytes: u64,
    next_stream: u32,
    in_flight: usize,
    window: i64,
    received: Received,
    /// Payload bytes of answers that have begun, by stream; a stream that is done has no entry.
    begun: Vec<(u32, u64)>,
}

impl Connection {
    fn new(target: &Target, tls: bool) -> Self {
        let fields = fields(target);
        let scheme = if tls { SCHEME_HTTPS } else { SCHEME_HTTP };
        let prefix = vec![if target.grpc { POST } else { GET }, scheme];
        let mut out = frames::PREFACE.to_vec();
        let settings = [(setting::ENABLE_PUSH, 0), (setting::INITIAL_WINDOW_SIZE, STREAM_WINDOW_BYTES)];
        frames::put_settings(&mut out, &settings);
        frames::put_window_update(&mut out, frames::GRANTED_BYTES);
        Self {
            inbox: Inbox::new(Vec::new()),
            out,
            first_block: [prefix.clone(), hpack::literals(&fields, true)].concat(),
            next_block: [prefix, hpack::indexed(0..fields.len(), fields.len())].concat(),
            message: target.grpc.then(|| grpc_message(GRPC_REQUEST_BYTES)),
            response_bytes: target.response_bytes as u64,
            next_stream: 1,
            in_flight: 0,
            window: frames::WINDOW_BYTES,
            received: Received::default(),
            begun: Vec::new(),
        }
    }

    async fn run(&mut self, stream: &mut impl Stream, tally: &Tally, streams: usize) -> io::Result<()> {
        loop {
            if !tally.in_steps() || self.in_flight == 0 {
                self.ask(tally, streams);
            }
            if self.in_flight == 0 {
                return Ok(());
            }
            if !self.out.is_empty() {
                stream.write_all(&self.out).await?;
                stream.flush().await?;
                self.out.clear();
            }
            if !self.inbox.fill(stream).await? {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "closed before the answers"));
            }
            self.take(tally)?;
        }
    }

    fn ask(&mut self, tally: &Tally, streams: usize) {
        let size = self.message.as_ref().map_or(0, Vec::len) as i64;
        while self.in_flight < streams && self.window >= size && tally.permit() {
            let block = if self.next_stream == 1 { &self.first_block } else { &self.next_block };
            let stream = self.next_stream;
            match &self.message {
                None => {
                    let flags = flag::END_HEADERS | flag::END_STREAM;
                    frames::put(&mut self.out, kind::HEADERS, flags, stream, block);
                }
                Some(message) => {
                    frames::put(&mut self.out, kind::HEADERS, flag::END_HEADERS, stream, block);
                    frames::put(&mut self.out, kind::DATA, flag::END_STREAM, stream, message);
                }
            }
            self.window -= size;
            self.next_stream += 2;
            self.in_flight += 1;
        }
    }

    fn take(&mut self, tally: &Tally) -> io::Result<()> {
        while let Some(frame) = self.inbox.next() {
            if frames::acknowledge(frame, &mut self.out) {
                continue;
            }
            match frame.kind {
                kind::HEADERS | kind::DATA => {
                    if frame.kind == kind::DATA {
                        self.received.data(frame, &mut self.out);
                    }
                    if let Some(bytes) = answer(&mut self.begun, frame)? {
                        if bytes != self.response_bytes {
                            return Err(io::Error::other(format!("an answer of {bytes} bytes")));
                        }
                        self.in_flight -= 1;
                        tally.answered(bytes);
                    }
                }
                kind::SETTINGS => frames::put(&mut self.out, kind::SETTINGS, flag::ACK, 0, &[]),
                kind::WINDOW_UPDATE if frame.stream == 0 => self.window += i64::from(frame.number()),
                kind::RST_STREAM => {
                    return Err(io::Error::other(format!("a stream was reset, code {}", frame.number())));
                }
                kind::GOAWAY => return Err(io::Error::other("GOAWAY")),
                // Windows of streams are larger than what is sent on them; priorities mean nothing.
                _ => {}
            }
        }
        Ok(())
    }
}

/// Takes note of an answer's frame; its payload bytes when it was the last.
fn answer(begun: &mut Vec<(u32, u64)>, frame: Frame<'_>) -> io::Result<Option<u64>> {
    let place = begun.iter().position(|(stream, _)| *stream == frame.stream);
    let place = match (frame.kind, place) {
        // Trailers: a second head.
        (_, Some(place)) => place,
        (kind::HEADERS, None) if frame.has(flag::END_HEADERS) && hpack::is_200(frame.block()) => {
            begun.push((frame.stream, 0));
            begun.len() - 1
        }
        (kind::HEADERS, None) => {
            return Err(io::Error::other(format!("not a head of a 200: {:x?}", frame.payload)));
        }
        _ => return Err(io::Error::other("a body without a head")),
    };
    if frame.kind == kind::DATA {
        begun[place].1 += frame.payload.len() as u64;
    }
    Ok(frame.has(flag::END_STREAM).then(|| begun.swap_remove(place).1))
}

fn fields(target: &Target) -> Vec<Field> {
    let field = |name, value: &str| Field { name, value: value.to_owned() };
    if target.grpc {
        return vec![
            field(Name::Static(4), "/bench.Echo/Unary"),
            field(Name::Static(1), "bench.example"),
            field(Name::Static(31), "application/grpc"),
            field(Name::Text("te"), "trailers"),
            field(Name::Static(58), "bench/1"),
        ];
    }
    vec![
        field(Name::Static(4), &target.path),
        field(Name::Static(1), "bench.example"),
        field(Name::Static(58), "bench/1"),
        field(Name::Static(19), "*/*"),
    ]
}

/// A message with gRPC's prefix: not compressed, and its length.
fn grpc_message(bytes: usize) -> Vec<u8> {
    let length = bytes.saturating_sub(5);
    let mut message = vec![0];
    message.extend_from_slice(&(length as u32).to_be_bytes());
    message.resize(5 + length, b'x');
    message
}
