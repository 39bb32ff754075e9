//! The three proxies, each with several listeners and a recording backend behind each.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use harness::peers::peer;
use harness::ports::free_addr;
use harness::process::Process;
use harness::raw_backend::{Answer, RawBackend, Then};
use harness::strict::Request;
use harness::{binaries, workspace};

/// Connections at once; most of the time is waiting.
pub const LANES: usize = 12;

const START: Duration = Duration::from_secs(30);

/// A running proxy.
pub struct Proxy {
    pub name: &'static str,
    pub lanes: Vec<Lane>,
    process: Process,
    _dir: tempfile::TempDir,
}

/// One listener and what is behind it.
pub struct Lane {
    pub addr: SocketAddr,
    pub backend: RawBackend,
}

impl Proxy {
    /// Ours.
    pub fn tombolo() -> Self {
        Self::start("tombolo", envoy_config, |config| {
            binaries::proxy(&binaries::binary("tombolo-proxy"), config)
        })
    }

    /// Envoy, or nothing when it is missing (which was said).
    pub fn envoy() -> Option<Self> {
        let binary = peer("envoy")?;
        Some(Self::start("envoy", envoy_config, |config| binaries::proxy(&binary, config)))
    }

    /// nginx, or nothing when it is missing (which was said).
    pub fn nginx() -> Option<Self> {
        let binary = peer("nginx")?;
        Some(Self::start("nginx", nginx_config, |config| {
            let mut command = Command::new(binary);
            command.arg("-c").arg(config).args(["-e", "stderr"]);
            command
        }))
    }

    /// Fails if the proxy has died.
    pub fn assert_running(&mut self) {
        let running = self.process.is_running();
        assert!(running, "{} ended:\n{}", self.name, self.process.log());
    }

    fn start(
        name: &'static str,
        config: impl FnOnce(&Path, &[Lane]) -> String,
        command: impl FnOnce(&Path) -> Command,
    ) -> Self {
        let lanes: Vec<Lane> =
            (0..LANES).map(|_| Lane { addr: free_addr(), backend: RawBackend::start(answer) }).collect();
        let dir = workspace::temp_dir();
        let config = config(dir.path(), &lanes);
        let config = workspace::write(dir.path(), "config.yaml", &config);
        let mut process = Process::spawn(name, &mut command(&config));
        for lane in &lanes {
            process.wait_accepts(lane.addr, START);
        }
        Self { name, lanes, process, _dir: dir }
    }
}

fn answer(request: &Request) -> Answer {
    let body = if request.method == "HEAD" { "" } else { "ok" };
    let bytes = format!("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{body}").into_bytes();
    Answer { bytes, bytewise: false, then: Then::Keep }
}

fn envoy_config(_dir: &Path, lanes: &[Lane]) -> String {
    let listeners = filled(include_str!("listener.yaml"), lanes);
    let clusters = filled(include_str!("cluster.yaml"), lanes);
    format!("static_resources:\n  listeners:\n{listeners}  clusters:\n{clusters}")
}

fn nginx_config(dir: &Path, lanes: &[Lane]) -> String {
    let servers = filled(include_str!("server.conf"), lanes);
    include_str!("nginx.conf").replace("@DIR@", &dir.display().to_string()).replace("@SERVERS@", &servers)
}

/// The template once for each lane.
fn filled(template: &str, lanes: &[Lane]) -> String {
    let fill = |(index, lane): (usize, &Lane)| {
        template
            .replace("@NAME@", &format!("lane-{index}"))
            .replace("@PORT@", &lane.addr.port().to_string())
            .replace("@BACKEND@", &lane.backend.addr().port().to_string())
    };
    lanes.iter().enumerate().map(fill).collect()
}
