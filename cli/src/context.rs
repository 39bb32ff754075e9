//! Which control API is meant and how it is convinced: flags, environment, else what the last `up` left.

use std::path::PathBuf;

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// The file in the data directory that tells other commands where the control API is.
const CONTEXT_FILE: &str = "context.json";

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub(crate) struct Context {
    /// Where `up` keeps its state and other commands find it.
    #[arg(long, global = true, value_name = "DIR", env = "TOMBOLO_DATA_DIR", default_value_os_t = default_dir())]
    pub(crate) data_dir: PathBuf,
    /// The control API, e.g. http://127.0.0.1:7600.
    #[arg(long, global = true, value_name = "URL", env = "TOMBOLO_SERVER")]
    server: Option<String>,
    /// File with the admin token.
    #[arg(long, global = true, value_name = "FILE", env = "TOMBOLO_TOKEN_FILE")]
    token_file: Option<PathBuf>,
}

/// Where a control API is and which file opens it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Target {
    /// Its URL.
    pub(crate) server: String,
    /// The file with its admin token.
    pub(crate) token_file: PathBuf,
}

fn default_dir() -> PathBuf {
    let home = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    home("XDG_STATE_HOME")
        .or_else(|| home("HOME").map(|home| home.join(".local/state")))
        .unwrap_or_else(std::env::temp_dir)
        .join("tombolo")
}

impl Context {
    /// The control API that commands talk to.
    pub(crate) fn target(&self) -> Result<Target, Failure> {
        if let (Some(server), Some(token_file)) = (&self.server, &self.token_file) {
            return Ok(Target { server: server.clone(), token_file: token_file.clone() });
        }
        let path = self.data_dir.join(CONTEXT_FILE);
        let text = std::fs::read_to_string(&path).map_err(|error| {
            Failure::Unreachable(format!(
                "no control API known: {}: {error}; run `tombolo up`, or pass --server and --token-file",
                path.display()
            ))
        })?;
        let kept: Target = serde_json::from_str(&text)
            .map_err(|error| Failure::Failed(format!("{}: {error}", path.display())))?;
        Ok(Target {
            server: self.server.clone().unwrap_or(kept.server),
            token_file: self.token_file.clone().unwrap_or(kept.token_file),
        })
    }

    /// Tells later commands where the control API is.
    pub(crate) fn remember(&self, target: &Target) -> Result<(), Failure> {
        let path = self.data_dir.join(CONTEXT_FILE);
        let text = serde_json::to_string_pretty(target).map_err(|error| error.to_string())?;
        std::fs::write(&path, text).map_err(|error| Failure::Failed(format!("{}: {error}", path.display())))
    }
}
