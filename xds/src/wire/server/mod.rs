//! The server's side: sends each client what changed of what it asked for, and remembers what became of it.
//!
//! A world is published whole; the machines find out what a client lacks. Changes go out in the order that
//! makes before it breaks: clusters, endpoints, listeners, routes, secrets; removals only once nothing that the
//! client holds refers to the removed any more. [`stream::service`] is where to begin.

pub mod world;

pub mod status;

pub mod machine;

mod ledger;

pub mod delta;
pub mod sotw;

pub mod stream;
