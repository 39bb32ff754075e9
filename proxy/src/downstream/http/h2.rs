//! Serves one downstream HTTP/2 connection.
//!
//! The connection's task drives the frames; every stream is a task of its own that the connection owns, so that
//! the end of the connection, or the client's RST_STREAM, ends the work. The rule: nothing a client does makes the
//! connection hold more than `max_concurrent_streams` streams, their windows and one gathered write.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use h2::RecvStream;
use h2::server::{self, SendResponse};
use http::header::EXPECT;
use tokio::task::JoinSet;
use tokio::time::{Instant, Sleep, sleep, timeout};

use crate::body::{Body, Interim, Request, Response, Scheme};
use crate::codec::h2::{self as codec, Flusher, Gather, Keepalive, Peer, Pinger, Receive, Unsent};
use crate::codec::io::Stream;
use crate::drain::{Draining, Phase};
use crate::error::{Error, Reason};
use crate::limits;

/// How a listener speaks HTTP/2; Envoy's `http2_protocol_options` and `common_http_protocol_options`.
#[derive(Debug, Clone)]
pub struct H2Settings {
    /// Streams one client may have open (`max_concurrent_streams`).
    pub max_concurrent_streams: u32,
    /// Bytes a client may send ahead on one stream (`initial_stream_window_size`).
    pub initial_stream_window_size: u32,
    /// Bytes a client may send ahead on the connection (`initial_connection_window_size`).
    pub initial_connection_window_size: u32,
    /// HPACK table the client may use, bytes (`hpack_table_size`).
    pub hpack_table_size: u32,
    /// Largest request head, bytes (`max_request_headers_kb`).
    pub head_bytes_max: u32,
    /// Most fields in one request head (`max_headers_count`).
    pub headers_count_max: usize,
    /// Whether extended CONNECT is offered (`allow_connect`, RFC 8441).
    pub allow_connect: bool,
    /// PINGs to silent clients (`connection_keepalive`).
    pub keepalive: Option<Keepalive>,
    /// A connection without streams is ended after this (`idle_timeout`).
    pub idle_timeout: Option<Duration>,
    /// A connection takes no more streams after this (`max_connection_duration`).
    pub max_connection_duration: Option<Duration>,
    /// A connection takes no more streams after this many (`max_requests_per_connection`).
    pub max_requests: Option<u64>,
}

impl Default for H2Settings {
    fn default() -> Self {
        Self {
            max_concurrent_streams: limits::H2_STREAMS_MAX,
            initial_stream_window_size: limits::H2_STREAM_WINDOW_BYTES,
            initial_connection_window_size: limits::H2_CONNECTION_WINDOW_BYTES,
            hpack_table_size: 4096,
            head_bytes_max: u32::try_from(limits::HEAD_BYTES_MAX).unwrap_or(u32::MAX),
            headers_count_max: limits::HEADERS_COUNT_MAX,
            allow_connect: false,
            keepalive: None,
            idle_timeout: Some(limits::CONNECTION_IDLE),
            max_connection_duration: None,
            max_requests: None,
        }
    }
}

/// How a connection ended and what it carried, for its owner's counters.
#[derive(Debug, Default)]
pub struct Ended {
    /// Streams that the handler was asked about.
    pub requests: u64,
    /// Streams refused before the handler: malformed heads, too many fields.
    pub refused: u64,
    /// Streams that the client reset before their response was complete.
    pub client_resets: u64,
    /// Why the connection ended, unless both sides were done with it.
    pub error: Option<Error>,
}

