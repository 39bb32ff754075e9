//! Which endpoint: weights, priorities, hashing, clusters named by a field.

use harness::message::Request;

use crate::case::{Action, Case, Listener};

const HOST: &str = "choose.example";
const TIMES: usize = 60;

pub fn cases() -> Vec<Case> {
    let spread = |target: &str| {
        let action = Action::Spread(Request::new("GET", HOST, target), TIMES);
        Case::new(format!("choose: {target}"), Listener::Main, action)
    };
    let mut cases: Vec<Case> = ["/pair", "/weighted", "/never-b", "/random", "/least", "/priority"]
        .iter()
        .map(|target| spread(target))
        .collect();
    let users =
        (0..12).map(|user| Request::new("GET", HOST, "/ring").header("x-user", &format!("user-{user}")));
    cases.push(Case::new("choose: ring hash by a field", Listener::Main, Action::Sticky(users.collect())));
    // Whom it is depends on the ports of a side's backends; without the field it would be a different one each time.
    let action = Action::Sticky(vec![Request::new("GET", HOST, "/ring-added")]);
    cases.push(Case::new("choose: ring hash by a field that the route adds", Listener::Main, action));
    let users = (0..12).map(|user| Request::new("GET", HOST, &format!("/ring-path{user}")));
    cases.push(Case::new("choose: ring hash by the path", Listener::Main, Action::Sticky(users.collect())));
    let users = (0..12).map(|user| Request::new("GET", HOST, &format!("/maglev?user={user}")));
    cases.push(Case::new("choose: maglev by a parameter", Listener::Main, Action::Sticky(users.collect())));
    for target in ["/by-header", "/not-found"] {
        cases.push(Case::get("choose: no field", HOST, target));
        for cluster in ["a", "b", "no-such", ""] {
            let request = Request::new("GET", HOST, target).header("x-cluster", cluster);
            cases.push(Case::send(format!("choose: {target} names '{cluster}'"), request));
        }
    }
    cases.extend(named());
    cases
}

/// Requests that name their endpoint themselves.
fn named() -> Vec<Case> {
    let to = |name: &str, target: &str, fields: &[(&str, &str)]| {
        let request = Request::new("GET", "named.example", target);
        let request = fields.iter().fold(request, |request, (field, value)| request.header(field, value));
        Case::send(format!("named: {name}"), request)
    };
    vec![
        to("nothing", "/", &[]),
        to("one of another priority", "/", &[("x-endpoint", "127.0.0.1:@B@")]),
        to("an unhealthy one", "/", &[("x-endpoint", "127.0.0.1:@C@")]),
        to("the first that is there", "/", &[("x-endpoint", "127.0.0.1:1, 127.0.0.1:@B@ ,127.0.0.1:@C@")]),
        to("one that is not there", "/", &[("x-endpoint", "127.0.0.1:1")]),
        to("rubbish", "/", &[("x-endpoint", " , ,x,127.0.0.1")]),
        to("by the second field", "/", &[("x-other-endpoint", "127.0.0.1:@B@")]),
        to("by both fields", "/", &[("x-other-endpoint", "127.0.0.1:@B@"), ("x-endpoint", "127.0.0.1:@C@")]),
        to("twice", "/", &[("x-endpoint", "127.0.0.1:@B@"), ("x-endpoint", "127.0.0.1:@C@")]),
        to("a dead one", "/", &[("x-endpoint", "127.0.0.1:@DEAD@,127.0.0.1:@B@")]),
        to("a dead one, retried", "/retry", &[("x-endpoint", "127.0.0.1:@DEAD@,127.0.0.1:@B@")]),
        to("dead ones only, retried", "/retry", &[("x-endpoint", "127.0.0.1:@DEAD@,127.0.0.1:1")]),
        to(
            "each for one attempt",
            "/retry",
            &[("x-endpoint", "127.0.0.1:@B@,127.0.0.1:@C@"), ("x-backend-do", "flaky/named/2")],
        ),
        to("by a field that the route adds", "/added", &[]),
    ]
}
