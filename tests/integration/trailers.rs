//! Trailers of requests and responses through two gateways: they pass where every HTTP/1.1 side on the way has
//! `enable_trailers`, as in Envoy, which is held to the same table.
//!
//! One rule: every way through is tried, so that no side can stand in for another.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use harness::backend::Backend;
use harness::client_h2::{self, Transport};
use harness::message::{Framing, Request, Response};
use harness::peers::peer;
use harness::ports::free_addr;
use harness::process::Process;
use harness::{binaries, client, workspace};
use http::{HeaderMap, HeaderValue};

const START_DEADLINE: Duration = Duration::from_secs(30);

/// How one gateway reaches the next hop.
const CLUSTERS: [(&str, Speaks); 3] =
    [("http1-pass", Speaks::Http1(true)), ("http1-drop", Speaks::Http1(false)), ("http2", Speaks::Http2)];

/// What stands on one side of a hop; of HTTP/1.1, whether it passes trailers on.
#[derive(Clone, Copy, PartialEq)]
enum Speaks {
    Http1(bool),
    Http2,
}

/// One of the programs that can be a gateway.
#[derive(Clone, Copy, Debug)]
enum Program {
    Ours,
    Envoy,
}

/// A gateway with two listeners: the first passes trailers of HTTP/1.1, the second drops them.
struct Gateway {
    _process: Process,
    listeners: [SocketAddr; 2],
}

impl Gateway {
    /// Clusters towards both addresses in `next`; the field `choice` names the one to take.
    fn start(program: Program, dir: &Path, choice: &str, next: [SocketAddr; 2]) -> Self {
        let listeners = [(); 2].map(|()| free_addr());
        let text = bootstrap(choice, listeners, next);
        let config = workspace::write(dir, &format!("{choice}.yaml"), &text);
        let binary = match program {
            Program::Ours => binaries::binary("tombolo-proxy"),
            Program::Envoy => peer("envoy").expect("the test looked for it"),
        };
        let mut process =
            Process::spawn(&format!("{program:?} {choice}"), &mut binaries::proxy(&binary, &config));
        for listener in listeners {
            process.wait_accepts(listener, START_DEADLINE);
        }
        Self { _process: process, listeners }
    }
}

fn bootstrap(choice: &str, listeners: [SocketAddr; 2], next: [SocketAddr; 2]) -> String {
    let (mut routes, mut clusters) = (String::new(), String::new());
    for (name, speaks) in CLUSTERS {
        for (side, addr) in next.iter().enumerate() {
            let options = match speaks {
                Speaks::Http1(pass) => format!("http_protocol_options: {{ enable_trailers: {pass} }}"),
                Speaks::Http2 => "http2_protocol_options: {}".to_owned(),
            };
            routes.push_str(&format!(
                "              - match: {{ prefix: /, headers: [{{ name: {choice}, string_match: {{ exact: {name}-{side} \
                 }} }}] }}\n                route: {{ cluster: {name}-{side} }}\n"
            ));
            clusters.push_str(&include_str!("trailers/cluster.yaml").replace("@OPTIONS@", &options));
            clusters = clusters.replace("@NAME@", &format!("{name}-{side}"));
            clusters = clusters.replace("@PORT@", &addr.port().to_string());
        }
    }
    let listener = |addr: SocketAddr, pass: bool| {
        let text = include_str!("trailers/listener.yaml").replace("@PORT@", &addr.port().to_string());
        text.replace("@PASS@", &pass.to_string()).replace("@ROUTES@\n", &routes)
    };
    let [pass, drop] = listeners;
    let listeners = listener(pass, true) + &listener(drop, false);
    format!("static_resources:\n  listeners:\n{listeners}  clusters:\n{clusters}")
}

