//! The whole product as its user runs it: real processes, real sockets, real TLS.
//!
//! One rule: a figure that is printed was measured in the run that prints it; none is asserted.

mod mesh;

mod up;

mod failover;

mod live_changes;

mod gateways;
mod renewal;

mod clients;

mod trailers;

mod big_bodies;

mod api_listener;

mod bad_input;

mod attacks;

mod splicing;
