//! Filter state: what is kept about requests and connections, and what formats, hashes and routes make of it.

use harness::message::Request;

use super::at::case;
use crate::case::{Action, Case, Listener};

const HOST: &str = "state.example";

pub fn cases() -> Vec<Case> {
    let to = |path: &str| Request::new("GET", HOST, path);
    let fields: [(&str, &str); 8] = [
        ("x-none", ""),
        ("x-a", "a text"),
        ("x-a", ""),
        ("x-a", "<b>&\"quoted\" \\"),
        ("x-a", "\u{e4}"),
        ("x-b", "second"),
        ("x-b", ""),
        ("x-user", "me"),
    ];
    let mut cases = Vec::new();
    for path in ["/", "/off", "/route", "/direct", "/matched", "/unmatched", "/unset"] {
        for (name, value) in fields {
            cases.push(case(format!("state: GET {path} {name}: {value}"), to(path).header(name, value)));
        }
    }
    cases.push(case("state: another host sees the connection's", Request::new("GET", "mutate.example", "/")));
    for path in ["/ring", "/maglev"] {
        let users = (0..12).map(|user| to(path).header("x-user", &format!("user-{user}")));
        let action = Action::Sticky(users.collect());
        cases.push(Case::new(format!("state: hashed at {path}"), Listener::Filters, action));
    }
    let action = Action::Spread(to("/ring-text").header("x-a", "same"), 40);
    cases.push(Case::new("state: a text is not hashed", Listener::Filters, action));
    cases
}
