//! What an operator says of a proxy's health, beside real Envoy: checks fail as long as it is to fail, and answers say so.

use harness::client;
use harness::message::Request;

use crate::case::Listener;
use crate::side::Side;

/// What of an answer is looked at.
const FIELDS: [&str; 3] =
    ["x-envoy-immediate-health-check-fail", "x-envoy-upstream-healthchecked-cluster", "x-by-host"];

fn told(side: &Side, word: &str) -> String {
    let target = format!("/healthcheck/{word}");
    let answer = client::send(side.admin(), &Request::new("POST", "admin", &target)).expect("admin answers");
    format!("{word}: {}", answer.status)
}

fn answers(side: &Side) -> Vec<String> {
    let ask = |path: &&str| {
        let request = Request::new("GET", "check.example", path).header("x-check", "1");
        let answer = client::send(side.addr(Listener::Filters), &request).expect("answered");
        let fields = FIELDS.map(|name| format!("{name}={:?}", answer.header(name)));
        format!("{path} {} {}", answer.status, fields.join(" "))
    };
    ["/check", "/clusters", "/through", "/other"].iter().map(ask).collect()
}

fn story(side: &Side) -> Vec<String> {
    let mut story = answers(side);
    for word in ["fail", "fail", "ok"] {
        story.push(told(side, word));
        story.extend(answers(side));
    }
    story
}

#[test]
fn an_operator_fails_checks_as_in_envoy() {
    let Some(envoy) = Side::envoy() else { return };
    let theirs = story(&envoy);
    assert!(theirs.iter().any(|line| line.starts_with("/check 503")), "Envoy fails: {theirs:#?}");
    assert_eq!(story(&Side::tombolo()), theirs);
}
