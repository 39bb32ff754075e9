//! A `quinn` connection as `h3` wants it.
//!
//! Differs from `h3-quinn` where a proxy must know more: a client that stops a request is noticed while nothing is sent
//! ([`Stops`]), a message that was not ended is reset and never looks whole, frames are watched. One rule: no byte of a
//! stream is kept here.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::Future;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use bytes::{Buf, Bytes};
use h3::error::Code;
use h3::quic::{self, ConnectionErrorIncoming, StreamErrorIncoming, StreamId, WriteBuf};
use quinn::{ConnectionError, ReadError, VarInt, WriteError};

use super::watch::Watch;
use crate::limits::RELAY_BUFFER_BYTES;

type Waiting<T> = Pin<Box<dyn Future<Output = Result<T, ConnectionError>>>>;

type Pair = (quinn::SendStream, quinn::RecvStream);

/// Ready when the client wants no more of a response, or all of it has arrived.
pub type Stopped = Pin<Box<dyn Future<Output = ()>>>;

/// The requests' [`Stopped`] in the order in which they were opened. Clones share them.
#[derive(Clone, Default)]
pub struct Stops(Rc<RefCell<VecDeque<(u64, Stopped)>>>);

impl Stops {
    /// The one of stream `id`; those opened before it were refused, and are let go.
    #[must_use]
    pub fn take(&self, id: StreamId) -> Option<Stopped> {
        let id = id.into_inner();
        let mut stops = self.0.borrow_mut();
        while let Some((have, stopped)) = stops.pop_front() {
            if have == id {
                return Some(stopped);
            }
        }
        None
    }
}

/// The server's side of a connection.
pub struct Transport {
    opener: Opener,
    requests: Option<Waiting<Pair>>,
    streams: Option<Waiting<quinn::RecvStream>>,
    stops: Stops,
    heads_bytes_max: u64,
}

impl Transport {
    /// Around a connection whose heads may have so many bytes.
    #[must_use]
    pub fn new(connection: quinn::Connection, heads_bytes_max: u64) -> Self {
        let opener = Opener { connection, both: None, one: None };
        Self { opener, requests: None, streams: None, stops: Stops::default(), heads_bytes_max }
    }

    /// Where requests tell that they were stopped.
    #[must_use]
    pub fn stops(&self) -> Stops {
        self.stops.clone()
    }
}

impl<B: Buf> quic::Connection<B> for Transport {
    type RecvStream = Incoming;
    type OpenStreams = Opener;

    fn poll_accept_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<Incoming, ConnectionErrorIncoming>> {
        let connection = &self.opener.connection;
        let stream = ready!(poll_waiting(&mut self.streams, cx, || {
            let connection = connection.clone();
            Box::pin(async move { connection.accept_uni().await })
        }));
        Poll::Ready(stream.map(|stream| Incoming::new(stream, Watch::unidirectional())).map_err(lost))
    }

    fn poll_accept_bidi(&mut self, cx: &mut Context<'_>) -> Poll<Result<Stream<B>, ConnectionErrorIncoming>> {
        let connection = &self.opener.connection;
        let pair = ready!(poll_waiting(&mut self.requests, cx, || {
            let connection = connection.clone();
            Box::pin(async move { connection.accept_bi().await })
        }));
        let (send, receive) = pair.map_err(lost)?;
        let stopped = send.stopped();
        let stopped: Stopped = Box::pin(async move {
            // A connection that is lost stops all of its streams.
            let _whole_or_stopped = stopped.await;
        });
        self.stops.0.borrow_mut().push_back((send.id().into(), stopped));
        let receive = Incoming::new(receive, Watch::request(self.heads_bytes_max));
        Poll::Ready(Ok(Stream { send: Outgoing::new(send), receive }))
    }

    fn opener(&self) -> Opener {
        Opener { connection: self.opener.connection.clone(), both: None, one: None }
    }
}

impl<B: Buf> quic::OpenStreams<B> for Transport {
    type BidiStream = Stream<B>;
    type SendStream = Outgoing<B>;

    fn poll_open_bidi(&mut self, cx: &mut Context<'_>) -> Poll<Result<Stream<B>, StreamErrorIncoming>> {
        self.opener.poll_open_bidi(cx)
    }

    fn poll_open_send(&mut self, cx: &mut Context<'_>) -> Poll<Result<Outgoing<B>, StreamErrorIncoming>> {
        self.opener.poll_open_send(cx)
    }

