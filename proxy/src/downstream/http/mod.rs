//! Serves HTTP connections: each codec turns frames into requests for one handler.

pub mod h1;

pub mod h2;

mod serve;

pub(super) use serve::{Serving, serve};
