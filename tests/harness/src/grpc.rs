//! A gRPC backend and client that are not ours: grpcio, in the Python that `tests/setup` installs.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::peers::peer;
use crate::process::Process;

/// A running gRPC server with the service `echo.Echo` and health checks.
#[derive(Debug)]
pub struct GrpcBackend {
    addr: SocketAddr,
    _process: Process,
}

impl GrpcBackend {
    /// Starts one, or nothing when Python is missing (which was said).
    pub fn start(name: &str) -> Option<Self> {
        let python = peer("python")?;
        let addr = crate::ports::free_addr();
        let mut command = Command::new(python);
        command.arg(script("grpc_server.py")).arg(addr.to_string()).arg(name);
        let mut process = Process::spawn(&format!("grpc backend {name}"), &mut command);
        process.wait_log("serving", Duration::from_secs(20));
        Some(Self { addr, _process: process })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
}

/// Credentials of a client, as PEM files.
#[derive(Debug, Clone, Copy)]
pub struct Tls<'a> {
    /// Roots to trust.
    pub root: &'a Path,
    /// Certificate to present.
    pub cert: &'a Path,
    /// Its key.
    pub key: &'a Path,
}

/// Makes one call (`unary`, `server-stream`, `client-stream`, `bidi`, `fail`, `details`, `deadline`, `cancel`,
/// `health`) and returns its JSON, or nothing when Python is missing (which was said).
pub fn call(
    addr: SocketAddr,
    authority: &str,
    call: &str,
    argument: &str,
    tls: Option<Tls<'_>>,
) -> Option<serde_json::Value> {
    let mut command = Command::new(peer("python")?);
    command.arg(script("grpc_client.py")).arg(addr.to_string()).args([authority, call, argument]);
    if let Some(tls) = tls {
        command.env("GRPC_ROOT", tls.root).env("GRPC_CERT", tls.cert).env("GRPC_KEY", tls.key);
    }
    let output = command.output().expect("python starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "grpc client: {}: {errors}", output.status);
    Some(serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("grpc client: {e}: {errors}")))
}

fn script(name: &str) -> std::path::PathBuf {
    crate::workspace::root().join("tests/harness/src/scripts").join(name)
}
