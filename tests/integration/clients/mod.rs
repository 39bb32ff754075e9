//! Clients and servers that are not ours, with our proxies between them: curl, h2load, grpcio, grpc-js, websockets, requests, etcdctl.
//!
//! One rule: what a client sees is compared with what it would see without a proxy.

mod script;

mod front;

mod grpc;

mod websocket;

mod requests;

mod etcd;

use std::io::Write;
use std::process::{Command, Stdio};

use harness::peers::peer;
use harness::workspace;
use serde_json::{Value, json};

use crate::gateways::Gateways;

/// Both kinds of hops behind the first gateway.
const HOSTS: [(&str, &str); 2] = [("h1.test", "HTTP/1.1"), ("h2.test", "HTTP/2.0")];

/// What curl got.
struct Fetched {
    /// `200 over 2`.
    status: String,
    /// Head and trailers as received, lower case.
    fields: String,
    body: Vec<u8>,
}

impl Fetched {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

/// curl in one of the ways by which it can reach the first gateway.
#[derive(Clone, Copy)]
struct Curl<'a> {
    gateways: &'a Gateways,
    /// Its option, which says the version.
    way: &'static str,
    over_tls: bool,
    host: &'static str,
}

impl Curl<'_> {
    fn version(&self) -> &'static str {
        if self.way == "--http1.1" { "1.1" } else { "2" }
    }

    fn get(&self, path: &str, more: &[&str]) -> Fetched {
        self.fetch(path, more, b"")
    }

    #[track_caller]
    fn fetch(&self, path: &str, more: &[&str], input: &[u8]) -> Fetched {
        let dir = workspace::temp_dir();
        let (body, fields) = (dir.path().join("body"), dir.path().join("fields"));
        let (scheme, addr) = match self.over_tls {
            true => ("https", self.gateways.tls),
            false => ("http", self.gateways.plain),
        };
        let mut command = Command::new(peer("curl").expect("the test looked for it"));
        command.args(["-sS", "--max-time", "30", self.way, "-H", &format!("Host: {}", self.host)]);
        command.arg("--cacert").arg(self.gateways.dir.path().join("root.crt"));
        command.args(["--resolve", &format!("gateway.test:{}:127.0.0.1", addr.port())]);
        command.args(["-w", "%{http_code} over %{http_version}"]);
        command.arg("-o").arg(&body).arg("-D").arg(&fields).args(more);
        command.arg(format!("{scheme}://gateway.test:{}{path}", addr.port()));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("curl starts");
        let mut stdin = child.stdin.take().expect("its input is piped");
        // curl reads its input only when asked to; it may have ended before.
        let _ = stdin.write_all(input);
        drop(stdin);
        let output = child.wait_with_output().expect("curl ends");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "curl {} {} {path} {more:?}: {errors}", self.way, self.host);
        Fetched {
            status: String::from_utf8_lossy(&output.stdout).into_owned(),
            fields: std::fs::read_to_string(fields).unwrap_or_default().to_ascii_lowercase(),
            body: std::fs::read(body).unwrap_or_default(),
        }
    }

    #[track_caller]
    fn expect(&self, status: u16, fetched: &Fetched) {
        let wanted = format!("{status} over {}", self.version());
        assert_eq!(fetched.status, wanted, "{} {}: {}", self.way, self.host, fetched.fields);
    }
}

#[test]
fn curl_is_served_in_every_version_over_every_hop() {
    if peer("curl").is_none() {
        return;
    }
    let gateways = Gateways::start_plain();
    let ways =
        [("--http1.1", false), ("--http2-prior-knowledge", false), ("--http1.1", true), ("--http2", true)];
    for (way, over_tls) in ways {
        for (host, version) in HOSTS {
            let curl = Curl { gateways: &gateways, way, over_tls, host };
            bodies_arrive(curl, version);
            heads_arrive(curl);
        }
    }
}

fn bodies_arrive(curl: Curl<'_>, version: &str) {
    let got = curl.get("/hello?a=b", &[]);
    curl.expect(200, &got);
    let seen = got.json();
    assert_eq!((&seen["backend"], &seen["path"]), (&json!("shop"), &json!("/hello?a=b")));
    assert_eq!((&seen["version"], &seen["authority"]), (&json!(version), &json!(curl.host)));

    let posted = curl.get("/", &["-d", "name=value"]);
    curl.expect(200, &posted);
    assert_eq!((&posted.json()["method"], &posted.json()["body_len"]), (&json!("POST"), &json!(10)));

    let input: Vec<u8> = (0..300_000_u32).map(|index| (index % 251) as u8).collect();
    let echoed = curl.fetch("/echo", &["-T", "-"], &input);
    curl.expect(200, &echoed);
    assert!(echoed.body == input, "{} {}: {} bytes came back", curl.way, curl.host, echoed.body.len());
}

fn heads_arrive(curl: Curl<'_>) {
    // Twice in one head, which may have 60 KiB as in Envoy.
    let big = "v".repeat(20_000);
    let got = curl.get("/", &["-H", &format!("x-big: {big}"), "-H", &format!("x-backend-set: x-back={big}")]);
    curl.expect(200, &got);
    assert!(got.json().to_string().contains(&big), "the big request field did not arrive");
    assert!(got.fields.contains(&format!("x-back: {big}")), "the big response field did not arrive");

    let empty = curl.get("/status/204", &[]);
    curl.expect(204, &empty);
    assert_eq!(empty.body, b"");

    let head = curl.get("/bytes/1234", &["--head"]);
    curl.expect(200, &head);
    assert!(head.fields.contains("content-length: 1234"), "{}", head.fields);

    let missing = curl.get("/status/503", &[]);
    curl.expect(503, &missing);

    let trailers = curl.get("/trailers", &["-H", "TE: trailers"]);
    curl.expect(200, &trailers);
    assert_eq!(trailers.body.len(), 100);
    assert!(trailers.fields.contains("x-checksum: abc"), "{}: {}", curl.way, trailers.fields);
}

#[test]
fn h2load_gets_ten_thousand_answers() {
    let Some(h2load) = peer("h2load") else { return };
    let gateways = Gateways::start_plain();
    let url = format!("http://{}/bytes/1000", gateways.plain);
    let output = Command::new(h2load)
        .args(["-n", "10000", "-c", "10", "-m", "10", "-t", "1", &url])
        .output()
        .expect("h2load starts");
    let text = String::from_utf8_lossy(&output.stdout);
    let summary = text.lines().filter(|line| line.starts_with("finished in") || line.contains("codes:"));
    println!("h2load through two gateways: {}", summary.collect::<Vec<_>>().join("; "));
    assert!(text.contains("10000 done, 10000 succeeded, 0 failed"), "{text}");
    assert!(text.contains("status codes: 10000 2xx, 0 3xx, 0 4xx, 0 5xx"), "{text}");
}
