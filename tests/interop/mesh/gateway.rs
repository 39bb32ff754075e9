//! A site's gateway: real Envoy or `tombolo-proxy`, from the same bootstrap.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use harness::ports::free_addr;
use harness::process::Process;
use harness::{binaries, client, workspace};

use super::control::{Control, Site};

const BOOTSTRAP: &str = include_str!("gateway.yaml");

/// A running gateway.
pub struct Gateway {
    addr: SocketAddr,
    process: Process,
    _dir: tempfile::TempDir,
}

impl Gateway {
    /// Envoy with an SVID that was obtained for it.
    pub fn envoy(binary: &Path, control: &Control, site: &Site, api_type: &str) -> Self {
        let (dir, admin) = (workspace::temp_dir(), free_addr());
        control.enrol(site.name, dir.path());
        let secrets = include_str!("secrets.yaml").replace("@DIR@", &dir.path().display().to_string());
        let text = fill(BOOTSTRAP, control, site, admin, api_type) + &secrets;
        let config = workspace::write(dir.path(), "bootstrap.yaml", &text);
        let process = Process::spawn("envoy", &mut binaries::proxy(binary, &config));
        Self { addr: site.gateway, process, _dir: dir }
    }

    /// Our proxy, which joins by itself.
    pub fn tombolo(control: &Control, site: &Site, api_type: &str) -> Self {
        let (dir, admin) = (workspace::temp_dir(), free_addr());
        let text = fill(BOOTSTRAP, control, site, admin, api_type);
        let config = workspace::write(dir.path(), "bootstrap.yaml", &text);
        let token = workspace::write(dir.path(), "join-token", &control.join_token(site.name));
        let mut command = binaries::proxy(&binaries::binary("tombolo-proxy"), &config);
        command.arg("--identity-url").arg(format!("https://{}", control.discovery));
        command.arg("--trust-bundle").arg(control.bundle());
        command.arg("--join-token-file").arg(token);
        command.arg("--identity-dir").arg(dir.path().join("identity"));
        Self { addr: site.gateway, process: Process::spawn("tombolo-proxy", &mut command), _dir: dir }
    }

    /// Waits until a request is answered by this backend.
    #[track_caller]
    pub fn wait_answer(&mut self, path: &str, backend: &str, deadline: Duration) {
        let addr = self.addr;
        self.process.wait_until(&format!("{path} answered by {backend}"), deadline, |_| {
            let answer = client::get(addr, "any.example", path).map_err(|error| error.to_string())?;
            match answer.backend() {
                Some(found) if found == backend && answer.status == 200 => Ok(()),
                _ => Err(format!("{} {}", answer.status, answer.text())),
            }
        });
    }

    /// Waits until a request is answered with this status.
    #[track_caller]
    pub fn wait_status(&mut self, path: &str, status: u16, deadline: Duration) {
        let addr = self.addr;
        self.process.wait_until(&format!("{path} answered {status}"), deadline, |_| {
            let answer = client::get(addr, "any.example", path).map_err(|error| error.to_string())?;
            if answer.status == status { Ok(()) } else { Err(format!("{} {}", answer.status, answer.text())) }
        });
    }
}

fn fill(text: &str, control: &Control, site: &Site, admin: SocketAddr, api_type: &str) -> String {
    text.replace("@SITE@", site.name)
        .replace("@ADMIN@", &admin.port().to_string())
        .replace("@API_TYPE@", api_type)
        .replace("@DISCOVERY@", &control.discovery.port().to_string())
}
