//! What the client asks, and what it must get.

use serde_json::{Value, json};

/// One row.
pub struct Row {
    /// `9114 §4.1`.
    pub section: &'static str,
    /// A name of its own; `differences.md` speaks of it.
    pub name: String,
    /// For the client.
    pub case: Value,
    /// What it must get.
    pub expected: &'static str,
}

fn row(section: &'static str, name: &str, requests: Value, expected: &'static str) -> Row {
    let name = format!("http3: {name}");
    let requests = if requests.is_array() { requests } else { json!([requests]) };
    Row { section, case: json!({"name": name, "requests": requests}), name, expected }
}

/// The same with all requests at once.
fn together(mut row: Row) -> Row {
    row.case["together"] = json!(true);
    row
}

/// Every row.
pub fn rows() -> Vec<Row> {
    [messages(), endings(), malformed()].into_iter().flatten().collect()
}

#[rustfmt::skip]
fn messages() -> Vec<Row> {
    let post = |path: &str, body: &str| json!({"method": "POST", "path": path, "body": body});
    let many: Vec<Value> = (0..100).map(|_| json!({"path": "/bytes/1000"})).collect();
    let large = |bytes: usize| json!({"method": "POST", "path": "/echo", "bytes": bytes});
    vec![
        row("9114 §4.1", "GET", json!({"path": "/bytes/5"}), "200 [content-length: 5] \"xxxxx\""),
        row("9114 §4.1", "several requests over one connection", json!([{"path": "/bytes/5"}, {"path": "/bytes/5"}]), "200 [content-length: 5] \"xxxxx\""),
        row("9114 §4.1", "an answer without a body", json!({"path": "/bytes/0"}), "200 [content-length: 0]"),
        row("9110 §9.3.2", "HEAD", json!({"method": "HEAD", "path": "/bytes/5"}), "200 [content-length: 5]"),
        row("9114 §4.1", "an answer without a length", json!({"path": "/stream/100"}), "200 \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\""),
        row("9114 §4.1", "a large answer", json!({"path": "/stream/1200000"}), "200 1200000 bytes 9fae028b"),
        row("9114 §4.1", "POST and its echo", post("/echo", "hello"), "200 \"hello\""),
        row("9114 §4.1", "a body beyond every window, both ways", large(1_200_000), "200 1200000 bytes 9fae028b"),
        row("9114 §4.1", "an answer by the route", json!({"path": "/denied"}), "403 [content-length: 2, content-type: text/plain] \"no\""),
        row("9114 §4.1", "an answer before a large body", json!({"method": "POST", "path": "/denied", "bytes": 300_000}), "403 [content-length: 2, content-type: text/plain] \"no\""),
        row("9114 §4.1", "a length that is kept", json!({"method": "POST", "path": "/echo", "body": "abc", "fields": [["content-length", "3"]]}), "200 [content-length: 3] \"abc\""),
        row("9114 §4.1", "trailers of an answer", json!({"path": "/trailers", "fields": [["te", "trailers"]]}), "200 [trailer: x-checksum] \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\" then [x-checksum: abc]"),
        row("9114 §4.1", "trailers of a request", json!({"method": "POST", "path": "/echo", "body": "abc", "trailers": [["x-t", "1"]]}), "200 \"abc\""),
        row("9110 §10.1.1", "expect: 100-continue", json!({"method": "POST", "path": "/echo", "body": "abc", "fields": [["expect", "100-continue"]]}), "100 200 \"abc\""),
        row("9114 §4.1", "an interim answer of the backend", json!({"path": "/raw/early"}), "103 [link: </a>] 200 [content-length: 2] \"ok\""),
        row("9110 §15.3.5", "204", json!({"path": "/raw/204"}), "204 [etag: \"a\"]"),
        row("9110 §15.4.5", "304", json!({"path": "/raw/304"}), "304 [etag: \"a\"]"),
        row("9114 §4.2", "fields of the backend's connection", json!({"path": "/raw/hop"}), "200 \"ok\""),
        row("9114 §4.2", "fields of an answer", json!({"path": "/bytes/3", "fields": [["x-backend-set", "retry-after=3; x-a=b"]]}), "200 [content-length: 3, retry-after: 3, x-a: b] \"xxx\""),
        row("9114 §4.3.1", "a path with a query", json!({"path": "/bytes/4?a=/b/&c"}), "200 [content-length: 4] \"xxxx\""),
        row("9114 §4.3.1", "a method of its own", json!({"method": "BREW", "path": "/bytes/4"}), "200 [content-length: 4] \"xxxx\""),
        together(row("9114 §6.1", "a hundred requests at once", json!(many), "200 [content-length: 1000] 1000 bytes 44f83544")),
        together(row("9114 §6.1", "large bodies at once", json!([large(400_000), large(400_001), large(400_002)]), "200 400000 bytes 7ceaf864; 200 400001 bytes 81fbc958; 200 400002 bytes 1c56c2cf")),
    ]
}

