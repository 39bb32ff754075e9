//! Decisions: configuration compiled into data that answers questions about a request.
//!
//! One rule: nothing here moves a byte or waits. Time and randomness are passed in, so that every choice can be
//! tested by a table.

pub mod facts;

pub mod draw;

mod port;

mod source;

mod header_tests;

mod match_data;

mod cookie;

mod field_add;

mod field_change;

pub mod descriptor;

pub mod token_bucket;

pub mod filter_state;

pub mod filter;

pub mod http;

pub mod route;

pub mod retry;

pub mod timeout;

pub mod reply;

pub mod tcp;

pub mod udp;

pub mod network;

#[cfg(test)]
pub(crate) mod samples;
