//! HTTP filters: those of a chain, and what hosts and routes say about them.
//!
//! A chain's last filter is the router. What is of an unknown type is left out if it says that it is optional.

mod router;

mod cors;

mod csrf;

mod buffer;

mod fault;

mod header_mutation;

mod local_rate_limit;

mod rate_limit;

mod compressor;

mod decompressor;

mod grpc_stats;

mod health_check;

mod grpc_web;

mod set_metadata;

mod header_to_metadata;

mod set_filter_state;

mod stateful_session;

mod ext_proc;

mod processing;

mod chain;

mod overrides;

pub(super) use chain::http_filters;
pub(super) use header_mutation::header_change;
pub(super) use overrides::overrides;
pub(super) use processing::answer as processor_answer;
pub(super) use rate_limit::answer as rate_limit_answer;
