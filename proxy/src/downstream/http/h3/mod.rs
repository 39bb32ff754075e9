//! Serves one downstream HTTP/3 connection.
//!
//! As for HTTP/2, every request is a task that the connection owns, so that the end of the connection, or the client's
//! losing interest, ends the work. The rule: the connection is closed only when all that was answered has arrived, unless
//! time is up.

mod settings;

mod stream;

pub use settings::H3Settings;
use stream::{StreamEnd, serve_stream};

use std::pin::Pin;
use std::rc::Rc;

use bytes::Bytes;
use h3::error::Code;
use h3::server::{self, RequestResolver};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, Sleep, sleep, timeout};

use crate::body::{Request, Response};
use crate::codec::h3::{Stops, Transport};
use crate::drain::{Draining, Phase};
use crate::error::{Error, Reason};
use crate::limits;

/// How a connection ended and what it carried.
#[derive(Debug, Default)]
pub struct Ended {
    /// Requests that were begun.
    pub requests: u64,
    /// Requests refused before the handler: malformed heads, too many fields.
    pub refused: u64,
    /// Requests that the client gave up before their answer was complete.
    pub client_resets: u64,
    /// Why the connection ended, unless both sides were done with it.
    pub error: Option<Error>,
}

/// Serves `connection` until both sides are done, the drain is over, or a limit is hit. `handler` makes the response to
/// each request; its future is dropped when the client gives up.
///
/// A drain sends GOAWAY and finishes what is in flight. Must run inside a `LocalSet`.
pub async fn serve<H>(
    connection: quinn::Connection,
    settings: &H3Settings,
    mut draining: Draining,
    handler: H,
) -> Ended
where
    H: AsyncFn(Request) -> Response + Clone + 'static,
{
    // Twice the limit, so that a head which is too large is one that we answer.
    let heads_bytes_max = 2 * u64::from(settings.head_limit.list_bytes_max());
    let transport = Transport::new(connection.clone(), heads_bytes_max);
    let stops = transport.stops();
    let mut builder = server::builder();
    builder.max_field_section_size(heads_bytes_max).send_grease(false);
    // A client must let us open the control stream (RFC 9114 §6.2).
    let h3 = match timeout(limits::HANDSHAKE_TIMEOUT, builder.build::<_, Bytes>(transport)).await {
        Ok(Ok(h3)) => h3,
        Ok(Err(why)) => {
            return Ended::because(Error::new(Reason::DownstreamProtocol, format!("http/3: {why}")));
        }
        Err(_) => {
            return Ended::because(Error::new(
                Reason::DownstreamProtocol,
                "http/3 control stream is not let open",
            ));
        }
    };
    let mut served = Connection::new(h3, stops, settings, handler);
    let error = served.run(&mut draining).await.err();
    served.streams.abort_all();
    if let Some(why) = &error {
        let code = match why.reason() {
            Reason::DownstreamProtocol => Code::H3_EXCESSIVE_LOAD,
            Reason::Internal => Code::H3_INTERNAL_ERROR,
            _ => Code::H3_NO_ERROR,
        };
        connection.close(quinn::VarInt::from_u64(code.value()).unwrap_or(quinn::VarInt::MAX), b"");
    }
    Ended { error, ..served.ended }
}

impl Ended {
    fn because(error: Error) -> Self {
        Self { error: Some(error), ..Self::default() }
    }
}

struct Connection<H> {
    h3: server::Connection<Transport, Bytes>,
    stops: Stops,
    streams: JoinSet<StreamEnd>,
    handler: H,
    settings: Rc<H3Settings>,
    /// Runs out while no request is in flight.
    idle: Option<Pin<Box<Sleep>>>,
    /// When to take no more requests.
    oldest: Option<Pin<Box<Sleep>>>,
    /// Whether GOAWAY was sent.
    leaving: bool,
    ended: Ended,
}

/// What wakes a connection.
enum Event {
    Joined(Result<StreamEnd, JoinError>),
    Request(Box<RequestResolver<Transport, Bytes>>),
    /// The client is done.
    Done,
    /// It takes no more requests.
    Leave,
    Lost(Error),
}

