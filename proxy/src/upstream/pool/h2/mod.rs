//! One HTTP/2 connection to an endpoint, shared by many requests.
//!
//! Requests may come while [`H2Connection::capacity`] is above zero; the pool opens another connection otherwise.
//! The connection's driver, and the tasks that send request bodies, are owned by it and end with it; it lives as
//! long as the pool or any response still holds it.

mod driver;
mod settings;

use driver::{Active, Status, drive};
pub use settings::H2ClientSettings;
use settings::builder;

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use http::StatusCode;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, timeout};

use crate::body::{Body, Frame, Interim, Request, Response, ResponseHead, Size, Source};
use crate::codec::h2::{self as codec, Gather, HeadLimit, Peer, Receive, Unsent};
use crate::codec::io::Stream;
use crate::error::{Error, Reason};
use crate::limits;

/// A multiplexed connection. Clones share it.
#[derive(Debug, Clone)]
pub struct H2Connection(Rc<Core>);

#[derive(Debug)]
struct Core {
    status: Rc<Status>,
    sender: RefCell<SendRequest<Bytes>>,
    /// The driver and the request bodies on their way; dropped, and so aborted, with the last handle.
    tasks: RefCell<JoinSet<()>>,
    head_limit: HeadLimit,
    streams_max: usize,
    requests_left: Cell<Option<u64>>,
}

impl H2Connection {
    /// Starts HTTP/2 on `stream`. Must run inside a `LocalSet`.
    ///
    /// # Errors
    /// `UpstreamClosed` or `UpstreamProtocol` when the preface cannot be exchanged.
    pub async fn handshake(stream: Stream, settings: &H2ClientSettings) -> Result<Self, Error> {
        let (io, flusher) = Gather::new(stream);
        let builder = builder(settings);
        let mut handshake = pin!(builder.handshake::<_, Bytes>(io));
        // The preface only goes into the gathering buffer, so this does not wait for the endpoint.
        let (sender, mut connection) =
            handshake.as_mut().await.map_err(|why| codec::error(Peer::Server, &why))?;
        let status = Rc::new(Status::new());
        let pings = connection.ping_pong();
        let mut tasks = JoinSet::new();
        tasks.spawn_local(drive(connection, flusher, pings, settings.keepalive, status.clone()));
        Ok(Self(Rc::new(Core {
            status,
            sender: RefCell::new(sender),
            tasks: RefCell::new(tasks),
            head_limit: settings.head_limit(),
            streams_max: settings.max_concurrent_streams as usize,
            requests_left: Cell::new(settings.max_requests),
        })))
    }

