//! A mesh of three sites by `tombolo up -f`, with backends of the test's own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use harness::backend::Backend;
use harness::binaries::binary;
use harness::ports::free_port;
use harness::process::Process;
use harness::wait;
use serde_json::Value;

/// The sites, the nearest to each other last.
pub const SITES: [&str; 3] = ["aws-us-east-1", "gcp-europe-west3", "onprem-fra"];

/// How long a whole mesh may take to start on a busy machine.
pub const START: Duration = Duration::from_secs(90);

/// A running mesh.
pub struct Mesh {
    _up: Process,
    pub dir: tempfile::TempDir,
    /// What `up -o json` printed.
    pub shown: Value,
    /// Two backends of the service `shop` per site.
    pub backends: Vec<[Option<Backend>; 2]>,
    ports: Vec<[u16; 2]>,
}

impl Mesh {
    /// Starts backends and the mesh, and waits until it answers.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// The same with more arguments of `up`.
    pub fn start_with(more: &[&str]) -> Self {
        let dir = harness::workspace::temp_dir();
        let mut backends = Vec::new();
        let mut ports = Vec::new();
        for site in SITES {
            let pair = [Backend::start(&format!("{site}-a")), Backend::start(&format!("{site}-b"))];
            ports.push([pair[0].port(), pair[1].port()]);
            backends.push(pair.map(Some));
        }
        let file = harness::workspace::write(dir.path(), "mesh.yaml", &documents(&ports));
        let (up, shown) = up(dir.path(), free_base(), &[&["-f", &file.to_string_lossy()], more].concat());
        Self { _up: up, dir, shown, backends, ports }
    }

    /// The gateway of a site.
    pub fn gateway(&self, site: usize) -> std::net::SocketAddr {
        let gateway = self.shown["sites"][site]["gateway"].as_str().expect("up names the gateways");
        gateway.parse().expect("a gateway is an address")
    }

    /// One GET to a site's admin server.
    pub fn admin(&self, site: usize, path: &str) -> Result<Value, String> {
        let url = self.shown["sites"][site]["admin"].as_str().expect("up names the admin servers");
        let host = url.strip_prefix("http://").expect("an http URL");
        let addr = host.parse().expect("an address");
        let response = harness::client::get(addr, host, path).map_err(|error| error.to_string())?;
        serde_json::from_slice(&response.body).map_err(|error| error.to_string())
    }

    /// Ends the backends of a site.
    pub fn stop_backends(&mut self, site: usize) {
        self.backends[site] = [None, None];
    }

    /// Starts them again where they were.
    pub fn restore_backends(&mut self, site: usize) {
        let at = |port: u16| std::net::SocketAddr::from(([127, 0, 0, 1], port));
        let [a, b] = self.ports[site];
        let name = SITES[site];
        self.backends[site] = [
            Some(Backend::start_at(&format!("{name}-a"), at(a))),
            Some(Backend::start_at(&format!("{name}-b"), at(b))),
        ];
    }

    /// Runs `tombolo` against this mesh.
    pub fn tombolo(&self, arguments: &[&str]) -> Output {
        tombolo(self.dir.path(), arguments)
    }

    /// `tombolo status -o json`.
    pub fn status(&self) -> Result<Value, String> {
        let output = self.tombolo(&["status", "-o", "json"]);
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())
    }

    /// Applies a document and waits until every proxy has acknowledged it; tells how long that took.
    pub fn apply(&self, document: &str) -> Duration {
        let file = harness::workspace::write(self.dir.path(), "change.yaml", document);
        let begun = Instant::now();
        let output = self.tombolo(&["apply", "-f", &file.to_string_lossy()]);
        assert!(output.status.success(), "apply: {}", String::from_utf8_lossy(&output.stderr));
        wait::until("every proxy to acknowledge the change", Duration::from_secs(20), || {
            let status = self.status()?;
            let proxies = status["proxies"].as_array().cloned().unwrap_or_default();
            let current = proxies
                .iter()
                .filter(|proxy| proxy["current"] == true && proxy["revision"] == status["revision"]);
            if current.count() == SITES.len() { Ok(()) } else { Err(status.to_string()) }
        });
        begun.elapsed()
    }
}

