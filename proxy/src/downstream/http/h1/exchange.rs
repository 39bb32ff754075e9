//! One request and its response on a connection.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll};

use http::StatusCode;
use tokio::time::Instant;

use super::connection::{Connection, Cut, broken};
use super::plan::{Asked, Plan, declare_length};
use super::request_body::RequestBody;
use super::settings::End;
use super::shared::{Incoming, Tunnel};
use crate::body::{Body, Frame, Interim, Request, Response, Size, Text, Version};
use crate::codec::h1::body::Reader;
use crate::codec::h1::framing::Framing as Declared;
use crate::codec::h1::pump::Pump;
use crate::codec::h1::request::Parsed;
use crate::codec::h1::write::{self, Framing, Persistence};
use crate::drain::Phase;
use crate::limits::REQUEST_DRAIN_BYTES_MAX;

impl Connection<'_> {
    /// Has one request answered; `Some` if the connection ended with it.
    pub async fn exchange<H: AsyncFn(Request) -> Response>(
        &mut self,
        parsed: Parsed,
        handler: &H,
    ) -> Option<End> {
        self.requests += 1;
        self.gone_at = None;
        let asked = Asked::new(&parsed.head, parsed.keep_alive);
        let request = self.admit(parsed);
        let interim = request.interim.clone();
        let answered = {
            let mut answer = pin!(handler(request));
            poll_fn(|cx| match answer.as_mut().poll(cx) {
                Poll::Ready(response) => Poll::Ready(Ok(response)),
                Poll::Pending => self.poll_meanwhile(asked.version, &interim, cx).map(Err),
            })
            .await
        };
        let cut = match answered {
            Ok(response) => match self.respond(response, &asked, &interim).await {
                Ok(end) => return end,
                Err(cut) => cut,
            },
            Err(cut) => cut,
        };
        Some(match cut {
            Cut::Client(error) | Cut::Body(error) => End::Cut(error),
            Cut::Stopped => End::Stopped,
        })
    }

    /// Makes the request, and its body if more of it than the head is needed.
    fn admit(&mut self, parsed: Parsed) -> Request {
        let Parsed { head, framing, expects_continue, .. } = parsed;
        let tunnel = head.is_tunnel();
        let body = {
            let shared = &mut *self.shared.borrow_mut();
            shared.exchange += 1;
            shared.incoming = Incoming::Complete;
            match framing {
                _ if tunnel => {
                    shared.incoming = Incoming::Tunnel(Tunnel::Waiting);
                    None
                }
                Declared::Length(length) if length <= shared.wire.input.len() as u64 => {
                    let length = usize::try_from(length).expect("it is at most the buffer's length");
                    Some(Body::full(shared.wire.input.split_to(length).freeze()))
                }
                framing => {
                    let reader = Reader::new(framing);
                    shared.incoming = Incoming::Body { reader, expects_continue, abandoned: false };
                    None
                }
            }
        };
        let size = match framing {
            Declared::Length(length) if !tunnel => Size::Exact(length),
            _ => Size::Unknown,
        };
        let body = body.unwrap_or_else(|| Body::source(size, Box::new(RequestBody::new(&self.shared))));
        Request { head, body, interim: Interim::default() }
    }

    /// What goes on while the handler works: interim responses out, and a look whether the client is still there.
    fn poll_meanwhile(&mut self, version: Version, interim: &Interim, cx: &mut Context<'_>) -> Poll<Cut> {
        self.write_interim(version, interim, cx);
        let mut shared = self.shared.borrow_mut();
        if !matches!(shared.incoming, Incoming::Complete) {
            shared.task = Some(cx.waker().clone());
        }
        if let Poll::Ready(Err(error)) = shared.wire.poll_flush(cx) {
            return Poll::Ready(Cut::Client(broken(&error)));
        }
        drop(shared);
        self.poll_given_up(cx)
    }

    fn write_interim(&mut self, version: Version, interim: &Interim, cx: &mut Context<'_>) {
        let mut shared = self.shared.borrow_mut();
        if std::mem::take(&mut shared.continue_wanted) {
            shared.wire.output.text().extend_from_slice(b"HTTP/1.1 100 Continue\r\n\r\n");
        }
        while let Poll::Ready(head) = interim.poll_next(cx) {
            // RFC 9110 §15.2: never to an HTTP/1.0 client.
            if version != Version::Http10 {
                write::bare_response(shared.wire.output.text(), &head, None);
            }
        }
    }

    /// Writes a response; `Ok(Some)` if the connection ended in order after it.
    async fn respond(
        &mut self,
        mut response: Response,
        asked: &Asked,
        interim: &Interim,
    ) -> Result<Option<End>, Cut> {
        poll_fn(|cx| {
            self.write_interim(asked.version, interim, cx);
            Poll::Ready(())
        })
        .await;
        let plan = asked.plan(&response);
        if plan == Plan::Impossible {
            response = Response::new(StatusCode::BAD_GATEWAY, Body::empty());
        }
        let framing = match plan {
            Plan::Tunnel { upgrade } => return self.tunnel(response, upgrade).await.map(Some),
            Plan::Final(framing) => framing,
            Plan::Impossible => Framing::Length(0),
        };
        declare_length(asked, &mut response);
        let close = self.closes_after(&response, asked, framing);
        let persistence = match (close, asked.version) {
            (true, _) => Persistence::Close,
            (false, Version::Http10) => Persistence::KeepAlive,
            (false, _) => Persistence::Default,
        };
        write::response(
            self.shared.borrow_mut().wire.output.text(),
            asked.version,
            &response.head,
            framing,
            persistence,
        );
        let mut pump = Pump::new(response.body, framing, self.settings.enable_trailers);
        self.deliver(&mut pump, framing).await?;
        if close || !self.finish_request().await {
            self.close().await;
            return Ok(Some(End::Closed));
        }
        Ok(None)
    }
    /// Writes the response that opens a tunnel, and then its bytes until the upstream's end.
    async fn tunnel(&mut self, response: Response, upgrade: Option<Text>) -> Result<End, Cut> {
        {
            let mut shared = self.shared.borrow_mut();
            write::bare_response(shared.wire.output.text(), &response.head, upgrade.as_deref());
            shared.decide_tunnel(true);
        }
        let mut pump = Pump::new(response.body, Framing::UntilClose, false);
        self.deliver(&mut pump, Framing::UntilClose).await?;
        self.close().await;
        Ok(End::Tunnel)
    }

    /// Sends a response's body. Where only the connection's end marks the body's, a failed one must not look
    /// complete.
    async fn deliver(&mut self, pump: &mut Pump, framing: Framing) -> Result<(), Cut> {
        let sent = self.send(pump).await;
        if matches!((&sent, framing), (Err(Cut::Body(_)), Framing::UntilClose)) {
            self.shared.borrow().wire.stream().reset_on_drop();
        }
        sent
    }

    /// Whether the response is the connection's last (RFC 9112 §9.6).
    fn closes_after(&mut self, response: &Response, asked: &Asked, framing: Framing) -> bool {
        let shared = &mut *self.shared.borrow_mut();
        if asked.is_tunnel() {
            shared.decide_tunnel(false);
        }
        let unread = match &shared.incoming {
            Incoming::Complete => false,
            Incoming::Tunnel(_) | Incoming::Failed(_) => true,
            // The client may send the body or not, now that it has its answer (RFC 9110 §10.1.1).
            Incoming::Body { expects_continue: true, .. } => true,
            Incoming::Body { reader, abandoned, .. } => {
                *abandoned && reader.remaining().is_some_and(|left| left > REQUEST_DRAIN_BYTES_MAX)
            }
        };
        let spent = self.settings.max_requests_per_connection.is_some_and(|most| self.requests >= most);
        let draining = self.phase.now() >= Phase::Draining;
        unread || spent || draining || !asked.keep_alive || response.close || framing == Framing::UntilClose
    }

    /// Reads what the handler left of the request's body, if it is little; tells whether the next request can be
    /// read.
    async fn finish_request(&mut self) -> bool {
        {
            let shared = &mut *self.shared.borrow_mut();
            shared.exchange += 1;
            shared.task = None;
            match &shared.incoming {
                Incoming::Complete => return true,
                Incoming::Tunnel(_) | Incoming::Failed(_) => return false,
                Incoming::Body { reader, .. } => {
                    if reader.remaining().is_some_and(|left| left > REQUEST_DRAIN_BYTES_MAX) {
                        return false;
                    }
                }
            }
        }
        let deadline = Instant::now() + self.settings.delayed_close;
        let mut left = REQUEST_DRAIN_BYTES_MAX;
        poll_fn(|cx| {
            let mut shared = self.shared.borrow_mut();
            loop {
                match shared.poll_frame(cx) {
                    Poll::Ready(None) => return Poll::Ready(true),
                    Poll::Ready(Some(Ok(Frame::Trailers(_)))) => {}
                    Poll::Ready(Some(Ok(Frame::Data(bytes)))) => match left.checked_sub(bytes.len() as u64) {
                        Some(rest) => left = rest,
                        None => return Poll::Ready(false),
                    },
                    Poll::Ready(Some(Err(_gone))) => return Poll::Ready(false),
                    Poll::Pending => return self.alarm.poll_at(deadline, cx).map(|()| false),
                }
            }
        })
        .await
    }
}
