//! TLS settings that no HTTP request shows: openssl shakes hands with us and with Envoy, under one bootstrap.
//!
//! One rule: a handshake ends alike on both; what one side must show is written in the test, not taken from a run.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use harness::certs::{Authority, Key, Validity, uri};
use harness::peers::peer;
use harness::ports::free_addr;
use harness::process::Process;
use harness::{binaries, client, workspace};
use rcgen::SanType;
use serde_json::{Value, json};

const START_DEADLINE: Duration = Duration::from_secs(30);

const DOWNSTREAM: &str = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext";
const UPSTREAM: &str = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext";
const MANAGER: &str =
    "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const ROUTER: &str = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";

/// openssl, and the certificates of one test.
struct Bench {
    openssl: PathBuf,
    dir: tempfile::TempDir,
    authority: Authority,
}

impl Bench {
    fn new() -> Option<Self> {
        let openssl = peer("openssl")?;
        let (dir, authority) = (workspace::temp_dir(), Authority::new("mesh.example"));
        workspace::write(dir.path(), "root.crt", &authority.root_pem());
        let name = || vec![uri("spiffe://mesh.example/a")];
        authority.issue(name(), Validity::Current).write_to(dir.path(), "p256");
        authority.issue_with(Key::Rsa, name(), Validity::Current).write_to(dir.path(), "rsa");
        Some(Self { openssl, dir, authority })
    }

    fn path(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }

    fn certificate(&self, name: &str) -> Value {
        let file = |end: &str| json!({"filename": self.path(&format!("{name}.{end}"))});
        json!([{"certificate_chain": file("crt"), "private_key": file("key")}])
    }

    /// Our proxy, then Envoy when it is there, both started from these resources.
    fn each(&self, resources: &Value, addr: SocketAddr, mut look: impl FnMut(&str)) {
        let config =
            workspace::write(self.dir.path(), "b.json", &json!({"static_resources": resources}).to_string());
        let ours = Some(("tombolo-proxy", binaries::binary("tombolo-proxy")));
        for (name, binary) in [ours, peer("envoy").map(|path| ("envoy", path))].into_iter().flatten() {
            let mut proxy = start(name, &binary, &config);
            proxy.wait_accepts(addr, START_DEADLINE);
            look(name);
        }
    }

    /// What `openssl s_client` prints while it asks for `/`; a proxy that refuses the handshake gives no `200 OK`.
    fn ask(&self, addr: SocketAddr, arguments: &[&str]) -> String {
        let mut command = Command::new(&self.openssl);
        command.args(["s_client", "-ign_eof", "-connect", &addr.to_string()]).args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("openssl starts");
        let mut stdin = child.stdin.take().expect("its input is piped");
        // It may have ended before it read.
        let _ = stdin.write_all(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
        drop(stdin);
        let output = child.wait_with_output().expect("openssl ends");
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    }
}

fn start(name: &str, binary: &Path, config: &Path) -> Process {
    Process::spawn(name, &mut binaries::proxy(binary, config))
}

fn manager(route: &Value) -> Value {
    json!([{"name": "http", "typed_config": {
        "@type": MANAGER,
        "stat_prefix": "s",
        "http_filters": [{"name": "router", "typed_config": {"@type": ROUTER}}],
        "route_config": {"virtual_hosts": [{"name": "v", "domains": ["*"], "routes": [route]}]},
    }}])
}

fn listener(addr: SocketAddr, chain: &Value) -> Value {
    let socket = json!({"address": addr.ip().to_string(), "port_value": addr.port()});
    json!({"name": addr.to_string(), "address": {"socket_address": socket}, "filter_chains": [chain]})
}

fn tls_listener(addr: SocketAddr, common: &Value, require: bool) -> Value {
    let context =
        json!({"@type": DOWNSTREAM, "common_tls_context": common, "require_client_certificate": require});
    let route = json!({"match": {"prefix": "/"}, "direct_response": {"status": 200}});
    listener(
        addr,
        &json!({
            "filters": manager(&route),
            "transport_socket": {"name": "tls", "typed_config": context},
        }),
    )
}

/// The line that begins with `label`, without it.
fn said<'a>(output: &'a str, label: &str) -> Option<&'a str> {
    output.lines().find_map(|line| line.strip_prefix(label)).map(str::trim)
}

