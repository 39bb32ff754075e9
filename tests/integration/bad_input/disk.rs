//! A small disk that can be filled: a tmpfs in a mount namespace of its own where we may have one, else a limit on
//! how big a file may become.
//!
//! One rule: it is there for the processes that are started on it and for nobody else, and ends with its value.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use harness::process::Process;
use harness::workspace;

const BYTES: u64 = 32 * 1024 * 1024;

/// What a program may write about it all.
const LOG_BYTES: u64 = 64 * 1024;

/// The disk.
pub struct Disk {
    dir: tempfile::TempDir,
    kind: Kind,
}

enum Kind {
    /// This process holds the namespace.
    Tmpfs(Process),
    /// Files may have so many bytes.
    Limit(u64),
}

impl Disk {
    /// An empty disk.
    pub fn new() -> Self {
        let dir = workspace::temp_dir();
        let kind = tmpfs(dir.path()).map_or(Kind::Limit(u64::MAX), Kind::Tmpfs);
        Self { dir, kind }
    }

    /// Its folder, as those see it who run on it.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The same place as we see it.
    pub fn seen(&self, name: &str) -> PathBuf {
        match &self.kind {
            Kind::Tmpfs(holder) => {
                let root = PathBuf::from(format!("/proc/{}/root", holder.pid()));
                let inside = self.path().strip_prefix("/").expect("temporary folders have absolute paths");
                root.join(inside).join(name)
            }
            Kind::Limit(_) => self.path().join(name),
        }
    }

    /// A command that runs on this disk.
    pub fn command(&self, program: &Path, arguments: &[String]) -> Command {
        let mut command = match &self.kind {
            Kind::Tmpfs(holder) => {
                let mut command = Command::new("nsenter");
                command.arg(format!("--mount=/proc/{}/ns/mnt", holder.pid())).arg("--");
                command
            }
            Kind::Limit(bytes) => {
                let mut command = Command::new("sh");
                let limit = format!("--fsize={}:unlimited", number(*bytes));
                // The signal that comes with the limit would end the process; a full disk does not.
                command.args(["-c", "trap '' XFSZ; exec prlimit \"$@\"", "prlimit", &limit]);
                command
            }
        };
        command.arg(program).args(arguments);
        command
    }

    /// Leaves no room: not for a byte, or not for any file bigger than `biggest`, on which `on_it` runs.
    pub fn fill(&mut self, biggest: &str, on_it: Option<&Process>) {
        let size = std::fs::metadata(self.seen(biggest)).map_or(0, |metadata| metadata.len());
        // Under a limit for files, the log is one too.
        let size = size.max(LOG_BYTES);
        match &mut self.kind {
            Kind::Tmpfs(_) => {
                let mut ballast = File::create(self.seen("ballast")).expect("a file can be made");
                while ballast.write_all(&[0; 4096]).is_ok() {}
            }
            Kind::Limit(bytes) => {
                *bytes = size;
                limit(on_it, size);
            }
        }
    }

    /// Leaves room again.
    pub fn free(&mut self, on_it: Option<&Process>) {
        match &mut self.kind {
            Kind::Tmpfs(_) => std::fs::remove_file(self.seen("ballast")).expect("the disk was filled"),
            Kind::Limit(bytes) => {
                *bytes = u64::MAX;
                limit(on_it, u64::MAX);
            }
        }
    }

    /// What the system says when there is no room.
    pub fn complaint(&self) -> &'static str {
        match self.kind {
            Kind::Tmpfs(_) => "No space left on device",
            Kind::Limit(_) => "File too large",
        }
    }
}

/// A process with a tmpfs at `place` that nobody else sees; nothing where that is not allowed.
fn tmpfs(place: &Path) -> Option<Process> {
    let allowed =
        Command::new("unshare").args(["-m", "true"]).output().is_ok_and(|output| output.status.success());
    if !allowed {
        return None;
    }
    let mut command = Command::new("unshare");
    command.args([
        "-m",
        "sh",
        "-c",
        "mount -t tmpfs -o size=$1 tmpfs \"$2\" && echo mounted && exec sleep 600",
        "sh",
    ]);
    let mut holder = Process::spawn("disk", command.arg(BYTES.to_string()).arg(place));
    holder.wait_log("mounted", Duration::from_secs(10));
    Some(holder)
}

fn limit(process: Option<&Process>, bytes: u64) {
    let Some(process) = process else { return };
    let limit = format!("--fsize={}:", number(bytes));
    let set = Command::new("prlimit").arg("--pid").arg(process.pid().to_string()).arg(limit).status();
    assert!(set.is_ok_and(|status| status.success()), "the limit cannot be set");
}

fn number(bytes: u64) -> String {
    if bytes == u64::MAX { "unlimited".to_owned() } else { bytes.to_string() }
}