/// One way from the client to the backend.
#[derive(Clone, Copy)]
struct Way {
    client: Speaks,
    /// Which listener of each gateway; whether it passes trailers of HTTP/1.1.
    listeners: [bool; 2],
    /// Which cluster of each gateway.
    clusters: [(&'static str, Speaks); 2],
}

impl Way {
    fn all() -> Vec<Self> {
        let mut ways = Vec::new();
        for client in [Speaks::Http1(true), Speaks::Http2] {
            for listeners in [[true, true], [true, false], [false, true], [false, false]] {
                for clusters in CLUSTERS.into_iter().flat_map(|one| CLUSTERS.map(|two| [one, two])) {
                    ways.push(Self { client, listeners, clusters });
                }
            }
        }
        ways
    }

    /// Whether every side that speaks HTTP/1.1 passes trailers on; HTTP/2 always does.
    fn passes(&self) -> bool {
        let [(_, first), (_, second)] = self.clusters;
        let received = |speaks: Speaks, listener: bool| if speaks == Speaks::Http2 { true } else { listener };
        let sent = |speaks: Speaks| speaks != Speaks::Http1(false);
        received(self.client, self.listeners[0])
            && sent(first)
            && received(first, self.listeners[1])
            && sent(second)
    }

    fn send(&self, gateway: &Gateway) -> Response {
        let side = |pass: bool| usize::from(!pass);
        let addr = gateway.listeners[side(self.listeners[0])];
        let [(first, _), (second, _)] = self.clusters;
        let chosen = [
            ("x-choice-1", format!("{first}-{}", side(self.listeners[1]))),
            ("x-choice-2", format!("{second}-0")),
        ];
        if self.client == Speaks::Http2 {
            let mut request = http::Request::post("http://any.test/trailers").header("te", "trailers");
            for (name, value) in chosen {
                request = request.header(name, value);
            }
            let trailers =
                HeaderMap::from_iter([("x-sum".parse().expect("valid"), HeaderValue::from_static("7"))]);
            let request = request.body("abc".into()).expect("valid");
            return client_h2::send_with_trailers(addr, &Transport::Plain, request, trailers)
                .expect("answered");
        }
        let mut request = Request::new("POST", "any.test", "/trailers").header("te", "trailers");
        for (name, value) in chosen {
            request = request.header(name, &value);
        }
        let trailers = vec![("x-sum".to_owned(), "7".to_owned())];
        request.body = Framing::Chunked(vec![b"abc".to_vec()], trailers);
        client::send(addr, &request.header("connection", "te")).expect("answered")
    }
}

fn trailers_pass_where_every_side_has_them_enabled(program: Program) {
    let dir = workspace::temp_dir();
    let backend = Backend::start("shop");
    let second = Gateway::start(program, dir.path(), "x-choice-2", [backend.addr(); 2]);
    let first = Gateway::start(program, dir.path(), "x-choice-1", second.listeners);
    let ways = Way::all();
    for way in &ways {
        let answer = way.send(&first);
        let told = format!(
            "{program:?}, client HTTP/2: {}, listeners pass {:?}, clusters {:?}",
            way.client == Speaks::Http2,
            way.listeners,
            way.clusters.map(|(name, _)| name)
        );
        assert_eq!((answer.status, answer.body.len()), (200, 100), "{told}");
        let received = backend.requests().pop().expect("it answered");
        assert_eq!(received.body_len, 3, "{told}");
        let field = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
        let wanted = |trailers| if way.passes() { trailers } else { Vec::new() };
        assert_eq!(received.trailers, wanted(field("x-sum", "7")), "request, {told}");
        assert_eq!(answer.trailers, wanted(field("x-checksum", "abc")), "response, {told}");
    }
    let passing = ways.iter().filter(|way| way.passes()).count();
    println!("{program:?}: {} ways, trailers pass on {passing} of them and on no other", ways.len());
}

#[test]
fn trailers_pass_two_gateways_where_every_side_has_them_enabled() {
    trailers_pass_where_every_side_has_them_enabled(Program::Ours);
}

#[test]
fn trailers_pass_two_envoys_by_the_same_table() {
    if peer("envoy").is_some() {
        trailers_pass_where_every_side_has_them_enabled(Program::Envoy);
    }
}
