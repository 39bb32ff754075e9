//! Routes that are chosen by trees of tests.

use harness::message::Request;

use crate::case::{Case, Listener};

pub fn cases() -> Vec<Case> {
    [prefixes(), lists(), vec![case("always.example", "GET", "/any", &[])]].concat()
}

fn prefixes() -> Vec<Case> {
    let get = |target, headers: &[(&str, &str)]| case("tree.example", "GET", target, headers);
    vec![
        get("/", &[]),
        get("/a", &[]),
        get("/ab", &[]),
        get("/a?b", &[]),
        get("/a/b", &[]),
        get("/a/b", &[("x-who", "ann")]),
        get("/a/b/c", &[("x-who", "ann"), ("x-who", "bob")]),
        get("/a/b", &[("x-who", "bob")]),
        get("/a/skipped", &[]),
        get("/list", &[]),
        get("/list/one/x", &[]),
        get("/list/two", &[]),
        get("/list/two", &[("x-who", "ann")]),
        get("/none", &[]),
    ]
}

fn lists() -> Vec<Case> {
    let ask = |method, target, headers: &[(&str, &str)]| case("list.example", method, target, headers);
    vec![
        ask("GET", "/", &[]),
        ask("GET", "/", &[("x-who", "Ann")]),
        ask("POST", "/", &[("x-who", "ann")]),
        ask("GET", "/inner", &[("x-who", "bob")]),
        ask("GET", "/outer", &[("x-who", "bob")]),
        ask("GET", "/inner", &[("x-who", "bobby")]),
        ask("GET", "/inner", &[("x-who", "zzz")]),
        ask("GET", "/state", &[("x-who", "bob")]),
        ask("GET", "/", &[("x-address", "10.1.2.3")]),
        ask("GET", "/", &[("x-address", "11.1.2.3")]),
        ask("GET", "/", &[("x-address", "fd00::1")]),
        ask("GET", "/", &[("x-address", "somewhere")]),
        ask("GET", "/state", &[]),
    ]
}

fn case(host: &str, method: &str, target: &str, headers: &[(&str, &str)]) -> Case {
    let name = format!("tree: {method} {host}{target} {headers:?}");
    let request = headers
        .iter()
        .fold(Request::new(method, host, target), |request, (name, value)| request.header(name, value));
    Case::send(name, request).at(Listener::Routes)
}
