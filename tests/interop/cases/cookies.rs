//! Routes by cookies, and what hash policies make of cookies and fields.

use harness::message::Request;

use crate::case::{Action, Case, Listener};

pub fn cases() -> Vec<Case> {
    let cookies = [
        &[][..],
        &["a=1"],
        &["a=2"],
        &["a=1; b=x1"],
        &["a=1; b=y"],
        &["b=y; a=1"],
        &["b=y", "a=1"],
        &["a=1; a=2"],
        &["a=\"1\""],
        &["A=1"],
        &["a=22"],
        &["a"],
        &["a= 1 "],
    ];
    let mut cases: Vec<Case> = cookies
        .iter()
        .map(|fields| {
            let request = Request::new("GET", "cookies.example", "/");
            let request = fields.iter().fold(request, |request, text| request.header("cookie", text));
            Case::send(format!("cookies: {fields:?}"), request).at(Listener::Routes)
        })
        .collect();
    let user = |user: &str| Request::new("GET", "hashed.example", "/header").header("x-user", user);
    cases.push(spread("alike", (0..8).map(|number| user(&format!("ann{number}-{number}"))).collect()));
    let path = |rest: &str| Request::new("GET", "hashed.example", &format!("/path/{rest}"));
    cases.push(spread("paths alike", (0..8).map(|number| path(&format!("a{number}"))).collect()));
    let both = user("z-1").header("x-user", "a-2");
    cases.push(spread("two fields alike", vec![both, user("a-3").header("x-user", "z-4")]));
    let get = Request::new("GET", "hashed.example", "/cookie");
    cases.push(Case::send("cookies: a new one with attributes", get).at(Listener::Routes));
    cases
}

fn spread(name: &str, requests: Vec<Request>) -> Case {
    Case::new(format!("cookies: hash, {name}"), Listener::Routes, Action::Sticky(requests))
}
