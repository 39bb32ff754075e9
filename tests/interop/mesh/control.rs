//! A control API of the test's own, and what an operator does with it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use harness::client::{self, Connection};
use harness::message::{Request, Response};
use harness::ports::free_addr;
use harness::process::Process;
use harness::{binaries, certs, wait, workspace};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};

const START_DEADLINE: Duration = Duration::from_secs(30);

/// A site of the mesh.
pub struct Site {
    /// Its name.
    pub name: &'static str,
    /// Where its gateway takes clients.
    pub gateway: SocketAddr,
    /// Where its gateway takes other gateways.
    pub mesh: SocketAddr,
}

/// A running `tombolo control`.
pub struct Control {
    rest: SocketAddr,
    /// Where gateways connect.
    pub discovery: SocketAddr,
    process: Process,
    dir: tempfile::TempDir,
}

impl Control {
    /// Starts one with an empty store.
    pub fn start() -> Self {
        let (rest, discovery, dir) = (free_addr(), free_addr(), workspace::temp_dir());
        let mut command = Command::new(binaries::binary("tombolo"));
        command.arg("control").arg("--control-dir").arg(dir.path().join("control"));
        command.args(["--rest", &rest.to_string(), "--discovery", &discovery.to_string()]);
        let mut process = Process::spawn("tombolo control", &mut command);
        process.wait_accepts(rest, START_DEADLINE);
        process.wait_accepts(discovery, START_DEADLINE);
        let control = Self { rest, discovery, process, dir };
        wait::until("the admin token", START_DEADLINE, || {
            std::fs::read(control.token_file()).map(drop).map_err(|error| error.to_string())
        });
        control
    }

    /// The roots by which gateways believe it.
    pub fn bundle(&self) -> PathBuf {
        self.dir.path().join("control/bundle.pem")
    }

    /// `tombolo apply -f`.
    pub fn apply(&mut self, mesh: &str) {
        let file = workspace::write(self.dir.path(), "mesh.yaml", mesh);
        let mut command = Command::new(binaries::binary("tombolo"));
        command.arg("apply").arg("-f").arg(file);
        command.arg("--server").arg(format!("http://{}", self.rest));
        command.arg("--token-file").arg(self.token_file());
        let output = command.output().expect("tombolo starts");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "tombolo apply: {errors}");
    }

    /// Waits until every gateway has taken what it was told, and tells what `tombolo status` says then.
    pub fn wait_current(&mut self, gateways: usize, deadline: Duration) -> Value {
        let mut command = Command::new(binaries::binary("tombolo"));
        command.args(["status", "-o", "json", "--server", &format!("http://{}", self.rest)]);
        command.arg("--token-file").arg(self.token_file());
        self.process.wait_until("every gateway has its configuration", deadline, |_| {
            let output = command.output().map_err(|error| error.to_string())?;
            let status: Value = serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
            let proxies = status["proxies"].as_array().map(Vec::as_slice).unwrap_or_default();
            let current =
                proxies.iter().filter(|proxy| proxy["current"] == true && proxy["connected"] == true);
            if current.count() == gateways { Ok(status) } else { Err(status.to_string()) }
        })
    }

    /// A one-time token for a site's gateway.
    pub fn join_token(&self, site: &str) -> String {
        let token = json!({
            "apiVersion": "tombolo.dev/v1alpha1",
            "kind": "JoinToken",
            "metadata": { "name": format!("token-{site}") },
            "spec": { "site": site, "ttl": "10m" },
        });
        let admin = std::fs::read_to_string(self.token_file()).expect("the control API has written it");
        let request = Request::new("POST", "localhost", "/v1/jointokens")
            .header("authorization", &format!("Bearer {}", admin.trim()))
            .header("content-type", "application/json")
            .body(token.to_string());
        let answer = read("the join token", client::send(self.rest, &request));
        answer["status"]["secret"].as_str().expect("a new token comes with its secret").to_owned()
    }

    /// What any proxy does to get an SVID: a key of its own, a request to sign, the token. Written into `dir`.
    pub fn enrol(&self, site: &str, dir: &Path) {
        let key = rcgen::KeyPair::generate().expect("P-256 keys can be made");
        let mut params = rcgen::CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        let csr = params.serialize_request(&key).and_then(|csr| csr.pem()).expect("a request can be made");
        let body = json!({ "csr": csr, "token": self.join_token(site) });
        let request = Request::new("POST", "localhost", "/v1/sign")
            .header("content-type", "application/json")
            .body(body.to_string());
        let signed = Connection::open_tls(self.discovery, "localhost", self.believing())
            .and_then(|mut connection| connection.send(&request));
        let answer = read("the SVID", signed);
        let text =
            |name: &str| answer[name].as_str().unwrap_or_else(|| panic!("{name} in {answer}")).to_owned();
        workspace::write(dir, "svid.pem", &text("certificateChain"));
        workspace::write(dir, "svid.key", &key.serialize_pem());
        workspace::write(dir, "bundle.pem", &text("bundle"));
    }

    fn token_file(&self) -> PathBuf {
        self.dir.path().join("control/admin-token")
    }

    fn believing(&self) -> Arc<rustls::ClientConfig> {
        let mut roots = rustls::RootCertStore::empty();
        for root in CertificateDer::pem_file_iter(self.bundle()).expect("the bundle is PEM") {
            roots.add(root.expect("the bundle is PEM")).expect("a root of the mesh");
        }
        let config = rustls::ClientConfig::builder_with_provider(certs::provider())
            .with_safe_default_protocol_versions()
            .expect("the provider has ciphers for every version")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Arc::new(config)
    }
}

#[track_caller]
fn read(what: &str, answer: std::io::Result<Response>) -> Value {
    let answer = answer.unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!((200..300).contains(&answer.status), "{what}: {} {}", answer.status, answer.text());
    answer.json()
}
