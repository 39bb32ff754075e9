//! Copies of requests (`request_mirror_policies`): what the clusters beside the main one receive, from us and from
//! Envoy.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use harness::backend::Backend;
use harness::backend::record::Recorded;
use harness::message::Request;
use harness::peers::peer;
use harness::ports::free_addr;
use harness::process::Process;
use harness::{binaries, client, wait, workspace};

const DEADLINE: Duration = Duration::from_secs(20);

/// Envoy writes its machine's address into this field of a copy, which was not forwarded for that machine: ours has what
/// the request itself has.
const FORWARDED_FOR: &str = "x-forwarded-for";

struct Mesh {
    name: String,
    addr: SocketAddr,
    dead: SocketAddr,
    _process: Process,
    main: Backend,
    first: Backend,
    second: Backend,
}

impl Mesh {
    fn start(name: &str, binary: &Path, dir: &Path) -> Self {
        let [addr, dead] = [(); 2].map(|()| free_addr());
        let [main, first, second] = ["main", "first", "second"].map(Backend::start);
        let mut text = include_str!("mirroring.yaml").to_owned();
        for (mark, port) in [
            ("@LISTEN@", addr.port()),
            ("@MAIN@", main.port()),
            ("@FIRST@", first.port()),
            ("@SECOND@", second.port()),
            ("@DEAD@", dead.port()),
        ] {
            text = text.replace(mark, &port.to_string());
        }
        let config = workspace::write(dir, "mirroring.yaml", &text);
        let mut process = Process::spawn(name, &mut binaries::proxy(binary, &config));
        process.wait_accepts(addr, DEADLINE);
        Self { name: name.to_owned(), addr, dead, _process: process, main, first, second }
    }

    /// What each of the other clusters received of a request, once so many copies are there.
    fn copies(&self, row: &Row) -> (u16, Vec<Vec<Recorded>>) {
        let before = [&self.first, &self.second].map(|backend| backend.requests().len());
        let status = client::send(self.addr, &row.request)
            .unwrap_or_else(|error| panic!("{}: {}: {error}", self.name, row.name))
            .status;
        let backends = [&self.first, &self.second].into_iter().zip(before).zip(row.copies);
        let copies = backends.map(|((backend, before), count)| {
            wait::until(&format!("{}: copies at {}", row.name, backend.name()), DEADLINE, || {
                let copies = backend.requests().split_off(before);
                if copies.len() >= count { Ok(copies) } else { Err(format!("{} are there", copies.len())) }
            })
        });
        (status, copies.collect())
    }
}

struct Row {
    name: &'static str,
    request: Request,
    /// How many copies the first and the second cluster get.
    copies: [usize; 2],
}

fn row(name: &'static str, request: Request, copies: [usize; 2]) -> Row {
    Row { name, request, copies }
}

fn rows() -> Vec<Row> {
    let get = |target: &str| Request::new("GET", "a.test", target);
    let post = |target: &str| Request::new("POST", "a.test:8080", target);
    let seen = |target: &str| get(target).header("x-seen", "here");
    vec![
        row("no body", get("/a?b=c"), [1, 1]),
        row("a body", post("/a").body("some bytes"), [1, 1]),
        row("a chunked body", post("/a").chunks(&["some", " ", "bytes"]), [1, 1]),
        row("an empty chunked body", post("/a").chunks(&[]), [1, 1]),
        row("a long body", post("/a").body(vec![b'x'; 300_000]), [1, 1]),
        row("HEAD", Request::new("HEAD", "a.test", "/"), [1, 1]),
        row("an address for a host", Request::new("GET", "[::1]:80", "/"), [1, 1]),
        row("a table's policies", Request::new("GET", "table.test", "/"), [0, 1]),
        row("a host's policies", Request::new("GET", "host.test", "/"), [1, 1]),
        row("a route's before its host's", Request::new("GET", "host.test", "/own"), [0, 1]),
        row("a share of nothing", get("/never"), [0, 0]),
        row("a share of all", get("/always"), [1, 0]),
        row("a field names the cluster", get("/by-field").header("x-copy", "second"), [0, 1]),
        row("a field names no cluster", get("/by-field").header("x-copy", "unknown"), [0, 0]),
        row("a field is empty", get("/by-field").header("x-copy", ""), [0, 0]),
        row("no field names a cluster", get("/by-field"), [0, 0]),
        row("the host as it is", post("/same-host"), [1, 0]),
        row("another host", get("/other-host"), [1, 0]),
        row("changes", seen("/changed/path"), [1, 0]),
        row("a main cluster that fails", get("/retried").header("x-backend-do", "status/503"), [1, 0]),
        row("no main cluster", get("/no-cluster"), [0, 0]),
        row("a main cluster by field", get("/no-cluster").header("x-cluster", "main"), [1, 0]),
        row("a main cluster that is dead", get("/dead-main"), [1, 0]),
        row("another copy's cluster is dead", post("/dead-copy").body("bytes"), [1, 0]),
        row("a copy that is never answered", get("/").header("x-backend-do", "delay/200"), [1, 1]),
        row("copies that fail", post("/").header("x-backend-do", "close").body("bytes"), [1, 1]),
        row("no timeout", get("/untimed"), [1, 0]),
        row("a timeout by field", get("/").header("x-envoy-upstream-rq-timeout-ms", "4000"), [1, 1]),
        row("HTTP/2", post("/h2").chunks(&["a", "b"]), [1, 0]),
        row("a direct response", get("/answered"), [0, 0]),
        // Last: what came too often would be here.
        row("the last", get("/last"), [1, 1]),
    ]
}

