//! The command line of the data plane: Envoy's flags, so that a start script need not change.
//!
//! A flag of Envoy that has no meaning here is accepted only when ignoring it cannot surprise anyone; its help
//! says so.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

/// How the data plane is started.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Bootstrap file, YAML or JSON (envoy.config.bootstrap.v3.Bootstrap).
    #[arg(short = 'c', long, value_name = "FILE", visible_alias = "config")]
    pub config_path: Option<PathBuf>,

    /// Bootstrap as text; merged over the file when both are given.
    #[arg(long, value_name = "YAML")]
    pub config_yaml: Option<String>,

    /// Serve, or only check the configuration and exit.
    #[arg(long, value_enum, default_value_t = Mode::Serve)]
    pub mode: Mode,

    /// Worker threads; 0 or unset: as many as the CPUs this process may use (cgroup limits count).
    #[arg(long, value_name = "N")]
    pub concurrency: Option<usize>,

    /// trace, debug, info, warning (warn), error, critical or off.
    #[arg(short = 'l', long, value_name = "LEVEL", default_value = "info")]
    pub log_level: String,

    /// Levels by component, `name:level` separated by commas.
    #[arg(long, value_name = "LIST")]
    pub component_log_level: Option<String>,

    /// Write the log to this file instead of standard error.
    #[arg(long, value_name = "FILE")]
    pub log_path: Option<PathBuf>,

    /// text or json.
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,

    /// Sets node.id.
    #[arg(long, value_name = "ID")]
    pub service_node: Option<String>,

    /// Sets node.cluster.
    #[arg(long, value_name = "NAME")]
    pub service_cluster: Option<String>,

    /// Sets node.locality.zone.
    #[arg(long, value_name = "ZONE")]
    pub service_zone: Option<String>,

    /// Seconds a drain may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub drain_time_s: u64,

    /// How connections are closed while draining.
    #[arg(long, value_enum, default_value_t = DrainStrategy::Gradual)]
    pub drain_strategy: DrainStrategy,

    /// Accepted for Envoy's sake: there is no parent process here.
    #[arg(long, value_name = "SECONDS", default_value_t = 900)]
    pub parent_shutdown_time_s: u64,

    /// Accepted for Envoy's sake: processes here share nothing.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub base_id: u32,

    /// Accepted for Envoy's sake, as --base-id.
    #[arg(long)]
    pub use_dynamic_base_id: bool,

    /// Writes the base id to this file.
    #[arg(long, value_name = "FILE")]
    pub base_id_path: Option<PathBuf>,

    /// Must be 0: hot restart is not supported, listeners share their ports by SO_REUSEPORT.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=0))]
    pub restart_epoch: u32,

    /// Accepted for Envoy's sake: it always is disabled.
    #[arg(long)]
    pub disable_hot_restart: bool,

    /// Writes the admin server's address to this file.
    #[arg(long, value_name = "FILE")]
    pub admin_address_path: Option<PathBuf>,

    /// Which family DNS prefers for this host's own address.
    #[arg(long, value_name = "v4|v6", default_value = "v4", value_parser = ["v4", "v6"])]
    pub local_address_ip_version: String,

    /// How often access logs are written out, milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 10_000)]
    pub file_flush_interval_msec: u64,

    /// Binds workers to as many threads as the CPU set has.
    #[arg(long)]
    pub cpuset_threads: bool,

    /// The control API that issues this proxy's SVID, e.g. https://10.0.0.1:9902.
    #[arg(long, value_name = "URL", env = "TOMBOLO_IDENTITY_URL")]
    pub identity_url: Option<String>,

    /// File with the one-time token to join with; needed until the first SVID is there.
    #[arg(long, value_name = "FILE", env = "TOMBOLO_JOIN_TOKEN_FILE")]
    pub join_token_file: Option<PathBuf>,

    /// PEM roots to believe the control API by.
    #[arg(long, value_name = "FILE", env = "TOMBOLO_TRUST_BUNDLE")]
    pub trust_bundle: Option<PathBuf>,

    /// Where the SVID and its key are kept between starts.
    #[arg(long, value_name = "DIR", env = "TOMBOLO_IDENTITY_DIR")]
    pub identity_dir: Option<PathBuf>,

    /// Ends when standard input is closed, so that no child outlives its parent.
    #[arg(long, hide = true)]
    pub exit_with_parent: bool,
}

/// What is done with the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// Serve.
    Serve,
    /// Check and exit.
    Validate,
    /// Start everything up to the first request, then exit.
    #[value(name = "init_only")]
    InitOnly,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// How connections are closed while draining.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DrainStrategy {
    /// As their requests end.
    Gradual,
    /// All are told at once.
    Immediate,
}

impl Options {
    /// The defaults, with a bootstrap file.
    #[must_use]
    pub fn for_file(path: &std::path::Path) -> Self {
        #[derive(clap::Parser)]
        struct Defaults {
            #[command(flatten)]
            options: Options,
        }
        let Defaults { options } = <Defaults as clap::Parser>::parse_from(["tombolo-proxy"]);
        Self { config_path: Some(path.to_owned()), ..options }
    }

    /// How long a drain may take.
    #[must_use]
    pub fn drain_time(&self) -> Duration {
        Duration::from_secs(self.drain_time_s)
    }

    /// How many workers to start.
    #[must_use]
    pub fn workers(&self) -> usize {
        match self.concurrency {
            Some(workers) if workers > 0 => workers,
            _ => std::thread::available_parallelism().map_or(1, usize::from),
        }
    }

    /// The command line as `/server_info` shows it, with Envoy's names.
    #[must_use]
    pub fn as_json(&self) -> serde_json::Value {
        serde_json::json!({
            "config_path": self.config_path,
            "mode": format!("{:?}", self.mode),
            "concurrency": self.workers(),
            "log_level": self.log_level,
            "service_node": self.service_node,
            "service_cluster": self.service_cluster,
            "service_zone": self.service_zone,
            "drain_time": format!("{}s", self.drain_time_s),
            "drain_strategy": format!("{:?}", self.drain_strategy),
            "base_id": self.base_id,
            "restart_epoch": self.restart_epoch,
        })
    }
}
