//! HTTP/3 (RFC 9114) over QUIC (RFC 9000), asked by a client that is not ours; Envoy under the same bootstrap is held to
//! the same table.
//!
//! One rule: a row states what the client got to the letter.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use harness::backend::Backend;
use harness::certs::Authority;
use harness::known::{self, Both};
use harness::peers::peer;
use harness::ports::free_addr;
use harness::process::Process;
use harness::raw_backend::{Answer, RawBackend};
use harness::{binaries, client, wait, workspace};
use serde_json::{Value, json};

mod table;

const START: Duration = Duration::from_secs(30);
const CLIENT: Duration = Duration::from_secs(120);

/// A proxy with a QUIC listener, and the backend behind it.
struct Side {
    process: Process,
    addr: SocketAddr,
    admin: SocketAddr,
    backend: Backend,
    _raw: RawBackend,
    dir: tempfile::TempDir,
}

impl Side {
    fn start(name: &str, binary: &Path, workers: usize) -> Self {
        Self::with_clients(name, binary, workers, &Authority::new("mesh.example"), false)
    }

    /// One whose clients, if `mutual`, must come from the authority.
    fn with_clients(name: &str, binary: &Path, workers: usize, authority: &Authority, mutual: bool) -> Self {
        let (addr, admin, backend) = (free_addr(), free_addr(), Backend::start("backend"));
        let raw =
            RawBackend::start(|request| Answer { bytes: raw_answer(&request.target), ..Answer::default() });
        let dir = workspace::temp_dir();
        authority.dns(&["a.test"]).write_to(dir.path(), "listener");
        workspace::write(dir.path(), "root.crt", &authority.root_pem());
        let validation = "              validation_context: { trusted_ca: { filename: \"@DIR@/root.crt\" } }";
        let text = include_str!("bootstrap.yaml")
            .replace("@PORT@", &addr.port().to_string())
            .replace("@ADMIN@", &admin.port().to_string())
            .replace("@BACKEND@", &backend.port().to_string())
            .replace("@RAW@", &raw.addr().port().to_string())
            .replace("@MUTUAL@", &mutual.to_string())
            .replace("@VALIDATION@", if mutual { validation } else { "" })
            .replace("@DIR@", &dir.path().display().to_string());
        let config = workspace::write(dir.path(), "bootstrap.yaml", &text);
        let mut command = Command::new(binary);
        command.arg("-c").arg(config).args(["--disable-hot-restart", "-l", "warn", "--concurrency"]);
        let mut process = Process::spawn(name, command.arg(workers.to_string()));
        process.wait_until("ready", START, |_| match client::get(admin, "admin", "/ready") {
            Ok(ready) if ready.status == 200 => Ok(()),
            other => Err(format!("{other:?}")),
        });
        Self { process, addr, admin, backend, _raw: raw, dir }
    }

    fn tombolo(workers: usize) -> Self {
        Self::start("tombolo-proxy", &binaries::binary("tombolo-proxy"), workers)
    }

    /// A client on its way with these cases.
    fn client(&self, python: &Path, cases: &[Value]) -> Process {
        let file = workspace::write(self.dir.path(), "cases.json", &json!(cases).to_string());
        let script = workspace::root().join("tests/conformance/http3/client.py");
        let mut command = Command::new(python);
        command.arg(script).arg(self.addr.ip().to_string()).arg(self.addr.port().to_string()).arg(file);
        Process::spawn("aioquic", &mut command)
    }

    /// What came of each case.
    fn ask(&mut self, python: &Path, cases: &[Value]) -> Vec<Value> {
        let told = told(self.client(python, cases));
        assert!(self.process.is_running(), "the proxy ended:\n{}", self.process.log());
        assert_eq!(told.len(), cases.len(), "{told:?}");
        told
    }

    fn stats(&self) -> String {
        client::get(self.admin, "admin", "/stats").expect("the admin port answers").text()
    }
}

/// Answers that a well-behaved backend has no reason to give.
fn raw_answer(target: &str) -> Vec<u8> {
    let text = match target {
        "/raw/early" => {
            "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
        }
        "/raw/204" => "HTTP/1.1 204 No Content\r\netag: \"a\"\r\n\r\n",
        "/raw/304" => "HTTP/1.1 304 Not Modified\r\netag: \"a\"\r\n\r\n",
        "/raw/hop" => {
            "HTTP/1.1 200 OK\r\nconnection: x-hop\r\nx-hop: 1\r\nkeep-alive: timeout=5\r\ntransfer-encoding: \
             chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
        }
        _ => "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
    };
    text.as_bytes().to_vec()
}

/// What a client has told at its end.
fn told(mut client: Process) -> Vec<Value> {
    let status = client.wait_exit(CLIENT);
    let log = client.log();
    assert!(status.success(), "{status}:\n{log}");
    log.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {log}"))).collect()
}

fn python() -> Option<PathBuf> {
    peer("python")
}

