//! Answers made here: Envoy's bodies and fields, and gRPC's form for gRPC requests.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, StatusCode};

use crate::body::{Body, Response, ResponseHead};
use crate::error::{Error, Reason};
use crate::fields::Fields;
use crate::policy::reply::Reply;

/// What about the request shapes its answer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    /// The request is gRPC.
    pub(super) grpc: bool,
    /// The request is HEAD: the answer has no body, and says how long it would be.
    pub(super) head: bool,
    /// All of the request was here.
    pub(super) complete: bool,
    /// It was tried more than once.
    pub(super) retried: bool,
}

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// The answer to a request that ended in `error`.
pub(super) fn of_error(error: &Error, asked: Asked) -> Reply {
    let reason = error.reason();
    let status = match reason {
        // As Envoy: a request that is all here waited for the upstream, any other for its client.
        Reason::StreamIdleTimeout if asked.complete => 504,
        Reason::MaxDuration if !asked.complete => 408,
        reason => reason.status(),
    };
    let mut text = reason.client_text().to_owned();
    if asked.retried
        && let Some(at) = text.find("reset reason: ")
    {
        text.insert_str(at, "retried and the latest ");
    }
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Reply { body: Bytes::from(text), reason: Some(reason), ..Reply::status(status, "") }
}

/// The response, before the fields that routes and the connection manager add; `fields` stand in it already.
pub(super) fn response(reply: &Reply, mut fields: Fields, asked: Asked) -> Response {
    for name in reply.headers.keys() {
        fields.remove(name);
    }
    for (name, value) in &reply.headers {
        fields.append(name.clone(), value.clone());
    }
    if asked.grpc {
        return grpc(reply, fields, asked);
    }
    if reply.body.is_empty() {
        fields.remove(CONTENT_TYPE);
        fields.remove(CONTENT_LENGTH);
    } else {
        fields.insert(CONTENT_LENGTH, HeaderValue::from(reply.body.len()));
        if !fields.contains_key(CONTENT_TYPE) {
            fields.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        }
    }
    let body = if asked.head { Body::empty() } else { Body::full(reply.body.clone()) };
    Response { head: ResponseHead { status: reply.status, headers: fields }, body, close: false }
}

/// A response that is all trailers (gRPC over HTTP/2, "Trailers-Only").
fn grpc(reply: &Reply, mut fields: Fields, asked: Asked) -> Response {
    // As in Envoy, a message has not the line's end that a body of JSON has.
    let is_json = fields.get(CONTENT_TYPE).is_some_and(|value| value == "application/json");
    let message = reply.body.strip_suffix(b"\n").filter(|_| is_json).unwrap_or(&reply.body);
    fields.remove(CONTENT_LENGTH);
    fields.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    if !fields.contains_key(GRPC_STATUS) {
        fields.insert(GRPC_STATUS, HeaderValue::from(status_of(reply)));
    }
    if !reply.body.is_empty() && !asked.head && !fields.contains_key(GRPC_MESSAGE) {
        fields.insert(GRPC_MESSAGE, percent_encoded(message));
    }
    let head = ResponseHead { status: StatusCode::OK, headers: fields };
    Response { head, body: Body::empty(), close: false }
}

fn status_of(reply: &Reply) -> u32 {
    match (reply.grpc_status, reply.reason) {
        (Some(status), _) => status,
        (None, Some(Reason::MaxDuration)) => 4,
        (None, _) => grpc_status(reply.status),
    }
}

/// The status of gRPC that stands for one of HTTP (gRPC, "HTTP to gRPC Status Code Mapping").
pub(super) fn grpc_status(status: StatusCode) -> u32 {
    match status.as_u16() {
        400 => 13,
        401 => 16,
        403 => 7,
        404 => 12,
        429 | 502 | 503 | 504 => 14,
        _ => 2,
    }
}

/// `grpc-message` (gRPC over HTTP/2, "Percent-Encoded").
pub(super) fn percent_encoded(text: &[u8]) -> HeaderValue {
    let mut out = Vec::with_capacity(text.len());
    for byte in text {
        match byte {
            b'%' | 0..0x20 | 0x7f.. => out.extend_from_slice(format!("%{byte:02X}").as_bytes()),
            byte => out.push(*byte),
        }
    }
    HeaderValue::from_bytes(&out).expect("only printable ASCII is left")
}

/// Fields that say what kind of refusal it was, for an Envoy in front.
pub(super) fn envoy_fields(reason: Option<Reason>) -> Fields {
    let mut fields = Fields::new();
    let name = match reason {
        Some(Reason::Overflow) => "x-envoy-overloaded",
        Some(Reason::DropOverload) => "x-envoy-drop-overload",
        _ => return fields,
    };
    fields.insert(name, HeaderValue::from_static("true"));
    fields
}

#[cfg(test)]
mod tests;