    fn close(&mut self, code: Code, reason: &[u8]) {
        quic::OpenStreams::<B>::close(&mut self.opener, code, reason);
    }
}

/// Opens streams of our own.
pub struct Opener {
    connection: quinn::Connection,
    both: Option<Waiting<Pair>>,
    one: Option<Waiting<quinn::SendStream>>,
}

impl<B: Buf> quic::OpenStreams<B> for Opener {
    type BidiStream = Stream<B>;
    type SendStream = Outgoing<B>;

    fn poll_open_bidi(&mut self, cx: &mut Context<'_>) -> Poll<Result<Stream<B>, StreamErrorIncoming>> {
        let connection = &self.connection;
        let pair = ready!(poll_waiting(&mut self.both, cx, || {
            let connection = connection.clone();
            Box::pin(async move { connection.open_bi().await })
        }));
        let (send, receive) = pair.map_err(stream_lost)?;
        // A server opens none (RFC 9114 §6.1), so there is no head to come.
        Poll::Ready(Ok(Stream {
            send: Outgoing::new(send),
            receive: Incoming::new(receive, Watch::request(0)),
        }))
    }

    fn poll_open_send(&mut self, cx: &mut Context<'_>) -> Poll<Result<Outgoing<B>, StreamErrorIncoming>> {
        let connection = &self.connection;
        let stream = ready!(poll_waiting(&mut self.one, cx, || {
            let connection = connection.clone();
            Box::pin(async move { connection.open_uni().await })
        }));
        Poll::Ready(stream.map(Outgoing::new).map_err(stream_lost))
    }

    fn close(&mut self, code: Code, reason: &[u8]) {
        self.connection.close(varint(code.value()), reason);
    }
}

/// Polls what is waited for, which is kept while it is pending: it holds the place in the line of those to be woken.
fn poll_waiting<T>(
    waiting: &mut Option<Waiting<T>>,
    cx: &mut Context<'_>,
    start: impl FnOnce() -> Waiting<T>,
) -> Poll<Result<T, ConnectionError>> {
    let done = ready!(waiting.get_or_insert_with(start).as_mut().poll(cx));
    *waiting = None;
    Poll::Ready(done)
}

/// Both halves of a stream.
pub struct Stream<B: Buf> {
    send: Outgoing<B>,
    receive: Incoming,
}

impl<B: Buf> quic::BidiStream<B> for Stream<B> {
    type SendStream = Outgoing<B>;
    type RecvStream = Incoming;

    fn split(self) -> (Outgoing<B>, Incoming) {
        (self.send, self.receive)
    }
}

impl<B: Buf> quic::RecvStream for Stream<B> {
    type Buf = Bytes;

    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, StreamErrorIncoming>> {
        self.receive.poll_data(cx)
    }

    fn stop_sending(&mut self, code: u64) {
        self.receive.stop_sending(code);
    }

    fn recv_id(&self) -> StreamId {
        self.receive.recv_id()
    }
}

impl<B: Buf> quic::SendStream<B> for Stream<B> {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamErrorIncoming>> {
        self.send.poll_ready(cx)
    }

    fn send_data<T: Into<WriteBuf<B>>>(&mut self, data: T) -> Result<(), StreamErrorIncoming> {
        self.send.send_data(data)
    }

    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamErrorIncoming>> {
        self.send.poll_finish(cx)
    }

    fn reset(&mut self, code: u64) {
        self.send.reset(code);
    }

    fn send_id(&self) -> StreamId {
        self.send.send_id()
    }
}

/// What the peer sends. Dropped before its end, the rest is declined without blame (RFC 9114 §4.1).
pub struct Incoming {
    stream: quinn::RecvStream,
    watch: Watch,
    ended: bool,
}

impl Incoming {
    fn new(stream: quinn::RecvStream, watch: Watch) -> Self {
        Self { stream, watch, ended: false }
    }
}

impl quic::RecvStream for Incoming {
    type Buf = Bytes;

    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, StreamErrorIncoming>> {
        // The future keeps nothing between polls, so a new one each time misses nothing.
        let read = ready!(pin!(self.stream.read_chunk(RELAY_BUFFER_BYTES, true)).poll(cx));
        match read {
            Ok(Some(chunk)) => {
                if let Err(long) = self.watch.look(&chunk.bytes) {
                    self.stop_sending(Code::H3_EXCESSIVE_LOAD.value());
                    let what = format!("frame {:#x} of {} bytes", long.frame_type, long.bytes);
                    return Poll::Ready(Err(StreamErrorIncoming::Unknown(what.into())));
                }
                Poll::Ready(Ok(Some(chunk.bytes)))
            }
            Ok(None) => {
                self.ended = true;
                Poll::Ready(Ok(None))
            }
            Err(why) => {
                self.ended = true;
                Poll::Ready(Err(match why {
                    ReadError::Reset(code) => {
                        StreamErrorIncoming::StreamTerminated { error_code: code.into_inner() }
                    }
                    ReadError::ConnectionLost(why) => stream_lost(why),
                    other => StreamErrorIncoming::Unknown(Box::new(other)),
                }))
            }
        }
    }

