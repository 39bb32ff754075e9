//! Real Envoy starts from our own files: every bootstrap in `configs/` that holds no extension of ours.

use std::path::PathBuf;
use std::process::Command;

use harness::peers::peer;
use harness::workspace::root;

#[test]
fn envoy_accepts_every_bootstrap_in_configs() {
    let Some(envoy) = peer("envoy") else { return };
    let bootstraps = bootstraps(&root().join("configs"));
    assert!(!bootstraps.is_empty(), "configs/ holds no bootstrap that Envoy could read");
    let mut refused = Vec::new();
    for path in bootstraps {
        let mut command = Command::new(&envoy);
        command.args(["--mode", "validate", "-l", "warn", "-c"]).arg(&path).current_dir(root());
        let output = command.output().expect("envoy starts");
        if !output.status.success() {
            refused.push(format!("{}:1: {}", path.display(), String::from_utf8_lossy(&output.stderr).trim()));
        }
    }
    assert!(refused.is_empty(), "envoy refuses:\n{}", refused.join("\n"));
}

/// Files with resources of a bootstrap and without our own extension types; mesh files begin with `apiVersion`.
fn bootstraps(folder: &std::path::Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        if path.is_dir() {
            found.extend(bootstraps(&path));
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            let is_yaml =
                path.extension().is_some_and(|extension| extension == "yaml" || extension == "json");
            let is_bootstrap = text.contains("static_resources") || text.contains("dynamic_resources");
            let is_ours =
                text.contains("tombolo.") || text.lines().any(|line| line.starts_with("apiVersion:"));
            if is_yaml && is_bootstrap && !is_ours {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
