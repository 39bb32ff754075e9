//! Every file in `configs/` loads: bootstraps with `tombolo-proxy --mode validate`, mesh files with `tombolo
//! validate`.

use std::path::{Path, PathBuf};
use std::process::Command;

use harness::binaries::binary;

use crate::finding::{Finding, assert_none};
use crate::tree::{root, tracked_files};

#[test]
fn every_config_loads() {
    let configs = configs();
    assert!(!configs.is_empty(), "configs/ holds no YAML or JSON file");
    let findings = configs.iter().filter_map(|path| load(path).err()).collect();
    assert_none(findings);
}

fn configs() -> Vec<PathBuf> {
    let is_config = |path: &PathBuf| {
        let extension = path.extension().and_then(|extension| extension.to_str());
        path.starts_with("configs") && matches!(extension, Some("yaml" | "yml" | "json"))
    };
    tracked_files().into_iter().filter(is_config).collect()
}

fn load(path: &Path) -> Result<(), Finding> {
    let text = std::fs::read_to_string(root().join(path)).expect("a tracked file can be read");
    let is_mesh = text.lines().any(|line| line.starts_with("apiVersion:"));
    let mut command = if is_mesh {
        let mut command = Command::new(binary("tombolo"));
        command.arg("validate").arg(path);
        command
    } else {
        let mut command = Command::new(binary("tombolo-proxy"));
        command.args(["--mode", "validate", "-c"]).arg(path);
        command
    };
    let output = command.current_dir(root()).output().expect("a built binary starts");
    if output.status.success() {
        return Ok(());
    }
    let said =
        String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    Err(Finding::new(path, 1, format!("does not load ({}): {}", output.status, said.trim())))
}
