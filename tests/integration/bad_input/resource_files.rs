//! Resource files (`path_config_source`) that go bad under a running proxy.
//!
//! One rule: whatever a file says, what was accepted before is served until something better is accepted.

use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::time::Duration;

use harness::backend::Backend;
use harness::certs::Authority;
use harness::message::Request;
use harness::ports::free_addr;
use harness::process::Process;
use harness::{binaries, client, wait, workspace};
use serde_json::Value;

use super::refusal::{says, spoilt};

/// A file is looked at once a second.
const NOTICED: Duration = Duration::from_secs(15);

/// A proxy whose listeners and clusters stand in files.
struct Filed {
    process: Process,
    dir: tempfile::TempDir,
    admin: SocketAddr,
    one: SocketAddr,
    two: SocketAddr,
    _backend: Backend,
}

impl Filed {
    fn start() -> Self {
        let dir = workspace::temp_dir();
        let backend = Backend::start("good");
        let [admin, one, two] = [(); 3].map(|()| free_addr());
        let authority = Authority::new("mesh.example");
        authority.dns(&["a.test"]).write_to(dir.path(), "server");
        authority.dns(&["b.test"]).write_to(dir.path(), "other");
        let place = dir.path().display();
        workspace::write(dir.path(), "clusters.yaml", &clusters(backend.addr()));
        workspace::write(dir.path(), "listeners.yaml", &listeners(&dir, one, two, "first", "first"));
        let bootstrap = format!(
            "admin: {{ address: {{ socket_address: {{ address: 127.0.0.1, port_value: {} }} }} }}\n\
             node: {{ id: filed, cluster: filed }}\ndynamic_resources:\n  \
             lds_config: {{ path_config_source: {{ path: {place}/listeners.yaml }} }}\n  \
             cds_config: {{ path_config_source: {{ path: {place}/clusters.yaml }} }}\n",
            admin.port()
        );
        let bootstrap = workspace::write(dir.path(), "bootstrap.yaml", &bootstrap);
        let mut command = Command::new(binaries::binary("tombolo-proxy"));
        command.arg("-c").arg(bootstrap).args(["--concurrency", "1", "-l", "warn"]);
        let mut process = Process::spawn("a proxy with files", &mut command);
        for addr in [admin, one, two] {
            process.wait_accepts(addr, Duration::from_secs(30));
        }
        Self { process, dir, admin, one, two, _backend: backend }
    }

    /// The good file, with what each listener adds to answers.
    fn listeners(&self, mark: &str, other: &str) -> String {
        listeners(&self.dir, self.one, self.two, mark, other)
    }

    /// Replaces a file as careful editors do: written whole, then moved into place.
    fn replace(&self, name: &str, text: &str) {
        let new = workspace::write(self.dir.path(), &format!("{name}.new"), text);
        std::fs::rename(new, self.dir.path().join(name)).expect("both are in one folder");
    }

    fn mark(&self) -> String {
        let answer = client::get(self.one, "any.test", "/").expect("the proxy answers");
        assert_eq!(answer.status, 200);
        answer.header("x-mark").unwrap_or("").to_owned()
    }

    fn wait_mark(&self, wanted: &str) {
        wait::until("the good file to be in use", NOTICED, || match self.mark() {
            mark if mark == wanted => Ok(()),
            mark => Err(mark),
        });
    }

    fn dump(&self) -> Value {
        client::get(self.admin, "admin", "/config_dump").expect("the admin server answers").json()
    }

    /// How many resources were refused so far.
    fn rejected(&self) -> u64 {
        let stats = client::get(self.admin, "admin", "/stats").expect("the admin server answers").text();
        let line = stats.lines().find(|line| line.contains("resources_rejected")).unwrap_or(": 0").to_owned();
        line.rsplit_once(": ").and_then(|(_, count)| count.parse().ok()).unwrap_or(0)
    }

    /// Waits for a new line in the log and gives it.
    fn told(&mut self, lines_before: usize) -> String {
        self.process.wait_until("telling what is wrong", NOTICED, |process| {
            process.log().lines().nth(lines_before).map(str::to_owned).ok_or("nothing was told".to_owned())
        })
    }
}

fn clusters(backend: SocketAddr) -> String {
    format!(
        "resources:\n- \"@type\": type.googleapis.com/envoy.config.cluster.v3.Cluster\n  name: backend\n  \
         type: STATIC\n  load_assignment:\n    cluster_name: backend\n    endpoints:\n    - lb_endpoints:\n      \
         - endpoint: {{ address: {{ socket_address: {{ address: 127.0.0.1, port_value: {} }} }} }}\n",
        backend.port()
    )
}

