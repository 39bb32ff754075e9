//! HTTP filters: what each decides about a request and its response.
//!
//! One filter is one file. Nothing here moves a byte or waits: a filter says what it wants, and `exchange::filter`
//! carries it out.

pub mod cors;

pub mod csrf;

pub mod fault;

pub mod header_mutation;

pub mod local_rate_limit;

pub mod rate_limit;

pub mod compressor;

pub mod decompressor;

pub mod grpc_stats;

pub mod health_check;

pub mod grpc_web;

pub mod set_metadata;

pub mod stateful_session;

pub mod header_to_metadata;

pub mod ext_proc;

mod kind;

mod overrides;

mod chain;

pub use chain::{Filter, Filters};
pub use kind::{Kind, Setting};
pub use overrides::{Overrides, Settings, within};
