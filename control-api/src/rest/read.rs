//! Reading requests: bodies and queries, with errors in our own form.
//!
//! One rule: what a request says and we do not know is refused, in a query as in a body.

use axum::extract::Query;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use bytes::Bytes;
use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use super::reply::Failure;
use super::strict::Strict;

/// A body as it came, or why it did not.
pub type Body = Result<Bytes, BytesRejection>;

/// A query as it was read, or why it was not.
pub type Asked<T> = Result<Query<T>, QueryRejection>;

/// What a list can be asked.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ListQuery {
    /// At most so many.
    pub limit: Option<usize>,
    /// From where the page before ended.
    pub r#continue: Option<String>,
    /// Changes as they happen, instead of a list.
    #[serde(default)]
    pub watch: bool,
    /// For a watch: after which revision.
    pub resource_version: Option<u64>,
}

/// What a change can be asked.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ChangeQuery {
    /// Only say what would happen.
    #[serde(default)]
    pub dry_run: bool,
}

/// The query, or a refusal.
pub fn query<T>(asked: Asked<T>) -> Result<T, Failure> {
    asked.map(|Query(query)| query).map_err(|error| Failure::new("badRequest", error.body_text()))
}

/// The body as JSON, or a refusal.
pub fn json(body: Body) -> Result<Value, Failure> {
    let bytes = body.map_err(|error| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Failure::new("tooLarge", error.body_text()),
        _ => Failure::new("badRequest", error.body_text()),
    })?;
    let read = serde_json::from_slice::<Strict>(&bytes);
    read.map(|Strict(value)| value)
        .map_err(|error| Failure::new("badRequest", format!("the body cannot be read as JSON: {error}")))
}