    fn stop_sending(&mut self, code: u64) {
        self.ended = true;
        // One that is stopped or gone already needs no more.
        let _ = self.stream.stop(varint(code));
    }

    fn recv_id(&self) -> StreamId {
        stream_id(self.stream.id())
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if !self.ended {
            quic::RecvStream::stop_sending(self, Code::H3_NO_ERROR.value());
        }
    }
}

/// What is sent to the peer. Dropped before its end it is reset: `quinn` would end it as if it were whole.
pub struct Outgoing<B: Buf> {
    stream: quinn::SendStream,
    writing: Option<WriteBuf<B>>,
    ended: bool,
}

impl<B: Buf> Outgoing<B> {
    fn new(stream: quinn::SendStream) -> Self {
        Self { stream, writing: None, ended: false }
    }
}

impl<B: Buf> quic::SendStream<B> for Outgoing<B> {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamErrorIncoming>> {
        while let Some(data) = self.writing.as_mut().filter(|data| data.has_remaining()) {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, data.chunk()));
            match written {
                Ok(count) => data.advance(count),
                Err(WriteError::Stopped(code)) => {
                    return Poll::Ready(Err(StreamErrorIncoming::StreamTerminated {
                        error_code: code.into_inner(),
                    }));
                }
                Err(WriteError::ConnectionLost(why)) => return Poll::Ready(Err(stream_lost(why))),
                Err(other) => return Poll::Ready(Err(StreamErrorIncoming::Unknown(Box::new(other)))),
            }
        }
        self.writing = None;
        Poll::Ready(Ok(()))
    }

    fn send_data<T: Into<WriteBuf<B>>>(&mut self, data: T) -> Result<(), StreamErrorIncoming> {
        if self.writing.is_some() {
            let what = "data was given before the last was taken";
            return Err(StreamErrorIncoming::Unknown(what.into()));
        }
        self.writing = Some(data.into());
        Ok(())
    }

    fn poll_finish(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), StreamErrorIncoming>> {
        self.ended = true;
        Poll::Ready(self.stream.finish().map_err(|gone| StreamErrorIncoming::Unknown(Box::new(gone))))
    }

    fn reset(&mut self, code: u64) {
        self.ended = true;
        // One that is stopped or gone already needs no more.
        let _ = self.stream.reset(varint(code));
    }

    fn send_id(&self) -> StreamId {
        stream_id(self.stream.id())
    }
}

impl<B: Buf> Drop for Outgoing<B> {
    fn drop(&mut self) {
        if !self.ended {
            // A client that stopped it gets its own code back (RFC 9000 §3.5).
            let mut nobody = Context::from_waker(Waker::noop());
            let code = match pin!(self.stream.stopped()).poll(&mut nobody) {
                Poll::Ready(Ok(Some(code))) => code.into_inner(),
                Poll::Ready(_) | Poll::Pending => Code::H3_INTERNAL_ERROR.value(),
            };
            quic::SendStream::reset(self, code);
        }
    }
}

fn stream_id(id: quinn::StreamId) -> StreamId {
    u64::from(id).try_into().expect("both are variable-length integers")
}

fn varint(value: u64) -> VarInt {
    VarInt::from_u64(value).unwrap_or(VarInt::MAX)
}

fn stream_lost(why: ConnectionError) -> StreamErrorIncoming {
    StreamErrorIncoming::ConnectionErrorIncoming { connection_error: lost(why) }
}

fn lost(why: ConnectionError) -> ConnectionErrorIncoming {
    match why {
        ConnectionError::ApplicationClosed(close) => {
            ConnectionErrorIncoming::ApplicationClose { error_code: close.error_code.into() }
        }
        ConnectionError::TimedOut => ConnectionErrorIncoming::Timeout,
        other => ConnectionErrorIncoming::Undefined(std::sync::Arc::new(other)),
    }
}
