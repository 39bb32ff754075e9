//! The harness is held to its word: a test that stands on a wrong tool proves nothing.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::backend::Backend;
use crate::certs::{Authority, Validity};
use crate::client::{Connection, get, send};
use crate::client_h2::{self, Transport};
use crate::grpc::{self, GrpcBackend};
use crate::load::Load;
use crate::message::{Framing, Request};
use crate::process::Process;

#[test]
fn a_backend_tells_what_it_received() {
    let backend = Backend::start("one");
    let request =
        Request::new("POST", "a.example", "/x?y=1").header("x-b", "2").header("x-a", "1").body("hello");
    let answer = send(backend.addr(), &request).expect("the backend answers");
    assert_eq!((answer.status, answer.backend().as_deref()), (200, Some("one")));
    let json = answer.json();
    assert_eq!(json["path"], "/x?y=1");
    assert_eq!(json["authority"], "a.example");
    assert_eq!(json["body_len"], 5);
    assert_eq!(json["body_sha256"], "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
    let seen = &backend.requests()[0];
    let names: Vec<&str> = seen.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["host", "x-b", "x-a", "content-length"]);
}

#[test]
fn chunked_bodies_and_trailers_travel_both_ways() {
    let backend = Backend::start("one");
    let mut request = Request::new("POST", "a", "/trailers");
    let trailers = vec![("x-sum".to_owned(), "7".to_owned())];
    request.body = Framing::Chunked(vec![b"ab".to_vec(), b"c".to_vec()], trailers.clone());
    let answer =
        send(backend.addr(), &request.header("te", "trailers").header("trailer", "x-sum")).expect("answered");
    assert_eq!(answer.body.len(), 100);
    assert_eq!(backend.requests()[0].body_len, 3);
    assert_eq!(backend.requests()[0].trailers, trailers);
    assert_eq!(answer.trailers, [("x-checksum".to_owned(), "abc".to_owned())]);
}

#[test]
fn http2_is_answered_on_the_same_port() {
    let backend = Backend::start("one");
    let request =
        http::Request::post("http://h2.example/p").header("x-a", "1").body("body".into()).expect("valid");
    let answer = client_h2::send(backend.addr(), &Transport::Plain, request).expect("answered");
    assert_eq!((answer.status, answer.json()["version"].as_str()), (200, Some("HTTP/2.0")));
    assert_eq!(answer.json()["authority"], "h2.example");
}

#[test]
fn an_answer_to_head_has_a_length_and_no_body() {
    let backend = Backend::start("one");
    let over_http1 = send(backend.addr(), &Request::new("HEAD", "a", "/bytes/1234")).expect("answered");
    let request = http::Request::head("http://a/bytes/1234").body(bytes::Bytes::new()).expect("valid");
    let over_http2 = client_h2::send(backend.addr(), &Transport::Plain, request).expect("answered");
    for answer in [over_http1, over_http2] {
        assert_eq!((answer.header("content-length"), answer.body.len()), (Some("1234"), 0));
    }
}

#[test]
fn wishes_are_granted() {
    let backend = Backend::start("one");
    let wish = |text: &str| send(backend.addr(), &Request::new("GET", "a", "/").header("x-backend-do", text));
    assert_eq!(wish("status/418").expect("answered").status, 418);
    assert_eq!(wish("bytes/1000").expect("answered").body.len(), 1000);
    assert_eq!(wish("stream/100000").expect("answered").body.len(), 100_000);
    let statuses = [(); 3].map(|()| wish("flaky/k/2").expect("answered").status);
    assert_eq!(statuses, [503, 503, 200]);
    assert!(wish("close").is_err(), "the connection was to be closed");
    assert!(wish("truncate/100").is_err(), "the body was to be broken off");
    let begun = Instant::now();
    wish("delay/120").expect("answered");
    assert!(begun.elapsed() >= Duration::from_millis(120));
}