impl<H> Connection<H>
where
    H: AsyncFn(Request) -> Response + Clone + 'static,
{
    fn new(
        h3: server::Connection<Transport, Bytes>,
        stops: Stops,
        settings: &H3Settings,
        handler: H,
    ) -> Self {
        Self {
            h3,
            stops,
            streams: JoinSet::new(),
            handler,
            settings: Rc::new(settings.clone()),
            idle: settings.idle_timeout.map(|after| Box::pin(sleep(after))),
            oldest: settings.max_connection_duration.map(|after| Box::pin(sleep(after))),
            leaving: false,
            ended: Ended::default(),
        }
    }

    async fn run(&mut self, draining: &mut Draining) -> Result<(), Error> {
        loop {
            if self.leaving && self.streams.is_empty() {
                return Ok(());
            }
            match self.event(draining).await {
                Event::Joined(joined) => self.count(joined)?,
                Event::Request(resolver) => self.start(*resolver).await?,
                Event::Done => return Ok(()),
                Event::Leave => self.leave().await?,
                Event::Lost(why) => {
                    // A client that goes away while nothing is open just ends the connection.
                    let quiet = why.reason() == Reason::DownstreamClosed && self.streams.is_empty();
                    return if quiet { Ok(()) } else { Err(why) };
                }
            }
        }
    }

    /// What comes next; losers of the race lose nothing, each can be asked again.
    async fn event(&mut self, draining: &mut Draining) -> Event {
        let next = if self.leaving { Phase::Stopped } else { Phase::Draining };
        let idle = self.streams.is_empty() && !self.leaving;
        tokio::select! {
            biased;
            Some(joined) = self.streams.join_next() => Event::Joined(joined),
            () = draining.reached(next) => match next {
                Phase::Stopped => Event::Lost(Error::new(Reason::Draining, "drain time is over")),
                Phase::Serving | Phase::Draining => Event::Leave,
            },
            accepted = self.h3.accept() => match accepted {
                Ok(Some(resolver)) => Event::Request(Box::new(resolver)),
                Ok(None) => Event::Done,
                Err(why) if why.is_h3_no_error() => Event::Lost(Error::new(Reason::DownstreamClosed, "closed")),
                Err(why) => Event::Lost(lost(&why)),
            },
            () = expired(&mut self.idle), if idle => Event::Leave,
            () = expired(&mut self.oldest), if !self.leaving => Event::Leave,
        }
    }

    async fn leave(&mut self) -> Result<(), Error> {
        self.leaving = true;
        self.h3.shutdown(0).await.map_err(|why| lost(&why))
    }

    async fn start(&mut self, resolver: RequestResolver<Transport, Bytes>) -> Result<(), Error> {
        self.ended.requests += 1;
        let stopped = self.stops.take(resolver.frame_stream.id());
        // In a box: a task moves its future several times, from its start to its end.
        self.streams.spawn_local(Box::pin(serve_stream(
            resolver,
            stopped,
            Rc::clone(&self.settings),
            self.handler.clone(),
        )));
        if !self.leaving && self.settings.max_requests.is_some_and(|max| self.ended.requests >= max) {
            self.leave().await?;
        }
        Ok(())
    }

    fn count(&mut self, joined: Result<StreamEnd, JoinError>) -> Result<(), Error> {
        match joined {
            Ok(StreamEnd::Complete | StreamEnd::Failed) => {}
            Ok(StreamEnd::Refused) => self.ended.refused += 1,
            Ok(StreamEnd::ClientGone) => self.ended.client_resets += 1,
            Err(why) if why.is_panic() => {
                tracing::error!(error = %why, "a stream panicked; its connection is closed");
                return Err(Error::new(Reason::Internal, "panic while serving a stream"));
            }
            // Only the end of the connection aborts, and nothing is counted after it.
            Err(_) => {}
        }
        if self.streams.is_empty()
            && let (Some(idle), Some(after)) = (&mut self.idle, self.settings.idle_timeout)
        {
            idle.as_mut().reset(Instant::now() + after);
        }
        // As on HTTP/2: a client that gives up most of what it asks for makes work and pays nothing.
        let resets = self.ended.client_resets;
        if resets >= limits::H2_CLIENT_RESETS_MIN && resets * 2 > self.ended.requests {
            return Err(Error::new(
                Reason::DownstreamProtocol,
                format!("http/3 rapid reset: {resets} streams"),
            ));
        }
        Ok(())
    }
}

async fn expired(timer: &mut Option<Pin<Box<Sleep>>>) {
    match timer {
        Some(timer) => timer.as_mut().await,
        None => std::future::pending().await,
    }
}

fn lost(why: &h3::error::ConnectionError) -> Error {
    let reason = match why {
        h3::error::ConnectionError::Local { .. } => Reason::DownstreamProtocol,
        _ => Reason::DownstreamClosed,
    };
    Error::new(reason, format!("http/3: {why}"))
}
