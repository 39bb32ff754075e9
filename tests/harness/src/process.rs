//! A program under test: its output is kept, and it ends with the value.
//!
//! Each runs in a process group of its own, so that what it has started ends with it and nothing else does.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A running (or ended) program.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
    _dir: tempfile::TempDir,
}

impl Process {
    /// Starts the command with its output captured and its input closed.
    pub fn spawn(name: &str, command: &mut Command) -> Self {
        let dir = crate::workspace::temp_dir();
        let log = dir.path().join("output.log");
        let output = File::create(&log).expect("the temporary folder can be written");
        let errors = output.try_clone().expect("a file handle can be doubled");
        let child = command
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .process_group(0)
            .spawn()
            .unwrap_or_else(|e| panic!("cannot start {name} ({command:?}): {e}"));
        Self { name: name.to_owned(), child, log, _dir: dir }
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// All it has written to either stream so far.
    pub fn log(&self) -> String {
        let bytes = std::fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Whether it has not ended.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits until `attempt` succeeds; panics with the log at the deadline, or as soon as the program has ended.
    #[track_caller]
    pub fn wait_until<T>(
        &mut self,
        what: &str,
        deadline: Duration,
        mut attempt: impl FnMut(&Self) -> Result<T, String>,
    ) -> T {
        let start = Instant::now();
        loop {
            let reason = match attempt(self) {
                Ok(value) => return value,
                Err(reason) => reason,
            };
            let running = self.is_running();
            assert!(running, "{}: ended before {what}: {reason}\n{}", self.name, self.log());
            let late = start.elapsed() >= deadline;
            assert!(!late, "{}: {what} not within {deadline:?}: {reason}\n{}", self.name, self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until it accepts connections.
    #[track_caller]
    pub fn wait_accepts(&mut self, addr: std::net::SocketAddr, deadline: Duration) {
        self.wait_until(&format!("accepting on {addr}"), deadline, |_| {
            std::net::TcpStream::connect_timeout(&addr, Duration::from_secs(1))
                .map(drop)
                .map_err(|e| e.to_string())
        });
    }

    /// Waits until its output holds the text.
    #[track_caller]
    pub fn wait_log(&mut self, text: &str, deadline: Duration) {
        self.wait_until(&format!("writing `{text}`"), deadline, |process| {
            if process.log().contains(text) { Ok(()) } else { Err("not written".to_owned()) }
        });
    }

    /// Waits for its end.
    #[track_caller]
    pub fn wait_exit(&mut self, deadline: Duration) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child of ours can be waited for") {
                return status;
            }
            let late = start.elapsed() >= deadline;
            assert!(!late, "{}: still running after {deadline:?}\n{}", self.name, self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Sends a signal (`TERM`, `HUP`, `STOP` …) to the program alone.
    pub fn signal(&self, signal: &str) {
        send(signal, &self.pid().to_string());
    }

    /// Ends the program and what it has started, at once.
    pub fn kill(&mut self) {
        if self.is_running() {
            send("KILL", &format!("-{}", self.pid()));
        }
        // It has ended or is ending now: nothing is left to do when there is nothing to collect.
        let _ = self.child.wait();
    }

    /// Resident memory in bytes, from /proc.
    pub fn resident_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0 kB");
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) * 1024
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("---- output of {}\n{}", self.name, self.log());
        }
    }
}

/// Through the shell's own `kill`, which needs no unsafe code here.
fn send(signal: &str, target: &str) {
    let sent = Command::new("sh")
        .args(["-c", "kill -s \"$1\" -- \"$2\" 2>/dev/null", "kill", signal, target])
        .status();
    sent.expect("a shell starts");
}