/// What came of a case, in one line.
fn line(told: &Value) -> String {
    let mut parts: Vec<String> = Vec::new();
    // A crowd comes to one line for all that is alike.
    let answers: BTreeSet<String> = told["answers"].as_array().into_iter().flatten().map(answer).collect();
    parts.extend(answers);
    if let Some(code) = told["closed"].as_u64() {
        parts.push(format!("closed {code:#x}"));
    }
    if let Some(why) = told["refused"].as_str() {
        parts.push(format!("refused {why}"));
    }
    parts.join("; ")
}

fn answer(told: &Value) -> String {
    let fields = |fields: &Value| -> (String, Option<String>) {
        let mut status = String::new();
        let mut named = Vec::new();
        for field in fields.as_array().into_iter().flatten() {
            let (name, value) =
                (field[0].as_str().unwrap_or_default(), field[1].as_str().unwrap_or_default());
            if name == ":status" { status = value.to_owned() } else { named.push(format!("{name}: {value}")) }
        }
        named.sort();
        (status, (!named.is_empty()).then(|| format!("[{}]", named.join(", "))))
    };
    let mut parts = Vec::new();
    for interim in told["interim"].as_array().into_iter().flatten().chain([&told["fields"]]) {
        let (status, named) = fields(interim);
        parts.push(status);
        parts.extend(named);
    }
    match (told["body"].as_str(), told["length"].as_u64()) {
        // How much of it came in time is not said.
        (None, _) if told["reset"].is_u64() => parts.push("a part".to_owned()),
        (Some(""), _) | (None, None) => {}
        (Some(body), _) => parts.push(format!("\"{body}\"")),
        (None, Some(length)) => {
            let sum = told["sha256"].as_str().unwrap_or_default();
            parts.push(format!("{length} bytes {}", &sum[..sum.len().min(8)]));
        }
    }
    if !told["trailers"].is_null() {
        parts.extend(fields(&told["trailers"]).1.map(|named| format!("then {named}")));
    }
    if let Some(code) = told["reset"].as_u64() {
        parts.push(format!("reset {code:#x}"));
    }
    if told["unfinished"] == true {
        parts.push("unfinished".to_owned());
    }
    parts.retain(|part| !part.is_empty());
    parts.join(" ")
}

