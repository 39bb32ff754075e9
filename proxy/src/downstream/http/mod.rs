//! Serves HTTP connections: each codec turns frames into requests for one handler.

pub mod h1;

pub mod h2;
#[cfg(feature = "http3")]
pub mod h3;

mod serve;

#[cfg(feature = "http3")]
pub(super) use serve::serve_h3;
pub(super) use serve::{Serving, serve};
