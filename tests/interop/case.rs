//! One row of the table: what is sent, where to, and what is looked at.

use bytes::Bytes;
use harness::message::Request;

/// A listener of `differential.yaml` or, for routes, `routes.yaml`, for what is said of a request's origin, `origins.yaml`, and for filters `filters.yaml`, `services.yaml` and `processing.yaml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Listener {
    Main,
    Edge,
    Inner,
    Replies,
    Tcp,
    Filters,
    Services,
    Routes,
    Inside,
    Detect,
    Strict,
    Far,
    Processing,
}

/// What a client does.
#[derive(Debug, Clone)]
pub enum Action {
    /// One request on a connection of its own.
    Send(Request),
    /// The same request many times; looked at are the statuses and which backends were chosen at all.
    Spread(Request, usize),
    /// Requests of several users, each several times; looked at is that a user stays at one backend.
    Sticky(Vec<Request>),
    /// Bytes as they are, then the answers until the other side closes or is silent.
    Raw(Vec<u8>),
    /// Bytes as they are, then no more bytes for ever (half-close), then the answers.
    RawEnd(Vec<u8>),
    /// A head with `Expect: 100-continue`; the body follows once it is asked for, or after a short wait.
    Expect(Request, Vec<u8>),
    /// A request for an upgrade; if it is granted, these bytes and their echo.
    Upgrade(Request, Vec<u8>),
    /// Runtime values are set (`key=text&key=text`), the same request is sent many times, the values are taken back;
    /// looked at are the admin server's answers, the statuses, and which backends were chosen at all.
    Runtime { changes: String, request: Request, times: usize },
    /// One request over HTTP/2 with prior knowledge.
    Http2(http::Request<Bytes>),
}

/// One row.
#[derive(Debug, Clone)]
pub struct Case {
    /// A name of its own; `differences.md` speaks of it.
    pub name: String,
    pub listener: Listener,
    pub action: Action,
}

impl Case {
    pub fn new(name: impl Into<String>, listener: Listener, action: Action) -> Self {
        Self { name: name.into(), listener, action }
    }

    /// A GET at the main listener, named after its group, host and target.
    pub fn get(group: &str, host: &str, target: &str) -> Self {
        Self::send(format!("{group}: GET {host}{target}"), Request::new("GET", host, target))
    }

    /// One request at the main listener.
    pub fn send(name: impl Into<String>, request: Request) -> Self {
        Self::new(name, Listener::Main, Action::Send(request))
    }

    /// Bytes at the main listener.
    pub fn raw(name: &str, bytes: &str) -> Self {
        Self::new(format!("raw: {name}"), Listener::Main, Action::Raw(bytes.as_bytes().to_vec()))
    }

    /// The same at another listener.
    pub fn at(mut self, listener: Listener) -> Self {
        self.listener = listener;
        self
    }
}
