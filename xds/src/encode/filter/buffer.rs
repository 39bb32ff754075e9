//! Waiting for the whole request.

use envoy_types::pb::envoy::extensions::filters::http::buffer::v3 as pb;
use pb::buffer_per_route::Override;

use super::super::scalar;
use crate::model::{Buffer, BufferPerRoute};

pub(super) fn buffer(buffer: Buffer) -> pb::Buffer {
    let Buffer { max_request_bytes } = buffer;
    pb::Buffer { max_request_bytes: scalar::uint32(max_request_bytes) }
}

pub(super) fn per_route(settings: BufferPerRoute) -> pb::BufferPerRoute {
    let settings = match settings {
        BufferPerRoute::Disabled => Override::Disabled(true),
        BufferPerRoute::Buffer(found) => Override::Buffer(buffer(found)),
    };
    pb::BufferPerRoute { r#override: Some(settings) }
}
