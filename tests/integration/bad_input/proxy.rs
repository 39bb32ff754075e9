//! A proxy that runs while others are refused.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use harness::backend::Backend;
use harness::certs::{self, Authority, Validity};
use harness::message::Response;
use harness::ports::free_addr;
use harness::process::Process;
use harness::{binaries, client, workspace};

const START: Duration = Duration::from_secs(30);

/// A proxy from the good bootstrap, its backend, and what bad bootstraps are made of.
pub struct Running {
    pub process: Process,
    pub plain: SocketAddr,
    pub secured: SocketAddr,
    pub admin: SocketAddr,
    pub authority: Authority,
    pub dir: tempfile::TempDir,
    backend: Backend,
}

impl Running {
    /// Starts it and waits until it answers.
    pub fn start() -> Self {
        let dir = workspace::temp_dir();
        let authority = Authority::new("mesh.example");
        workspace::write(dir.path(), "root.crt", &authority.root_pem());
        let dns = rcgen::SanType::DnsName("server.test".try_into().expect("the name is ASCII"));
        let names = vec![certs::uri("spiffe://mesh.example/server"), dns];
        authority.issue(names, Validity::Current).write_to(dir.path(), "server");
        let backend = Backend::start("good");
        let [plain, secured, admin] = [(); 3].map(|()| free_addr());
        let ports = [("PLAIN", plain), ("SECURED", secured), ("ADMIN", admin)];
        let text = bootstrap(&dir, &ports, backend.addr());
        let config = workspace::write(dir.path(), "running.yaml", &text);
        let mut command = Command::new(binaries::binary("tombolo-proxy"));
        command.arg("-c").arg(config).args(["--concurrency", "1", "-l", "debug"]);
        let mut process = Process::spawn("the running proxy", &mut command);
        for addr in [plain, secured, admin] {
            process.wait_accepts(addr, START);
        }
        let running = Self { process, plain, secured, admin, authority, dir, backend };
        running.answers();
        running
    }

    /// Asserts that it serves.
    #[track_caller]
    pub fn answers(&self) {
        let answer = client::get(self.plain, "one.test", "/").expect("the running proxy answers");
        assert_eq!((answer.status, answer.backend().as_deref()), (200, Some("good")));
    }

    /// A good bootstrap for another proxy: other ports, everything else the same.
    pub fn other_bootstrap(&self) -> String {
        let ports = [("PLAIN", free_addr()), ("SECURED", free_addr()), ("ADMIN", free_addr())];
        bootstrap(&self.dir, &ports, self.backend.addr())
    }

    /// Puts a file beside the certificates.
    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        workspace::write(self.dir.path(), name, text)
    }

    /// What its admin server says.
    pub fn admin(&self, path: &str) -> Response {
        client::get(self.admin, "admin", path).expect("the admin server answers")
    }
}

fn bootstrap(dir: &tempfile::TempDir, ports: &[(&str, SocketAddr)], backend: SocketAddr) -> String {
    let mut text = include_str!("good.yaml").replace("@DIR@", &dir.path().display().to_string());
    for (word, addr) in ports.iter().chain([&("BACKEND", backend)]) {
        text = text.replace(&format!("@{word}@"), &addr.port().to_string());
    }
    text
}