/// Starts `tombolo up` with state in `dir` and waits for its JSON.
pub fn up(dir: &Path, base_port: u16, more: &[&str]) -> (Process, Value) {
    let mut command = Command::new(binary("tombolo"));
    command.arg("--data-dir").arg(dir.join("state")).args(["up", "-o", "json", "--timeout-s", "60"]);
    command.arg("--base-port").arg(base_port.to_string()).args(more);
    let mut up = Process::spawn("tombolo up", &mut command);
    let shown = up.wait_until("printing its JSON", START, |process| {
        let log = process.log();
        let line = log.lines().find(|line| line.starts_with('{')).ok_or("nothing printed yet")?;
        serde_json::from_str(line).map_err(|error| error.to_string())
    });
    (up, shown)
}

/// Runs `tombolo` on the state in `dir`.
pub fn tombolo(dir: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(binary("tombolo"));
    command.arg("--data-dir").arg(dir.join("state")).args(arguments);
    command.output().expect("tombolo can be run")
}

/// A base port with the ports that `up` takes above it free at the moment.
pub fn free_base() -> u16 {
    let free = |port: u16| std::net::TcpListener::bind(("127.0.0.1", port)).is_ok();
    for _ in 0..1000 {
        let base = fastrand::u16(20_000..29_000);
        let wanted =
            [0, 1].into_iter().chain((0..3).flat_map(|site| (0..5).map(move |o| 100 + site * 10 + o)));
        if wanted.into_iter().all(|offset| free(base + offset)) {
            return base;
        }
    }
    panic!("no free ports");
}

/// Three sites and the service `shop` with two instances at each, checked often so that tests are quick.
fn documents(ports: &[[u16; 2]]) -> String {
    let mut text = String::new();
    let regions = [("us-east-1", "us-east-1a"), ("europe-west3", "europe-west3-a"), ("onprem", "fra")];
    let mut instances = String::new();
    for ((site, (region, zone)), [a, b]) in SITES.iter().zip(regions).zip(ports) {
        let (gateway, mesh) = (free_port(), free_port());
        text.push_str(&format!(
            "apiVersion: tombolo.dev/v1alpha1\nkind: Site\nmetadata: {{ name: {site} }}\nspec:\n  \
             locality: {{ region: {region}, zone: {zone} }}\n  \
             gateway: {{ address: 127.0.0.1, port: {gateway}, meshPort: {mesh} }}\n---\n"
        ));
        for port in [a, b] {
            instances.push_str(&format!("  - {{ site: {site}, address: 127.0.0.1, port: {port} }}\n"));
        }
    }
    text.push_str(&format!(
        "apiVersion: tombolo.dev/v1alpha1\nkind: Service\nmetadata: {{ name: shop }}\nspec:\n  protocol: http\n  \
         instances:\n{instances}---\n"
    ));
    text.push_str(&route("shop"));
    text
}

/// The route of everything below `/` to `shop`, with `mark` as a response field.
pub fn route(mark: &str) -> String {
    format!(
        "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {{ name: all }}\nspec:\n  \
         parentRefs: [{{ name: mesh }}]\n  rules:\n  - matches: [{{ path: {{ type: PathPrefix, value: / }} }}]\n    \
         filters:\n    - type: ResponseHeaderModifier\n      responseHeaderModifier:\n        \
         set: [{{ name: x-mark, value: {mark} }}]\n    backendRefs: [{{ name: shop }}]\n"
    )
}

/// Where `up` keeps the control API's state.
pub fn control_dir(mesh: &Mesh) -> PathBuf {
    mesh.dir.path().join("state/control")
}

/// Ends the process that listens for REST, by its own arguments: it is a child of `up`, which we started.
pub fn end_control(rest: &str) {
    let processes = std::fs::read_dir("/proc").expect("/proc is there");
    let ours = processes.filter_map(Result::ok).filter(|entry| {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let arguments: Vec<_> = line.split(|byte| *byte == 0).collect();
        arguments.contains(&b"control".as_slice()) && arguments.contains(&rest.as_bytes())
    });
    for entry in ours {
        let pid = entry.file_name();
        let ended = Command::new("kill").arg("-KILL").arg(&pid).status();
        assert!(ended.is_ok_and(|status| status.success()), "cannot end {}", pid.display());
    }
}
