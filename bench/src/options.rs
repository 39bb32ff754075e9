//! How a scenario is run: what a person may choose on the command line.

use std::path::PathBuf;

/// How a scenario is run.
#[derive(clap::Args)]
pub struct Options {
    /// Measure Envoy, nginx and HAProxy too (tests/setup installs them).
    #[arg(long)]
    pub peers: bool,
    /// How many times each contestant is measured.
    #[arg(long, default_value_t = 5)]
    pub rounds: usize,
    /// Only these contestants (tombolo, envoy, nginx, haproxy, floor).
    #[arg(long, value_delimiter = ',')]
    pub only: Vec<String>,
    /// The core of the proxy; load generator and backend run on --load-core.
    #[arg(long, default_value_t = 0)]
    pub proxy_core: usize,
    /// The core of load generator and backend.
    #[arg(long, default_value_t = 1)]
    pub load_core: usize,
    /// The profile tombolo-proxy is built with.
    #[arg(long, default_value = "dist")]
    pub profile: String,
    /// Measure this binary of tombolo-proxy instead of building one.
    #[arg(long)]
    pub binary: Option<PathBuf>,
    /// Write every number to this file as JSON.
    #[arg(long)]
    pub json: Option<PathBuf>,
}