/// Serves `stream` until both sides are done, the drain is over, or a limit is hit. `handler` makes the response to each
/// request; its future is dropped when the client gives up.
///
/// A drain sends GOAWAY and finishes what is in flight. Must run inside a `LocalSet`.
pub async fn serve<H>(stream: Stream, settings: &H2Settings, mut draining: Draining, handler: H) -> Ended
where
    H: AsyncFn(Request) -> Response + Clone + 'static,
{
    let scheme = if stream.is_tls() { Scheme::Https } else { Scheme::Http };
    let (io, flusher) = Gather::new(stream);
    let mut handshake = pin!(builder(settings).handshake::<_, Bytes>(io));
    let handshaken = timeout(
        limits::HANDSHAKE_TIMEOUT,
        poll_fn(|cx| {
            let polled = handshake.as_mut().poll(cx);
            // The server's SETTINGS leave while the client's preface is awaited; a failed write is seen by the read.
            let _blocked_or_flushed = flusher.poll_flush(cx);
            polled
        }),
    );
    let h2 = tokio::select! {
        handshaken = handshaken => match handshaken {
            Ok(Ok(h2)) => h2,
            Ok(Err(why)) => return Ended::because(codec::error(Peer::Client, &why)),
            Err(_) => return Ended::because(Error::new(Reason::RequestHeadTimeout, "no http/2 preface in time")),
        },
        // Nothing has been asked yet, so nothing is lost.
        () = draining.reached(Phase::Draining) => return Ended::default(),
    };
    let mut connection = Connection::new(h2, flusher, scheme, settings, handler);
    let mut next = Phase::Draining;
    let ended = loop {
        tokio::select! {
            biased;
            ended = poll_fn(|cx| connection.poll(cx)) => break ended,
            () = draining.reached(next) => match next {
                Phase::Draining => {
                    connection.h2.graceful_shutdown();
                    next = Phase::Stopped;
                }
                Phase::Serving | Phase::Stopped => {
                    break Err(Error::new(Reason::Draining, "drain time is over"));
                }
            },
        }
    };
    connection.finish(ended).await
}

fn builder(settings: &H2Settings) -> server::Builder {
    let mut builder = server::Builder::new();
    builder
        .max_concurrent_streams(settings.max_concurrent_streams)
        .initial_window_size(settings.initial_stream_window_size)
        .initial_connection_window_size(settings.initial_connection_window_size)
        .header_table_size(settings.hpack_table_size)
        .max_header_list_size(settings.head_bytes_max)
        .max_send_buffer_size(limits::RELAY_BUFFER_BYTES)
        .max_concurrent_reset_streams(limits::H2_RESET_STREAMS_KEPT)
        .max_pending_accept_reset_streams(limits::H2_PENDING_RESETS_MAX);
    if settings.allow_connect {
        builder.enable_connect_protocol();
    }
    builder
}

impl Ended {
    fn because(error: Error) -> Self {
        Self { error: Some(error), ..Self::default() }
    }
}

/// How one stream ended, for the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StreamEnd {
    Complete,
    Refused,
    ClientGone,
    Failed,
}

struct Connection<H> {
    h2: server::Connection<Gather, Bytes>,
    flusher: Flusher,
    streams: JoinSet<StreamEnd>,
    handler: H,
    scheme: Scheme,
    headers_count_max: usize,
    pinger: Option<Pinger>,
    /// Armed while no stream is open.
    idle: Option<Idle>,
    /// When to take no more streams.
    oldest: Option<Pin<Box<Sleep>>>,
    requests_left: Option<u64>,
    ended: Ended,
}

struct Idle {
    after: Duration,
    timer: Pin<Box<Sleep>>,
    armed: bool,
}

