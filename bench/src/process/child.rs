//! A process of the bench that ends with its value.

use std::fs::File;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::folder::Folder;
use super::guard;

const POLL: Duration = Duration::from_millis(10);

/// A running process, in a process group of its own.
pub struct Running {
    child: Child,
    name: String,
    log: PathBuf,
}

impl Running {
    /// Starts it with its output in a file of the folder.
    pub fn start(name: &str, command: &mut Command, folder: &Folder) -> Result<Self, String> {
        let log = folder.path().join(format!("{name}.log"));
        let output = File::create(&log).map_err(|e| format!("{}: {e}", log.display()))?;
        let errors = output.try_clone().map_err(|e| e.to_string())?;
        command.stdin(Stdio::null()).stdout(output).stderr(errors);
        Self::spawn(name, command, log)
    }

    /// Starts it with pipes for a conversation; what it says beside that goes into a file of the folder.
    pub fn converse(
        name: &str,
        command: &mut Command,
        folder: &Folder,
    ) -> Result<(Self, ChildStdin, ChildStdout), String> {
        let log = folder.path().join(format!("{name}.log"));
        let errors = File::create(&log).map_err(|e| format!("{}: {e}", log.display()))?;
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(errors);
        let mut running = Self::spawn(name, command, log)?;
        let input = running.child.stdin.take().expect("stdin is piped");
        let output = running.child.stdout.take().expect("stdout is piped");
        Ok((running, input, output))
    }

    fn spawn(name: &str, command: &mut Command, log: PathBuf) -> Result<Self, String> {
        let child = command
            .process_group(0)
            .spawn()
            .map_err(|e| format!("cannot start {name} ({command:?}): {e}"))?;
        guard::watch(child.id());
        Ok(Self { child, name: name.to_owned(), log })
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has written beside a conversation.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until it accepts connections; says what it wrote if it does not.
    pub fn wait_accepts(&mut self, addr: SocketAddr, deadline: Duration) -> Result<(), String> {
        let begun = Instant::now();
        loop {
            if TcpStream::connect_timeout(&addr, Duration::from_secs(1)).is_ok() {
                return Ok(());
            }
            let ended = !matches!(self.child.try_wait(), Ok(None));
            if ended || begun.elapsed() > deadline {
                let what = if ended { "ended" } else { "does not accept connections" };
                return Err(format!("{} {what} ({addr}):\n{}", self.name, self.log()));
            }
            std::thread::sleep(POLL);
        }
    }

    /// Waits until it ends by itself.
    pub fn wait_ended(&mut self, deadline: Duration) -> Result<ExitStatus, String> {
        let begun = Instant::now();
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return Ok(status),
                Ok(None) if begun.elapsed() < deadline => std::thread::sleep(POLL),
                Ok(None) => return Err(format!("{} does not end:\n{}", self.name, self.log())),
                Err(e) => return Err(format!("{}: {e}", self.name)),
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The group: nginx has a worker beside its master.
        guard::kill_group(self.pid());
        // Without a shell the process itself can still be ended; a failure means it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        guard::forget(self.pid());
    }
}
