//! What each target checks, beside the readers by the letter that judge it.
//!
//! One rule: a check compares the engine with a reading of its own; it never repeats the engine's.

#[path = "../../harness/src/strict.rs"]
pub mod strict;

#[path = "../../harness/src/meaning.rs"]
pub mod meaning;

pub mod pieces;

pub mod heads;

pub mod framing;

pub mod script;

pub mod backend;

pub mod relay;
