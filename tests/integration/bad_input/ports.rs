//! Ports that somebody else has.

use std::net::TcpListener;

use harness::client;
use harness::ports::free_addr;

use super::proxy::Running;
use super::refusal::{refused, says};
use crate::mesh::free_base;

#[test]
fn a_proxy_names_the_address_that_is_in_use_and_leaves_its_owner_alone() {
    let running = Running::start();
    for (place, addr, remedy) in [
        ("listener plain: address", running.plain, "change the listener's port_value"),
        ("listener secured: address", running.secured, "change the listener's port_value"),
        ("admin.address:", running.admin, "change admin.address"),
    ] {
        let mut text = running.other_bootstrap();
        let name = place.split([' ', '.', ':']).find(|word| ["plain", "secured", "admin"].contains(word));
        text = with_port_of(&text, name.expect("every case has a name"), addr.port());
        let file = running.file("taken.yaml", &text);
        let line = refused("tombolo-proxy", &["-c", &file.to_string_lossy(), "-l", "info"], 1);
        says(&line, &[place, &addr.to_string(), "in use", remedy]);
        for _ in 0..20 {
            running.answers();
        }
    }
}

/// The bootstrap with the port of one of its addresses, which stand in this order, changed.
fn with_port_of(text: &str, name: &str, port: u16) -> String {
    let place = ["admin", "plain", "secured"].iter().position(|known| *known == name);
    let mut parts: Vec<String> = text.split("port_value: ").map(str::to_owned).collect();
    let part = &mut parts[place.expect("one of the three") + 1];
    let rest = part.trim_start_matches(|digit: char| digit.is_ascii_digit()).to_owned();
    *part = format!("{port}{rest}");
    parts.join("port_value: ")
}

#[test]
fn two_listeners_at_one_address_are_refused_by_name() {
    let running = Running::start();
    let port = free_addr().port();
    let mut text = running.other_bootstrap();
    for name in ["plain", "secured"] {
        text = with_port_of(&text, name, port);
    }
    let file = running.file("same.yaml", &text);
    let line = refused("tombolo-proxy", &["-c", &file.to_string_lossy()], 1);
    says(&line, &["listener secured: address", &port.to_string(), "another listener has the same address"]);
}

#[test]
fn the_control_api_names_the_address_that_is_in_use_and_makes_nothing() {
    let dir = harness::workspace::temp_dir();
    let control_dir = dir.path().join("control");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let taken = taken.local_addr().expect("it is bound").to_string();
    let free = free_addr().to_string();
    let place = control_dir.to_string_lossy().into_owned();
    for (option, other) in [("--rest", "--discovery"), ("--discovery", "--rest")] {
        let line = refused("tombolo", &["control", "--control-dir", &place, option, &taken, other, &free], 1);
        says(&line, &[&taken, "in use", option.trim_start_matches("--")]);
        assert!(!control_dir.exists(), "a start that failed left something behind");
    }
    let outside = ["control", "--control-dir", &place, "--rest", "0.0.0.0:0", "--discovery", &free];
    says(&refused("tombolo", &outside, 1), &["rest: 0.0.0.0:0", "loopback address only"]);
}

#[test]
fn up_names_the_address_that_is_in_use_and_starts_nothing() {
    let dir = harness::workspace::temp_dir();
    let state = dir.path().join("state");
    let base = free_base();
    for offset in [0, 1] {
        let taken = TcpListener::bind(("127.0.0.1", base + offset)).expect("the port was free");
        let address = taken.local_addr().expect("it is bound").to_string();
        let data_dir = state.to_string_lossy();
        let line = refused("tombolo", &["--data-dir", &data_dir, "up", "--base-port", &base.to_string()], 1);
        says(&line, &[&address, "control API", "in use", "--base-port"]);
        assert!(!state.join("control").exists(), "a control API was begun");
        assert!(client::get(([127, 0, 0, 1], base + 102).into(), "admin", "/ready").is_err());
    }
}
