//! An answer that a rule gives instead of forwarding the request.

use std::borrow::Cow;

use bytes::Bytes;
use http::header::LOCATION;
use http::{HeaderValue, StatusCode};

use crate::error::Reason;
use crate::fields::Fields;

/// A local answer, before it gets the fields that every response gets.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status (for gRPC requests it becomes a `grpc-status`).
    pub status: StatusCode,
    /// The body; empty for none.
    pub body: Bytes,
    /// `%RESPONSE_CODE_DETAILS%`.
    pub details: Cow<'static, str>,
    /// What went wrong, if something did.
    pub reason: Option<Reason>,
    /// Fields of its own, beside which nothing else of their names stands.
    pub headers: Fields,
    /// The status for a gRPC request; `None`: the one that stands for `status`.
    pub grpc_status: Option<u32>,
}

impl Reply {
    /// A bare status.
    #[must_use]
    pub fn status(status: StatusCode, details: impl Into<Cow<'static, str>>) -> Self {
        let details = details.into();
        Self { status, body: Bytes::new(), details, reason: None, headers: Fields::new(), grpc_status: None }
    }

    /// A redirect to `location`; characters that no field value may hold end it with 500.
    #[must_use]
    pub fn redirect(status: StatusCode, location: &str, details: &'static str) -> Self {
        match HeaderValue::from_str(location) {
            Ok(location) => {
                let mut reply = Self::status(status, details);
                reply.headers.insert(LOCATION, location);
                reply
            }
            Err(_) => Self::status(StatusCode::INTERNAL_SERVER_ERROR, "invalid_redirect"),
        }
    }
}
