//! Waiting for the whole request (`envoy.extensions.filters.http.buffer.v3`).

use envoy_types::pb::envoy::extensions::filters::http::buffer::v3 as pb;
use pb::buffer_per_route::Override;

use super::super::path::{Invalid, Path};
use crate::model::{Buffer, BufferPerRoute};

/// The filter in a chain.
pub(super) fn buffer(path: &Path<'_>, buffer: &pb::Buffer) -> Result<Buffer, Invalid> {
    let pb::Buffer { max_request_bytes } = buffer;
    let at = path.field("max_request_bytes");
    let max_request_bytes = at.within(at.required(max_request_bytes)?.value, &(1..=u32::MAX))?;
    Ok(Buffer { max_request_bytes })
}

/// The filter on a host or route.
pub(super) fn per_route(path: &Path<'_>, settings: &pb::BufferPerRoute) -> Result<BufferPerRoute, Invalid> {
    let pb::BufferPerRoute { r#override } = settings;
    match r#override {
        Some(Override::Disabled(true)) => Ok(BufferPerRoute::Disabled),
        Some(Override::Disabled(false)) => path.field("disabled").refuse("must be true or left out"),
        Some(Override::Buffer(found)) => Ok(BufferPerRoute::Buffer(buffer(&path.field("buffer"), found)?)),
        None => path.refuse("is empty; accepted: disabled, buffer"),
    }
}
