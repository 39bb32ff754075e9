//! HTTP/2 (RFC 9113) and HPACK (RFC 7541): every case of h2spec against both kinds of listener.
//!
//! One rule: all of them pass, and a case that is skipped has not passed.

use std::process::Command;
use std::time::Duration;

use harness::backend::Backend;
use harness::certs::Authority;
use harness::peers::peer;
use harness::ports::free_addr;
use harness::process::Process;
use harness::{binaries, workspace};

/// The cases of the sections generic, http2 and hpack.
const CASES: usize = 146;

/// The whole suite is through in two seconds here.
const SUITE: Duration = Duration::from_secs(120);
const START: Duration = Duration::from_secs(30);

#[test]
fn every_case_of_h2spec_passes_over_cleartext() {
    passes(false);
}

#[test]
fn every_case_of_h2spec_passes_over_tls() {
    passes(true);
}

fn passes(tls: bool) {
    let Some(h2spec) = peer("h2spec") else { return };
    let backend = Backend::start("backend");
    let dir = workspace::temp_dir();
    Authority::new("mesh.example").dns(&["a.test"]).write_to(dir.path(), "listener");
    let addr = free_addr();
    let config = workspace::write(
        dir.path(),
        "bootstrap.yaml",
        &include_str!("bootstrap.yaml")
            .replace("@PORT@", &addr.port().to_string())
            .replace("@BACKEND@", &backend.port().to_string())
            // Without ALPN, whatever does not begin as HTTP/2 would be taken for HTTP/1.1.
            .replace("@CODEC@", if tls { "AUTO" } else { "HTTP2" })
            .replace("@TLS@", if tls { include_str!("tls.yaml") } else { "" })
            .replace("@DIR@", &dir.path().display().to_string()),
    );
    let mut proxy =
        Process::spawn("tombolo-proxy", &mut binaries::proxy(&binaries::binary("tombolo-proxy"), &config));
    proxy.wait_accepts(addr, START);
    let report = dir.path().join("report.xml");
    let mut command = Command::new(h2spec);
    command
        .args(["generic", "http2", "hpack", "--strict", "--port", &addr.port().to_string(), "--junit-report"])
        .arg(&report);
    if tls {
        command.args(["--tls", "--insecure"]);
    }
    let mut suite = Process::spawn("h2spec", &mut command);
    let status = suite.wait_exit(SUITE);
    let report = std::fs::read_to_string(&report)
        .unwrap_or_else(|e| panic!("h2spec wrote no report ({status}): {e}\n{}", suite.log()));
    let cases = read(&report);
    let wrong: Vec<String> = cases.iter().filter(|case| !case.passed).map(|case| case.name.clone()).collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}\n{}", wrong.len(), cases.len(), wrong.join("\n"), suite.log());
    assert_eq!(cases.len(), CASES, "{report}");
}

/// One case of a report.
#[derive(Debug, PartialEq)]
struct Case {
    /// Its section and what it does.
    name: String,
    passed: bool,
}

/// The cases of a JUnit report as h2spec writes it: a case that passed has nothing inside.
fn read(report: &str) -> Vec<Case> {
    let case = |text: &str| {
        let (attributes, inside) = text.split_once('>').unwrap_or((text, ""));
        let inside = inside.split("</testcase>").next().unwrap_or_default();
        let name = format!("{} {}", attribute(attributes, "package"), attribute(attributes, "classname"));
        Case { name, passed: inside.trim().is_empty() }
    };
    report.split("<testcase ").skip(1).map(case).collect()
}

fn attribute<'a>(attributes: &'a str, name: &str) -> &'a str {
    let value = attributes.split_once(&format!("{name}=\"")).map_or("", |(_, rest)| rest);
    value.split('"').next().unwrap_or_default()
}

#[test]
fn a_case_with_something_inside_has_not_passed() {
    let report = r#"<testsuites><testsuite name="1" tests="3">
        <testcase package="http2/4.2" classname="Sends a large frame" time="0.1"></testcase>
        <testcase package="hpack/2" classname="Sends an index" time="0.1"><failure>GOAWAY</failure></testcase>
        <testcase package="hpack/3" classname="Waits" time="0.0"><skipped></skipped></testcase>
        </testsuite></testsuites>"#;
    let case = |name: &str, passed| Case { name: name.to_owned(), passed };
    let cases = [
        case("http2/4.2 Sends a large frame", true),
        case("hpack/2 Sends an index", false),
        case("hpack/3 Waits", false),
    ];
    assert_eq!(read(report), cases);
}
