//! Runtime values: in static layers, set by the admin server, in shares and weights.

use harness::message::Request;

use crate::case::{Action, Case, Listener};

const HOST: &str = "runtime.example";
/// Enough for a half to show both sides.
const TIMES: usize = 30;

pub fn cases() -> Vec<Case> {
    let fixed = [
        "all",
        "text",
        "none",
        "above",
        "below",
        "negative",
        "truth",
        "word",
        "huge",
        "share",
        "text-share",
        "number-denominator",
        "no-share",
        "text-numerator",
        "without",
        "folder",
        "folder.all",
        "overruled",
        "dotted",
    ];
    let mut cases: Vec<Case> =
        fixed.iter().map(|key| Case::get("runtime", HOST, &format!("/fixed/{key}/"))).collect();
    cases.push(Case::get("runtime", HOST, "/weighted"));
    let spread = Action::Spread(Request::new("GET", HOST, "/half"), TIMES);
    cases.push(Case::new("runtime: a share without a key", Listener::Main, spread));
    cases.extend(shares());
    cases.extend(weights());
    cases.extend(odd_changes());
    cases.extend(breakers());
    cases
}

/// What the keys of circuit breakers may say.
fn breakers() -> Vec<Case> {
    let changes = [
        "circuit_breakers.c.default.max_requests=0",
        "circuit_breakers.c.default.max_requests=1",
        "circuit_breakers.c.default.max_requests=abc",
        "circuit_breakers.c.default.max_pending_requests=0",
        "circuit_breakers.c.default.max_connections=0",
        "circuit_breakers.c.high.max_requests=0",
        "circuit_breakers.a.default.max_requests=0",
    ];
    changes.iter().map(|changes| set(changes, "/")).collect()
}

fn set(changes: &str, target: &str) -> Case {
    let request = Request::new("GET", HOST, target);
    let action = Action::Runtime { changes: changes.to_owned(), request, times: TIMES };
    Case::new(format!("runtime: {target} with {changes}"), Listener::Main, action)
}

/// What a share's key may say.
fn shares() -> Vec<Case> {
    let texts = [
        "100",
        "0",
        "50",
        "200",
        "-1",
        "0.9",
        "100.9",
        "%20100%20",
        "1e2",
        "0x64",
        "+100",
        "100abc",
        "100%25",
        "'100'",
        "%22100%22",
        "abc",
        "true",
        "null",
        "%5B100%5D",
        "%7B%7D",
        "5000000000",
        "1000000000000000000000",
        "%7Bnumerator:%20100%7D",
        "numerator:%20100",
        "%7B%22numerator%22:1000000,%22denominator%22:%22MILLION%22%7D",
        "%7Bnumerator:%20500000,%20denominator:%20MILLION%7D",
        "%7Bnumerator:%20200%7D",
        "%7Bnumerator:%20100,%20denominator:%200%7D",
        "%7Bnumerator:%20100,%20denominator:%20DOZEN%7D",
        "%7Bnumerator:%20100,%20other:%201%7D",
        "%7Bnumerator:%20100.5%7D",
        "%7Bdenominator:%20MILLION%7D",
    ];
    let mut cases: Vec<Case> = texts.iter().map(|text| set(&format!("share.none={text}"), "/none")).collect();
    let others = ["0", "50", "100", "abc", "%7Bnumerator:%200%7D"];
    cases.extend(others.iter().map(|text| set(&format!("share.all={text}"), "/all")));
    cases.push(set("fixed.all=0", "/fixed/all/"));
    cases.push(set("fixed.folder=100", "/fixed/folder/"));
    cases
}

/// What the keys of weights may say.
fn weights() -> Vec<Case> {
    let changes = [
        "weights.c=100",
        "weights.a=0&weights.c=100",
        "weights.a=abc",
        "weights.a=-5&weights.c=0",
        "weights.a=0.9&weights.c=1.9",
        "weights.a=0&weights.c=5000",
        "weights=0",
    ];
    changes.iter().map(|changes| set(changes, "/weights")).collect()
}

/// Changes that change nothing, or not what they seem to.
fn odd_changes() -> Vec<Case> {
    ["", "&", "share.none", "=100", "share.none=100&share.none=0", "share.none=0&share.none=100", "other=1"]
        .iter()
        .map(|changes| set(changes, "/none"))
        .collect()
}
