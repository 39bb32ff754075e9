//! Our own binaries, built once per test process by the cargo that runs the test.
//!
//! One rule: a test never runs a stale binary, and never guesses where one lies.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use cargo_metadata::Message;

/// The path of `tombolo` or `tombolo-proxy`, built with the profile that `TOMBOLO_PROFILE` names (`dev` if unset).
pub fn binary(name: &str) -> PathBuf {
    static BUILT: OnceLock<BTreeMap<String, PathBuf>> = OnceLock::new();
    let built = BUILT.get_or_init(build);
    built.get(name).unwrap_or_else(|| panic!("no binary `{name}`; cargo built {:?}", built.keys())).clone()
}

/// The command that starts a proxy, ours or Envoy, from a bootstrap file: one worker, warnings only.
pub fn proxy(binary: &Path, config: &Path) -> Command {
    let mut command = Command::new(binary);
    command.arg("-c").arg(config).args(["--concurrency", "1", "--disable-hot-restart", "-l", "warn"]);
    command
}

/// What a command prints for `--help`, whichever stream it chooses.
pub fn help(name: &str, arguments: &[&str]) -> String {
    let output =
        Command::new(binary(name)).args(arguments).arg("--help").output().expect("a built binary starts");
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn build() -> BTreeMap<String, PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let profile = std::env::var("TOMBOLO_PROFILE").unwrap_or_else(|_| "dev".to_owned());
    let mut child = Command::new(cargo)
        // The same targets as `cargo test --workspace` builds, so that features resolve alike and nothing is
        // built twice.
        .args(["build", "--workspace", "--bins", "--tests", "--profile", &profile])
        .arg("--message-format=json-render-diagnostics")
        .current_dir(crate::workspace::root())
        .stdout(Stdio::piped())
        .spawn()
        .expect("cargo starts");
    let output = std::io::BufReader::new(child.stdout.take().expect("stdout is piped"));
    let mut built = BTreeMap::new();
    for message in Message::parse_stream(output) {
        if let Message::CompilerArtifact(artifact) = message.expect("cargo writes JSON")
            && !artifact.profile.test
            && let Some(path) = artifact.executable
        {
            built.insert(artifact.target.name, path.into_std_path_buf());
        }
    }
    let status = child.wait().expect("cargo ends");
    assert!(status.success(), "cargo build --workspace --bins --tests --profile {profile} failed: {status}");
    built
}
