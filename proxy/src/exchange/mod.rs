//! 2. One unit of work: a request, or a connection whose bytes are passed on.

pub mod context;

pub mod http;

mod stop;

mod origin;

mod filter;

mod visit;

mod act;

mod forward;

mod attempt;

mod deadline;

mod patience;

mod upload;

mod download;

mod reply;

mod ledger;

mod mirror;

mod call_out;

mod conversation;

pub mod copy;

pub mod tcp;

pub mod udp;

pub mod raw;