#[test]
fn a_client_that_is_not_ours_is_answered_over_quic() {
    let Some(python) = python() else { return };
    let rows = table::rows();
    let cases: Vec<Value> = rows.iter().map(|row| row.case.clone()).collect();
    let told = Side::tombolo(1).ask(&python, &cases);
    let lines = told.iter().map(line);
    let wrong: Vec<String> = rows
        .iter()
        .zip(lines)
        .filter(|(row, line)| row.expected != *line)
        .map(|(row, line)| {
            format!("{} (RFC {}):\n  expected {}\n  got      {line}", row.name, row.section, row.expected)
        })
        .collect();
    println!("{} cases", rows.len());
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

#[test]
fn envoy_answers_over_quic_alike_or_the_difference_is_explained() {
    let (Some(python), Some(envoy)) = (python(), peer("envoy")) else { return };
    let rows = table::rows();
    let cases: Vec<Value> = rows.iter().map(|row| row.case.clone()).collect();
    let told = Side::start("envoy", &envoy, 1).ask(&python, &cases);
    let different = rows.iter().zip(told.iter().map(line)).filter(|(row, line)| row.expected != *line);
    let found: BTreeMap<String, Both> = different
        .map(|(row, line)| (row.name.clone(), Both { envoy: line, ours: row.expected.to_owned() }))
        .collect();
    known::judge("http3: ", &found);
}

#[test]
fn a_request_over_quic_reaches_the_backend_whole_and_is_logged_and_counted() {
    let Some(python) = python() else { return };
    let mut side = Side::tombolo(1);
    let request = json!({
        "method": "POST", "path": "/status/201?a=b", "body": "hello", "trailers": [["x-t", "1"]],
        "fields": [["cookie", "a=1"], ["cookie", "b=2"], ["x-a", "v"]],
    });
    let told = side.ask(&python, &[json!({"name": "one", "requests": [request]})]);
    assert_eq!(told[0]["answers"][0]["fields"][0][1], "201", "{told:?}");
    let alternative = format!("h3=\":{}\"; ma=60", side.addr.port());
    assert_eq!(told[0]["answers"][0]["alternative"], alternative, "{told:?}");
    let seen = side.backend.requests();
    let [seen] = seen.as_slice() else { panic!("{seen:?}") };
    assert_eq!(
        (seen.method.as_str(), seen.path.as_str(), seen.authority.as_str()),
        ("POST", "/status/201?a=b", "a.test")
    );
    assert_eq!((seen.body_len, seen.trailers.clone()), (5, vec![("x-t".to_owned(), "1".to_owned())]));
    for field in [("cookie", "a=1; b=2"), ("x-a", "v"), ("x-forwarded-proto", "https")] {
        let field = (field.0.to_owned(), field.1.to_owned());
        assert!(seen.headers.contains(&field), "{field:?} is not among {:?}", seen.headers);
    }
    side.process.wait_log("HTTP/3 POST /status/201?a=b 201 TLSv1.3 a.test", START);
    let stats = side.stats();
    for line in ["http.http3.downstream_cx_http3_total: 1", "http.http3.downstream_rq_http3_total: 1"] {
        assert!(stats.lines().any(|have| have == line), "{line} is not among\n{stats}");
    }
}

/// The kernel gives the datagrams of a client with a new port to any of the workers.
#[test]
fn a_connection_stays_with_its_worker_wherever_its_client_moves() {
    let Some(python) = python() else { return };
    let mut side = Side::tombolo(4);
    let requests = vec![json!({"path": "/bytes/5"}); 12];
    let told = side.ask(&python, &[json!({"name": "moving", "move": true, "requests": requests})]);
    assert_eq!(line(&told[0]), "200 [content-length: 5] \"xxxxx\"", "{told:?}");
    assert_eq!(told[0]["answers"].as_array().map(Vec::len), Some(12));
    assert!(side.stats().lines().any(|line| line == "http.http3.downstream_cx_http3_total: 1"));
}

#[test]
fn a_drain_answers_what_is_in_flight_and_then_closes_the_connection() {
    let Some(python) = python() else { return };
    let side = Side::tombolo(1);
    let case = json!({"name": "slow", "until_closed": true, "requests": [{"path": "/delay/1500"}]});
    let client = side.client(&python, &[case]);
    wait::until("the request to arrive", START, || {
        let active = side.stats().lines().any(|line| line == "http.http3.downstream_rq_active: 1");
        if active { Ok(()) } else { Err("not yet".to_owned()) }
    });
    let drained = harness::client::send(
        side.admin,
        &harness::message::Request::new("POST", "admin", "/drain_listeners?graceful"),
    );
    assert!(drained.is_ok_and(|answer| answer.status == 200));
    let told = told(client);
    // H3_NO_ERROR
    assert_eq!(
        (&told[0]["answers"][0]["fields"][0][1], &told[0]["closed"]),
        (&json!("200"), &json!(0x100)),
        "{told:?}"
    );
}

#[test]
fn a_client_over_quic_shows_its_certificate_where_one_is_demanded() {
    let Some(python) = python() else { return };
    let (ours, foreign) = (Authority::new("mesh.example"), Authority::new("other.example"));
    let certificates = workspace::temp_dir();
    let file = |name: &str| certificates.path().join(name).display().to_string();
    ours.spiffe("client").write_to(certificates.path(), "ours");
    foreign.spiffe("client").write_to(certificates.path(), "foreign");
    let case = |certificate: Value| json!({"name": "mutual", "certificate": certificate, "requests": [{"path": "/status/200"}]});
    let mut without = case(json!(null));
    without.as_object_mut().expect("it is an object").remove("certificate");
    let cases = [case(json!(file("ours"))), case(json!(file("foreign"))), without];
    let mut side = Side::with_clients("tombolo-proxy", &binaries::binary("tombolo-proxy"), 1, &ours, true);
    let told = side.ask(&python, &cases);
    let seen = side.backend.requests();
    assert_eq!(seen.len(), 1, "only the first client may be served: {told:?}");
    let known = |(name, value): &(String, String)| {
        name == "x-forwarded-client-cert" && value.ends_with("URI=spiffe://mesh.example/client")
    };
    assert!(seen[0].headers.iter().any(known), "{:?}", seen[0].headers);
    // CRYPTO_ERROR with the alerts unknown_ca and certificate_required (RFC 9001 §4.8).
    let codes: Vec<&Value> = told[1..].iter().map(|told| &told["closed"]).collect();
    assert_eq!(codes, [&json!(0x100 + 48), &json!(0x100 + 116)], "{told:?}");
    let stats = side.stats();
    let failed = |line: &str| line.ends_with(".ssl.connection_error: 2");
    assert!(stats.lines().any(failed), "{stats}");
}

/// Seeded, so that a failure can be repeated.
#[test]
fn datagrams_that_are_no_quic_are_survived_by_every_worker() {
    let Some(python) = python() else { return };
    let mut side = Side::tombolo(4);
    let mut random = fastrand::Rng::with_seed(9000);
    for _ in 0..64 {
        // Another port each time, so that every worker gets its share.
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("a free port on loopback");
        for _ in 0..64 {
            let length = random.usize(1..1400);
            let mut datagram: Vec<u8> = std::iter::repeat_with(|| random.u8(..)).take(length).collect();
            if random.bool() {
                // A long header of version 1, so that what follows is read as an Initial.
                let head = [0xc0 | (datagram[0] & 0x0f), 0, 0, 0, 1];
                datagram.splice(..head.len().min(length), head);
            }
            // The kernel may drop what is too much for it.
            let _ = socket.send_to(&datagram, side.addr);
        }
    }
    let told = side.ask(&python, &[json!({"name": "after", "requests": [{"path": "/bytes/5"}]})]);
    assert_eq!(line(&told[0]), "200 [content-length: 5] \"xxxxx\"", "{told:?}");
}
