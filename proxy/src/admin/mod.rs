//! The admin server: what the proxy holds, counts and is told by its operator.
//!
//! It runs on the background runtime, so that it answers while every worker is busy. It shows no secret, and
//! what changes anything takes POST, as Envoy's does.

mod state;

mod answer;

mod runtime;
mod server_info;

mod prometheus;

mod stats;

mod certs;

mod clusters;

mod config_dump;

mod listeners;

mod route;

mod serve;

pub use serve::serve;
pub use state::{About, Commands, Lifecycle, Logging, Phase, State};
