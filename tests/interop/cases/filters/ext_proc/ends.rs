//! Answers in place of the upstream's, and services that fail.

use super::ask::{case, get, post, trailing};
use crate::case::Case;

pub fn cases() -> Vec<Case> {
    [immediate(), failing(), late(), dead()].concat()
}

fn immediate() -> Vec<Case> {
    let answers = [
        r#"{"status": 403}"#,
        r#"{"status": 403, "body": "no way", "details": "why not"}"#,
        r#"{"status": 200, "body": "yes"}"#,
        r#"{"status": 0, "body": "zero"}"#,
        r#"{"status": 100, "body": "early"}"#,
        r#"{"body": "none"}"#,
        r#"{"status": 401, "body": "no", "grpc": 7}"#,
        r#"{"status": 403, "set": [["x-new", "1"], ["content-type", "application/json"]], "body": "{}"}"#,
        r#"{"status": 403, "set": [["x-of-route", "no"], ["x-envoy-x", "1"], [":status", "418"]]}"#,
        r#"{"status": 403, "set": [["bad name", "1"]], "body": "no"}"#,
        r#"{"status": 302, "set": [["location", "/there"]]}"#,
        r#"{"status": 403, "remove": ["content-type"], "body": "no"}"#,
    ];
    let mut cases = Vec::new();
    for path in ["/heads", "/whole", "/no-immediate", "/no-immediate-allow", "/rules-none"] {
        for answer in answers {
            for part in ["qh", "sh"] {
                let wish = format!(r#"{{"{part}": {{"immediate": {answer}}}}}"#);
                cases.push(case(format!("{path} {wish}"), get(path, &wish)));
            }
        }
    }
    for part in ["qh", "qb", "qt", "sh", "sb"] {
        for path in ["/whole", "/streamed", "/partial"] {
            let wish = format!(r#"{{"{part}": {{"immediate": {{"status": 403, "body": "no way"}}}}}}"#);
            if !(part == "sb" && path == "/streamed") {
                cases.push(case(format!("trailing {path} {wish}"), trailing(path, &wish)));
            }
            let grpc = post(path, &wish).header("content-type", "application/grpc").body("12345");
            if part.ends_with('h') {
                cases.push(case(format!("gRPC {path} {wish}"), grpc));
            }
        }
    }
    cases
}

fn failing() -> Vec<Case> {
    let faults = [
        r#""close": 1"#,
        r#""error": "no""#,
        r#""nothing": 1"#,
        r#""as": "qt""#,
        r#""as": "sh""#,
        r#""as": "qb""#,
    ];
    let mut cases = Vec::new();
    for path in ["/whole", "/allow", "/streamed", "/allow-streamed", "/status"] {
        for fault in faults {
            for part in ["qh", "qb", "qt", "sh"] {
                let wish = format!(r#"{{"{part}": {{{fault}}}}}"#);
                let same = fault.contains(&format!("\"as\": \"{part}\""));
                // A stream that has begun breaks off at moments of its own.
                if !same && (!path.ends_with("streamed") || part == "qh") {
                    cases.push(case(format!("{path} {wish}"), trailing(path, &wish)));
                }
            }
        }
    }
    cases
}

fn late() -> Vec<Case> {
    let mut cases = Vec::new();
    for path in ["/quick-whole", "/quick-allow", "/status"] {
        for part in ["qh", "qb", "qt", "sh", "sb"] {
            let wish = format!(r#"{{"{part}": {{"sleep": 1}}}}"#);
            cases.push(case(format!("{path} {wish}"), trailing(path, &wish)));
        }
    }
    for (time, sleep) in [(2.0, 0.6), (0.05, 0.5), (9.0, 0.6), (0.0, 0.6)] {
        let wish = format!(r#"{{"qh": [{{"timeout": {time}}}, {{"sleep": {sleep}}}]}}"#);
        cases.push(case(format!("/quick {wish}"), get("/quick", &wish)));
        cases.push(case(format!("/heads {wish}"), get("/heads", &wish)));
    }
    let twice = r#"{"qh": [{"timeout": 0.5}, {"timeout": 3}, {"sleep": 1}]}"#;
    cases.push(case("/quick more time twice".to_owned(), get("/quick", twice)));
    cases
}

fn dead() -> Vec<Case> {
    let paths = [
        "/dead",
        "/dead-allow",
        "/dead-status",
        "/dead-response",
        "/dead-body",
        "/dead-streamed",
        "/allow-here",
        "/deny-here",
        "/other-service",
    ];
    let mut cases = Vec::new();
    for path in paths {
        cases.push(case(format!("{path} GET"), get(path, "")));
        cases.push(case(format!("{path} POST"), post(path, "").body("some bytes")));
    }
    cases
}
