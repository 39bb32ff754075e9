//! Upgrades that hide requests in what one side takes for a tunnel (RFC 9110 §7.8, RFC 9113 §3.1).

use crate::attacks::case::{BAD, Case, NEXT};

const SOCKET: &str = "connection: upgrade\r\nupgrade: websocket\r\n\
                      sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n";

const H2C: &str =
    "connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n";

const KEY: &str = "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==, sec-websocket-version: 13";

pub fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> =
        ROWS.iter().map(|(name, fields, rest, expected)| get(name, "/", fields, rest, expected)).collect();
    let asked = "200 closed: GET / [connection: upgrade, KEY, upgrade: websocket]";
    let switched = "101 tunnel: GET /switch [connection: upgrade, KEY, upgrade: websocket]; tunnel \"PING\"";
    cases.extend([
        get("granted", "/switch", "SOCKET", "PING", switched).alone(),
        get("refused, nothing behind it", "/", "SOCKET", "", asked).alone(),
        get("refused, a request behind it", "/", "SOCKET", "NEXT", asked),
        get("denied, a request behind it", "/denied", "SOCKET", "NEXT", "403 closed"),
    ]);
    cases
}

fn get(name: &str, target: &str, fields: &str, rest: &str, expected: &str) -> Case {
    let fields = fields.replace("SOCKET", SOCKET).replace("H2C\r\n", H2C);
    let head = format!("GET {target} HTTP/1.1\r\nhost: a.test\r\n{fields}\r\n");
    Case::new(&format!("upgrade {name}"), head + &rest.replace("NEXT", NEXT), &expected.replace("KEY", KEY))
}

const ROWS: &[(&str, &str, &str, &str)] = &[
    ("to h2c", "H2C\r\n", "", "200 kept: GET /"),
    ("to h2c, a preface behind it", "H2C\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "200 426 closed: GET /"),
    ("to h2c with a body", "H2C\r\ncontent-length: 3\r\n", "abc", "200 kept: GET / \"abc\""),
    ("to h2c in capitals", "connection: upgrade\r\nupgrade: H2c\r\n", "", "200 kept: GET /"),
    (
        "to h2c and websocket",
        "connection: upgrade\r\nupgrade: h2c, websocket\r\n",
        "NEXT",
        "200 closed: GET / [connection: upgrade, upgrade: websocket]",
    ),
    ("to HTTP/2.0", "connection: upgrade\r\nupgrade: HTTP/2.0\r\n", "NEXT", "403 closed"),
    ("to TLS", "connection: upgrade\r\nupgrade: TLS/1.2\r\n", "NEXT", "403 closed"),
    ("to something", "connection: upgrade\r\nupgrade: something\r\n", "NEXT", "403 closed"),
    ("not named by connection", "upgrade: websocket\r\n", "", "200 kept: GET /"),
    ("named but not said", "connection: upgrade\r\n", "", "200 kept: GET /"),
    ("empty", "connection: upgrade\r\nupgrade:\r\n", "", "200 kept: GET /"),
    ("of no token", "connection: upgrade\r\nupgrade: \"websocket\"\r\n", "", "200 kept: GET /"),
    (
        "with a body",
        "SOCKETcontent-length: 3\r\n",
        "abcGET /second HTTP/1.1\r\nhost: a.test\r\n\r\n",
        "200 200 kept: GET / [KEY] \"abc\"; GET /second",
    ),
    (
        "with chunks",
        "SOCKETtransfer-encoding: chunked\r\n",
        "3\r\nabc\r\n0\r\n\r\n",
        "200 kept: GET / [chunked, KEY] \"abc\"",
    ),
    (
        "with length and coding",
        "SOCKETcontent-length: 3\r\ntransfer-encoding: chunked\r\n",
        "0\r\n\r\nNEXT",
        BAD,
    ),
    (
        "with another version",
        "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 1\r\n",
        "NEXT",
        "200 closed: GET / [connection: upgrade, sec-websocket-version: 1, upgrade: websocket]",
    ),
    (
        "and close",
        "connection: upgrade, close\r\nupgrade: websocket\r\n",
        "NEXT",
        "200 closed: GET / [connection: upgrade, upgrade: websocket]",
    ),
    ("with a bare CR", "connection: upgrade\r\nupgrade: web\rsocket\r\n", "NEXT", BAD),
    ("by http2-settings alone", "http2-settings: AAMAAABkAAQAAP__\r\n", "", "200 kept: GET /"),
];
