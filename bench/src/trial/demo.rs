//! The demo's gateways: `tombolo up` as a user starts it, and what its proxies hold in memory once all answers.

use std::io::{BufRead, BufReader};
use std::time::Duration;

use super::stage::Pins;
use crate::contestant::Contestant;
use crate::process::child::Running;
use crate::process::folder::Folder;
use crate::process::ports::free_port;
use crate::process::{cpu, guard, pin};

/// How long the gateways are left alone before their memory is read.
const SETTLE: Duration = Duration::from_secs(2);

const END_DEADLINE: Duration = Duration::from_secs(30);

/// Resident bytes of the largest gateway.
pub fn resident_bytes(contestant: &Contestant, pins: Pins, folder: &Folder) -> Result<u64, String> {
    let mut command = contestant.mesh()?;
    command.arg("up").arg("--data-dir").arg(folder.path().join("demo"));
    command.args(["--output", "json", "--base-port", &free_port()?.to_string()]);
    pin::to_core(pins.proxy)?;
    let started = Running::converse("demo", &mut command, folder);
    pin::to_core(pins.load)?;
    let (mut running, _input, output) = started?;
    let mut line = String::new();
    // It writes one line when everything answers, or ends by itself and says why not.
    BufReader::new(output).read_line(&mut line).map_err(|e| e.to_string())?;
    if line.is_empty() {
        return Err(format!("tombolo up ended:\n{}", running.log()));
    }
    std::thread::sleep(SETTLE);
    let gateways = cpu::children(running.pid()).into_iter().filter(|child| is_gateway(*child));
    let largest = gateways.map(|gateway| cpu::resident_bytes(&[gateway])).max();
    guard::terminate(running.pid());
    running.wait_ended(END_DEADLINE)?;
    largest.ok_or_else(|| "tombolo up has no child that is a proxy".to_owned())
}

/// Whether a process was started as `tombolo proxy`.
fn is_gateway(pid: u32) -> bool {
    let words = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    words.split(|byte| *byte == 0).nth(1) == Some(b"proxy")
}