#[test]
fn a_server_signs_with_what_its_context_allows_only() {
    let Some(bench) = Bench::new() else { return };
    // Certificate, allowed, what openssl offers, and with what the server signed.
    let rows = [
        ("rsa", "rsa_pss_rsae_sha384", "-tls1_3", "RSA-PSS+SHA256:RSA-PSS+SHA384", Some("SHA384 RSA-PSS")),
        ("rsa", "rsa_pss_rsae_sha384", "-tls1_3", "RSA-PSS+SHA256", None),
        ("rsa", "rsa_pkcs1_sha256", "-tls1_2", "RSA-PSS+SHA256:RSA+SHA256", Some("SHA256 RSA")),
        ("rsa", "rsa_pkcs1_sha256", "-tls1_3", "RSA-PSS+SHA256:RSA+SHA256", None),
        ("p256", "ecdsa_secp256r1_sha256", "-tls1_3", "ECDSA+SHA384:ECDSA+SHA256", Some("SHA256 ECDSA")),
        ("p256", "ecdsa_secp384r1_sha384", "-tls1_3", "ECDSA+SHA256:ECDSA+SHA384", None),
    ];
    for (certificate, allowed, version, offered, expected) in rows {
        let addr = free_addr();
        let common = json!({
            "tls_certificates": bench.certificate(certificate),
            "tls_params": {"signature_algorithms": [allowed], "tls_maximum_protocol_version": "TLSv1_3"},
        });
        let resources = json!({"listeners": [tls_listener(addr, &common, false)]});
        bench.each(&resources, addr, |name| {
            let output = bench.ask(addr, &[version, "-sigalgs", offered]);
            let signed = said(&output, "Peer signing digest:").zip(said(&output, "Peer signature type:"));
            let signed = signed.map(|(digest, kind)| format!("{digest} {kind}"));
            let case = format!("{name}, {certificate}, {allowed}, {version} {offered}");
            assert_eq!(signed.as_deref(), expected, "{case}:\n{output}");
            assert_eq!(output.contains("200 OK"), expected.is_some(), "{case}:\n{output}");
        });
    }
}

#[test]
fn a_server_lets_clients_sign_with_what_its_context_allows_only() {
    let Some(bench) = Bench::new() else { return };
    for (allowed, asked, accepted) in [
        (json!(["ecdsa_secp256r1_sha256", "ed25519"]), "ECDSA+SHA256:ed25519", true),
        (json!(["rsa_pss_rsae_sha256", "ecdsa_secp384r1_sha384"]), "RSA-PSS+SHA256:ECDSA+SHA384", false),
    ] {
        let addr = free_addr();
        let common = json!({
            "tls_certificates": bench.certificate("rsa"),
            "tls_params": {"signature_algorithms": with_own(&allowed)},
            "validation_context": {"trusted_ca": {"filename": bench.path("root.crt")}},
        });
        let resources = json!({"listeners": [tls_listener(addr, &common, true)]});
        bench.each(&resources, addr, |name| {
            let (cert, key) = (bench.path("p256.crt"), bench.path("p256.key"));
            let output = bench.ask(addr, &["-tls1_3", "-cert", &cert, "-key", &key]);
            let requested = said(&output, "Requested Signature Algorithms:");
            assert_eq!(requested, Some(&*format!("{asked}:RSA-PSS+SHA512")), "{name}:\n{output}");
            assert_eq!(output.contains("200 OK"), accepted, "{name}, {allowed}:\n{output}");
        });
    }
}

/// What the server's own RSA key needs, behind what is tested.
fn with_own(allowed: &Value) -> Value {
    let mut all = allowed.as_array().cloned().unwrap_or_default();
    all.push(json!("rsa_pss_rsae_sha512"));
    json!(all)
}

#[test]
fn a_client_offers_and_signs_with_what_its_context_allows_only() {
    let Some(bench) = Bench::new() else { return };
    // Allowed, what openssl's server reads of it, what that server lets clients sign with, the status of a request.
    let rows = [
        (
            ["rsa_pss_rsae_sha384", "ecdsa_secp256r1_sha256"],
            "RSA-PSS+SHA384:ECDSA+SHA256",
            "ECDSA+SHA256",
            200,
        ),
        (["rsa_pss_rsae_sha384", "ecdsa_secp384r1_sha384"], "", "ECDSA+SHA256:ECDSA+SHA384", 503),
        (["ecdsa_secp256r1_sha256", "ed25519"], "", "ECDSA+SHA256", 503),
    ];
    for (allowed, read, wanted, status) in rows {
        let [addr, behind] = [(); 2].map(|()| free_addr());
        let mut command = Command::new(&bench.openssl);
        command.args(["s_server", "-www", "-accept", &behind.to_string(), "-Verify", "1", "-tls1_3"]);
        command.args(["-client_sigalgs", wanted, "-CAfile", &bench.path("root.crt"), "-verify_return_error"]);
        command.args(["-cert", &bench.path("rsa.crt"), "-key", &bench.path("rsa.key")]);
        let mut server = Process::spawn("openssl", &mut command);
        server.wait_accepts(behind, START_DEADLINE);
        let common = json!({
            "tls_certificates": bench.certificate("p256"),
            "tls_params": {"signature_algorithms": allowed, "tls_maximum_protocol_version": "TLSv1_3"},
        });
        let route = json!({"match": {"prefix": "/"}, "route": {"cluster": "c"}});
        let resources = json!({
            "listeners": [listener(addr, &json!({"filters": manager(&route)}))],
            "clusters": [cluster(behind, &common)],
        });
        bench.each(&resources, addr, |name| {
            let answer = client::get(addr, "a", "/").expect("the proxy answers");
            assert_eq!(answer.status, status, "{name}, {allowed:?}: {}\n{}", answer.text(), server.log());
            let text = answer.text();
            let offered = said(&text, "Signature Algorithms:").unwrap_or_default();
            assert_eq!(offered, read, "{name}, {allowed:?}: {text}");
        });
    }
}