impl<H> Connection<H>
where
    H: AsyncFn(Request) -> Response + Clone + 'static,
{
    fn new(
        mut h2: server::Connection<Gather, Bytes>,
        flusher: Flusher,
        scheme: Scheme,
        settings: &H2Settings,
        handler: H,
    ) -> Self {
        let pinger =
            settings.keepalive.and_then(|keepalive| Some(Pinger::new(h2.ping_pong()?, Some(keepalive))));
        Self {
            h2,
            flusher,
            streams: JoinSet::new(),
            handler,
            scheme,
            headers_count_max: settings.headers_count_max,
            pinger,
            idle: settings.idle_timeout.map(|after| Idle {
                after,
                timer: Box::pin(sleep(after)),
                armed: true,
            }),
            oldest: settings.max_connection_duration.map(|after| Box::pin(sleep(after))),
            requests_left: settings.max_requests,
            ended: Ended::default(),
        }
    }

    /// One wake-up: count what ended, look at the clocks, take what arrived, then write once.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        while let Poll::Ready(Some(joined)) = self.streams.poll_join_next(cx) {
            self.count(joined)?;
        }
        self.poll_clocks(cx)?;
        loop {
            match self.h2.poll_accept(cx) {
                Poll::Ready(Some(Ok((request, respond)))) => self.start(request, respond),
                Poll::Ready(Some(Err(why))) => {
                    return Poll::Ready(self.lost(codec::error(Peer::Client, &why)));
                }
                Poll::Ready(None) => return Poll::Ready(Ok(())),
                Poll::Pending => break,
            }
        }
        match self.flusher.poll_flush(cx) {
            Poll::Ready(Err(why)) => {
                let lost = Error::new(Reason::DownstreamClosed, format!("http/2 write: {why}"));
                Poll::Ready(self.lost(lost))
            }
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Pending,
        }
    }

    /// A client that goes away while nothing is open just ends the connection.
    fn lost(&self, why: Error) -> Result<(), Error> {
        if why.reason() == Reason::DownstreamClosed && self.streams.is_empty() { Ok(()) } else { Err(why) }
    }

    fn poll_clocks(&mut self, cx: &mut Context<'_>) -> Result<(), Error> {
        if self.pinger.as_mut().is_some_and(|pinger| pinger.poll_dead(cx).is_ready()) {
            return Err(Error::new(Reason::DownstreamClosed, "http/2 keepalive ping was not answered"));
        }
        if self.oldest.as_mut().is_some_and(|oldest| oldest.as_mut().poll(cx).is_ready()) {
            self.oldest = None;
            self.h2.graceful_shutdown();
        }
        if let Some(idle) = &mut self.idle {
            if !self.streams.is_empty() {
                idle.armed = false;
                return Ok(());
            }
            if !idle.armed {
                idle.armed = true;
                idle.timer.as_mut().reset(Instant::now() + idle.after);
            }
            if idle.timer.as_mut().poll(cx).is_ready() {
                self.idle = None;
                self.h2.graceful_shutdown();
            }
        }
        Ok(())
    }

    fn start(&mut self, request: http::Request<RecvStream>, respond: SendResponse<Bytes>) {
        self.ended.requests += 1;
        if let Some(left) = &mut self.requests_left {
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.requests_left = None;
                self.h2.graceful_shutdown();
            }
        }
        self.streams.spawn_local(stream(
            request,
            respond,
            self.scheme,
            self.headers_count_max,
            self.handler.clone(),
        ));
    }

    fn count(&mut self, joined: Result<StreamEnd, tokio::task::JoinError>) -> Result<(), Error> {
        match joined {
            Ok(StreamEnd::Complete | StreamEnd::Failed) => {}
            Ok(StreamEnd::Refused) => self.ended.refused += 1,
            Ok(StreamEnd::ClientGone) => self.ended.client_resets += 1,
            Err(why) if why.is_panic() => {
                tracing::error!(error = %why, "a stream panicked; its connection is closed");
                return Err(Error::new(Reason::Internal, "panic while serving a stream"));
            }
            // Only `finish` aborts, and nothing is counted after it.
            Err(_) => {}
        }
        // CVE-2023-44487: a client that resets most of what it asks for makes work and pays nothing.
        let resets = self.ended.client_resets;
        if resets >= limits::H2_CLIENT_RESETS_MIN && resets * 2 > self.ended.requests {
            return Err(Error::new(
                Reason::DownstreamProtocol,
                format!("http/2 rapid reset: {resets} streams"),
            ));
        }
        Ok(())
    }

    /// Says goodbye when the connection did not end by itself; every stream still running is aborted.
    async fn finish(mut self, ended: Result<(), Error>) -> Ended {
        self.streams.abort_all();
        if let Err(why) = ended {
            let code = match why.reason() {
                Reason::DownstreamProtocol => h2::Reason::ENHANCE_YOUR_CALM,
                Reason::Internal => h2::Reason::INTERNAL_ERROR,
                _ => h2::Reason::NO_ERROR,
            };
            self.h2.abrupt_shutdown(code);
            let closed = poll_fn(|cx| {
                let closed = self.h2.poll_closed(cx);
                let _blocked_or_flushed = self.flusher.poll_flush(cx);
                closed
            });
            // A peer that does not read its GOAWAY, or is gone, is not waited for.
            let _closed_or_late = timeout(limits::DELAYED_CLOSE, closed).await;
            self.ended.error = Some(why);
        }
        self.ended
    }
}

