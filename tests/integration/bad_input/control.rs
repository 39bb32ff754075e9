//! A control API of the test's own: started, asked, ended.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use harness::binaries::binary;
use harness::message::Request;
use harness::ports::free_addr;
use harness::process::Process;
use harness::{client, workspace};
use serde_json::Value;

use super::refusal::one_error;

const START: Duration = Duration::from_secs(30);

/// Where a control API listens and keeps its state.
pub struct Control {
    pub rest: std::net::SocketAddr,
    pub discovery: std::net::SocketAddr,
    pub dir: PathBuf,
}

impl Control {
    /// Addresses that are free, and state in `dir`.
    pub fn new(dir: &Path) -> Self {
        Self { rest: free_addr(), discovery: free_addr(), dir: dir.to_path_buf() }
    }

    /// The arguments of `tombolo` that run it.
    pub fn arguments(&self) -> Vec<String> {
        let place = self.dir.to_string_lossy().into_owned();
        let (rest, discovery) = (self.rest.to_string(), self.discovery.to_string());
        ["control", "--control-dir", &place, "--rest", &rest, "--discovery", &discovery]
            .map(str::to_owned)
            .to_vec()
    }

    /// Runs it until the value is dropped; returns when it answers.
    pub fn start(&self) -> Process {
        let mut command = Command::new(binary("tombolo"));
        command.args(self.arguments());
        self.wait_answers(Process::spawn("control", &mut command))
    }

    /// Waits until it answers.
    pub fn wait_answers(&self, mut process: Process) -> Process {
        process.wait_until("answering", START, |_| {
            let answer = client::get(self.rest, "control", "/healthz").map_err(|error| error.to_string())?;
            if answer.status == 200 { Ok(()) } else { Err(answer.text()) }
        });
        process
    }

    /// Runs `tombolo` against it; the admin token is read from `token`.
    pub fn tombolo(&self, token: &Path, arguments: &[&str]) -> Output {
        let mut command = Command::new(binary("tombolo"));
        command.arg("--server").arg(format!("http://{}", self.rest)).arg("--token-file").arg(token);
        command.args(arguments).output().expect("tombolo can be run")
    }

    /// Every resource.
    pub fn everything(&self, token: &Path) -> Value {
        let output = self.tombolo(token, &["get", "all", "-o", "json"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("it is JSON")
    }
}

/// Writes a document, applies it, and gives exit code and error line.
pub fn apply(control: &Control, token: &Path, dir: &Path, text: &str) -> Result<(), (Option<i32>, String)> {
    let file = workspace::write(dir, "applied.yaml", text);
    let output = control.tombolo(token, &["apply", "-f", &file.to_string_lossy()]);
    match output.status.success() {
        true => Ok(()),
        false => Err((output.status.code(), one_error(&String::from_utf8_lossy(&output.stderr)))),
    }
}

/// One request to REST as somebody without our tool would send it.
pub fn ask(rest: std::net::SocketAddr, token: &str, method: &str, path: &str, body: &str) -> (u16, Value) {
    let request = Request::new(method, "control", path)
        .header("authorization", &format!("Bearer {}", token.trim()))
        .header("content-type", "application/json")
        .body(body);
    let answer = client::send(rest, &request).expect("the control API answers");
    (answer.status, answer.json())
}

/// A site, its service with one instance, and a route to it.
pub fn mesh(gateway: u16, mesh: u16, instance: u16) -> String {
    format!(
        "apiVersion: tombolo.dev/v1alpha1\nkind: Site\nmetadata: {{ name: here }}\nspec:\n  \
         gateway: {{ address: 127.0.0.1, port: {gateway}, meshPort: {mesh} }}\n---\n\
         apiVersion: tombolo.dev/v1alpha1\nkind: Service\nmetadata: {{ name: shop }}\nspec:\n  protocol: http\n  \
         instances: [{{ site: here, address: 127.0.0.1, port: {instance} }}]\n---\n{}",
        crate::mesh::route("shop")
    )
}