#[rustfmt::skip]
fn endings() -> Vec<Row> {
    vec![
        row("9114 §4.1.1", "a request that is reset, then another", json!([{"method": "POST", "path": "/echo", "body": "abc", "reset": true, "stop": false}, {"path": "/bytes/5"}]), "200 \"abc\" reset 0x10c; 200 [content-length: 5] \"xxxxx\""),
        row("9114 §4.1.1", "an answer that is stopped, then another", json!([{"path": "/stream/100000000", "stop": true}, {"path": "/bytes/5"}]), "200 [content-length: 5] \"xxxxx\"; 200 a part reset 0x10c"),
        row("9114 §4.1", "a backend that breaks off", json!([{"path": "/truncate/100"}, {"path": "/bytes/5"}]), "200 [content-length: 200] \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\" reset 0x102; 200 [content-length: 5] \"xxxxx\""),
        row("9114 §4.1", "a backend that closes", json!([{"method": "POST", "path": "/close"}, {"path": "/bytes/5"}]), "200 [content-length: 5] \"xxxxx\"; 503 [content-length: 95, content-type: text/plain] \"upstream connect error or disconnect/reset before headers. reset reason: connection termination\""),
    ]
}

#[rustfmt::skip]
fn malformed() -> Vec<Row> {
    let with = |name: &str, value: &str| json!([{"path": "/bytes/5", "fields": [[name, value]]}, {"path": "/bytes/5"}]);
    let raw = |fields: Value| json!([{"raw": fields}, {"path": "/bytes/5"}]);
    let body = |length: &str| json!([{"method": "POST", "path": "/echo", "body": "abc", "fields": [["content-length", length]]}, {"path": "/bytes/5"}]);
    vec![
        row("9114 §4.2", "the field connection", with("connection", "close"), "200 [content-length: 5] \"xxxxx\"; 400 [content-length: 11, content-type: text/plain] \"Bad Request\""),
        row("9114 §4.2", "the field transfer-encoding", with("transfer-encoding", "chunked"), "200 [content-length: 5] \"xxxxx\"; 400 [content-length: 11, content-type: text/plain] \"Bad Request\""),
        row("9114 §4.2", "te other than trailers", with("te", "gzip"), "200 [content-length: 5] \"xxxxx\"; 400 [content-length: 11, content-type: text/plain] \"Bad Request\""),
        row("9114 §4.2", "a name in capitals", with("X-A", "1"), "200 [content-length: 5] \"xxxxx\"; reset 0x10e"),
        row("9114 §4.2", "a value with a line end", with("x-a", "a\r\nx-b: c"), "200 [content-length: 5] \"xxxxx\"; reset 0x10e"),
        row("9114 §4.1.2", "a body longer than its length", body("2"), "200 [content-length: 5] \"xxxxx\"; 400 [content-length: 11, content-type: text/plain] \"Bad Request\""),
        row("9114 §4.1.2", "a body shorter than its length", body("4"), "200 [content-length: 5] \"xxxxx\"; 400 [content-length: 11, content-type: text/plain] \"Bad Request\""),
        row("9114 §4.3.1", "no method", raw(json!([[":scheme", "https"], [":authority", "a.test"], [":path", "/bytes/5"]])), "200 [content-length: 5] \"xxxxx\"; reset 0x10e"),
        row("9114 §4.3.1", "no path", raw(json!([[":method", "GET"], [":scheme", "https"], [":authority", "a.test"]])), "200 [content-length: 5] \"xxxxx\"; reset 0x10e"),
        row("9114 §4.3.1", "no authority", raw(json!([[":method", "GET"], [":scheme", "https"], [":path", "/bytes/5"]])), "200 [content-length: 5] \"xxxxx\"; reset 0x10e"),
        row("9114 §4.3.1", "host in the place of the authority", raw(json!([[":method", "GET"], [":scheme", "https"], [":path", "/bytes/5"], ["host", "a.test"]])), "200 [content-length: 5] \"xxxxx\""),
        row("9114 §4.3", "a pseudo field nobody knows", raw(json!([[":method", "GET"], [":scheme", "https"], [":authority", "a.test"], [":path", "/bytes/5"], [":x", "1"]])), "200 [content-length: 5] \"xxxxx\"; reset 0x10e"),
        row("9114 §4.2.2", "a head of 100 KB", json!([{"path": "/bytes/5", "fields": (0..25).map(|n| json!([format!("x-{n}"), "a~".repeat(2_000)])).collect::<Vec<_>>()}, {"path": "/bytes/5"}]), "200 [content-length: 5] \"xxxxx\"; 431 [content-length: 31, content-type: text/plain] \"Request Header Fields Too Large\""),
        row("9110 §15.5", "a hundred fields too many", json!([{"path": "/bytes/5", "fields": vec![json!(["x-a", "1"]); 200]}, {"path": "/bytes/5"}]), "200 [content-length: 5] \"xxxxx\"; 431 [content-length: 31, content-type: text/plain] \"Request Header Fields Too Large\""),
        row("9114 §7.2.1", "DATA before HEADERS", json!({"frames": "0003616263"}), "; closed 0x105"),
        row("9114 §7.2.4", "SETTINGS in a request", json!({"frames": "0400"}), "; closed 0x105"),
        row("9114 §9", "a reserved frame and no HEADERS", json!([{"frames": "2102ffff"}, {"path": "/bytes/5"}]), "200 [content-length: 5] \"xxxxx\"; reset 0x10d"),
        row("9114 §10.5", "a head that claims a gigabyte", json!([{"frames": "0180ffffff", "end": false}, {"path": "/bytes/5"}]), "200 [content-length: 5] \"xxxxx\"; reset 0x102"),
    ]
}
