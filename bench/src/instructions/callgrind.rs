//! One proxy under callgrind, asked a fixed number of times.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::contestant::Contestant;
use crate::process::folder::Folder;
use crate::process::guard;
use crate::process::ports::free_port;
use crate::trial::conversation;
use crate::trial::stage::{self, Pins, Started};
use crate::work::scenario::{Variant, workspace};

/// How long a proxy may take to end; callgrind writes its counts then.
const END_DEADLINE: Duration = Duration::from_secs(60);

/// glibc copies large blocks by one instruction where the processor is good at it, and callgrind counts that one for
/// each byte. Without it a copy costs about what it does in time, and the same on every processor.
const PLAIN_COPIES: &str =
    "glibc.cpu.x86_rep_movsb_threshold=1000000000:glibc.cpu.x86_rep_stosb_threshold=1000000000";

/// Instructions that one request costs the proxy.
pub fn per_request(
    tombolo: &Contestant,
    variant: &Variant,
    requests: u64,
    pins: Pins,
    folder: &Folder,
    kept: Option<&Path>,
) -> Result<f64, String> {
    let counts = folder.path().join("callgrind.out");
    let once = instructions(tombolo, variant, requests, pins, folder, &counts)?;
    let twice = instructions(tombolo, variant, 2 * requests, pins, folder, kept.unwrap_or(&counts))?;
    Ok((twice as f64 - once as f64) / requests as f64)
}

/// Instructions of a whole run with so many requests.
fn instructions(
    tombolo: &Contestant,
    variant: &Variant,
    requests: u64,
    pins: Pins,
    folder: &Folder,
    counts: &Path,
) -> Result<u64, String> {
    // Not by its link: it is a script that looks for its tools beside the name it was called by.
    let valgrind = workspace().join(".peers/bin/valgrind").canonicalize();
    let valgrind = valgrind.map_err(|_| "valgrind is missing, run tests/setup".to_owned())?;
    // The counts of an earlier run must not be read as those of this one.
    let _ = std::fs::remove_file(counts);
    let wrap = |command: Command| {
        let mut wrapped = Command::new(&valgrind);
        wrapped.env("GLIBC_TUNABLES", PLAIN_COPIES).args(["--quiet", "--tool=callgrind"]);
        wrapped.arg(format!("--callgrind-out-file={}", counts.display()));
        wrapped.arg(command.get_program()).args(command.get_args());
        wrapped
    };
    let backends = [free_port()?, free_port()?];
    let _backend = stage::backend(&variant.load, backends, pins, folder)?;
    let mut started = Started::start(tombolo, variant, backends, pins, folder, &wrap)?;
    let mut command = stage::load_command(variant, started.front, folder.path())?;
    command.args(["--count", &requests.to_string()]);
    let (answers, _) = conversation::hold(&mut command, folder, |_| ())?;
    if answers.failures > 0 || answers.answered != requests {
        let first = answers.first_failure.unwrap_or_default();
        return Err(format!("{} of {requests} requests were answered; {first}", answers.answered));
    }
    for process in &mut started.processes {
        guard::terminate(process.pid());
        process.wait_ended(END_DEADLINE)?;
    }
    let text = std::fs::read_to_string(counts).map_err(|e| format!("{}: {e}", counts.display()))?;
    sum(&text).ok_or_else(|| format!("{} has no totals", counts.display()))
}

/// The sum that callgrind writes at the end of its file.
fn sum(text: &str) -> Option<u64> {
    let line = text.lines().rev().find_map(|line| line.strip_prefix("totals: "))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_totals_are_the_last_ones() {
        assert_eq!(sum("totals: 1\nfn=a\n1 2\n\ntotals: 123 4\n"), Some(123));
        assert_eq!(sum("fn=a\n"), None);
    }
}