/// As it is compared: what is different at every request is only there or not.
fn neutral(mut recorded: Recorded, mesh: &Mesh) -> Recorded {
    recorded.headers.retain(|(name, _)| name != FORWARDED_FOR);
    for (_, value) in recorded.headers.iter_mut().filter(|(name, _)| name == "x-request-id") {
        *value = "(any)".to_owned();
    }
    recorded.headers.sort();
    recorded.authority = recorded.authority.replace(&mesh.addr.port().to_string(), "(port)");
    recorded
}

fn all_copies(name: &str, binary: &Path) -> Vec<String> {
    let dir = workspace::temp_dir();
    let mesh = Mesh::start(name, binary, dir.path());
    let mut seen = Vec::new();
    for row in rows() {
        let (status, copies) = mesh.copies(&row);
        for (count, copies) in row.copies.iter().zip(&copies) {
            assert_eq!(copies.len(), *count, "{name}: {}: {copies:?}", row.name);
        }
        let copies = copies.into_iter().flatten().map(|copy| neutral(copy, &mesh));
        seen.push(format!("{}: {status} {:#?}", row.name, copies.collect::<Vec<_>>()));
    }
    let received: usize = [&mesh.first, &mesh.second].map(|backend| backend.requests().len()).iter().sum();
    let wanted: usize = rows().iter().flat_map(|row| row.copies).sum();
    assert_eq!(received, wanted, "{name}: a copy came late");
    assert!(!mesh.main.requests().is_empty());
    seen
}

#[test]
fn other_clusters_receive_the_copies_that_envoy_sends() {
    let Some(envoy) = peer("envoy") else { return };
    let theirs = all_copies("envoy", &envoy);
    let ours = all_copies("tombolo-proxy", &binaries::binary("tombolo-proxy"));
    let different = ours.iter().zip(&theirs).filter(|(ours, theirs)| ours != theirs);
    let different: Vec<String> =
        different.map(|(ours, theirs)| format!("ours: {ours}\nEnvoy's: {theirs}")).collect();
    assert!(different.is_empty(), "{}", different.join("\n\n"));
}

/// Envoy's documentation says so; its copies of upgrades get an answer that nobody takes.
#[test]
fn a_request_for_an_upgrade_is_not_copied() {
    let dir = workspace::temp_dir();
    let mesh = Mesh::start("tombolo-proxy", &binaries::binary("tombolo-proxy"), dir.path());
    let get = |target: &str| Request::new("GET", "a.test", target);
    let upgrade = get("/upgrade").header("connection", "upgrade").header("upgrade", "websocket");
    let answer = client::send(mesh.addr, &upgrade.header("x-backend-do", "plain"));
    assert_eq!(answer.expect("the proxy answers").status, 200);
    let (_, copies) = mesh.copies(&row("after it", get("/after"), [1, 1]));
    assert!(copies.iter().flatten().all(|copy| copy.path == "/after"), "{copies:?}");
}

/// Whoever does not read a copy holds nobody up.
#[test]
fn a_copy_that_is_not_read_does_not_hold_its_request_back() {
    const BYTES: usize = 32 << 20;
    let dir = workspace::temp_dir();
    let mesh = Mesh::start("tombolo-proxy", &binaries::binary("tombolo-proxy"), dir.path());
    // Connections to it are made by the kernel, and nobody reads them.
    let _unread = TcpListener::bind(mesh.dead).expect("the address is free");
    let request = Request::new("POST", "a.test", "/dead-copy").body(vec![b'x'; BYTES]);
    let answer = client::send(mesh.addr, &request).expect("the proxy answers");
    assert_eq!((answer.status, answer.json()["body_len"].as_u64()), (200, Some(BYTES as u64)));
    mesh.copies(&row("after it", Request::new("GET", "a.test", "/after"), [1, 1]));
}
