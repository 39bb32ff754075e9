//! The guard: a process that ends what this one started when this one ends, however it ends.
//!
//! It reads process groups and folders from a pipe. The kernel closes the pipe on return, error, panic, Ctrl-C and
//! SIGKILL alike; then what is still on the list is killed and deleted. No signal has to be caught for that.

use std::collections::BTreeSet;
use std::io::{BufRead, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Mutex;

static PIPE: Mutex<Option<(Child, ChildStdin)>> = Mutex::new(None);

/// Starts the guard of this process.
pub fn start() -> Result<(), String> {
    let own = std::env::current_exe().map_err(|e| e.to_string())?;
    let mut child = Command::new(own)
        .arg("guard")
        .stdin(Stdio::piped())
        // A group of its own: Ctrl-C goes to the group of the terminal and must not reach it.
        .process_group(0)
        .spawn()
        .map_err(|e| format!("cannot start the guard: {e}"))?;
    let pipe = child.stdin.take().expect("stdin is piped");
    *PIPE.lock().expect("nobody panics while holding it") = Some((child, pipe));
    Ok(())
}

/// Puts a process group on the list.
pub fn watch(group: u32) {
    tell(&format!("+{group}"));
}

/// Takes a process group off the list: it has ended.
pub fn forget(group: u32) {
    tell(&format!("-{group}"));
}

/// Lets the folder be deleted at the end.
pub fn watch_folder(path: &Path) {
    tell(&format!("={}", path.display()));
}

/// Ends the guard, and by that everything on its list; returns when it has done so.
pub fn end() {
    if let Some((mut child, pipe)) = PIPE.lock().expect("nobody panics while holding it").take() {
        drop(pipe);
        // It ends by itself; a failure to wait means that it has.
        let _ = child.wait();
    }
}

fn tell(line: &str) {
    let mut pipe = PIPE.lock().expect("nobody panics while holding it");
    if let Some((_, pipe)) = pipe.as_mut() {
        // A guard that is gone cannot be told; everything is still ended by its own value.
        let _ = writeln!(pipe, "{line}");
    }
}

/// The guard's own life.
pub fn run() -> Result<(), String> {
    let mut groups = BTreeSet::new();
    let mut folders = Vec::new();
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        match line.split_at_checked(1) {
            Some(("+", group)) => groups.extend(group.parse::<u32>()),
            Some(("-", group)) => {
                group.parse::<u32>().iter().for_each(|group| {
                    groups.remove(group);
                });
            }
            Some(("=", folder)) => folders.push(folder.to_owned()),
            _ => return Err(format!("the guard does not understand {line:?}")),
        }
    }
    for group in groups {
        kill_group(group);
    }
    for folder in folders {
        // Already deleted when all went well.
        let _ = std::fs::remove_dir_all(folder);
    }
    Ok(())
}

/// Kills a process group. The shell's `kill` needs no unsafe code here.
pub fn kill_group(group: u32) {
    send("KILL", &format!("-{group}"));
}

/// Asks a process to end.
pub fn terminate(pid: u32) {
    send("TERM", &pid.to_string());
}

fn send(signal: &str, to: &str) {
    let script = "kill -s \"$1\" -- \"$2\" 2>/dev/null";
    // What has ended already cannot be signalled, and need not be.
    let _ = Command::new("sh").args(["-c", script, "kill", signal, to]).status();
}
