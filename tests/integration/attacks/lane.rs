//! A proxy with several listeners and a backend for each, so that cases run beside each other and every request
//! that a backend sees belongs to one case.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use harness::peers::peer;
use harness::ports::free_addr;
use harness::process::Process;
use harness::raw_backend::{Answer, RawBackend, Then};
use harness::strict::Request;
use harness::{binaries, workspace};

const LANES: usize = 8;
const START: Duration = Duration::from_secs(30);

/// A running proxy.
pub struct Proxy {
    pub lanes: Vec<Lane>,
    process: Process,
    _dir: tempfile::TempDir,
}

/// Two listeners and the backend behind them.
pub struct Lane {
    /// As configuration is when nothing is said.
    pub plain: SocketAddr,
    /// One that also serves HTTP/1.0 and passes trailers.
    pub old: SocketAddr,
    pub backend: RawBackend,
    /// What requests for `/hostile` are answered with.
    pub hostile: Arc<Mutex<Answer>>,
}

impl Proxy {
    /// Ours.
    pub fn tombolo() -> Self {
        Self::start("tombolo-proxy", |config| binaries::proxy(&binaries::binary("tombolo-proxy"), config))
    }

    /// Real Envoy, or nothing when it is missing (which was said).
    pub fn envoy() -> Option<Self> {
        let binary = peer("envoy")?;
        Some(Self::start("envoy", |config| binaries::proxy(&binary, config)))
    }

    /// Fails if the proxy has died.
    pub fn assert_running(&mut self) {
        let running = self.process.is_running();
        assert!(running, "the proxy ended:\n{}", self.process.log());
    }

    fn start(name: &str, command: impl FnOnce(&Path) -> Command) -> Self {
        let lanes: Vec<Lane> = (0..LANES).map(|_| Lane::new()).collect();
        let dir = workspace::temp_dir();
        let config = workspace::write(dir.path(), "bootstrap.yaml", &bootstrap(&lanes));
        let mut process = Process::spawn(name, &mut command(&config));
        for lane in &lanes {
            process.wait_accepts(lane.plain, START);
            process.wait_accepts(lane.old, START);
        }
        Self { lanes, process, _dir: dir }
    }
}

impl Lane {
    fn new() -> Self {
        let hostile = Arc::new(Mutex::new(Answer::default()));
        let script = Arc::clone(&hostile);
        let backend = RawBackend::start(move |request| {
            if request.target.starts_with("/hostile") {
                return script.lock().expect("nobody panics while holding it").clone();
            }
            answer(request)
        });
        Self { plain: free_addr(), old: free_addr(), backend, hostile }
    }
}

/// What a backend without ill will says: the field `x-answer` names the target, so that answers are told apart.
fn answer(request: &Request) -> Answer {
    let target: String = request.target.chars().take(60).collect();
    let body = match request.method.as_str() {
        "HEAD" => "",
        "CONNECT" => {
            let bytes = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
            return Answer { bytes, bytewise: false, then: Then::Tunnel };
        }
        _ => "ok",
    };
    if target == "/switch" && request.values("upgrade").next().is_some() {
        let head = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
        return Answer { bytes: head.as_bytes().to_vec(), bytewise: false, then: Then::Tunnel };
    }
    let head = format!("HTTP/1.1 200 OK\r\nx-answer: {target}\r\ncontent-length: 2\r\n\r\n{body}");
    Answer { bytes: head.into_bytes(), bytewise: false, then: Then::Keep }
}

fn bootstrap(lanes: &[Lane]) -> String {
    let fill = |template: &str, words: &[(&str, String)]| {
        words
            .iter()
            .fold(template.to_owned(), |text, (word, value)| text.replace(&format!("@{word}@"), value))
    };
    let (mut listeners, mut clusters) = (String::new(), String::new());
    for (index, lane) in lanes.iter().enumerate() {
        for (addr, old) in [(lane.plain, false), (lane.old, true)] {
            let words = [
                ("NAME", format!("lane-{index}-{old}")),
                ("PORT", addr.port().to_string()),
                ("OLD", old.to_string()),
                ("CLUSTER", format!("lane-{index}")),
            ];
            listeners += &fill(include_str!("listener.yaml"), &words);
        }
        let port = lane.backend.addr().port().to_string();
        clusters += &fill(include_str!("cluster.yaml"), &[("NAME", format!("lane-{index}")), ("PORT", port)]);
    }
    format!("static_resources:\n  listeners:\n{listeners}  clusters:\n{clusters}")
}
