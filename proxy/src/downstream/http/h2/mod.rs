//! Serves one downstream HTTP/2 connection.
//!
//! The connection's task drives the frames; every stream is a task of its own that the connection owns, so that
//! the end of the connection, or the client's RST_STREAM, ends the work. The rule: nothing a client does makes the
//! connection hold more than `max_concurrent_streams` streams, their windows and one gathered write.

mod settings;
mod stream;

pub use settings::H2Settings;
use stream::{StreamEnd, serve_stream};

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use h2::RecvStream;
use h2::server::{self, SendResponse};
use tokio::task::JoinSet;
use tokio::time::{Instant, Sleep, sleep, timeout};

use crate::body::{Request, Response, Scheme};
use crate::codec::h2::{self as codec, Flusher, Gather, Peer, Pinger};
use crate::codec::io::Stream;
use crate::drain::{Draining, Phase};
use crate::error::{Error, Reason};
use crate::limits;

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
            Ok(Err(why)) => {
                // As below, for a client that does not speak HTTP/2.
                let _closed_or_late = timeout(limits::DELAYED_CLOSE, flusher.goodbye()).await;
                return Ended::because(codec::error(Peer::Client, &why));
            }
            Err(_) => return Ended::because(Error::new(Reason::RequestHeadTimeout, "no http/2 preface in time")),
        },
        () = draining.over_for_idle(limits::DRAIN_IDLE) => return Ended::default(),
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
        .max_header_list_size(settings.head_limit().list_bytes_max())
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

struct Connection<H> {
    h2: server::Connection<Gather, Bytes>,
    flusher: Flusher,
    streams: JoinSet<StreamEnd>,
    handler: H,
    scheme: Scheme,
    settings: Rc<H2Settings>,
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
            settings: Rc::new(settings.clone()),
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
        // In a box: a task moves its future several times, from its start to its end.
        self.streams.spawn_local(Box::pin(serve_stream(
            request,
            respond,
            self.scheme,
            self.settings.clone(),
            self.handler.clone(),
        )));
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
            let closed = async {
                let closed = poll_fn(|cx| {
                    let closed = self.h2.poll_closed(cx);
                    let _blocked_or_flushed = self.flusher.poll_flush(cx);
                    closed
                });
                let _closed_or_lost = closed.await;
                self.flusher.goodbye().await;
            };
            // A peer that does not read its GOAWAY, or is gone, is not waited for.
            let _closed_or_late = timeout(limits::DELAYED_CLOSE, closed).await;
            self.ended.error = Some(why);
        }
        self.ended
    }
}

#[cfg(test)]
mod tests;
