//! Child processes: each with a log file, each ended with this one.

use std::ffi::OsStr;
use std::fs::File;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::process::{ChildStdin, Command};

use crate::failure::Failure;
use crate::output::complain;

/// How long a child may take to end before it is killed.
const END_TIMEOUT: Duration = Duration::from_secs(8);

/// How often children are looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// Lines of a log that are shown when its child failed.
const LOG_LINES_SHOWN: usize = 5;

/// A child that is to be started.
pub(super) struct Child {
    name: String,
    log: PathBuf,
    command: Command,
}

impl Child {
    /// This very program with other arguments.
    pub(super) fn of_this_program(name: &str, log: PathBuf) -> Result<Self, Failure> {
        let program = std::env::current_exe().map_err(|error| format!("this program's own path: {error}"))?;
        Ok(Self { name: name.to_owned(), log, command: Command::new(program) })
    }

    pub(super) fn arg(&mut self, argument: impl AsRef<OsStr>) -> &mut Self {
        self.command.arg(argument);
        self
    }
}

struct Running {
    name: String,
    log: PathBuf,
    process: tokio::process::Child,
    /// The child ends when this is closed, even if this process is killed.
    _lifeline: Option<ChildStdin>,
    reported: bool,
}

/// All children.
#[derive(Default)]
pub(super) struct Children(Vec<Running>);

impl Children {
    /// Starts a child; its output goes to its log.
    pub(super) fn start(&mut self, child: Child) -> Result<(), Failure> {
        let Child { name, log, mut command } = child;
        let failed = |error: std::io::Error| format!("{name}: {}: {error}", log.display());
        let file = File::create(&log).map_err(failed)?;
        let errors = file.try_clone().map_err(failed)?;
        command.stdin(Stdio::piped()).stdout(file).stderr(errors).kill_on_drop(true);
        // Ctrl-C reaches the whole foreground group; children end in order instead, by their lifeline.
        command.process_group(0);
        let mut process = command.spawn().map_err(|error| format!("{name}: cannot start: {error}"))?;
        let lifeline = process.stdin.take();
        self.0.push(Running { name, log, process, _lifeline: lifeline, reported: false });
        Ok(())
    }

    /// The process id of the child called `name`.
    pub(super) fn pid(&self, name: &str) -> Option<u32> {
        self.0.iter().find(|child| child.name == name).and_then(|child| child.process.id())
    }

    /// The first child that has ended, with the end of its log.
    pub(super) fn first_ended(&mut self) -> Option<Failure> {
        self.0.iter_mut().find_map(|child| match child.process.try_wait() {
            Ok(Some(status)) => Some(Failure::Failed(child.obituary(status))),
            Ok(None) | Err(_) => None,
        })
    }

    /// Resolves when another child ends by itself, with a line about it.
    pub(super) async fn next_ended(&mut self) -> String {
        loop {
            for child in self.0.iter_mut().filter(|child| !child.reported) {
                if let Ok(Some(status)) = child.process.try_wait() {
                    child.reported = true;
                    return format!("{} has ended ({status}); log: {}", child.name, child.log.display());
                }
            }
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
    }

    /// What really happened, when a child's end is the reason.
    pub(super) fn explain(&mut self, failure: Failure) -> Failure {
        self.first_ended().unwrap_or(failure)
    }

    /// Ends every child, the last started first.
    pub(super) async fn end(mut self) {
        for child in self.0.iter_mut().rev() {
            drop(child._lifeline.take());
        }
        for child in self.0.iter_mut().rev() {
            if tokio::time::timeout(END_TIMEOUT, child.process.wait()).await.is_err() {
                complain(format_args!("{} does not end; killed", child.name));
                let _gone_already = child.process.kill().await;
            }
        }
    }
}

impl Running {
    fn obituary(&self, status: ExitStatus) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let place = self.log.display();
        // Our own programs say why they end in one line.
        if let Some(reason) = log.lines().rev().find_map(|line| line.strip_prefix("error: ")) {
            return format!("{} has ended ({status}): {reason} (log: {place})", self.name);
        }
        let lines: Vec<_> = log.lines().collect();
        let shown = lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n  ");
        format!("{} has ended ({status}):\n  {shown}\n  log: {place}", self.name)
    }
}
