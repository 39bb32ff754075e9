//! Heads, bodies and trailers, sent and changed.

use harness::message::Request;

use super::ask::{case, echo, get, post, rows, trailing};
use crate::case::Case;

pub fn cases() -> Vec<Case> {
    [heads(), whole(), streamed(), trailers()].concat()
}

const HEAD_WISHES: &[&str] = &[
    "",
    r#"{"qh": {"set": [["x-new", "1"]]}}"#,
    r#"{"qh": {"set": [["x-old", "2"]]}}"#,
    r#"{"qh": {"set": [["x-old", "2", "append"]]}}"#,
    r#"{"qh": {"set": [["x-old", "2", 1], ["x-new", "2", 1]]}}"#,
    r#"{"qh": {"set": [["x-old", "2", 2], ["x-new", "2", 2]]}}"#,
    r#"{"qh": {"set": [["x-old", "2", 3], ["x-new", "2", 3]]}}"#,
    r#"{"qh": {"set": [["x-old", "2", 9]]}}"#,
    r#"{"qh": {"set": [["x-new", "1"], ["x-new", "2", "append"], ["x-new", "3", "append"]]}}"#,
    r#"{"qh": {"set": [["x-new", ""]]}}"#,
    r#"{"qh": {"set": [["x-text", "1", "text"]]}}"#,
    r#"{"qh": {"set": [["x-both", "1", "both"]]}}"#,
    r#"{"qh": {"remove": ["x-old"]}}"#,
    r#"{"qh": {"remove": ["X-Old", "x-none"]}}"#,
    r#"{"qh": {"remove": ["x-old"], "set": [["x-old", "3"]]}}"#,
    r#"{"qh": {"body": "ignored"}}"#,
    r#"{"qh": {"body": "new", "replace": 1}}"#,
    r#"{"qh": {"body": "new", "replace": 1, "set": [[":method", "POST"]]}}"#,
    r#"{"qh": {"body": "new", "replace": 1, "set": [[":method", "POST"], ["content-length", "3"]]}}"#,
    r#"{"qh": {"replace": 1}}"#,
    r#"{"qh": {"clear": true, "replace": 1}}"#,
    r#"{"sh": {"set": [["x-new", "1"]]}}"#,
    r#"{"sh": {"set": [["x-backend", "none"]]}}"#,
    r#"{"sh": {"remove": ["content-type"]}}"#,
    r#"{"sh": {"set": [[":status", "404"]]}}"#,
    r#"{"sh": {"set": [[":status", "99"]]}}"#,
    r#"{"sh": {"set": [[":status", "x"]]}}"#,
    r#"{"sh": {"body": "new", "replace": 1}}"#,
    r#"{"sh": {"clear": true, "replace": 1}}"#,
    r#"{"sh": {"replace": 1}}"#,
    r#"{"qh": {"set": [["x-new", "1"]]}, "sh": {"set": [["x-new", "2"]]}}"#,
];

