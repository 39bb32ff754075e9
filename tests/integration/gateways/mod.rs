//! Two gateways in a row, with mutual TLS between them, from plain Envoy bootstraps.
//!
//! One rule: everything that a client sees here has passed both gateways and one verified handshake.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use harness::backend::Backend;
use harness::certs::Authority;
use harness::ports::free_addr;
use harness::process::Process;
use harness::{binaries, certs, workspace};

const START_DEADLINE: Duration = Duration::from_secs(30);

/// Both gateways and the backend `shop`.
///
/// | host | between the gateways | backend |
/// |---|---|---|
/// | `h1.test` | HTTP/1.1 | `shop`, HTTP/1.1 |
/// | `grpc.test` | HTTP/2 | the special one, HTTP/2 |
/// | `ws.test`, `big-h1.test` | HTTP/1.1 | the special one, HTTP/1.1 |
/// | `big-h2.test` | HTTP/2 | the special one, HTTP/1.1 |
/// | any other | HTTP/2 | `shop`, HTTP/2 |
pub struct Gateways {
    /// Takes clients.
    pub first: Process,
    /// Takes the first gateway.
    pub second: Process,
    /// Where the first takes clients in the clear.
    pub plain: SocketAddr,
    /// Where the first takes clients over TLS, as `gateway.test`.
    pub tls: SocketAddr,
    /// Who signed every certificate here.
    pub authority: Authority,
    _backend: Backend,
    /// Certificates lie here; `root.crt` among them.
    pub dir: tempfile::TempDir,
}

impl Gateways {
    /// Starts both in front of `shop` and a special backend, and waits until they accept.
    pub fn start(special: SocketAddr) -> Self {
        let dir = workspace::temp_dir();
        let authority = Authority::new("mesh.example");
        workspace::write(dir.path(), "root.crt", &authority.root_pem());
        authority.dns(&["gateway.test", "grpc.test", "ws.test"]).write_to(dir.path(), "public");
        authority.spiffe("gateway-1").write_to(dir.path(), "gateway-1");
        let name = certs::uri("spiffe://mesh.example/gateway-2");
        let dns = rcgen::SanType::DnsName("gateway-2.test".try_into().expect("the name is ASCII"));
        authority.issue(vec![name, dns], certs::Validity::Current).write_to(dir.path(), "gateway-2");
        let backend = Backend::start("shop");
        let [plain, tls, mesh] = [(); 3].map(|()| free_addr());
        let fill = |text: &str| {
            let ports = [("PLAIN", plain), ("TLS", tls), ("MESH", mesh), ("BACKEND", backend.addr())];
            let ports = ports.into_iter().chain([("SPECIAL", special)]);
            let text = ports.fold(text.to_owned(), |text, (word, addr)| {
                text.replace(&format!("@{word}@"), &addr.port().to_string())
            });
            text.replace("@DIR@", &dir.path().display().to_string())
        };
        let second = workspace::write(dir.path(), "second.yaml", &fill(include_str!("second.yaml")));
        let first = workspace::write(dir.path(), "first.yaml", &fill(include_str!("first.yaml")));
        let mut second = spawn("gateway 2", &second);
        let mut first = spawn("gateway 1", &first);
        second.wait_accepts(mesh, START_DEADLINE);
        first.wait_accepts(plain, START_DEADLINE);
        first.wait_accepts(tls, START_DEADLINE);
        Self { first, second, plain, tls, authority, _backend: backend, dir }
    }

    /// With nothing behind the special hosts.
    pub fn start_plain() -> Self {
        Self::start(free_addr())
    }
}

fn spawn(name: &str, config: &Path) -> Process {
    let mut command = Command::new(binaries::binary("tombolo-proxy"));
    command.arg("-c").arg(config).args(["--concurrency", "1", "-l", "warn"]);
    Process::spawn(name, &mut command)
}
