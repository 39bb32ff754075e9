//! Answers that are errors: `{code, message, field, object}`.
//!
//! One rule: the operator learns which field of which resource is wrong; nobody learns a path, a
//! key or an internal address.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use crate::ca::error::CaError;
use crate::resource::invalid::Invalid;
use crate::resource::kind::ObjectRef;
use crate::store::error::StoreError;

/// Why a request was not done. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// One of `badRequest`, `unauthenticated`, `forbidden`, `notFound`, `methodNotAllowed`,
    /// `timeout`, `conflict`, `gone`, `tooLarge`, `invalid`, `tooMany`, `unavailable`, `internal`.
    pub code: &'static str,
    /// What was found and what is accepted.
    pub message: String,
    /// The field, when it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The resource (`Service/cart`), when it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
}

impl Failure {
    /// A failure about nothing in particular.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), field: None, object: None }
    }

    /// The same failure about a resource.
    pub fn about(mut self, object: &ObjectRef) -> Self {
        self.object = Some(object.to_string());
        self
    }

    fn status(&self) -> StatusCode {
        match self.code {
            "badRequest" => StatusCode::BAD_REQUEST,
            "unauthenticated" => StatusCode::UNAUTHORIZED,
            "forbidden" => StatusCode::FORBIDDEN,
            "notFound" => StatusCode::NOT_FOUND,
            "methodNotAllowed" => StatusCode::METHOD_NOT_ALLOWED,
            "timeout" => StatusCode::REQUEST_TIMEOUT,
            "conflict" => StatusCode::CONFLICT,
            "gone" => StatusCode::GONE,
            "tooLarge" => StatusCode::PAYLOAD_TOO_LARGE,
            "invalid" => StatusCode::UNPROCESSABLE_ENTITY,
            "tooMany" => StatusCode::TOO_MANY_REQUESTS,
            "unavailable" => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = (self.status(), Json(&self)).into_response();
        if self.code == "unauthenticated" {
            let scheme = http::HeaderValue::from_static("Bearer");
            response.headers_mut().insert(http::header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

impl From<Invalid> for Failure {
    fn from(invalid: Invalid) -> Self {
        let field = Some(invalid.field).filter(|field| !field.is_empty());
        Self { field, ..Self::new("invalid", invalid.message) }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let message = error.to_string();
        match error {
            StoreError::Misfit(misfit) => Self::from(misfit.invalid).about(&misfit.object),
            StoreError::Conflict { object, message } => Self::new("conflict", message).about(&object),
            StoreError::NotFound(object) => Self::new("notFound", message).about(&object),
            StoreError::Gone { .. } => Self::new("gone", message),
            StoreError::Token(_) => Self::new("forbidden", message),
            StoreError::Write(_) => {
                tracing::error!(error = message, "a change could not be stored");
                Self::new("unavailable", message)
            }
            StoreError::Open { .. }
            | StoreError::InUse { .. }
            | StoreError::Corrupt { .. }
            | StoreError::Newer { .. }
            | StoreError::TrustDomain { .. } => {
                tracing::error!(error = message, "the store fails");
                Self::new("unavailable", "the store cannot be read; see the control API's log")
            }
        }
    }
}

impl From<CaError> for Failure {
    fn from(error: CaError) -> Self {
        match error {
            CaError::Request(message) => Self { field: Some("csr".into()), ..Self::new("invalid", message) },
            other => {
                tracing::error!(error = %other, "the authority fails");
                Self::new("internal", "the authority cannot sign; see the control API's log")
            }
        }
    }
}
