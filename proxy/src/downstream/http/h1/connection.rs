//! One connection: waits for a request, sends what is to be sent, ends in order.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll};

use http::StatusCode;
use tokio::time::Instant;

use super::alarm::Alarm;
use super::phase::PhaseWatch;
use super::settings::{End, H1Settings, Refusal};
use super::shared::{Incoming, Shared};
use crate::body::{Scheme, Size, Version};
use crate::clock;
use crate::codec::h1::pump::{Pulled, Pump};
use crate::codec::h1::request::{self, Parsed, Rules};
use crate::codec::h1::scan::HeadScan;
use crate::codec::h1::wire::Wire;
use crate::codec::h1::write::{self, Framing, Persistence};
use crate::codec::io::Stream;
use crate::drain::{Draining, Phase};
use crate::error::{Error, Reason};
use crate::limits::{DRAIN_IDLE, REQUEST_HEAD_WAIT};

/// A connection as its task holds it.
pub struct Connection<'s> {
    pub settings: &'s H1Settings,
    pub shared: Rc<RefCell<Shared>>,
    pub phase: PhaseWatch,
    pub alarm: Alarm,
    /// Requests so far.
    pub requests: u64,
    scheme: Scheme,
    /// When the client is given up that ended its side; moved on by every byte it still takes.
    pub gone_at: Option<Instant>,
}

/// What came instead of, or as, the next request.
pub enum Next {
    Request(Parsed),
    Refused(Refusal),
    End(End),
}

/// Why a response did not get through.
pub enum Cut {
    Client(Error),
    Body(Error),
    Stopped,
}

impl<'s> Connection<'s> {
    pub fn new(stream: Stream, settings: &'s H1Settings, draining: Draining) -> Self {
        let scheme = if stream.is_tls() { Scheme::Https } else { Scheme::Http };
        let shared = Shared {
            wire: Wire::new(stream),
            incoming: Incoming::Complete,
            exchange: 0,
            continue_wanted: false,
            task: None,
            tunnel_reader: None,
            trailers: settings.enable_trailers,
        };
        Self {
            settings,
            shared: Rc::new(RefCell::new(shared)),
            phase: PhaseWatch::new(draining),
            alarm: Alarm::default(),
            scheme,
            requests: 0,
            gone_at: None,
        }
    }

    /// Waits for the next request head.
    pub async fn next(&mut self) -> Next {
        let rules = Rules {
            bytes_max: self.settings.head_bytes_max,
            fields_max: self.settings.headers_count_max,
            scheme: self.scheme,
            accept_http_10: self.settings.accept_http_10,
            default_host: self.settings.default_host_for_http_10.as_ref(),
        };
        let mut scan = HeadScan::default();
        let mut empty_lines = 0;
        let mut waits = Waits::default();
        poll_fn(|cx| {
            let wire = &mut self.shared.borrow_mut().wire;
            loop {
                match request::parse(&mut wire.input, &mut scan, &mut empty_lines, &rules) {
                    Ok(Some(parsed)) => return Poll::Ready(Next::Request(parsed)),
                    Ok(None) => {}
                    Err(fault) => {
                        let refusal = Refusal { error: fault.downstream(), status: fault.status() };
                        return Poll::Ready(Next::Refused(refusal));
                    }
                }
                match wire.poll_fill(0, cx) {
                    Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(Next::End(End::ClientClosed)),
                    Poll::Ready(Ok(_)) => {}
                    Poll::Pending => break,
                }
            }
            let begun = !wire.input.is_empty() || empty_lines > 0;
            if !begun {
                wire.shrink();
            }
            let phase = self.phase.poll(cx);
            waits.poll_over(self.settings, (begun, phase), &mut self.alarm, cx)
        })
        .await
    }

    /// Answers a request that could not be read, and ends the connection.
    pub async fn refuse(&mut self, refusal: &Refusal) {
        let response = self.settings.answer(refusal);
        let framing = match response.body.size() {
            Size::Exact(length) => Framing::Length(length),
            Size::Unknown => Framing::UntilClose,
        };
        write::response(
            self.shared.borrow_mut().wire.output.text(),
            Version::Http11,
            &response.head,
            framing,
            Persistence::Close,
        );
        let mut pump = Pump::new(response.body, framing, false);
        // Whether it gets through changes nothing: the connection ends either way.
        let _sent = self.send(&mut pump).await;
        self.close().await;
    }

    /// Ends our side, then reads on for a while: closing with unread bytes would make the kernel send a reset,
    /// which can overtake the response (RFC 9112 §9.6).
    pub async fn close(&mut self) {
        let deadline = Instant::now() + self.settings.delayed_close;
        poll_fn(|cx| {
            let wire = &mut self.shared.borrow_mut().wire;
            if wire.poll_shutdown(cx).is_ready() {
                while let Poll::Ready(read) = wire.poll_fill(0, cx) {
                    wire.input.clear();
                    if !matches!(read, Ok(1..)) {
                        return Poll::Ready(());
                    }
                }
            }
            self.alarm.poll_at(deadline, cx)
        })
        .await;
    }

