//! A process of the bench that ends with its value, and the folder its files lie in.

use std::fs::File;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A folder that is deleted with the value.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Result<Self, String> {
        let path = std::env::temp_dir().join(format!("tombolo-bench-{}", std::process::id()));
        std::fs::create_dir_all(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        Ok(Self(path))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be deleted now is temporary all the same.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A running process.
pub struct Running {
    child: Child,
    name: String,
    log: PathBuf,
}

impl Running {
    /// Starts it with its output in a file of the folder, in a process group of its own.
    pub fn start(name: &str, command: &mut Command, folder: &Folder) -> Result<Self, String> {
        let log = folder.path().join(format!("{name}.log"));
        let output = File::create(&log).map_err(|e| format!("{}: {e}", log.display()))?;
        let errors = output.try_clone().map_err(|e| e.to_string())?;
        let child = command
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .process_group(0)
            .spawn()
            .map_err(|e| format!("cannot start {name} ({command:?}): {e}"))?;
        Ok(Self { child, name: name.to_owned(), log })
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
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
                let log = std::fs::read_to_string(&self.log).unwrap_or_default();
                let what = if ended { "ended" } else { "does not accept connections" };
                return Err(format!("{} {what} ({addr}):\n{log}", self.name));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The group: nginx has a worker beside its master. The shell's `kill` needs no unsafe code here.
        let group = format!("-{}", self.pid());
        let sent =
            Command::new("sh").args(["-c", "kill -s KILL -- \"$1\" 2>/dev/null", "kill", &group]).status();
        if sent.is_err() {
            // Without a shell the process itself can still be ended; a failure means it has ended already.
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

/// A port on which nobody listens now.
pub fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(|e| format!("no free port: {e}"))?;
    listener.local_addr().map(|addr| addr.port()).map_err(|e| e.to_string())
}
