//! How the contestants are set up: what they speak at both ends, and the conditions under which a line of a peer's
//! template counts.

use serde::{Deserialize, Serialize};

/// What is spoken on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// Bytes.
    Tcp,
    /// HTTP/1.1.
    Http1,
    /// HTTP/2, without TLS by prior knowledge.
    Http2,
}

/// One proxy's ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ends {
    /// What clients speak to it.
    pub front: Protocol,
    /// Whether they do so over mutual TLS.
    pub front_tls: bool,
    /// What it speaks to its endpoints.
    pub back: Protocol,
    /// Whether it does so over mutual TLS.
    pub back_tls: bool,
}

/// How a contestant is set up.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setup {
    /// What clients speak.
    pub front: Protocol,
    /// Whether clients use mutual TLS.
    #[serde(default)]
    pub mtls: bool,
    /// What the backend speaks, never with TLS.
    pub back: Protocol,
    /// Two proxies in a row, with this protocol over mutual TLS between them.
    #[serde(default)]
    pub hop: Option<Protocol>,
    /// More conditions of the templates: `routes`, `filters`, `websocket`, `bodies`, `many`.
    #[serde(default)]
    pub conditions: Vec<String>,
}

impl Setup {
    /// The ends of each proxy, the client's first.
    pub fn proxies(&self) -> Vec<Ends> {
        let Setup { front, mtls, back, hop, conditions: _ } = *self;
        match hop {
            None => vec![Ends { front, front_tls: mtls, back, back_tls: false }],
            Some(hop) => vec![
                Ends { front, front_tls: mtls, back: hop, back_tls: true },
                Ends { front: hop, front_tls: true, back, back_tls: false },
            ],
        }
    }

    /// Whether the proxies read HTTP, so that their work can be looked at.
    pub fn is_http(&self) -> bool {
        self.front != Protocol::Tcp
    }
}

impl Ends {
    /// The conditions that hold for a proxy with these ends.
    pub fn conditions(self) -> Vec<&'static str> {
        let front = match self.front {
            Protocol::Tcp => "front-tcp",
            Protocol::Http1 => "front-http1",
            Protocol::Http2 => "front-http2",
        };
        let back = match self.back {
            Protocol::Tcp => "back-tcp",
            Protocol::Http1 => "back-http1",
            Protocol::Http2 => "back-http2",
        };
        let tls = [(self.front_tls, "front-tls"), (self.back_tls, "back-tls")];
        let tls = tls.into_iter().filter(|(holds, _)| *holds).map(|(_, name)| name);
        [front, back].into_iter().chain(tls).collect()
    }
}
