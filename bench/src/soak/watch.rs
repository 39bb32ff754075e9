//! What is seen of the process from outside: its memory, its open files, its own count of connections.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::process::cpu;
use crate::process::ports::addr;

const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Resident memory over time.
pub struct Memory {
    whole: Duration,
    seen: Vec<(Duration, f64)>,
}

impl Memory {
    /// Nothing seen of a run of this length.
    pub fn new(whole: Duration) -> Self {
        Self { whole, seen: Vec::new() }
    }

    /// Looks once, and waits until the next look is due.
    pub fn look(&mut self, pid: u32, at: Duration) {
        self.seen.push((at, cpu::resident_bytes(&[pid]) as f64 / (1024.0 * 1024.0)));
        std::thread::sleep(LOOK_EVERY);
    }

    /// The medians of the second and of the last fifth, MB.
    pub fn early_and_late(&self) -> Result<(f64, f64), String> {
        let fifth = self.whole / 5;
        let median = |from: Duration, to: Duration| {
            let within = self.seen.iter().filter(|(at, _)| *at >= from && *at < to);
            let mut seen: Vec<f64> = within.map(|(_, bytes)| *bytes).collect();
            seen.sort_by(f64::total_cmp);
            seen.get(seen.len() / 2).copied().ok_or("the run was too short to see anything".to_owned())
        };
        Ok((median(fifth, 2 * fifth)?, median(4 * fifth, self.whole)?))
    }
}

/// The file descriptors of a process.
pub fn open_files(pid: u32) -> BTreeSet<String> {
    let entries = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten();
    entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect()
}

/// Waits until no connection is open and no file beyond those of `before`.
pub fn all_given_back(
    pid: u32,
    admin: u16,
    before: &BTreeSet<String>,
    deadline: Duration,
) -> Result<(), String> {
    let begun = Instant::now();
    loop {
        let active = active_connections(admin)?;
        let files = open_files(pid).len();
        if active.is_empty() && files <= before.len() {
            return Ok(());
        }
        if begun.elapsed() > deadline {
            let names = active.join(", ");
            return Err(format!("not given back: {names}; {files} open files, {} before", before.len()));
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// The gauges of connections and requests that are not zero.
fn active_connections(admin: u16) -> Result<Vec<String>, String> {
    let text = get(admin, "/stats").map_err(|e| format!("admin: {e}"))?;
    let gauges = ["cx_active", "rq_active", "cx_upgrades_active"];
    let active = text.lines().filter_map(|line| line.split_once(": ")).filter(|(name, value)| {
        // The admin interface's own listener serves this very question.
        gauges.iter().any(|gauge| name.ends_with(gauge)) && *value != "0" && !name.contains("admin")
    });
    Ok(active.map(|(name, value)| format!("{name}: {value}")).collect())
}

fn get(port: u16, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(addr(port))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: admin\r\nconnection: close\r\n\r\n")?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

/// What each load was answered.
pub fn table(answered: &[(&'static str, u64)]) -> String {
    let rows = answered.iter().map(|(scenario, count)| format!("| {scenario} | {count} |\n"));
    format!("| load | answered |\n|---|--:|\n{}", rows.collect::<String>())
}
