//! One side of the comparison: a proxy started from `differential.yaml`, with backends of its own.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use harness::backend::Backend;
use harness::backend::record::Recorded;
use harness::client;
use harness::message::Request;
use harness::peers::peer;
use harness::ports::free_addr;
use harness::process::Process;
use harness::{binaries, workspace};

use crate::case::Listener;
use crate::service::service;

const START_DEADLINE: Duration = Duration::from_secs(30);

/// A running proxy and what stands behind it.
pub struct Side {
    process: Process,
    listeners: BTreeMap<Listener, SocketAddr>,
    admin: SocketAddr,
    backends: Vec<Backend>,
    /// Where the external processor tells what it was sent.
    processor: SocketAddr,
    _services: Vec<Process>,
    /// Port numbers and the words they stand for in outcomes.
    ports: Vec<(u16, &'static str)>,
    _dir: tempfile::TempDir,
}

impl Side {
    /// Real Envoy, or nothing when it is missing (which was said).
    pub fn envoy() -> Option<Self> {
        let binary = peer("envoy")?;
        Some(Self::start("envoy", |config| binaries::proxy(&binary, config)))
    }

    /// Our proxy.
    pub fn tombolo() -> Self {
        Self::start("tombolo-proxy", |config| binaries::proxy(&binaries::binary("tombolo-proxy"), config))
    }

    /// Where a listener of this side is.
    pub fn addr(&self, listener: Listener) -> SocketAddr {
        self.listeners[&listener]
    }

    /// Where this side's admin server is.
    pub fn admin(&self) -> SocketAddr {
        self.admin
    }

    /// What the external processor was sent since this was asked for the last time, in so many calls at least.
    pub fn processed(&self, calls: u32) -> String {
        let asked = client::send(self.processor, &Request::new("GET", "processor", &format!("/{calls}")));
        asked.map_or_else(|e| e.to_string(), |answer| self.neutral(&answer.text()))
    }

    /// How many requests each backend has received.
    pub fn mark(&self) -> Vec<usize> {
        self.backends.iter().map(|backend| backend.requests().len()).collect()
    }

    /// What the backends have received since a mark.
    pub fn since(&self, mark: &[usize]) -> Vec<Recorded> {
        let new = self.backends.iter().zip(mark).map(|(backend, seen)| backend.requests().split_off(*seen));
        new.flatten().collect()
    }

    /// A text without what differs between two sides by nature: its port numbers.
    pub fn neutral(&self, text: &str) -> String {
        for (port, word) in &self.ports {
            if text == port.to_string() {
                return (*word).to_owned();
            }
        }
        self.ports.iter().fold(text.to_owned(), |text, (port, word)| {
            text.replace(&format!(":{port}"), &format!(":{word}"))
        })
    }

    /// A request whose fields name ports by their words: `@A@` is where backend `a` is on this side. What stands in
    /// `base64(…)` is encoded afterwards.
    pub fn with_ports(&self, request: &Request) -> Request {
        let mut request = request.clone();
        for (_, value) in &mut request.headers {
            for (port, word) in &self.ports {
                *value = value.replace(&format!("@{word}@"), &port.to_string());
            }
            if let Some((before, inner)) = value.split_once("base64(")
                && let Some((inner, after)) = inner.split_once(')')
            {
                *value = format!("{before}{}{after}", BASE64.encode(inner));
            }
        }
        request
    }

    /// Fails when the proxy has died of the case before.
    pub fn assert_running(&mut self, case: &str) {
        let log = self.process.log();
        assert!(self.process.is_running(), "the proxy ended at `{case}`:\n{log}");
    }

    fn start(name: &str, command: impl FnOnce(&Path) -> Command) -> Self {
        let backends: Vec<Backend> = ["a", "b", "c"].into_iter().map(Backend::start).collect();
        let [main, edge, inner, replies, tcp, filters, services_addr, routes, admin, dead, rls] =
            [(); 11].map(|()| free_addr());
        let [inside, detect, strict, far] = [(); 4].map(|()| free_addr());
        let [processing, processor, told] = [(); 3].map(|()| free_addr());
        let mut ports = vec![
            (main.port(), "MAIN"),
            (edge.port(), "EDGE"),
            (inner.port(), "INNER"),
            (replies.port(), "REPLIES"),
            (tcp.port(), "TCP"),
            (filters.port(), "FILTERS"),
            (services_addr.port(), "SERVICES"),
            (routes.port(), "ROUTES"),
            (inside.port(), "INSIDE"),
            (detect.port(), "DETECT"),
            (strict.port(), "STRICT"),
            (far.port(), "FAR"),
            (admin.port(), "ADMIN"),
            (dead.port(), "DEAD"),
            (rls.port(), "RLS"),
            (processing.port(), "PROCESSING"),
            (processor.port(), "PROCESSOR"),
        ];
        ports.extend(backends.iter().zip(["A", "B", "C"]).map(|(backend, word)| (backend.port(), word)));
        let lying = |name: &str| {
            let path = workspace::root().join("tests/interop").join(name);
            std::fs::read_to_string(path).expect("the bootstrap lies beside its test")
        };
        let parts = ["filters.yaml", "services.yaml", "routes.yaml", "origins.yaml", "processing.yaml"];
        let text = parts.iter().fold(lying("differential.yaml"), |text, name| {
            text.replace(&format!("  # {name}\n"), &lying(name))
        });
        let fill =
            |text: String, (port, word): &(u16, &str)| text.replace(&format!("@{word}@"), &port.to_string());
        let dir = workspace::temp_dir();
        let config = workspace::write(dir.path(), "bootstrap.yaml", &ports.iter().fold(text, fill));
        let services = peer("python").map(|python| {
            let (processor, told) = (processor.to_string(), told.port().to_string());
            let limits = service(&python, "rls_server.py", &[&rls.to_string()]);
            [limits, service(&python, "ext_proc_server.py", &[&processor, &told])]
        });
        let mut process = Process::spawn(name, &mut command(&config));
        let listeners = BTreeMap::from([
            (Listener::Main, main),
            (Listener::Edge, edge),
            (Listener::Inner, inner),
            (Listener::Replies, replies),
            (Listener::Tcp, tcp),
            (Listener::Filters, filters),
            (Listener::Services, services_addr),
            (Listener::Routes, routes),
            (Listener::Inside, inside),
            (Listener::Detect, detect),
            (Listener::Strict, strict),
            (Listener::Far, far),
            (Listener::Processing, processing),
        ]);
        for addr in listeners.values() {
            process.wait_accepts(*addr, START_DEADLINE);
        }
        let _services = services.into_iter().flatten().collect();
        Self { process, listeners, admin, backends, processor: told, _services, ports, _dir: dir }
    }
}
