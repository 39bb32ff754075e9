//! Clients and servers that are not ours, through two gateways with mutual TLS between them: curl, h2load,
//! grpcio, websockets.
//!
//! One rule: what a client sees is compared with what it would see without gateways.

use std::io::Write;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Duration;

use harness::grpc::{self, GrpcBackend};
use harness::peers::peer;
use harness::ports::free_addr;
use harness::process::Process;
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

#[test]
fn grpcio_calls_grpcio() {
    let Some(backend) = GrpcBackend::start("b") else { return };
    let gateways = Gateways::start(backend.addr());
    let root = gateways.dir.path().join("root.crt");
    let (cert, key) = gateways.authority.dns(&["client.test"]).write_to(gateways.dir.path(), "client");
    let tls = grpc::Tls { root: &root, cert: &cert, key: &key };
    for (addr, tls) in [(gateways.plain, None), (gateways.tls, Some(tls))] {
        let call = |name: &str, argument: &str| {
            grpc::call(addr, "grpc.test", name, argument, tls).expect("python is there")
        };
        let direct = |name: &str, argument: &str| {
            grpc::call(backend.addr(), "grpc.test", name, argument, None).expect("python is there")
        };
        calls_are_answered(&call);
        for (name, argument) in [("details", "why"), ("fail", "UNAVAILABLE"), ("fail", "DATA_LOSS")] {
            assert_eq!(call(name, argument), direct(name, argument), "{name} {argument}");
        }
        // Its text is grpcio's own and depends on whether its timer or the server's reset comes first.
        assert_eq!(call("deadline", "0.3")["code"], direct("deadline", "0.3")["code"]);
    }
}

fn calls_are_answered(call: &dyn Fn(&str, &str) -> Value) {
    let unary = call("unary", "hello");
    assert_eq!((&unary["code"], &unary["answer"]), (&json!("OK"), &json!("b:hello")), "{unary}");
    assert_eq!(unary["headers"]["x-backend"], "b", "{unary}");
    assert_eq!(unary["trailers"]["x-trailer"], "t-one", "{unary}");

    let many = call("server-stream", "200");
    assert_eq!(many["answers"].as_array().map(Vec::len), Some(200), "{many}");
    assert_eq!(many["answers"][199], "b:199");
    let bidi = call("bidi", "50");
    assert_eq!(bidi["answers"].as_array().map(Vec::len), Some(50), "{bidi}");
    let sum = call("client-stream", "100");
    assert_eq!(
        (&sum["code"], &sum["answer"]),
        (&json!("OK"), &json!("100 messages, 6553600 bytes")),
        "{sum}"
    );
    assert_eq!(call("health", "echo.Echo")["answer"], 1);

    let details = call("details", "why");
    assert_eq!(details["code"], "FAILED_PRECONDITION", "{details}");
    assert_eq!((&details["details"], &details["status"]), (&json!("as asked: % and ü"), &json!("776879")));
    assert_eq!(call("deadline", "0.3")["code"], "DEADLINE_EXCEEDED");
    let cancelled = call("cancel", "");
    assert_eq!(cancelled["code"], "CANCELLED", "{cancelled}");
    assert_eq!(cancelled["seen"], true, "the server did not hear of it: {cancelled}");
}

/// Starts a WebSocket server of Python's `websockets`, or nothing when Python is missing (which was said).
fn websocket_backend() -> Option<(Process, SocketAddr)> {
    let addr = free_addr();
    let mut command = websocket("serve", addr)?;
    let mut process = Process::spawn("websocket backend", &mut command);
    process.wait_log("serving", Duration::from_secs(20));
    Some((process, addr))
}

fn websocket(role: &str, addr: SocketAddr) -> Option<Command> {
    let mut command = Command::new(peer("python")?);
    command.arg(workspace::root().join("tests/integration/scripts/websocket.py"));
    command.arg(role).arg(addr.to_string()).arg("ws.test");
    Some(command)
}

#[test]
fn a_websocket_client_speaks_to_a_websocket_server() {
    let Some((_backend, addr)) = websocket_backend() else { return };
    let gateways = Gateways::start(addr);
    for (entry, root) in [(gateways.plain, None), (gateways.tls, Some(gateways.dir.path().join("root.crt")))]
    {
        let mut command = websocket("talk", entry).expect("python is there");
        if let Some(root) = root {
            command.env("WEBSOCKET_ROOT", root);
        }
        let output = command.output().expect("python starts");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        let told: Value = serde_json::from_slice(&output.stdout).expect("it tells in JSON");
        let wanted = json!({
            "text": "grüße", "binary": 256, "large": 4_000_000, "messages": 500, "ping": true,
            "protocol": "chat", "closed_by_client": 4001, "closed_by_server": [4002, "as asked"],
        });
        assert_eq!(told, wanted, "{errors}");
    }
}