fn cluster(behind: SocketAddr, common: &Value) -> Value {
    let socket = json!({"address": behind.ip().to_string(), "port_value": behind.port()});
    let endpoint = json!({"endpoint": {"address": {"socket_address": socket}}});
    json!({
        "name": "c",
        "type": "STATIC",
        "connect_timeout": "5s",
        "load_assignment": {"cluster_name": "c", "endpoints": [{"lb_endpoints": [endpoint]}]},
        "transport_socket": {"name": "tls", "typed_config": {"@type": UPSTREAM, "common_tls_context": common}},
    })
}

/// The object identifier of Microsoft's user principal name.
const UPN: &str = "1.3.6.1.4.1.311.20.2.3";

#[test]
fn names_of_other_kinds_and_wildcards_are_matched_alike() {
    let Some(bench) = Bench::new() else { return };
    let other = |oid: &[u64], text: &str| SanType::OtherName((oid.to_vec(), text.into()));
    let upn: Vec<u64> = UPN.split('.').map(|arc| arc.parse().expect("a number")).collect();
    let dns = |name: &str| SanType::DnsName(name.try_into().expect("ASCII"));
    let rows = [
        (
            other(&upn, "ann@a"),
            json!({"san_type": "OTHER_NAME", "oid": UPN, "matcher": {"exact": "ann@a"}}),
            true,
        ),
        (
            other(&upn, "bob@a"),
            json!({"san_type": "OTHER_NAME", "oid": UPN, "matcher": {"exact": "ann@a"}}),
            false,
        ),
        (
            other(&upn, "ann@a"),
            json!({"san_type": "OTHER_NAME", "oid": "1.2.3", "matcher": {"exact": "ann@a"}}),
            false,
        ),
        (
            other(&[1, 2, 3], "ann@a"),
            json!({"san_type": "OTHER_NAME", "oid": UPN, "matcher": {"prefix": "ann"}}),
            false,
        ),
        (dns("ann"), json!({"san_type": "OTHER_NAME", "oid": UPN, "matcher": {"prefix": "ann"}}), false),
        (other(&upn, "ann"), json!({"san_type": "DNS", "oid": UPN, "matcher": {"prefix": "ann"}}), false),
        (dns("ann"), json!({"san_type": "DNS", "oid": UPN, "matcher": {"prefix": "ann"}}), true),
        (dns("*.a.b"), json!({"san_type": "DNS", "matcher": {"exact": "X.A.b"}}), true),
        (dns("*.a.b"), json!({"san_type": "DNS", "matcher": {"exact": "x.y.a.b"}}), false),
        (dns("*.a.b"), json!({"san_type": "DNS", "matcher": {"suffix": "x.a.b"}}), false),
        (dns("*.a.b"), json!({"san_type": "URI", "matcher": {"exact": "x.a.b"}}), false),
        (dns("x*.a.b"), json!({"san_type": "DNS", "matcher": {"exact": "xy.a.b"}}), true),
    ];
    for (san, matcher, accepted) in rows {
        let addr = free_addr();
        bench.authority.issue(vec![san.clone()], Validity::Current).write_to(bench.dir.path(), "client");
        let root = bench.path("root.crt");
        let common = json!({
            "tls_certificates": bench.certificate("rsa"),
            "validation_context":
                {"trusted_ca": {"filename": root}, "match_typed_subject_alt_names": [matcher]},
        });
        let resources = json!({"listeners": [tls_listener(addr, &common, true)]});
        bench.each(&resources, addr, |name| {
            let (cert, key) = (bench.path("client.crt"), bench.path("client.key"));
            let output = bench.ask(addr, &["-cert", &cert, "-key", &key]);
            assert_eq!(output.contains("200 OK"), accepted, "{name}, {san:?}, {matcher}:\n{output}");
        });
    }
}
