//! One request on a connection, until its response's head is there.

use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::Method;
use http::header::{self, HeaderName, HeaderValue};

use super::idle::{H1ClientSettings, H1Connection};
use crate::body::{Body, Interim, Request, RequestHead, Size, Text, Version};
use crate::codec::h1::framing;
use crate::codec::h1::pump::Pump;
use crate::codec::h1::response::{self, Parsed};
use crate::codec::h1::scan::HeadScan;
use crate::codec::h1::wire::Wire;
use crate::codec::h1::write;
use crate::error::{Error, Reason};
use crate::limits::INTERIM_FLOOD_MAX;

/// A connection while it serves a request.
pub struct Flight {
    pub wire: Box<Wire>,
    pub pump: Pump,
    pub settings: Rc<H1ClientSettings>,
    /// The protocol asked for.
    pub upgrade: Option<Text>,
    /// The request's method as written.
    pub method: Method,
    /// Whether the WebSocket key was made here, for a client that needs none (RFC 8441).
    pub own_key: bool,
    head: Option<Box<RequestHead>>,
    replay: Replay,
    interim: Interim,
    interim_seen: usize,
    scan: HeadScan,
    served: u64,
    answered: bool,
    give_back: Rc<dyn Fn(H1Connection)>,
}

/// What is left of the request body for another attempt.
enum Replay {
    Full(Size, Bytes),
    Empty,
    Gone,
}

impl Flight {
    /// Writes the head into the connection's output. Gives the connection back if that cannot be done.
    pub fn begin(
        connection: H1Connection,
        request: Request,
        give_back: Rc<dyn Fn(H1Connection)>,
    ) -> Result<Self, Error> {
        let H1Connection { mut wire, settings, served } = connection;
        let Request { mut head, body, interim } = request;
        let own_key = add_websocket_key(&mut head);
        let framing = write::request_framing(&head, body.size());
        if let Err(fault) = write::request(wire.output.text(), &head, framing) {
            give_back(H1Connection { wire, settings, served });
            return Err(fault.downstream());
        }
        let replay = match body.as_full() {
            Some(bytes) => Replay::Full(body.size(), bytes.clone()),
            None if body.is_done() => Replay::Empty,
            None => Replay::Gone,
        };
        let method = if head.upgrade.is_some() && head.method == Method::CONNECT {
            Method::GET
        } else {
            head.method.clone()
        };
        Ok(Self {
            wire,
            pump: Pump::new(body, framing, settings.enable_trailers),
            settings,
            upgrade: head.upgrade.clone(),
            method,
            own_key,
            head: Some(head),
            replay,
            interim,
            interim_seen: 0,
            scan: HeadScan::default(),
            served,
            answered: false,
            give_back,
        })
    }

    /// Sends what can be sent, and gives the head of the final response once it is there.
    pub fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<Result<Parsed, Error>> {
        self.pump.advance(&mut self.wire, cx)?;
        loop {
            let (bytes_max, fields_max) = (self.settings.head_bytes_max, self.settings.headers_count_max);
            let parsed = response::parse(&mut self.wire.input, &mut self.scan, bytes_max, fields_max)
                .map_err(|fault| fault.upstream())?;
            match parsed {
                Some(parsed) if is_interim(&parsed) => self.pass_interim(parsed)?,
                Some(parsed) => {
                    // The end of the request may have become possible only now, and decides about reuse.
                    self.pump.advance(&mut self.wire, cx)?;
                    return Poll::Ready(Ok(parsed));
                }
                None => match ready!(self.wire.poll_fill(0, cx)) {
                    Ok(0) => return Poll::Ready(Err(self.closed(None))),
                    Ok(_) => self.answered = true,
                    Err(error) => return Poll::Ready(Err(self.closed(Some(error.kind())))),
                },
            }
        }
    }

    /// The request, if it may be tried elsewhere: the connection was used before, said nothing, and the body is
    /// all here.
    pub fn unsent(self) -> Option<Request> {
        if self.served == 0 || self.answered {
            return None;
        }
        let mut head = self.head?;
        if self.own_key {
            head.headers.remove(header::SEC_WEBSOCKET_KEY);
        }
        let body = match self.replay {
            Replay::Full(size, bytes) => Body::whole(size, bytes),
            Replay::Empty => Body::empty(),
            // A tunnel's bytes were not touched before the tunnel is open.
            Replay::Gone if head.is_tunnel() => self.pump.into_body(),
            Replay::Gone => return None,
        };
        Some(Request { head, body, interim: self.interim })
    }

    /// Ends the exchange: the connection goes back if the backend keeps it and nothing is in doubt.
    pub fn finish(mut self, keep: bool) {
        let clean = self.pump.is_complete(&self.wire) && self.wire.input.is_empty() && !self.wire.ended;
        if keep && clean {
            self.wire.shrink();
            let Self { wire, settings, served, give_back, .. } = self;
            give_back(H1Connection { wire, settings, served: served + 1 });
        }
    }

    fn pass_interim(&mut self, parsed: Parsed) -> Result<(), Error> {
        self.interim_seen += 1;
        if self.interim_seen > INTERIM_FLOOD_MAX {
            return Err(Error::new(Reason::UpstreamProtocol, "more interim responses than accepted"));
        }
        if framing::announces_body(&parsed.facts) {
            return Err(Error::new(Reason::UpstreamProtocol, "interim response announces a body"));
        }
        // 100 is for whoever sent `Expect`, and that was answered where the client's body is read.
        if parsed.head.status != http::StatusCode::CONTINUE {
            let mut head = parsed.head;
            head.headers.remove(header::CONTENT_LENGTH);
            // A client may miss an interim response (RFC 9110 §15.2), so a full queue loses nothing that counts.
            let _kept = self.interim.push(head);
        }
        Ok(())
    }

    fn closed(&self, found: Option<std::io::ErrorKind>) -> Error {
        let (reason, when) = match (self.wire.input.is_empty(), self.answered) {
            // Half a head is no answer but a wrong one (RFC 9112 §8); Envoy tells the two apart by 502 and 503.
            (false, _) => (Reason::UpstreamProtocol, "within the response's head"),
            (true, true) => (Reason::UpstreamClosed, "behind an interim response"),
            (true, false) => (Reason::UpstreamClosed, "before any byte of a response"),
        };
        let why = found.or_else(|| self.pump.refusal());
        let detail = match why {
            Some(kind) => format!("connection closed {when}: {kind}"),
            None => format!("connection closed {when}"),
        };
        Error::new(reason, detail)
    }
}

fn is_interim(parsed: &Parsed) -> bool {
    parsed.head.status.is_informational() && parsed.head.status != http::StatusCode::SWITCHING_PROTOCOLS
}

/// WebSocket over HTTP/2 has no key, over HTTP/1.1 it must have one (RFC 8441 §5, RFC 6455 §4.1).
fn add_websocket_key(head: &mut RequestHead) -> bool {
    const KEY: HeaderName = header::SEC_WEBSOCKET_KEY;
    let missing = head.version >= Version::Http2
        && head.upgrade.as_deref() == Some("websocket")
        && !head.headers.contains_key(KEY);
    if missing {
        let key = base64::Engine::encode(
            &base64::engine::general_purpose::STANDARD,
            fastrand::u128(..).to_ne_bytes(),
        );
        head.headers.insert(KEY, HeaderValue::try_from(key).expect("base64 is a valid field value"));
    }
    missing
}
