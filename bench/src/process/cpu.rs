//! What the kernel says a process and its children have used: time on a core, resident memory.

use std::fs;
use std::path::Path;

/// Nanoseconds that all threads of the processes and of their descendants have spent on a core.
pub fn nanos(pids: &[u32]) -> u64 {
    families(pids).into_iter().map(own_nanos).sum()
}

/// Resident bytes of the processes and their descendants.
pub fn resident_bytes(pids: &[u32]) -> u64 {
    families(pids).into_iter().map(own_resident_bytes).sum()
}

/// The processes that a process has started.
pub fn children(pid: u32) -> Vec<u32> {
    let of_task = |task: String| {
        let text = fs::read_to_string(format!("/proc/{pid}/task/{task}/children")).unwrap_or_default();
        text.split_whitespace().filter_map(|child| child.parse().ok()).collect::<Vec<u32>>()
    };
    tasks(pid).into_iter().flat_map(of_task).collect()
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
    // VmRSS of `status` is summed from counters per thread that lag behind; smaps_rollup walks the pages.
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = rollup.lines().find_map(|line| line.strip_prefix("Rss:")).unwrap_or("");
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap_or(0) * 1024
}

fn families(pids: &[u32]) -> Vec<u32> {
    let mut all = pids.to_vec();
    let mut next = 0;
    while let Some(&parent) = all.get(next) {
        all.extend(children(parent));
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
