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
    let users = (0..12).map(|user| Request::new("GET", HOST, &format!("/maglev?user={user}")));
    cases.push(Case::new("choose: maglev by a parameter", Listener::Main, Action::Sticky(users.collect())));
    for target in ["/by-header", "/not-found"] {
        cases.push(Case::get("choose: no field", HOST, target));
        for cluster in ["a", "b", "no-such", ""] {
            let request = Request::new("GET", HOST, target).header("x-cluster", cluster);
            cases.push(Case::send(format!("choose: {target} names '{cluster}'"), request));
        }
    }
    cases
}
