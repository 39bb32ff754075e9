//! etcd and etcdctl, whose gRPC is Go's: every step direct, and through a gRPC route in the clear and over TLS.
//!
//! One rule: each way has an etcd of its own, so that all three go through the same history.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use harness::certs::Authority;
use harness::peers::peer;
use harness::ports::free_addr;
use harness::process::Process;
use harness::workspace;

use super::front::{Front, Server};

const DEADLINE: Duration = Duration::from_secs(30);

/// `LEASE` is the lease that was granted last; `DIR` is a folder. What stands after `<` is the input.
const STEPS: &[&str] = &[
    "put a 1",
    "put a 2 --prev-kv",
    "put k/1 one",
    "put k/2 two",
    "put k/3 <three\nlines\n",
    "get a",
    "get nothing",
    "get a --rev=2",
    "get k/ --prefix",
    "get k/ --prefix --limit=2 --order=DESCEND --sort-by=KEY",
    "get k/2 --from-key --keys-only",
    "get k/ --prefix --count-only --write-out=fields",
    "del k/1 --prev-kv",
    "del nothing",
    "txn <value(\"a\") = \"2\"\n\nput b yes\nget b\n\nput b no\n\n",
    "txn <mod(\"a\") > \"100\"\nversion(\"k/2\") = \"1\"\n\nput b yes\n\nput b no\nget k/ --prefix\ndel k/3\n\n",
    "lease grant 600",
    "put l 1 --lease=LEASE",
    "lease list",
    "lease timetolive LEASE --keys",
    "put m 2 --lease=LEASE",
    "lease keep-alive LEASE --once",
    "lease revoke LEASE",
    "lease timetolive LEASE",
    "get l m",
    "lock name echo held",
    "put big <BIG",
    "get big",
    "put bigger <BIGGER",
    "compaction 5",
    "get a --rev=2",
    "get a --rev=1000",
    "snapshot save DIR/snapshot",
    "snapshot status DIR/snapshot --write-out=simple",
    "alarm list",
    "role add r",
    "role grant-permission r readwrite --prefix=true k/",
    "role get r",
    "user add u:p",
    "user grant-role u r",
    "user add root:p",
    "user grant-role root root",
    "auth enable",
    "get a",
    "put z 1 --user=u:p",
    "put k/4 four --user=u:p",
    "get k/4 --user=u:p",
    "get k/4 --user=u:wrong",
    "user list --user=root:p",
    "auth disable --user=root:p",
    "get k/ --prefix",
];

/// What is put while a watch stands, the last of it its end.
const WATCHED: &[&str] =
    &["put w/1 one", "put w/1 again", "del w/1", "put x/1 unseen", "put w/2 <BIG", "put w/end it"];

/// etcdctl on one of the ways.
struct Way {
    endpoint: String,
    root: Option<PathBuf>,
    dir: PathBuf,
}

#[test]
fn etcdctl_sees_the_same_direct_and_through_a_grpc_route() {
    if peer("etcd").is_none() || peer("etcdctl").is_none() {
        return;
    }
    let ways = ["direct", "through the proxy", "through the proxy over TLS"];
    let told = ways.map(|name| std::thread::spawn(move || history(name)));
    let [direct, others @ ..] = told.map(|way| way.join().expect("etcdctl ends"));
    let refused: Vec<&str> =
        direct.iter().filter(|told| !told.contains(": exit 0")).map(String::as_str).collect();
    assert_eq!(refused.len(), REFUSED, "{}", refused.join("\n"));
    for (other, way) in others.iter().zip(&ways[1..]) {
        for (outcome, wanted) in other.iter().zip(&direct) {
            assert_eq!(outcome, wanted, "{way}");
        }
        assert_eq!(other.len(), direct.len(), "{way}");
    }
    println!(
        "etcdctl: {} steps told the same on {} ways, {REFUSED} of them errors",
        direct.len(),
        ways.len()
    );
}

/// Steps that etcd refuses.
const REFUSED: usize = 6;

/// All that etcdctl tells of the steps and of a watch.
fn history(name: &'static str) -> Vec<String> {
    let dir = workspace::temp_dir();
    let (_etcd, addr) = start(dir.path());
    let authority = Authority::new("mesh.example");
    workspace::write(dir.path(), "root.crt", &authority.root_pem());
    authority.dns(&["localhost"]).write_to(dir.path(), "localhost");
    let front = Front::start(Server { plain: addr, tls: None, grpc: true }, dir.path());
    let (endpoint, root) = match name {
        "direct" => (format!("http://{addr}"), None),
        "through the proxy" => (format!("http://{}", front.plain), None),
        _ => (format!("https://localhost:{}", front.tls.port()), Some(dir.path().join("root.crt"))),
    };
    let way = Way { endpoint, root, dir: dir.path().to_owned() };
    let mut lease = String::new();
    let mut told: Vec<String> = STEPS.iter().map(|step| way.step(step, &mut lease)).collect();
    told.push(way.watch());
    assert_eq!(front.requests() > 0, name != "direct", "{name}: {} requests", front.requests());
    told
}