/// One stream from its head to the last byte of its response.
async fn stream<H>(
    request: http::Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    scheme: Scheme,
    headers_count_max: usize,
    handler: H,
) -> StreamEnd
where
    H: AsyncFn(Request) -> Response,
{
    let (parts, receive) = request.into_parts();
    let mut head = match codec::from_request(parts, scheme, headers_count_max) {
        Ok(head) => head,
        Err(why) => return refuse(respond, &why),
    };
    let interim = Interim::default();
    let mut receive = Receive::new(receive, Peer::Client);
    if head.headers.get(EXPECT).is_some_and(|expect| expect.as_bytes().eq_ignore_ascii_case(b"100-continue"))
    {
        // Answered here, when somebody asks for the body; so it is not the next hop's to answer.
        head.headers.remove(EXPECT);
        receive = receive.expecting(interim.clone());
    }
    let body = receive.into_body(&head.headers);
    let mut response = pin!(handler(Request { head, body, interim: interim.clone() }));
    let answered = poll_fn(|cx| {
        if respond.poll_reset(cx).is_ready() {
            return Poll::Ready(None);
        }
        let answered = response.as_mut().poll(cx);
        while let Poll::Ready(head) = interim.poll_next(cx) {
            if let Some(message) = codec::to_interim(head) {
                // A stream that takes no interim response any more says so to the final one.
                let _sent = respond.send_informational(message);
            }
        }
        answered.map(Some)
    });
    match answered.await {
        Some(response) => reply(respond, response).await,
        None => StreamEnd::ClientGone,
    }
}

async fn reply(mut respond: SendResponse<Bytes>, response: Response) -> StreamEnd {
    let Response { head, body, close: _ } = response;
    let bodiless = body.is_done();
    let Ok(stream) = respond.send_response(codec::to_response(head), bodiless) else {
        // Either the client is gone, or the head holds what HTTP/2 cannot carry; the reset tells the latter apart.
        respond.send_reset(h2::Reason::INTERNAL_ERROR);
        return StreamEnd::Failed;
    };
    if bodiless {
        return StreamEnd::Complete;
    }
    match codec::Send::new(body, stream, Peer::Client).run().await {
        Ok(()) => StreamEnd::Complete,
        Err(Unsent::Peer(_)) => StreamEnd::ClientGone,
        Err(Unsent::Body(_)) => StreamEnd::Failed,
    }
}

/// Answers a request that cannot be given to the handler.
fn refuse(mut respond: SendResponse<Bytes>, why: &Error) -> StreamEnd {
    let mut response = Response::new(http::StatusCode::BAD_REQUEST, Body::empty());
    if let Ok(status) = http::StatusCode::from_u16(why.reason().status()) {
        response.head.status = status;
    }
    // A client that is gone already does not miss the answer.
    let _sent = respond.send_response(codec::to_response(response.head), true);
    StreamEnd::Refused
}

#[cfg(test)]
mod tests;
