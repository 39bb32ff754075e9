//! A connection lent to one request.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;

use futures_util::future::Either;

use super::facts::ConnectionFacts;
use super::h1::{H1Connection, SendError};
use super::h2::H2Connection;
use super::meter::Meter;
use crate::body::{Request, Response};

/// A connection that may take a request.
#[derive(Debug)]
pub enum Lease {
    /// All of it.
    Http1(Idle),
    /// One stream of it.
    Http2(Stream),
}

/// An HTTP/1.1 connection with what belongs to it.
pub struct Idle {
    pub connection: H1Connection,
    pub meter: Rc<Meter>,
    pub facts: Rc<ConnectionFacts>,
    pub give_back: Rc<dyn Fn(H1Connection)>,
    /// Since when nobody uses it.
    pub since: tokio::time::Instant,
}

/// A place on an HTTP/2 connection.
#[derive(Debug)]
pub struct Stream {
    pub connection: H2Connection,
    pub meter: Rc<Meter>,
    pub facts: Rc<ConnectionFacts>,
    pub place: Place,
}

/// A stream that is promised but not opened yet.
#[derive(Debug)]
pub struct Place(Rc<Cell<usize>>);

impl Place {
    /// Takes one more of those that `promised` counts.
    pub fn take(promised: &Rc<Cell<usize>>) -> Self {
        promised.set(promised.get() + 1);
        Self(Rc::clone(promised))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl Lease {
    /// The connection.
    pub fn facts(&self) -> &Rc<ConnectionFacts> {
        match self {
            Self::Http1(idle) => &idle.facts,
            Self::Http2(stream) => &stream.facts,
        }
    }

    /// Its bookkeeping.
    pub fn meter(&self) -> &Rc<Meter> {
        match self {
            Self::Http1(idle) => &idle.meter,
            Self::Http2(stream) => &stream.meter,
        }
    }

    /// Sends a request and waits for its response's head.
    pub fn send(self, request: Request) -> impl Future<Output = Result<Response, SendError>> {
        match self {
            Self::Http1(Idle { connection, give_back, .. }) => {
                Either::Left(connection.send(request, give_back))
            }
            Self::Http2(stream) => Either::Right(stream.send(request)),
        }
    }
}

impl Stream {
    async fn send(self, request: Request) -> Result<Response, SendError> {
        let Self { connection, place, .. } = self;
        let mut send = pin!(connection.send(request));
        let mut place = Some(place);
        let sent = poll_fn(|cx| {
            let polled = send.as_mut().poll(cx);
            // From the first poll on the connection counts the stream itself.
            place = None;
            polled
        });
        sent.await.map_err(|error| SendError { error, unsent: None })
    }
}

impl std::fmt::Debug for Idle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Idle").field("since", &self.since).field("facts", &self.facts).finish_non_exhaustive()
    }
}
