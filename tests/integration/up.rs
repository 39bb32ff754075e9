//! `tombolo up` as its user sees it: the demo answers, its state is found again, a port in use is named.

use std::process::Command;
use std::time::Duration;

use harness::binaries::binary;
use harness::client::Connection;
use harness::message::Request;

use crate::mesh::{START, free_base, tombolo, up};

fn get(url: &str) -> u16 {
    let rest = url.strip_prefix("http://").expect("up prints http URLs");
    let (host, path) = rest.split_once('/').expect("a URL has a path");
    let addr = host.parse().expect("up prints addresses");
    let mut connection = Connection::open(addr).expect("the gateway accepts");
    connection.send(&Request::new("GET", host, &format!("/{path}"))).expect("the gateway answers").status
}

#[test]
fn the_demo_answers_and_a_second_up_finds_its_state_again() {
    let dir = harness::workspace::temp_dir();
    let base = free_base();
    let (mut first, shown) = up(dir.path(), base, &[]);
    let sites = shown["sites"].as_array().expect("up lists its sites");
    let names: Vec<_> = sites.iter().filter_map(|site| site["name"].as_str()).collect();
    assert_eq!(names, ["aws-us-east-1", "gcp-europe-west3", "onprem-fra"]);
    for site in sites {
        let tries = site["try"].as_array().expect("every site has URLs to try");
        assert!(!tries.is_empty(), "nothing to try at {site}");
        for url in tries {
            assert_eq!(get(url.as_str().expect("a URL is a text")), 200, "{url}");
        }
    }
    let change = "apiVersion: tombolo.dev/v1alpha1\nkind: Failover\nmetadata: { name: inventory }\nspec:\n  service: inventory\n";
    let file = harness::workspace::write(dir.path(), "change.yaml", change);
    assert!(tombolo(dir.path(), &["apply", "-f", &file.to_string_lossy()]).status.success());
    first.signal("INT");
    first.wait_exit(Duration::from_secs(20));

    let (_second, _) = up(dir.path(), base, &[]);
    let kept = tombolo(dir.path(), &["get", "failover", "inventory", "-o", "json"]);
    assert!(kept.status.success(), "a second up lost what was applied");
}

#[test]
fn a_port_in_use_is_named() {
    let dir = harness::workspace::temp_dir();
    let base = free_base();
    let _taken = std::net::TcpListener::bind(("127.0.0.1", base + 110)).expect("the port was free");
    let mut command = Command::new(binary("tombolo"));
    command.arg("--data-dir").arg(dir.path().join("state")).args(["up", "--base-port", &base.to_string()]);
    let mut up = harness::process::Process::spawn("tombolo up", &mut command);
    let status = up.wait_exit(START);
    let log = up.log();
    assert!(!status.success());
    assert!(log.contains(&format!("127.0.0.1:{}", base + 110)) && log.contains("gateway"), "{log}");
}

#[test]
fn commands_without_a_mesh_say_what_to_do() {
    let dir = harness::workspace::temp_dir();
    let output = tombolo(dir.path(), &["status"]);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(4), "{text}");
    assert!(text.contains("tombolo up") && text.contains("--server"), "{text}");
}
