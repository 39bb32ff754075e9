//! The parent's side of a load: reads the clocks when the load generator says so, and what came of it.

use std::io::{BufRead, BufReader, Write};
use std::process::Command;

use crate::load::Counts;
use crate::process::child::Running;
use crate::process::folder::Folder;

/// Runs a load to its end. `look` is called at the beginning and at the end of the measured time with the process
/// id of the load generator, which stands still meanwhile.
pub fn hold<L>(
    command: &mut Command,
    folder: &Folder,
    mut look: impl FnMut(u32) -> L,
) -> Result<(Counts, Vec<L>), String> {
    let (mut running, mut input, output) = Running::converse("load", command, folder)?;
    let mut looks = Vec::new();
    let mut counts = None;
    for line in BufReader::new(output).lines() {
        match line.map_err(|e| e.to_string())?.as_str() {
            "begin" | "end" => {
                looks.push(look(running.pid()));
                input.write_all(b"\n").map_err(|e| format!("the load generator does not listen: {e}"))?;
            }
            json => counts = Some(serde_json::from_str(json).map_err(|e| format!("load: {e}: {json}"))?),
        }
    }
    let status = running.wait_ended(std::time::Duration::from_secs(10))?;
    match counts {
        Some(counts) if status.success() => Ok((counts, looks)),
        _ => Err(format!("the load generator failed: {status}\n{}", running.log())),
    }
}
