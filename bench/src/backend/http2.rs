//! HTTP/2: every request is answered, once it has ended, with the same head, body and, for gRPC, trailers.

use std::collections::VecDeque;
use std::io;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::wire::frames::{self, Frame, Inbox, PREFACE, Received, flag, kind, setting};
use crate::wire::hpack::{self, Field, Name};
use crate::work::load::Load;

/// The largest payload without being asked for more (RFC 9113 §6.5.2, SETTINGS_MAX_FRAME_SIZE).
const FRAME_BYTES_MAX: usize = 16 * 1024;

/// A peer's table must hold what we keep in it; smaller than this, nothing is kept.
const TABLE_BYTES_MIN: u32 = 1024;

/// The answers of a load.
pub struct Answers {
    head: Vec<Field>,
    body: Vec<u8>,
    trailers: Vec<Field>,
}

impl Answers {
    /// What is answered to a load.
    pub fn new(load: &Load) -> Self {
        let field = |name, value: &str| Field { name, value: value.to_owned() };
        let body = vec![b'x'; load.response_bytes().min(FRAME_BYTES_MAX)];
        if matches!(load, Load::Streams { grpc: true, .. }) {
            let mut body = body;
            let length = (body.len() as u32).saturating_sub(5).to_be_bytes();
            for (place, byte) in body.iter_mut().zip([0].into_iter().chain(length)) {
                *place = byte;
            }
            let head = vec![field(Name::Static(31), "application/grpc")];
            return Self { head, body, trailers: vec![field(Name::Text("grpc-status"), "0")] };
        }
        let length = body.len().to_string();
        let head = vec![field(Name::Static(31), "text/plain"), field(Name::Static(28), &length)];
        Self { head, body, trailers: Vec::new() }
    }

    /// Serves a connection from which these bytes have been read.
    pub async fn serve(&self, mut stream: TcpStream, read: Vec<u8>) -> io::Result<()> {
        let mut connection = Connection::new(self, read);
        loop {
            connection.take()?;
            connection.answer();
            if !connection.out.is_empty() {
                stream.write_all(&connection.out).await?;
                connection.out.clear();
            }
            if !connection.inbox.fill(&mut stream).await? {
                return Ok(());
            }
        }
    }
}

struct Connection<'a> {
    answers: &'a Answers,
    inbox: Inbox,
    out: Vec<u8>,
    waiting: VecDeque<u32>,
    window: i64,
    table_bytes: u32,
    answered: bool,
    received: Received,
}

impl<'a> Connection<'a> {
    fn new(answers: &'a Answers, read: Vec<u8>) -> Self {
        let mut inbox = Inbox::new(read);
        inbox.skip(PREFACE.len());
        let mut out = Vec::new();
        frames::put_settings(&mut out, &[(setting::INITIAL_WINDOW_SIZE, 1024 * 1024)]);
        frames::put_window_update(&mut out, frames::GRANTED_BYTES);
        Self {
            answers,
            inbox,
            out,
            waiting: VecDeque::new(),
            window: frames::WINDOW_BYTES,
            table_bytes: 4096,
            answered: false,
            received: Received::default(),
        }
    }

    fn take(&mut self) -> io::Result<()> {
        while let Some(frame) = self.inbox.next() {
            if frames::acknowledge(frame, &mut self.out) {
                continue;
            }
            match frame.kind {
                kind::HEADERS | kind::DATA => {
                    if frame.kind == kind::DATA {
                        self.received.data(frame, &mut self.out);
                    }
                    if frame.has(flag::END_STREAM) {
                        self.waiting.push_back(frame.stream);
                    }
                }
                kind::SETTINGS => {
                    settings(frame, self.answers.body.len(), &mut self.table_bytes)?;
                    frames::put(&mut self.out, kind::SETTINGS, flag::ACK, 0, &[]);
                }
                kind::WINDOW_UPDATE if frame.stream == 0 => self.window += i64::from(frame.number()),
                kind::RST_STREAM => self.waiting.retain(|stream| *stream != frame.stream),
                // Windows of streams are larger than what is sent on them; priorities mean nothing.
                _ => {}
            }
        }
        Ok(())
    }

    /// Answers what waits, as far as the connection's window goes.
    fn answer(&mut self) {
        let size = self.answers.body.len() as i64;
        while self.window >= size
            && let Some(stream) = self.waiting.pop_front()
        {
            self.window -= size;
            let (head, trailers) = self.blocks();
            frames::put(&mut self.out, kind::HEADERS, flag::END_HEADERS, stream, &head);
            if trailers.is_empty() {
                frames::put(&mut self.out, kind::DATA, flag::END_STREAM, stream, &self.answers.body);
            } else {
                frames::put(&mut self.out, kind::DATA, 0, stream, &self.answers.body);
                let flags = flag::END_HEADERS | flag::END_STREAM;
                frames::put(&mut self.out, kind::HEADERS, flags, stream, &trailers);
            }
            self.answered = true;
        }
    }

    /// The blocks of head and trailers: spelled out in the first answer, and always for a peer without a table.
    fn blocks(&self) -> (Vec<u8>, Vec<u8>) {
        let (head, trailers) = (&self.answers.head, &self.answers.trailers);
        let kept = self.table_bytes >= TABLE_BYTES_MIN;
        if kept && self.answered {
            let (count, all) = (head.len(), head.len() + trailers.len());
            let head = [vec![hpack::STATUS_200], hpack::indexed(0..count, all)].concat();
            return (head, hpack::indexed(count..all, all));
        }
        let mut block = Vec::new();
        if !kept && !self.answered {
            block.push(hpack::NO_TABLE);
        }
        block.push(hpack::STATUS_200);
        block.extend(hpack::literals(head, kept));
        (block, hpack::literals(trailers, kept))
    }
}

fn settings(frame: Frame<'_>, body_bytes: usize, table_bytes: &mut u32) -> io::Result<()> {
    for (id, value) in frame.settings() {
        match id {
            setting::HEADER_TABLE_SIZE => *table_bytes = value,
            setting::INITIAL_WINDOW_SIZE if (value as usize) < body_bytes => {
                return Err(io::Error::other(format!(
                    "a window of {value} bytes is too small for the answers"
                )));
            }
            _ => {}
        }
    }
    Ok(())
}
