//! Fields that every response gets on its way out.

use http::HeaderValue;
use http::header::{DATE, SERVER, VIA};
use xds::model::ServerHeader;

use super::compile::HttpPolicy;
use super::request_id::REQUEST_ID;

use crate::fields::Fields;

/// What the last touch of a response needs to know.
#[derive(Debug)]
pub struct Closing<'a> {
    /// The time now, as a `date` field.
    pub date: &'a HeaderValue,
    /// The request's `x-request-id`.
    pub request_id: Option<&'a HeaderValue>,
}

impl HttpPolicy {
    /// Writes `date`, `server`, `via` and, if configured, `x-request-id`.
    pub fn close_response(&self, headers: &mut Fields, closing: &Closing<'_>) {
        if !headers.contains_key(DATE) {
            headers.insert(DATE, closing.date.clone());
        }
        match self.server_header {
            ServerHeader::PassThrough => {}
            ServerHeader::AppendIfAbsent if headers.contains_key(SERVER) => {}
            ServerHeader::Overwrite | ServerHeader::AppendIfAbsent => {
                headers.insert(SERVER, self.server_name.clone());
            }
        }
        if self.always_set_request_id_in_response
            && let Some(id) = closing.request_id
        {
            headers.insert(REQUEST_ID, id.clone());
        }
        if let Some(via) = &self.via {
            append_via(headers, via);
        }
    }
}

/// Appends this hop to `via` (RFC 9110 §7.6.3).
pub(super) fn append_via(headers: &mut Fields, via: &HeaderValue) {
    let value = match headers.get(VIA) {
        Some(before) => [before.as_bytes(), b", ", via.as_bytes()].concat(),
        None => via.as_bytes().to_vec(),
    };
    if let Ok(value) = HeaderValue::from_bytes(&value) {
        headers.insert(VIA, value);
    }
}
