//! Connections kept for the next request.

pub mod h2;
