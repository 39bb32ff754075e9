//! The control API of Tombolo: it keeps the desired state of the mesh, issues identities, and
//! tells every proxy what it may know.
//!
//! A change comes in by REST ([`rest`]), is parsed ([`resource`]), stored ([`store`]), turned into
//! what each proxy needs ([`publish`]) and pushed over xDS ([`discovery`]); what the proxies answer
//! is remembered ([`fleet`]). Identities come from the mesh's own authority ([`ca`]).
//!
//! One rule: what is refused changes nothing, and what ran keeps running.

pub mod clock;
pub mod error;
pub mod limits;

pub mod resource;

pub mod store;

pub mod ca;

pub mod publish;

pub mod fleet;

pub mod discovery;

pub mod auth;

pub mod rest;

pub mod serve;

pub use serve::{ControlOptions, Running, serve};

#[cfg(test)]
mod testing;
