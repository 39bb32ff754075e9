//! A proxy that is started before its control API.

use std::process::Command;
use std::time::Duration;

use harness::backend::Backend;
use harness::binaries::binary;
use harness::ports::free_addr;
use harness::process::Process;
use harness::{client, wait, workspace};

use super::control::{Control, apply, ask, mesh};

const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn a_proxy_that_starts_before_its_control_api_comes_alive_when_that_does() {
    let dir = workspace::temp_dir();
    let backend = Backend::start("shop");
    let control = Control::new(&dir.path().join("control"));
    let token = control.dir.join("admin-token");
    let [gateway, mesh_port, admin] = [(); 3].map(|()| free_addr());
    let join_token = {
        let _running = control.start();
        let documents = mesh(gateway.port(), mesh_port.port(), backend.port());
        apply(&control, &token, dir.path(), &documents).expect("a good mesh is taken");
        let secret = std::fs::read_to_string(&token).expect("the control API wrote it");
        let asked = r#"{"apiVersion": "tombolo.dev/v1alpha1", "kind": "JoinToken", "metadata": {"name": "j"},
            "spec": {"site": "here"}}"#;
        let (status, answer) = ask(control.rest, &secret, "POST", "/v1/jointokens", asked);
        assert_eq!(status, 201, "{answer}");
        answer["status"]["secret"].as_str().expect("a new token shows its secret").to_owned()
    };
    // The control API is gone now, and the proxy has never seen it.
    let mut proxy = start_proxy(&dir, &control, admin, &join_token);
    proxy.wait_accepts(admin, PATIENCE);
    proxy.wait_log("no SVID yet; trying again", PATIENCE);
    for _ in 0..10 {
        let ready = client::get(admin, "admin", "/ready").expect("the admin server answers");
        assert_eq!(ready.status, 503, "{}", ready.text());
        assert!(client::get(gateway, "any", "/").is_err(), "a gateway without configuration took a request");
        assert!(proxy.is_running());
        std::thread::sleep(Duration::from_millis(200));
    }
    let pid = proxy.pid();

    let _running = control.start();
    wait::until("the proxy to be ready", PATIENCE, || {
        let ready = client::get(admin, "admin", "/ready").map_err(|error| error.to_string())?;
        if ready.status == 200 { Ok(()) } else { Err(ready.text() + &proxy.log()) }
    });
    wait::until("the gateway to serve", PATIENCE, || {
        let answer = client::get(gateway, "any", "/").map_err(|error| error.to_string())?;
        if answer.backend().as_deref() == Some("shop") { Ok(()) } else { Err(answer.text()) }
    });
    assert!(proxy.is_running() && proxy.pid() == pid);
}

fn start_proxy(
    dir: &tempfile::TempDir,
    control: &Control,
    admin: std::net::SocketAddr,
    join_token: &str,
) -> Process {
    let bootstrap = include_str!("joining.yaml")
        .replace("@ADMIN@", &admin.port().to_string())
        .replace("@DISCOVERY@", &control.discovery.port().to_string());
    let bootstrap = workspace::write(dir.path(), "joining.yaml", &bootstrap);
    let join_token = workspace::write(dir.path(), "join-token", join_token);
    let mut command = Command::new(binary("tombolo-proxy"));
    command.arg("-c").arg(bootstrap).args(["--concurrency", "1"]);
    command.arg("--identity-url").arg(format!("https://{}", control.discovery));
    command.arg("--trust-bundle").arg(control.dir.join("bundle.pem"));
    command.arg("--identity-dir").arg(dir.path().join("identity"));
    command.arg("--join-token-file").arg(join_token);
    Process::spawn("the early proxy", &mut command)
}
