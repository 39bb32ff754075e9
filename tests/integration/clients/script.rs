//! The programs in `scripts`, run by the peer that reads them.
//!
//! One rule: what a script tells is one line of JSON, and one that fails says why.

use std::process::Command;
use std::time::Duration;

use harness::peers::peer;
use harness::process::Process;
use harness::workspace::root;
use serde_json::Value;

/// How long a server may take until it serves.
const SERVING: Duration = Duration::from_secs(20);

/// Where the scripts lie, from the root of the sources.
pub const FOLDER: &str = "tests/integration/clients/scripts";

/// The peer with the script as its first argument, or nothing when it is missing (which was said).
pub fn script(program: &str, name: &str) -> Option<Command> {
    let mut command = Command::new(peer(program)?);
    command.arg(root().join(FOLDER).join(name));
    Some(command)
}

/// Starts a server and waits until it says that it serves.
pub fn serve(name: &str, command: &mut Command) -> Process {
    let mut process = Process::spawn(name, command);
    process.wait_log("serving", SERVING);
    process
}

/// What a client tells; scripts bound their own time.
pub fn told(command: &mut Command) -> Value {
    let output = command.output().expect("a peer starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {}: {errors}", output.status);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{command:?}: {error}: {errors}"))
}

/// The cases of `direct` in which `other` differs, with both outcomes.
pub fn differences(direct: &Value, other: &Value) -> Vec<String> {
    let cases = direct.as_object().expect("a script tells by case");
    let differs = cases.iter().filter(|(case, outcome)| other[case.as_str()] != **outcome);
    differs
        .map(|(case, outcome)| format!("{case}: direct {outcome}, else {}", other[case.as_str()]))
        .collect()
}