    /// Whether the connection is gone.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.status.closed.get()
    }

    /// Resolves when the connection is gone.
    pub async fn closed(&self) {
        while !self.is_closed() {
            self.0.status.changed.notified().await;
        }
    }

    /// Resolves at the next change of [`Self::capacity`] for the better, or when the connection is gone.
    pub async fn changed(&self) {
        if !self.is_closed() {
            self.0.status.changed.notified().await;
        }
    }

    /// How many more streams may be opened now: zero when the endpoint's or the cluster's limit is reached, after
    /// GOAWAY, after [`Self::drain`], and when closed.
    #[must_use]
    pub fn capacity(&self) -> usize {
        let status = &self.0.status;
        if status.closed.get() || status.draining.get() || self.0.requests_left.get() == Some(0) {
            return 0;
        }
        let mut sender = self.0.sender.borrow_mut();
        // A connection error, GOAWAY included, is known here before the driver ends.
        if matches!(sender.poll_ready(&mut Context::from_waker(Waker::noop())), Poll::Ready(Err(_))) {
            return 0;
        }
        let allowed = sender.current_max_send_streams().min(self.0.streams_max);
        allowed.saturating_sub(status.active.get())
    }

    /// Streams open now.
    #[must_use]
    pub fn active(&self) -> usize {
        self.0.status.active.get()
    }

    /// Since when no stream is open; `None` while one is.
    #[must_use]
    pub fn idle_since(&self) -> Option<Instant> {
        (self.active() == 0).then(|| self.0.status.idle_since.get())
    }

    /// Takes no more streams; those open finish. The connection closes when its last handle is dropped.
    pub fn drain(&self) {
        self.0.status.draining.set(true);
    }

    /// Sends a request and waits for the head of its response. Dropping the future, or the response's body before
    /// its end, resets the stream.
    ///
    /// # Errors
    /// `UpstreamRefused` when the endpoint surely did not process the request (a retry is sound), `UpstreamReset`,
    /// `UpstreamClosed`, `UpstreamProtocol`, or the request body's own error.
    pub async fn send(&self, request: Request) -> Result<Response, Error> {
        let Request { head, body, interim } = request;
        let (tunnel, upgrade) = (head.is_tunnel(), head.upgrade.is_some());
        let active = Rc::new(Active::enter(&self.0.status));
        if upgrade {
            self.ensure_extended_connect().await?;
        }
        let message = codec::to_request(*head)?;
        let bodiless = body.is_done() && !tunnel;
        let (response, stream) = self.open(message, bodiless).await?;
        let upload = self.upload(body, bodiless, stream, &active);
        let answered = answer(response, &interim).await;
        let (parts, receive) = match answered {
            Ok(response) => response.into_parts(),
            Err(why) => return Err(upload.cause(codec::error(Peer::Server, &why))),
        };
        let head = codec::from_response(parts, upgrade, self.0.head_limit)?;
        let tunnelled =
            tunnel && (head.status.is_success() || head.status == StatusCode::SWITCHING_PROTOCOLS);
        let ended = receive.is_end_stream();
        if ended && !tunnelled {
            // Nobody reads what is still on its way up (RFC 9113 §8.1); dropping the upload resets the stream.
            return Ok(Response { head, body: Body::empty(), close: false });
        }
        let body = Receive::new(receive, Peer::Server);
        let body = if tunnelled {
            Body::source(Size::Unknown, Box::new(body))
        } else {
            body.into_body(&head.headers)
        };
        if body.as_full().is_some() {
            return Ok(Response { head, body, close: false });
        }
        let size = body.size();
        let download =
            Download { body, tunnel: tunnelled, upload, _active: active, _connection: self.clone() };
        Ok(Response { head, body: Body::source(size, Box::new(download)), close: false })
    }

    async fn open(
        &self,
        message: http::Request<()>,
        bodiless: bool,
    ) -> Result<(ResponseFuture, h2::SendStream<Bytes>), Error> {
        let core = &self.0;
        if let Some(left) = core.requests_left.get() {
            core.requests_left.set(Some(left.saturating_sub(1)));
        }
        // A clone has no request of its own waiting to be opened, so that it is ready unless the connection failed.
        let mut sender = core.sender.borrow().clone();
        let opened = match poll_fn(|cx| sender.poll_ready(cx)).await {
            Ok(()) => sender.send_request(message, bodiless),
            Err(why) => Err(why),
        };
        opened.map_err(|why| {
            let error = codec::error(Peer::Server, &why);
            // The head did not leave, so whatever ended the connection, this request was not processed.
            let reason =
                if error.reason() == Reason::Internal { Reason::Internal } else { Reason::UpstreamRefused };
            Error::new(reason, error.detail().to_owned())
        })
    }

    /// Sends the request body, beside everything else when it is not at hand.
    fn upload(
        &self,
        body: Body,
        bodiless: bool,
        mut stream: h2::SendStream<Bytes>,
        active: &Rc<Active>,
    ) -> Upload {
        let failed = Rc::new(RefCell::new(None));
        if bodiless {
            return Upload { task: None, failed };
        }
        if let Some(bytes) = body.as_full() {
            // The bytes are in memory either way. An error here is the response's to tell.
            let _sent = stream.send_data(bytes.clone(), true);
            return Upload { task: None, failed };
        }
        let mut tasks = self.0.tasks.borrow_mut();
        while tasks.try_join_next().is_some() {}
        let (active, failure) = (active.clone(), failed.clone());
        let task = tasks.spawn_local(async move {
            let _active = active;
            if let Err(Unsent::Body(why)) = codec::Send::new(body, stream, Peer::Server).run().await {
                *failure.borrow_mut() = Some(why);
            }
        });
        Upload { task: Some(task), failed }
    }

    /// RFC 8441 §3: `:protocol` only once the endpoint's SETTINGS allow it.
    async fn ensure_extended_connect(&self) -> Result<(), Error> {
        let status = &self.0.status;
        let allowed = || self.0.sender.borrow().is_extended_connect_protocol_enabled();
        let settled = async {
            while !allowed() && !status.settled.get() && !status.closed.get() {
                status.probe.set(true);
                if let Some(driver) = status.driver.borrow_mut().take() {
                    driver.wake();
                }
                status.changed.notified().await;
            }
        };
        // An endpoint that answers no PING gets as long as one that finishes no handshake.
        let _settled_or_late = timeout(limits::HANDSHAKE_TIMEOUT, settled).await;
        if allowed() {
            return Ok(());
        }
        Err(Error::new(
            Reason::UpstreamProtocol,
            "upgrade over http/2: the endpoint does not offer extended CONNECT (RFC 8441)",
        ))
    }
}

/// The request body on its way, as the response's side sees it. Dropping it stops the body, which resets the
/// stream if the body was not complete.
#[derive(Debug)]
struct Upload {
    task: Option<AbortHandle>,
    /// The request body's own error, for which the stream was reset.
    failed: Rc<RefCell<Option<Error>>>,
}

impl Upload {
    /// What to tell of a stream that failed with `why`: the request body's failure, when that is the cause.
    fn cause(&self, why: Error) -> Error {
        self.failed.borrow_mut().take().unwrap_or(why)
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
        }
    }
}

/// A response's body; keeps the connection and the request's body alive while it is read.
struct Download {
    body: Body,
    /// Whether the request's direction goes on when this one has ended.
    tunnel: bool,
    upload: Upload,
    _active: Rc<Active>,
    _connection: H2Connection,
}

impl Source for Download {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, Error>>> {
        let frame = ready!(self.body.poll_frame(cx));
        match frame {
            None if self.tunnel => {
                // Half-closed: the other half ends by itself, or with the connection.
                self.upload.task = None;
                Poll::Ready(None)
            }
            Some(Err(why)) => Poll::Ready(Some(Err(self.upload.cause(why)))),
            frame => Poll::Ready(frame),
        }
    }
}

/// The final response; interim ones go to `interim` on the way.
async fn answer(
    mut response: ResponseFuture,
    interim: &Interim,
) -> Result<http::Response<h2::RecvStream>, h2::Error> {
    poll_fn(|cx| {
        while let Poll::Ready(Some(head)) = response.poll_informational(cx) {
            let (parts, ()) = head?.into_parts();
            // `Expect` was answered on the client's side already.
            if parts.status != StatusCode::CONTINUE {
                interim.push(ResponseHead { status: parts.status, headers: parts.headers.into() });
            }
        }
        Pin::new(&mut response).poll(cx)
    })
    .await
}

#[cfg(test)]
mod tests;
