//! A request and a response: a head with its body.
//!
//! One rule: a message is owned by whoever handles it, and its body goes where the message goes.

use http::StatusCode;

use super::{Body, Interim, RequestHead, ResponseHead};

use crate::fields::Fields;

/// A request on its way through.
#[derive(Debug)]
pub struct Request {
    /// The head.
    pub head: Box<RequestHead>,
    /// The body. Polling it the first time answers `Expect: 100-continue` on the codec's side.
    pub body: Body,
    /// Where interim responses go.
    pub interim: Interim,
}

/// A response on its way back.
#[derive(Debug)]
pub struct Response {
    /// The head.
    pub head: ResponseHead,
    /// The body.
    pub body: Body,
    /// Tells the downstream codec to end the connection after this response (HTTP/1.1 `Connection: close`).
    pub close: bool,
}

impl Response {
    /// A response without fields.
    #[must_use]
    pub fn new(status: StatusCode, body: Body) -> Self {
        Self { head: ResponseHead { status, headers: Fields::new() }, body, close: false }
    }
}
