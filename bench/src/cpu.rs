//! What the kernel says a process and its children have used: time on a core, resident memory.

use std::fs;
use std::path::Path;

/// Nanoseconds that all threads of the process and of its descendants have spent on a core.
pub fn nanos(pid: u32) -> u64 {
    family(pid).into_iter().map(own_nanos).sum()
}

/// Resident bytes of the process and its descendants.
pub fn resident_bytes(pid: u32) -> u64 {
    family(pid).into_iter().map(own_resident_bytes).sum()
}

fn own_nanos(pid: u32) -> u64 {
    let tasks = tasks(pid);
    // Each line is "ns on core, ns waiting, slices"; a thread that has just ended has no file any more.
    let on_core = |task: String| -> Option<u64> {
        let text = fs::read_to_string(format!("/proc/{pid}/task/{task}/schedstat")).ok()?;
        text.split_whitespace().next()?.parse().ok()
    };
    tasks.into_iter().filter_map(on_core).sum()
}

fn own_resident_bytes(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("");
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) * 1024
}

fn family(pid: u32) -> Vec<u32> {
    let mut all = vec![pid];
    let mut next = 0;
    while let Some(&parent) = all.get(next) {
        for task in tasks(parent) {
            let children =
                fs::read_to_string(format!("/proc/{parent}/task/{task}/children")).unwrap_or_default();
            all.extend(children.split_whitespace().filter_map(|child| child.parse::<u32>().ok()));
        }
        next += 1;
    }
    all
}

fn tasks(pid: u32) -> Vec<String> {
    let Ok(entries) = fs::read_dir(Path::new("/proc").join(pid.to_string()).join("task")) else {
        return Vec::new();
    };
    entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect()
}