#[test]
fn a_websocket_echoes_masked_frames_unmasked() {
    let backend = Backend::start("one");
    let mut connection = Connection::open(backend.addr()).expect("connected");
    let request = Request::new("GET", "a", "/ws")
        .header("connection", "upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    let answer = connection.send(&request).expect("answered");
    assert_eq!(answer.status, 101);
    assert_eq!(answer.header("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    connection.write(&[0x81, 0x82, 1, 2, 3, 4, b'h' ^ 1, b'i' ^ 2]).expect("written");
    assert_eq!(connection.read_exactly(4).expect("echoed"), [0x81, 2, b'h', b'i']);
}

#[test]
fn a_backend_answers_with_messages_of_grpc() {
    let backend = Backend::start("one");
    let request = Request::new("GET", "a", "/messages/2/0").header("te", "trailers");
    let answer = send(backend.addr(), &request).expect("answered");
    assert_eq!(answer.body, b"\0\0\0\0\x02mm\0\0\0\0\0");
    assert_eq!(answer.trailers.len(), 2);
}

#[test]
fn a_stopped_backend_frees_its_port() {
    let mut backend = Backend::start("one");
    let addr = backend.addr();
    assert_eq!(get(addr, "a", "/").expect("answered").status, 200);
    backend.stop();
    assert!(get(addr, "a", "/").is_err(), "nobody was to answer");
    let again = Backend::start_at("two", addr);
    assert_eq!(get(addr, "a", "/").expect("answered").backend().as_deref(), Some(again.name()));
}

#[test]
fn tls_needs_a_root_that_is_trusted_and_a_certificate_that_holds() {
    let authority = Authority::new("mesh.example");
    let serve = |validity| {
        let name = rcgen::SanType::DnsName("localhost".try_into().expect("ASCII"));
        let identity = authority.issue(vec![name], validity);
        let config = rustls::ServerConfig::builder_with_provider(crate::certs::provider())
            .with_safe_default_protocol_versions()
            .expect("aws-lc-rs has the default versions")
            .with_no_client_auth()
            .with_single_cert(vec![identity.cert_der()], identity.key_der())
            .expect("certificate and key belong together");
        Backend::start_tls("tls", std::sync::Arc::new(config))
    };
    let backend = serve(Validity::Current);
    let mut connection =
        Connection::open_tls(backend.addr(), "localhost", authority.client_config(None, &[])).expect("TLS");
    assert_eq!(connection.send(&Request::new("GET", "a", "/")).expect("answered").status, 200);
    let foreign = Authority::new("other.example").client_config(None, &[]);
    assert!(
        Connection::open_tls(backend.addr(), "localhost", foreign).is_err(),
        "a foreign root was trusted"
    );
    let expired = serve(Validity::Expired);
    let refused = Connection::open_tls(expired.addr(), "localhost", authority.client_config(None, &[]));
    assert!(refused.is_err(), "an expired certificate was trusted");
}

#[test]
fn load_counts_every_request_once() {
    let backend = Backend::start("one");
    let load = Load { connections: 4, requests_max: 100, ..Load::get(backend.addr(), "a", "/") };
    let report = load.run();
    assert_eq!((report.requests(), report.not_ok(), report.backends.get("one")), (100, 0, Some(&100)));
    assert_eq!(backend.requests().len(), 100);
    assert_eq!(backend.connections(), 4);
    let failing = Load { requests_max: 7, ..Load::get(crate::ports::free_addr(), "a", "/") }.run();
    assert_eq!((failing.requests(), failing.failures), (7, 7));
}

#[test]
fn a_process_ends_with_its_value_and_so_does_what_it_started() {
    let mut command = Command::new("sh");
    command.args(["-c", "sleep 60 & echo child $!; wait"]);
    let mut process = Process::spawn("sleeper", &mut command);
    process.wait_log("child", Duration::from_secs(5));
    let child = process.log().trim().trim_start_matches("child ").to_owned();
    let alive = || std::path::Path::new("/proc").join(&child).join("cwd").read_link().is_ok();
    assert!(alive(), "the grandchild was to run");
    drop(process);
    crate::wait::until("the grandchild ends", Duration::from_secs(5), || {
        if alive() { Err("it runs".to_owned()) } else { Ok(()) }
    });
}

#[test]
fn grpcio_speaks_to_grpcio() {
    let Some(backend) = GrpcBackend::start("g1") else { return };
    let answer = |call, argument| {
        grpc::call(backend.addr(), "echo.example", call, argument, None).expect("python is there")
    };
    let unary = answer("unary", "hello");
    assert_eq!(
        (unary["answer"].as_str(), unary["trailers"]["x-trailer"].as_str()),
        (Some("g1:hello"), Some("t-one"))
    );
    assert_eq!(answer("server-stream", "3")["answers"].as_array().map(Vec::len), Some(3));
    assert_eq!(answer("bidi", "5")["answers"].as_array().map(Vec::len), Some(5));
    assert_eq!(answer("fail", "ABORTED")["code"], "ABORTED");
    assert_eq!(answer("health", "echo.Echo")["answer"], 1);
}