fn heads() -> Vec<Case> {
    let old = |path: &str, wish: &str| get(path, wish).header("x-old", "1").header("x-old", "1b");
    let upload = |path: &str, wish: &str| post(path, wish).header("x-old", "1").body("some bytes");
    let chunks = |path: &str, wish: &str| post(path, wish).header("x-old", "1").chunks(&["some", "bytes"]);
    let mut cases = rows("/heads", HEAD_WISHES, old, "GET ");
    cases.extend(rows("/heads", HEAD_WISHES, upload, "POST "));
    cases.extend(rows("/streamed", HEAD_WISHES, chunks, "chunked "));
    cases.extend(rows("/whole", HEAD_WISHES, upload, "POST "));
    cases.extend(rows("/partial", HEAD_WISHES, chunks, "chunked "));
    let wishes = &[r#"{"qh": {"set": [["x-new", "1"]]}}"#, r#"{"sh": {"set": [["x-new", "1"]]}}"#];
    for path in ["/request-only", "/response-only", "/none", "/off-here", "/prefixed", "/direct", "/broken"] {
        cases.extend(rows(path, wishes, old, "GET "));
    }
    cases
}

const BODY_WISHES: &[&str] = &[
    "",
    r#"{"qb": {"body": "changed"}}"#,
    r#"{"qb": {"body": "same bytes"}}"#,
    r#"{"qb": {"body": ""}}"#,
    r#"{"qb": {"clear": true}}"#,
    r#"{"qb": {"clear": false}}"#,
    r#"{"qb": {"set": [["x-late", "1"]]}}"#,
    r#"{"qb": {"set": [["content-length", "7"]], "body": "changed"}}"#,
    r#"{"qb": {"remove": ["content-length"], "body": "changed"}}"#,
    r#"{"qh": {"remove": ["content-length"]}, "qb": {"body": "changed"}}"#,
    r#"{"qb": {"replace": 1, "body": "changed"}}"#,
    r#"{"sb": {"body": "answered"}}"#,
    r#"{"sb": {"body": ""}}"#,
    r#"{"sb": {"clear": true}}"#,
    r#"{"sb": {"set": [["x-late", "1"]]}}"#,
    r#"{"sb": {"set": [["content-length", "8"]], "body": "answered"}}"#,
    r#"{"sb": {"remove": ["content-length"], "body": "answered"}}"#,
    r#"{"sh": {"remove": ["content-length"]}, "sb": {"body": "answered"}}"#,
    r#"{"sb": {"set": [[":status", "404"]]}}"#,
    r#"{"sb": {"replace": 1, "body": "answered"}}"#,
];

fn whole() -> Vec<Case> {
    let lengthy = |path: &str, wish: &str| echo(path, wish).body("some bytes");
    let chunked = |path: &str, wish: &str| echo(path, wish).chunks(&["some", " ", "bytes"]);
    let mut cases = Vec::new();
    for path in ["/whole", "/partial"] {
        cases.extend(rows(path, BODY_WISHES, lengthy, "body "));
        cases.extend(rows(path, BODY_WISHES, chunked, "chunks "));
        for bytes in [0, 1, 100_000, 1_000_000] {
            cases.push(case(format!("{path} {bytes} bytes"), echo(path, "").body(vec![b'u'; bytes])));
            let wish = format!("bytes/{bytes}");
            cases.push(case(format!("{path} gets {wish}"), get(path, "").header("x-backend-do", &wish)));
            let wish = format!("stream/{bytes}");
            cases.push(case(format!("{path} gets {wish}"), get(path, "").header("x-backend-do", &wish)));
        }
        cases.push(case(format!("{path} no chunk"), post(path, "").chunks(&[])));
        cases.push(case(format!("{path} HEAD"), Request { method: "HEAD".to_owned(), ..get(path, "") }));
        cases.push(case(format!("{path} 204"), get(path, "").header("x-backend-do", "/status/204")));
    }
    cases.push(case("/whole too large".to_owned(), post("/whole", "").body(vec![b'u'; 2_000_000])));
    // The service has read of the head before the rest comes.
    let large = get("/whole", r#"{"sh": {"sleep": 0.3}}"#).header("x-backend-do", "bytes/2000000");
    cases.push(case("/whole too large a response".to_owned(), large));
    cases.push(case("/partial larger".to_owned(), post("/partial", "").body(vec![b'u'; 12_000_000])));
    for path in ["/bodies-only", "/streamed-bodies"] {
        cases.push(case(format!("{path} POST"), post(path, "").body("some bytes")));
        cases.push(case(format!("{path} chunks"), post(path, "").chunks(&["some", "bytes"])));
        cases.push(case(format!("{path} GET"), get(path, "").header("x-backend-do", "bytes/10")));
    }
    cases
}

fn streamed() -> Vec<Case> {
    let mut cases = Vec::new();
    for path in ["/streamed", "/length", "/h2", "/two"] {
        if path != "/length" {
            let wish = r#"{"qb": {"clear": true}}"#;
            cases.push(case(format!("{path} body {wish}"), post(path, wish).body("some bytes")));
            let wish = r#"{"sb": {"clear": true}}"#;
            cases.push(case(
                format!("{path} gets {wish}"),
                get(path, wish).header("x-backend-do", "bytes/10"),
            ));
        }
        cases.push(case(format!("{path} chunks"), post(path, "").chunks(&["some", "bytes"])));
        for bytes in [0, 1, 100_000, 3_000_000] {
            if bytes <= 100_000 {
                cases.push(case(format!("{path} {bytes} bytes"), post(path, "").body(vec![b'u'; bytes])));
            }
            let wish = format!("stream/{bytes}");
            cases.push(case(format!("{path} gets {wish}"), get(path, "").header("x-backend-do", &wish)));
            let wish = format!("bytes/{bytes}");
            cases.push(case(format!("{path} gets {wish}"), get(path, "").header("x-backend-do", &wish)));
        }
    }
    cases
}

fn trailers() -> Vec<Case> {
    let wishes = [
        "",
        r#"{"qt": {"set": [["x-new", "1"]]}}"#,
        r#"{"qt": {"set": [["x-sum", "2"]]}}"#,
        r#"{"qt": {"remove": ["x-sum"]}}"#,
        r#"{"qt": {"set": [["bad name", "2"]]}}"#,
        r#"{"qt": {"set": [["x-envoy-x", "2"]]}}"#,
        r#"{"st": {"set": [["x-new", "1"]]}}"#,
        r#"{"st": {"set": [["x-checksum", "2"]]}}"#,
        r#"{"st": {"remove": ["x-checksum"]}}"#,
        r#"{"qb": {"body": "new"}, "qt": {"set": [["x-sum", "2"]]}}"#,
    ];
    let mut cases = Vec::new();
    for path in ["/whole", "/streamed", "/partial", "/trailers-only", "/heads", "/overridable"] {
        cases.extend(rows(path, &wishes, trailing, "trailers "));
    }
    cases
}
