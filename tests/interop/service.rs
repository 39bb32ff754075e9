//! Starts services that are not ours: Python's, which lie in `scripts`.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use harness::process::Process;
use harness::workspace;

const START_DEADLINE: Duration = Duration::from_secs(30);

/// Starts the script with these arguments, and waits until it serves.
pub fn service(python: &Path, script: &str, args: &[&str]) -> Process {
    let mut command = Command::new(python);
    // Its stubs are made in memory; nothing is to be left beside the sources.
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command.arg(workspace::root().join("tests/interop/scripts").join(script)).args(args);
    let mut process = Process::spawn(script, &mut command);
    process.wait_log("serving", START_DEADLINE);
    process
}
