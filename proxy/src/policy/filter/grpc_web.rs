//! gRPC for browsers (`envoy.filters.http.grpc_web`): clients that speak gRPC-Web, backends that speak gRPC
//! (gRPC-Web protocol, "Protocol differences vs gRPC over HTTP2").
//!
//! One rule: what a browser cannot read, trailers, goes as the last frame of the body; in text all of it is base64.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{BufMut, Bytes, BytesMut};
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, TE};
use http::{HeaderName, HeaderValue, StatusCode};

use crate::body::{RequestHead, ResponseHead};
use crate::fields::Fields;
use crate::policy::facts;

const GRPC_ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");
const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

const BINARY: [&str; 2] = ["application/grpc-web+proto", "application/grpc-web"];
const TEXT: [&str; 2] = ["application/grpc-web-text+proto", "application/grpc-web-text"];

/// Flags and length of a frame, bytes.
const FRAME_HEAD_BYTES: usize = 5;
/// The flag of the frame that holds the trailers.
const TRAILERS_FLAG: u8 = 0x80;

/// How a client speaks gRPC-Web.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Speech {
    /// The request's body is base64.
    pub text_request: bool,
    /// The response's body is to be base64.
    pub text_response: bool,
}

impl Speech {
    /// Makes a gRPC request of `head` and tells how its client speaks; `None` if that is not gRPC-Web.
    #[must_use]
    pub fn translate(head: &mut RequestHead) -> Option<Self> {
        let headers = &mut head.headers;
        let is = |name: HeaderName, types: [&str; 2]| {
            headers.get(name).is_some_and(|value| types.iter().any(|known| value == known))
        };
        let text_request = is(CONTENT_TYPE, TEXT);
        if !text_request && !is(CONTENT_TYPE, BINARY) {
            return None;
        }
        let text_response = is(ACCEPT, TEXT);
        headers.remove(CONTENT_LENGTH);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        headers.insert(TE, HeaderValue::from_static("trailers"));
        if !headers.contains_key(GRPC_ACCEPT_ENCODING) {
            headers.insert(GRPC_ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        Some(Self { text_request, text_response })
    }

    /// Makes a gRPC-Web response of `head`; gives whether the body is not gRPC's, so that it has to become a message.
    #[must_use]
    pub fn answer(self, head: &mut ResponseHead, has_body: bool) -> bool {
        let is_foreign = has_body && !is_grpc(head);
        let [media_type, _] = if self.text_response { TEXT } else { BINARY };
        head.headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        is_foreign
    }
}

/// Whether a response with a body is gRPC's or, in binary, gRPC-Web's.
fn is_grpc(head: &ResponseHead) -> bool {
    let is_web = || {
        let value = head.headers.get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
        let media_type = value.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii_end();
        BINARY.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(media_type))
    };
    head.status == StatusCode::OK && (facts::is_grpc(&head.headers) || is_web())
}

/// Puts into `head` what a body that is not gRPC's means to a gRPC client: a status and a message.
pub fn explain(head: &mut ResponseHead, status: u32, message: HeaderValue) {
    head.headers.insert(GRPC_MESSAGE, message);
    head.headers.insert(GRPC_STATUS, HeaderValue::from(status));
    head.headers.insert(CONTENT_LENGTH, HeaderValue::from(0));
}

/// The last frame of a body: `trailers` as HTTP/1 writes fields.
#[must_use]
pub fn trailers_frame(trailers: &Fields) -> Bytes {
    let mut frame = BytesMut::from(&[TRAILERS_FLAG, 0, 0, 0, 0][..]);
    for (name, value) in trailers {
        frame.extend_from_slice(name.as_bytes());
        frame.put_u8(b':');
        frame.extend_from_slice(value.as_bytes());
        frame.extend_from_slice(b"\r\n");
    }
    let length = u32::try_from(frame.len() - FRAME_HEAD_BYTES).expect("a head is far smaller than 4 GiB");
    frame[1..FRAME_HEAD_BYTES].copy_from_slice(&length.to_be_bytes());
    frame.freeze()
}

/// A body that is not base64 as it should be: what the log says of it.
pub type Malformed = &'static str;

/// Base64 of a request, in pieces as they come.
#[derive(Debug, Default)]
pub struct Decoder {
    /// Less than four characters, between two calls.
    rest: BytesMut,
}

impl Decoder {
    /// What `text` stands for, together with the rest of what came before it.
    ///
    /// # Errors
    /// When it is not base64.
    pub fn decode(&mut self, text: &[u8]) -> Result<Bytes, Malformed> {
        self.rest.extend_from_slice(text);
        let whole = self.rest.split_to(self.rest.len() / 4 * 4);
        STANDARD.decode(whole).map(Bytes::from).map_err(|_| "grpc_base_64_decode_failed")
    }

    /// The text has ended.
    ///
    /// # Errors
    /// When it ended within a group of four.
    pub fn end(&self) -> Result<(), Malformed> {
        if self.rest.is_empty() { Ok(()) } else { Err("grpc_base_64_decode_failed_bad_size") }
    }
}

/// Base64 of a response: each frame is a text of its own, so that its end can be read before the next one comes.
#[derive(Debug, Default)]
pub struct Encoder {
    head: [u8; FRAME_HEAD_BYTES],
    /// Bytes of `head` that are here.
    have: usize,
    /// Bytes of the frame's message to come, once the head is here.
    left: usize,
    /// Bytes of the frame that are not yet written: less than three between two calls.
    rest: BytesMut,
}

impl Encoder {
    /// The text of `data`, as far as it can be written.
    pub fn encode(&mut self, mut data: &[u8]) -> Bytes {
        let mut text = String::with_capacity(data.len() / 3 * 4 + 8);
        while !data.is_empty() {
            let in_head = self.have < FRAME_HEAD_BYTES;
            let wanted = if in_head { FRAME_HEAD_BYTES - self.have } else { self.left };
            let (now, later) = data.split_at(wanted.min(data.len()));
            data = later;
            self.rest.extend_from_slice(now);
            if in_head {
                self.head[self.have..self.have + now.len()].copy_from_slice(now);
                self.have += now.len();
                let [_, length @ ..] = self.head;
                self.left = u32::from_be_bytes(length) as usize;
            } else {
                self.left -= now.len();
            }
            if self.have == FRAME_HEAD_BYTES && self.left == 0 {
                self.have = 0;
                STANDARD.encode_string(self.rest.split(), &mut text);
            } else {
                let whole = self.rest.split_to(self.rest.len() / 3 * 3);
                STANDARD.encode_string(whole, &mut text);
            }
        }
        text.into()
    }

    /// What is left of a frame that broke off, and then `frame`, the last one.
    pub fn last(&mut self, frame: &[u8]) -> Bytes {
        let mut text = String::new();
        STANDARD.encode_string(self.rest.split(), &mut text);
        STANDARD.encode_string(frame, &mut text);
        text.into()
    }
}

#[cfg(test)]
mod tests;
