//! What the admin server can see and do; handed over by whoever starts it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Instant, SystemTime};

use tokio::sync::mpsc;

use crate::identity::Secrets;
use crate::observe::metrics::Registry;
use crate::runtime::LiveRuntime;
use crate::snapshot::Live;
use crate::standing::Standing;

/// Everything the admin server shows.
#[derive(Debug)]
pub struct State {
    /// Metrics.
    pub registry: Arc<Registry>,
    /// The configuration in use.
    pub live: Arc<Live>,
    /// Certificates in use.
    pub secrets: Arc<Secrets>,
    /// Where the process is in its life.
    pub lifecycle: Arc<Lifecycle>,
    /// Values that overrule defaults of the configuration.
    pub runtime: Arc<LiveRuntime>,
    /// What the process is.
    pub about: About,
    /// Where commands go.
    pub commands: mpsc::Sender<Commands>,
    /// Log levels, and how to change them.
    pub logging: Arc<dyn Logging>,
}

/// Reads and changes log levels.
pub trait Logging: Send + Sync + std::fmt::Debug {
    /// The filter in use.
    fn current(&self) -> String;

    /// Uses another filter, e.g. `debug` or `info,proxy::upstream=trace`.
    ///
    /// # Errors
    /// What is wrong with it.
    fn set(&self, filter: &str) -> Result<(), String>;
}

/// What an operator may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Commands {
    /// Drain all listeners; `graceful` lets connections finish first.
    DrainListeners {
        /// Whether requests in flight finish first; without it connections are cut.
        graceful: bool,
    },
    /// End the process.
    Quit,
}

/// What the process is.
#[derive(Debug, Clone)]
pub struct About {
    /// Its version.
    pub version: String,
    /// When it started, for people.
    pub started_at: SystemTime,
    /// When it started, for durations.
    pub started: Instant,
    /// Worker threads.
    pub concurrency: usize,
    /// Its node as given to control planes.
    pub node: xds::model::Node,
    /// Its command line, with Envoy's names.
    pub command_line: serde_json::Value,
}

/// Where the process is in its life.
#[derive(Debug, Default)]
pub struct Lifecycle {
    phase: AtomicU8,
    standing: Arc<Standing>,
}

/// Envoy's server states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Before the first configuration.
    PreInitializing,
    /// Waiting for clusters and listeners to warm.
    Initializing,
    /// Serving.
    Live,
    /// On the way out.
    Draining,
}

impl Phase {
    /// Envoy's name of the state.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PreInitializing => "PRE_INITIALIZING",
            Self::Initializing => "INITIALIZING",
            Self::Live => "LIVE",
            Self::Draining => "DRAINING",
        }
    }
}

impl Lifecycle {
    /// The phase now.
    #[must_use]
    pub fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Acquire) {
            0 => Phase::PreInitializing,
            1 => Phase::Initializing,
            2 => Phase::Live,
            _ => Phase::Draining,
        }
    }

    /// Goes to `phase`.
    pub fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Release);
    }

    /// Whether the operator lets the proxy be found healthy.
    #[must_use]
    pub fn standing(&self) -> &Arc<Standing> {
        &self.standing
    }
}
