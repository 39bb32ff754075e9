//! How a response is to be written: decided from what the request was and what the response is.

use http::{Method, StatusCode, header};

use crate::body::{RequestHead, Response, ResponseHead, Size, Text, Version};
use crate::codec::h1::framing::opens_tunnel;
use crate::codec::h1::write::Framing;

/// What of a request matters for its response.
pub struct Asked {
    pub version: Version,
    pub keep_alive: bool,
    is_head: bool,
    is_connect: bool,
    upgrade: Option<Text>,
}

/// How a response goes out.
#[derive(Debug, PartialEq, Eq)]
pub enum Plan {
    /// A final response.
    Final(Framing),
    /// The response opens the tunnel that was asked for; `upgrade` is written with a 101.
    Tunnel { upgrade: Option<Text> },
    /// The handler's status cannot end this request.
    Impossible,
}

impl Asked {
    /// Of this request.
    pub fn new(head: &RequestHead, keep_alive: bool) -> Self {
        Self {
            version: head.version,
            keep_alive,
            is_head: head.method == Method::HEAD,
            is_connect: head.method == Method::CONNECT,
            upgrade: head.upgrade.clone(),
        }
    }

    /// Whether the bytes after the head are a tunnel's if the response grants it.
    pub fn is_tunnel(&self) -> bool {
        self.is_connect || self.upgrade.is_some()
    }

    /// Decides how `response` is written.
    pub fn plan(&self, response: &Response) -> Plan {
        let status = response.head.status;
        if status == StatusCode::SWITCHING_PROTOCOLS {
            return match &self.upgrade {
                Some(protocol) => Plan::Tunnel { upgrade: Some(protocol.clone()) },
                None => Plan::Impossible,
            };
        }
        if status.is_informational() {
            return Plan::Impossible;
        }
        if opens_tunnel(status, self.is_connect) {
            return Plan::Tunnel { upgrade: None };
        }
        Plan::Final(self.framing(&response.head, response.body.size()))
    }

    fn framing(&self, head: &ResponseHead, size: Size) -> Framing {
        if head.status == StatusCode::NO_CONTENT {
            return Framing::Silent;
        }
        if self.is_head || head.status == StatusCode::NOT_MODIFIED {
            return Framing::Declared;
        }
        match size {
            Size::Exact(length) => Framing::Length(length),
            Size::Unknown if self.version == Version::Http10 => Framing::UntilClose,
            Size::Unknown => Framing::Chunked,
        }
    }
}

/// For HEAD, what a GET would have said: a body that a handler made tells its length, unless the head does.
pub fn declare_length(asked: &Asked, response: &mut Response) {
    if let (true, Size::Exact(length @ 1..)) = (asked.is_head, response.body.size())
        && !response.head.headers.contains_key(header::CONTENT_LENGTH)
    {
        response.head.headers.insert(header::CONTENT_LENGTH, length.into());
    }
}