fn listeners(dir: &tempfile::TempDir, one: SocketAddr, two: SocketAddr, mark: &str, other: &str) -> String {
    let text = include_str!("listeners.yaml").replace("@DIR@", &dir.path().display().to_string());
    let text = text.replace("@ONE@", &one.port().to_string()).replace("@TWO@", &two.port().to_string());
    text.replace("@MARK@", mark).replace("@OTHER@", other)
}

/// A file that is bad in one place, and what must be said about it.
fn bad_files(filed: &Filed, taken: &str) -> Vec<(String, &'static [&'static str])> {
    let (one, two) = (filed.one.port().to_string(), filed.two.port().to_string());
    let in_one = |from: &str, to: &str| spoilt(&filed.listeners("bad", "first"), from, to);
    let in_two = |from: &str, to: &str| spoilt(&filed.listeners("first", "bad"), from, to);
    let text = filed.listeners("bad", "bad");
    let twice = format!("{text}{}", text.trim_start_matches("resources:\n"));
    vec![
        (in_one("resources:", "resources: ["), &["listeners.yaml: line 2, column "]),
        (
            in_one("stat_prefix: one", "stat_prefixx: one"),
            &[
                "listeners.yaml: line 10, column ",
                "stat_prefixx: ",
                "has no such field; accepted: stat_prefix, ",
            ],
        ),
        (in_one(&one, "often"), &["listeners.yaml: line 4, ", "expected a whole number", "found the string"]),
        (
            in_one("envoy.config.listener.v3.L", "envoy.config.L"),
            &["listeners.yaml: line 2, ", "is not known here"],
        ),
        (twice, &["Listener one: the file holds 2 resources of this name"]),
        (
            in_one("cluster: backend", "cluster: nowhere"),
            &["listener one: filter_chains[0].route_config.", "unknown cluster nowhere; known: backend"],
        ),
        (in_one(&one, taken), &["listener one: address 127.0.0.1:", "in use"]),
        (
            in_two("server.key", "other.key"),
            &[
                "listener two: filter_chains[0].transport_socket.",
                "tls_certificates[0]: ",
                "does not match the private key",
            ],
        ),
        (in_two(&two, &one), &["listener two: address 127.0.0.1:", "another listener has the same address"]),
    ]
}

#[test]
fn a_bad_resource_file_changes_nothing_and_a_good_one_does() {
    let mut filed = Filed::start();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let taken = taken.local_addr().expect("it is bound").port().to_string();
    let before = filed.dump();
    assert_eq!(before["configs"][1]["dynamic_listeners"].as_array().map(Vec::len), Some(2), "{before}");
    for (text, said) in bad_files(&filed, &taken) {
        let lines = filed.process.log().lines().count();
        filed.replace("listeners.yaml", &text);
        says(&filed.told(lines), said);
        assert_eq!(filed.mark(), "first", "{said:?}");
        assert_eq!(filed.dump(), before, "{said:?}");
    }
    // The first four files were no files of resources at all.
    assert!(filed.rejected() >= 5, "{} resources were counted as refused", filed.rejected());
    filed.replace("listeners.yaml", &filed.listeners("second", "second"));
    filed.wait_mark("second");
}

#[test]
fn a_bad_resource_does_not_take_its_neighbours_along() {
    let mut filed = Filed::start();
    let lines = filed.process.log().lines().count();
    filed.replace("listeners.yaml", &spoilt(&filed.listeners("second", "bad"), "server.key", "missing.key"));
    says(&filed.told(lines), &["listener two: ", "missing.key: No such file"]);
    filed.wait_mark("second");
    let listeners = &filed.dump()["configs"][1]["dynamic_listeners"];
    says(&listeners.to_string(), &["server.key", "\"first\"", "\"second\""]);
    assert!(!listeners.to_string().contains("bad"), "half of the bad listener is in use: {listeners}");
    // What is not in the file any more is gone, and its port is free again.
    let text = filed.listeners("third", "third");
    let only_one = text
        .rfind("- \"@type\": type.googleapis.com/envoy.config.listener.v3.Listener")
        .expect("two are there");
    filed.replace("listeners.yaml", &text[..only_one]);
    filed.wait_mark("third");
    wait::until("the port to be free", NOTICED, || {
        TcpListener::bind(filed.two).map(drop).map_err(|error| error.to_string())
    });
}

#[test]
fn a_connection_from_before_a_change_has_its_first_request_answered() {
    let filed = Filed::start();
    let mut silent = client::Connection::open(filed.one).expect("the listener accepts");
    // The chain is chosen by now: another connection, which came later, is answered.
    assert_eq!(filed.mark(), "first");
    filed.replace("listeners.yaml", &filed.listeners("second", "first"));
    filed.wait_mark("second");
    let answer =
        silent.send(&Request::new("POST", "any.test", "/")).expect("a request on its way is answered");
    assert_eq!((answer.status, answer.header("x-mark")), (200, Some("first")));
    assert_eq!(answer.header("connection"), Some("close"), "the connection belongs to a chain that is gone");
}
