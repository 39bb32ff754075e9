//! The own tests of Python's `requests` against httpbin, once as they are and once with the proxy before httpbin.
//!
//! One rule: nothing leaves this machine; names that are not its own are not resolved, and the tests that dial a foreign
//! address are left out.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use harness::certs::Authority;
use harness::peers::peer;
use harness::ports::free_addr;
use harness::process::Process;
use harness::workspace;

use super::front::{Front, Server};
use super::script::{FOLDER, script, serve};

const SUITE_DEADLINE: Duration = Duration::from_secs(300);
const PASSED_MIN: usize = 580;
/// Of each run; the other tests need no server, or are their own.
const REQUESTS_MIN: u64 = 250;

/// Those that dial 10.255.255.1.
const LEFT_OUT: &str = "not connect_timeout and not total_timeout_connect";

#[test]
fn the_tests_of_requests_end_alike_direct_and_through_the_proxy() {
    let dir = workspace::temp_dir();
    let server = Server { plain: free_addr(), tls: Some(free_addr()), grpc: false };
    let Some(_httpbin) = httpbin(server, dir.path()) else { return };
    let front = Front::start(server, dir.path());
    let (direct, through) = std::thread::scope(|scope| {
        let other = scope.spawn(|| suite("through", front.plain, front.tls, dir.path()));
        let direct = suite("direct", server.plain, server.tls.expect("httpbin has both"), dir.path());
        (direct, other.join().expect("the tests end"))
    });
    for (way, outcomes) in [("direct", &direct), ("through the proxy", &through)] {
        println!("tests of requests, {way}: {}", counts(outcomes));
    }
    println!("{} requests came through the proxy", front.requests());
    let differs = |(test, outcome): (&String, &String)| match through.get(test) {
        Some(other) if other == outcome => None,
        other => Some(format!("{test}: direct {outcome}, through the proxy {other:?}")),
    };
    let found: Vec<String> = direct.iter().filter_map(differs).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert_eq!(direct.len(), through.len(), "tests ran only through the proxy");
    let passed = direct.values().filter(|outcome| *outcome == "passed in call").count();
    assert!(passed >= PASSED_MIN, "{passed} passed, {PASSED_MIN} at least");
    assert!(front.requests() >= REQUESTS_MIN, "{} requests, {REQUESTS_MIN} at least", front.requests());
}

/// httpbin in both forms, or nothing when it is missing (which was said); certificates lie in `dir` after it.
fn httpbin(server: Server, dir: &Path) -> Option<Process> {
    let mut command = script("python-requests", "httpbin_server.py")?;
    let authority = Authority::new("mesh.example");
    workspace::write(dir, "root.crt", &authority.root_pem());
    let identity = authority.dns(&["localhost"]);
    identity.write_to(dir, "localhost");
    // By the names that pytest-httpbin gives its own.
    workspace::write(dir, "server.pem", &identity.cert_pem);
    workspace::write(dir, "server.key", &identity.key_pem);
    let tls = server.tls.expect("httpbin has both");
    command.arg(server.plain.to_string()).arg(tls.to_string()).arg(dir);
    Some(serve("httpbin", &mut command))
}

/// Runs the tests; how each ended.
fn suite(way: &str, plain: SocketAddr, tls: SocketAddr, dir: &Path) -> BTreeMap<String, String> {
    let outcomes = dir.join(format!("{way}.json"));
    let mut command = Command::new(peer("python-requests").expect("it was there for the server"));
    command.current_dir(workspace::root().join(".peers/requests/source"));
    command.args(["-m", "pytest", "tests", "-q", "-W", "ignore", "-k", LEFT_OUT]);
    command.args(["-p", "httpbin_given", "-p", "no:httpbin", "-p", "no:cacheprovider"]);
    command.arg("--basetemp").arg(dir.join(format!("{way}-files")));
    command.env("PYTHONPATH", workspace::root().join(FOLDER)).env("PYTHONDONTWRITEBYTECODE", "1");
    command.env("HTTPBIN", format!("http://{plain}")).env("HTTPBIN_OUTCOMES", &outcomes);
    command.env("HTTPBIN_SECURE", format!("https://localhost:{}", tls.port()));
    command.env("HTTPBIN_ROOT", dir.join("root.crt"));
    for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"]
    {
        command.env_remove(name).env_remove(name.to_uppercase());
    }
    let mut pytest = Process::spawn(&format!("tests of requests, {way}"), &mut command);
    let status = pytest.wait_exit(SUITE_DEADLINE);
    // What failed is in the outcomes; other ends have none.
    assert!(matches!(status.code(), Some(0 | 1)), "{way}: {status}\n{}", pytest.log());
    let text = std::fs::read_to_string(outcomes).expect("the plugin writes it at the end");
    serde_json::from_str(&text).expect("it is a map of strings")
}

fn counts(outcomes: &BTreeMap<String, String>) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for outcome in outcomes.values() {
        *counts.entry(outcome).or_default() += 1;
    }
    counts.iter().map(|(outcome, count)| format!("{count} {outcome}")).collect::<Vec<_>>().join(", ")
}
