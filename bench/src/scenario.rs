//! A scenario file: what is measured, so that a number can be reproduced by its name.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// One file of `bench/scenarios/`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What is measured, in words.
    pub about: String,
    /// Client connections, each with one request at a time.
    pub connections: usize,
    /// Bytes of each answer's body.
    pub response_bytes: usize,
    /// Time before the measurement begins.
    pub warm_up_millis: u64,
    /// Time of the measurement.
    pub measured_millis: u64,
}

impl Scenario {
    /// Reads `bench/scenarios/<name>.json`.
    pub fn read(name: &str) -> Result<Self, String> {
        let path = folder().join("scenarios").join(format!("{name}.json"));
        let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))
    }
}

/// The folder of this crate, where scenarios and peers lie: as cargo says, or else where it was compiled.
pub fn folder() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into()).into()
}

/// The folder of the workspace.
pub fn workspace() -> PathBuf {
    folder().parent().expect("the crate lies inside the workspace").to_owned()
}
