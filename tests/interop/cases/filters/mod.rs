//! HTTP filters, a file each; at the listener of `filters.yaml`, and those that ask services at that of `services.yaml`.

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

mod grpc_stats;

mod health_check;

mod grpc_web;

mod metadata;

mod filter_state;

mod rate_limit;

mod stateful_session;

mod ext_proc;

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
        grpc_stats::cases(),
        health_check::cases(),
        grpc_web::cases(),
        metadata::cases(),
        filter_state::cases(),
        rate_limit::cases(),
        stateful_session::cases(),
        ext_proc::cases(),
    ]
    .concat()
}
