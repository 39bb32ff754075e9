//! Builds what is measured of ours, with the cargo that is at hand.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::work::scenario::workspace;

/// Builds a binary of a package with a profile and returns its path.
pub fn build(package: &str, binary: &str, profile: &str) -> Result<PathBuf, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    eprintln!("bench: building {binary} with profile {profile}");
    let output = Command::new(cargo)
        .args(["build", "-p", package, "--bin", binary, "--profile", profile])
        .arg("--message-format=json-render-diagnostics")
        .current_dir(workspace())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|e| format!("cannot start cargo: {e}"))?;
    if !output.status.success() {
        return Err(format!("{binary} does not build: {}", output.status));
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut executables = text.lines().rev().filter_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        message["executable"].as_str().map(PathBuf::from)
    });
    executables.next().ok_or_else(|| "cargo named no executable".to_owned())
}
