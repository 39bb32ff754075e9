//! How a scenario is run: what a person may choose on the command line.

use std::path::PathBuf;

use crate::work::scenario::NAMES;

/// Who can be measured beside us.
pub const PEERS: &[&str] = &["envoy", "nginx", "haproxy"];

/// How a scenario is run.
#[derive(clap::Args)]
pub struct Options {
    /// What to measure; `all` runs one after the other.
    #[arg(value_parser = names())]
    pub scenario: String,
    /// Measure these peers too, all when none is named (tests/setup installs them).
    #[arg(long, value_delimiter = ',', num_args = 0..=1, default_missing_value = "envoy,nginx,haproxy")]
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(PEERS))]
    pub peers: Vec<String>,
    /// How many times each contestant is measured.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub rounds: u32,
    /// Only the variants whose name contains this.
    #[arg(long)]
    pub variant: Option<String>,
    /// Only these contestants (tombolo, envoy, nginx, haproxy, floor, direct).
    #[arg(long, value_delimiter = ',')]
    pub only: Vec<String>,
    /// The core of the proxy; load generator and backend run on --load-core.
    #[arg(long, default_value_t = 0)]
    pub proxy_core: usize,
    /// The core of load generator and backend.
    #[arg(long, default_value_t = 1)]
    pub load_core: usize,
    /// The profile tombolo-proxy is built with: dist (what is shipped) or release.
    #[arg(long, default_value = "dist")]
    pub profile: String,
    /// Measure this binary of tombolo-proxy instead of building one.
    #[arg(long)]
    pub binary: Option<PathBuf>,
    /// Write every number to this file as JSON.
    #[arg(long)]
    pub json: Option<PathBuf>,
}

/// What `scenario` may be.
fn names() -> clap::builder::PossibleValuesParser {
    clap::builder::PossibleValuesParser::new(NAMES.iter().copied().chain(["all"]))
}

impl Options {
    /// Whether a contestant is among those asked for.
    pub fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == name)
    }

    /// What of ours is measured, in words.
    pub fn built(&self) -> String {
        match &self.binary {
            Some(path) => path.display().to_string(),
            None => format!("profile {}", self.profile),
        }
    }

    /// The scenarios asked for.
    pub fn scenarios(&self) -> Vec<&'static str> {
        NAMES.iter().copied().filter(|name| self.scenario == "all" || self.scenario == *name).collect()
    }
}