fn start(dir: &Path) -> (Process, SocketAddr) {
    let (addr, peers) = (free_addr(), format!("http://{}", free_addr()));
    let clients = format!("http://{addr}");
    let mut command = Command::new(peer("etcd").expect("the test looked for it"));
    command
        .args(["--name", "one", "--log-level", "error", "--unsafe-no-fsync", "--data-dir"])
        .arg(dir.join("etcd"));
    command.args(["--listen-client-urls", &clients, "--advertise-client-urls", &clients]);
    command.args(["--listen-peer-urls", &peers, "--initial-advertise-peer-urls", &peers]);
    command.args(["--initial-cluster", &format!("one={peers}")]);
    let mut etcd = Process::spawn("etcd", &mut command);
    etcd.wait_accepts(addr, DEADLINE);
    let way = Way { endpoint: clients, root: None, dir: dir.to_owned() };
    etcd.wait_until("a leader", DEADLINE, |_| {
        let health = way.step("endpoint health", &mut String::new());
        if health.contains("is healthy") { Ok(()) } else { Err(health) }
    });
    (etcd, addr)
}

impl Way {
    /// How etcdctl ended and what it said, with what no two runs have in common replaced.
    fn step(&self, step: &str, lease: &mut String) -> String {
        let (arguments, input) = step.split_once('<').unwrap_or((step, ""));
        let input = match input {
            "BIG" => "x".repeat(1_000_000),
            "BIGGER" => "x".repeat(1_900_000),
            input => input.to_owned(),
        };
        let folder = self.dir.display().to_string();
        let words =
            arguments.split_whitespace().map(|word| word.replace("LEASE", lease).replace("DIR", &folder));
        let mut command = self.command();
        command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("etcdctl starts");
        let mut stdin = child.stdin.take().expect("its input is piped");
        // It reads only what it needs.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        let output = child.wait_with_output().expect("etcdctl ends");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if let Some(granted) = said.strip_prefix("lease ").filter(|said| said.contains("granted")) {
            granted.split(' ').next().unwrap_or_default().clone_into(lease);
        }
        // The other lines are its log, with times and addresses.
        let errors = String::from_utf8_lossy(&output.stderr);
        let errors: Vec<&str> = errors.lines().filter(|line| line.starts_with("Error")).collect();
        let code = output.status.code().unwrap_or(-1);
        let text = format!("{step}: exit {code}\n{said}{}", errors.join("\n"));
        masked(&text.replace(&folder, "DIR"), lease)
    }

    /// What a watch tells of what was before it and of what comes after.
    fn watch(&self) -> String {
        self.step("put w/0 before", &mut String::new());
        let mut command = self.command();
        let mut watch = Process::spawn(
            "etcdctl watch",
            command.args(["watch", "w/", "--prefix", "--rev=6", "--prev-kv"]),
        );
        watch.wait_log("before", DEADLINE);
        for step in WATCHED {
            self.step(step, &mut String::new());
        }
        watch.wait_log("w/end\nit\n", DEADLINE);
        format!("watch: exit 0\n{}", watch.log())
    }

    fn command(&self) -> Command {
        let mut command = Command::new(peer("etcdctl").expect("the test looked for it"));
        command.args(["--dial-timeout=10s", "--command-timeout=20s", "--endpoints", &self.endpoint]);
        if let Some(root) = &self.root {
            command.arg("--cacert").arg(root);
        }
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
    }
}

/// Without the lease's name and the time it has left, who served, and what a snapshot's bytes come to.
fn masked(text: &str, lease: &str) -> String {
    let text = if lease.is_empty() { text.to_owned() } else { text.replace(lease, "LEASE") };
    let known = match text.strip_prefix("snapshot status") {
        Some(_) => 1,
        None => usize::MAX,
    };
    let line = |line: &str| match line.split_once("remaining(") {
        Some((before, after)) => format!("{before}{}", after.split_once(')').map_or("", |(_, rest)| rest)),
        None => line.to_owned(),
    };
    let lines =
        text.lines().filter(|line| !line.starts_with("\"ClusterID") && !line.starts_with("\"MemberID"));
    lines.take(known).map(line).collect::<Vec<_>>().join("\n")
}