    /// Ready if there is no more use in answering: the client is gone, or the drain time is over.
    pub fn poll_given_up(&mut self, cx: &mut Context<'_>) -> Poll<Cut> {
        if self.phase.poll(cx) == Phase::Stopped {
            return Poll::Ready(Cut::Stopped);
        }
        match self.shared.borrow_mut().poll_client_end(cx) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Err(error)) => return Poll::Ready(Cut::Client(broken(&error))),
            Poll::Ready(Ok(())) => {}
        }
        let grace = self.settings.half_close_grace;
        let gone_at = *self.gone_at.get_or_insert_with(|| clock::now() + grace);
        self.alarm
            .poll_at(gone_at, cx)
            .map(|()| Cut::Client(Error::new(Reason::DownstreamClosed, "client closed before its response")))
    }

    /// Sends what is in the output, then the body as it comes.
    pub async fn send(&mut self, pump: &mut Pump) -> Result<(), Cut> {
        poll_fn(|cx| self.poll_send(pump, cx)).await
    }

    fn poll_send(&mut self, pump: &mut Pump, cx: &mut Context<'_>) -> Poll<Result<(), Cut>> {
        loop {
            // Polling the response's body may poll the request's, which borrows the connection.
            let (mut output, takes_pipes) = {
                let wire = &mut self.shared.borrow_mut().wire;
                (std::mem::take(&mut wire.output), wire.takes_pipes())
            };
            let pulled = pump.pull(&mut output, takes_pipes, cx);
            let mut shared = self.shared.borrow_mut();
            let sending = !output.is_empty();
            shared.wire.output = output;
            let flushed = shared.wire.poll_flush(cx);
            let pulled = match pulled {
                Ok(pulled) => pulled,
                Err(error) => return Poll::Ready(Err(Cut::Body(error))),
            };
            match flushed {
                Poll::Ready(Ok(())) if pulled == Pulled::All => return Poll::Ready(Ok(())),
                Poll::Ready(Ok(())) => {
                    if sending {
                        self.gone_at = None;
                    }
                    if pulled == Pulled::Full {
                        continue;
                    }
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(Cut::Client(broken(&error)))),
                // A client that takes no bytes for now is not gone; the write finds it out when it is.
                Poll::Pending => {
                    drop(shared);
                    return match self.phase.poll(cx) {
                        Phase::Stopped => Poll::Ready(Err(Cut::Stopped)),
                        Phase::Serving | Phase::Draining => Poll::Pending,
                    };
                }
            }
            if !matches!(shared.incoming, Incoming::Complete) {
                shared.task = Some(cx.waker().clone());
            }
            drop(shared);
            return self.poll_given_up(cx).map(Err);
        }
    }
}

/// Since when a connection waits, for what; each is set when that wait begins.
#[derive(Default)]
struct Waits {
    idle: Option<Instant>,
    draining: Option<Instant>,
    head: Option<Instant>,
}

impl Waits {
    /// Ready if the wait for a request head is over without one.
    fn poll_over(
        &mut self,
        settings: &H1Settings,
        (begun, phase): (bool, Phase),
        alarm: &mut Alarm,
        cx: &mut Context<'_>,
    ) -> Poll<Next> {
        if phase == Phase::Stopped {
            return Poll::Ready(Next::End(End::Stopped));
        }
        if begun {
            let limit = settings.request_headers_timeout.unwrap_or(REQUEST_HEAD_WAIT);
            let since = *self.head.get_or_insert_with(clock::now);
            let error = || Error::new(Reason::RequestHeadTimeout, "request head did not come in time");
            return alarm
                .poll_at(since + limit, cx)
                .map(|()| Next::Refused(Refusal { error: error(), status: StatusCode::REQUEST_TIMEOUT }));
        }
        if phase == Phase::Draining {
            let since = *self.draining.get_or_insert_with(clock::now);
            if alarm.poll_at(since + DRAIN_IDLE, cx).is_ready() {
                return Poll::Ready(Next::End(End::Drained));
            }
        }
        let Some(limit) = settings.idle_timeout else { return Poll::Pending };
        let since = *self.idle.get_or_insert_with(clock::now);
        alarm.poll_at(since + limit, cx).map(|()| Next::End(End::Idle))
    }
}

/// The client's connection failed.
pub fn broken(error: &std::io::Error) -> Error {
    Error::new(Reason::DownstreamClosed, format!("client connection broke: {}", error.kind()))
}
