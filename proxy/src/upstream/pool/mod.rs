//! Connections kept for the next request.

pub mod h1;

pub mod h2;
