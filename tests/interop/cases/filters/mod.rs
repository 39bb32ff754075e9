//! HTTP filters, a file each; all at the listener of `filters.yaml`.

use crate::case::Case;

mod at;

mod cors;

mod csrf;

mod buffer;

mod fault;

mod header_mutation;

mod local_rate_limit;

mod compressor;

mod decompressor;

mod grpc_web;

mod metadata;

mod filter_state;

pub fn cases() -> Vec<Case> {
    [
        cors::cases(),
        csrf::cases(),
        buffer::cases(),
        fault::cases(),
        header_mutation::cases(),
        local_rate_limit::cases(),
        compressor::cases(),
        decompressor::cases(),
        grpc_web::cases(),
        metadata::cases(),
        filter_state::cases(),
    ]
    .concat()
}
