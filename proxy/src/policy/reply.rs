//! An answer that a rule gives instead of forwarding the request.

use bytes::Bytes;
use http::{HeaderValue, StatusCode};

use crate::error::Reason;

/// A local answer, before it gets the fields that every response gets.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status (for gRPC requests it becomes a `grpc-status`).
    pub status: StatusCode,
    /// The body; empty for none.
    pub body: Bytes,
    /// Where a redirect leads.
    pub location: Option<HeaderValue>,
    /// `%RESPONSE_CODE_DETAILS%`.
    pub details: &'static str,
    /// What went wrong, if something did.
    pub reason: Option<Reason>,
}

impl Reply {
    /// A bare status.
    #[must_use]
    pub fn status(status: StatusCode, details: &'static str) -> Self {
        Self { status, body: Bytes::new(), location: None, details, reason: None }
    }

    /// A redirect to `location`; characters that no field value may hold end it with 500.
    #[must_use]
    pub fn redirect(status: StatusCode, location: &str, details: &'static str) -> Self {
        match HeaderValue::from_str(location) {
            Ok(location) => Self { location: Some(location), ..Self::status(status, details) },
            Err(_) => Self::status(StatusCode::INTERNAL_SERVER_ERROR, "invalid_redirect"),
        }
    }
}
