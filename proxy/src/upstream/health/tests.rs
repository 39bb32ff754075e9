//! Checks against real backends on loopback.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Duration;

use ::http::{HeaderMap, HeaderValue, Method, Request, Response};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use xds::model::{self, GrpcHealthCheck, HttpHealthCheck, StringMatcher, TcpHealthCheck};

use super::grpc::{HealthCheckRequest, HealthCheckResponse, PREFIX_BYTES, SERVING, frame};
use super::*;
use crate::upstream::fixture::{cluster, endpoint, model, tcp_check};
use crate::upstream::state::Availability;

/// What a backend saw and what it is to answer next; the last answer is repeated.
#[derive(Debug)]
struct Script<A> {
    answers: Mutex<VecDeque<A>>,
    seen: Mutex<Vec<String>>,
    connections: Mutex<usize>,
}

impl<A: Clone> Script<A> {
    fn new(answers: impl IntoIterator<Item = A>) -> Arc<Self> {
        let answers = Mutex::new(answers.into_iter().collect());
        Arc::new(Self { answers, seen: Mutex::default(), connections: Mutex::default() })
    }

    fn next(&self, seen: String) -> A {
        self.seen.lock().unwrap().push(seen);
        let mut answers = self.answers.lock().unwrap();
        if answers.len() > 1 { answers.pop_front().unwrap() } else { answers[0].clone() }
    }
}

type Answered = Response<http_body_util::combinators::BoxBody<Bytes, std::convert::Infallible>>;

/// A backend for HTTP/1.1 or HTTP/2, whose requests are answered by `answer`.
async fn http_backend<A, F>(http2: bool, script: Arc<Script<A>>, answer: F) -> SocketAddr
where
    A: Clone + Send + 'static,
    F: AsyncFnAnswer<A>,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            *script.connections.lock().unwrap() += 1;
            let script = Arc::clone(&script);
            let service = service_fn(move |request: Request<Incoming>| {
                let script = Arc::clone(&script);
                async move { Ok::<_, std::convert::Infallible>(answer.answer(request, &script).await) }
            });
            let io = TokioIo::new(stream);
            if http2 {
                let serving = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                tokio::spawn(serving.serve_connection(io, service));
            } else {
                tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(io, service));
            }
        }
    });
    address
}

/// How a backend answers.
trait AsyncFnAnswer<A>: Copy + Send + 'static {
    fn answer(self, request: Request<Incoming>, script: &Script<A>) -> impl Future<Output = Answered> + Send;
}

/// Answers with statuses; 0 is silence.
#[derive(Clone, Copy)]
struct Statuses;

impl AsyncFnAnswer<u16> for Statuses {
    async fn answer(self, request: Request<Incoming>, script: &Script<u16>) -> Answered {
        let host = request.headers().get("host").and_then(|host| host.to_str().ok());
        let host = host.or(request.uri().authority().map(|authority| authority.as_str()));
        let extra = request.headers().get("x-check").and_then(|value| value.to_str().ok());
        let (host, extra) = (host.unwrap_or_default(), extra.unwrap_or_default());
        let status = script.next(format!("{} {host}{} {extra}", request.method(), request.uri().path()));
        if status == 0 {
            std::future::pending::<()>().await;
        }
        Response::builder()
            .status(status)
            .header("x-envoy-upstream-healthchecked-cluster", "payments-v2")
            .body(Full::new(Bytes::from_static(b"body")).boxed())
            .unwrap()
    }
}

/// Answers gRPC: a serving status, or a gRPC status alone.
#[derive(Clone, Copy)]
struct Grpc;

#[derive(Debug, Clone, Copy)]
enum GrpcAnswer {
    Serving(i32),
    Status(&'static str),
}

impl AsyncFnAnswer<GrpcAnswer> for Grpc {
    async fn answer(self, request: Request<Incoming>, script: &Script<GrpcAnswer>) -> Answered {
        let (parts, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let asked = HealthCheckRequest::decode(&body[PREFIX_BYTES..]).unwrap().service;
        let authority = parts.uri.authority().unwrap().to_string();
        let answer = script.next(format!("{authority}{} {asked}", parts.uri.path()));
        let response = Response::builder().header("content-type", "application/grpc");
        match answer {
            GrpcAnswer::Status(status) => {
                let empty = Full::new(Bytes::new()).boxed();
                response.header("grpc-status", status).body(empty).unwrap()
            }
            GrpcAnswer::Serving(status) => {
                let mut trailers = HeaderMap::new();
                trailers.insert("grpc-status", HeaderValue::from_static("0"));
                let message = frame(&HealthCheckResponse { status }).unwrap();
                let frames = [Frame::data(message), Frame::trailers(trailers)].map(Ok);
                response.body(StreamBody::new(futures_util::stream::iter(frames)).boxed()).unwrap()
            }
        }
    }
}

fn http_check() -> HttpHealthCheck {
    HttpHealthCheck {
        host: String::new(),
        path: "/healthz".to_owned(),
        method: Method::GET,
        request_headers_to_add: Vec::new(),
        expected_statuses: Vec::new(),
        retriable_statuses: Vec::new(),
        http2: false,
        service_name: None,
    }
}

/// A checked cluster of one endpoint, running.
fn checked(
    address: SocketAddr,
    kind: HealthCheckKind,
    change: impl FnOnce(&mut HealthCheck),
) -> Arc<Cluster> {
    let mut check = HealthCheck { kind, timeout: Duration::from_millis(300), ..tcp_check() };
    change(&mut check);
    let cluster = cluster(model::Cluster { health_checks: vec![check], ..model(vec![endpoint(address)]) });
    cluster.start(&tokio::runtime::Handle::current());
    cluster
}

fn is_healthy(cluster: &Cluster) -> bool {
    cluster.endpoints().hosts()[0].availability() == Availability::Healthy
}

async fn until(what: &str, done: impl Fn() -> bool) {
    for _ in 0..500 {
        if done() {
            return;
        }
        sleep(Duration::from_millis(10)).await;
    }
    panic!("not within five seconds: {what}");
}

fn count(cluster: &Cluster, metric: ClusterMetric) -> u64 {
    cluster.stats().get(metric)
}

#[tokio::test]
async fn an_http_check_follows_the_endpoint_down_and_up() {
    let script = Script::new([200, 200, 503, 503, 503, 503, 503, 200]);
    let address = http_backend(false, Arc::clone(&script), Statuses).await;
    let mut check = http_check();
    check.host = "service.test".to_owned();
    check.request_headers_to_add = vec![("x-check".to_owned(), "yes".to_owned())];
    let cluster = checked(address, HealthCheckKind::Http(Box::new(check)), |check| {
        check.no_traffic_interval = Duration::from_millis(60);
    });
    assert!(!is_healthy(&cluster), "before the first check");
    cluster.ready().await;
    assert!(is_healthy(&cluster));
    until("the 503", || !is_healthy(&cluster)).await;
    until("the 200 after it", || is_healthy(&cluster)).await;
    assert_eq!(script.seen.lock().unwrap()[0], "GET service.test/healthz yes");
    assert_eq!(count(&cluster, ClusterMetric::HealthCheckFailure), 5);
    assert_eq!(count(&cluster, ClusterMetric::HealthCheckNetworkFailure), 0, "it answered");
    assert!(count(&cluster, ClusterMetric::HealthCheckSuccess) >= 3);
}

#[tokio::test]
async fn connections_are_kept_between_checks_only_when_asked() {
    for (reuse, http2) in [(true, false), (true, true), (false, false)] {
        let script = Script::new([200]);
        let address = http_backend(http2, Arc::clone(&script), Statuses).await;
        let check = HttpHealthCheck { http2, ..http_check() };
        let cluster =
            checked(address, HealthCheckKind::Http(Box::new(check)), |check| check.reuse_connection = reuse);
        until("four checks", || count(&cluster, ClusterMetric::HealthCheckSuccess) >= 4).await;
        drop(cluster);
        let connections = *script.connections.lock().unwrap();
        assert_eq!(connections == 1, reuse, "reuse: {reuse}, http2: {http2}, {connections} connections");
        assert_eq!(script.seen.lock().unwrap()[0], "GET test/healthz ", "the cluster's name is the host");
    }
}

#[tokio::test]
async fn an_answer_of_another_service_is_no_answer() {
    for (expected, want) in [("payments-v2", true), ("orders", false)] {
        let address = http_backend(false, Script::new([200]), Statuses).await;
        let check = HttpHealthCheck { service_name: Some(StringMatcher::exact(expected)), ..http_check() };
        let cluster = checked(address, HealthCheckKind::Http(Box::new(check)), |_| {});
        cluster.ready().await;
        assert_eq!(is_healthy(&cluster), want, "expected {expected}");
        assert_eq!(count(&cluster, ClusterMetric::HealthCheckVerifyCluster) > 0, !want);
    }
}

#[tokio::test]
async fn a_check_that_hangs_has_failed() {
    let address = http_backend(false, Script::new([200, 0]), Statuses).await;
    let cluster = checked(address, HealthCheckKind::Http(Box::new(http_check())), |check| {
        check.timeout = Duration::from_millis(50);
        check.unhealthy_threshold = 2;
    });
    cluster.ready().await;
    assert!(is_healthy(&cluster), "the first check was answered");
    until("the silence counts", || !is_healthy(&cluster)).await;
    let silences = count(&cluster, ClusterMetric::HealthCheckNetworkFailure);
    assert!(silences >= 2, "after {silences} silences, two are the threshold");
}

#[tokio::test]
async fn an_endpoint_can_be_checked_at_another_port_and_under_another_name() {
    let script = Script::new([200]);
    let address = http_backend(false, Arc::clone(&script), Statuses).await;
    let mut endpoint = endpoint(([127, 0, 0, 1], 1));
    endpoint.health_check_port = Some(address.port());
    endpoint.health_check_hostname = "check.test".to_owned();
    let kind = HealthCheckKind::Http(Box::new(http_check()));
    let check = HealthCheck { kind, alt_port: Some(2), ..tcp_check() };
    let cluster = cluster(model::Cluster { health_checks: vec![check], ..model(vec![endpoint]) });
    cluster.start(&tokio::runtime::Handle::current());
    cluster.ready().await;
    assert!(is_healthy(&cluster));
    assert_eq!(script.seen.lock().unwrap()[0], "GET check.test/healthz ");
}

#[tokio::test]
async fn a_grpc_check_asks_for_its_service() {
    let script = Script::new([GrpcAnswer::Serving(SERVING)]);
    let address = http_backend(true, Arc::clone(&script), Grpc).await;
    let check = GrpcHealthCheck {
        service_name: "orders.Orders".to_owned(),
        authority: "orders.test".to_owned(),
        initial_metadata: Vec::new(),
    };
    let cluster = checked(address, HealthCheckKind::Grpc(check), |check| check.reuse_connection = true);
    cluster.ready().await;
    assert!(is_healthy(&cluster));
    until("three checks", || count(&cluster, ClusterMetric::HealthCheckSuccess) >= 3).await;
    assert_eq!(script.seen.lock().unwrap()[0], "orders.test/grpc.health.v1.Health/Check orders.Orders");
    assert_eq!(*script.connections.lock().unwrap(), 1);
}

#[tokio::test]
async fn a_grpc_service_that_does_not_serve_is_down_at_once() {
    for answer in [GrpcAnswer::Serving(2), GrpcAnswer::Status("5"), GrpcAnswer::Status("12")] {
        let address = http_backend(true, Script::new([answer]), Grpc).await;
        let check = GrpcHealthCheck {
            service_name: String::new(),
            authority: String::new(),
            initial_metadata: Vec::new(),
        };
        let cluster = checked(address, HealthCheckKind::Grpc(check), |_| {});
        cluster.ready().await;
        assert!(!is_healthy(&cluster), "{answer:?}");
        assert_eq!(count(&cluster, ClusterMetric::HealthCheckNetworkFailure), 0, "{answer:?}");
    }
}

#[tokio::test]
async fn a_tcp_check_speaks_and_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut asked = [0; 4];
                while stream.read_exact(&mut asked).await.is_ok() {
                    let answer: &[u8] = if asked == *b"ping" { b"+pong\r\n" } else { b"-err\r\n" };
                    stream.write_all(answer).await.unwrap();
                }
            });
        }
    });
    for (send, want) in [("ping", true), ("pang", false)] {
        let tcp = TcpHealthCheck { send: send.into(), receive: vec![b"pong".to_vec()] };
        let cluster = checked(address, HealthCheckKind::Tcp(tcp), |check| check.reuse_connection = true);
        cluster.ready().await;
        assert_eq!(is_healthy(&cluster), want, "sent {send}");
    }
}

#[tokio::test]
async fn a_tcp_check_without_bytes_only_connects() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let kind = || HealthCheckKind::Tcp(TcpHealthCheck { send: Vec::new(), receive: Vec::new() });
    let cluster = checked(address, kind(), |_| {});
    cluster.ready().await;
    assert!(is_healthy(&cluster));
    drop(listener);
    until("nobody listens", || !is_healthy(&cluster)).await;
}

#[tokio::test]
async fn checks_follow_the_endpoints() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let source = model::ConfigSource::Ads { initial_fetch_timeout: None };
    let cluster = cluster(model::Cluster {
        discovery: model::Discovery::Eds { service_name: String::new(), source },
        health_checks: vec![tcp_check()],
        ..model(Vec::new())
    });
    cluster.start(&tokio::runtime::Handle::current());
    let assign = |endpoints| {
        let localities = vec![crate::upstream::fixture::locality(0, endpoints)];
        cluster.update_endpoints(&crate::upstream::fixture::assignment(localities));
    };
    let mut unchecked = endpoint(([127, 0, 0, 1], 1));
    unchecked.disable_active_health_check = true;
    assign(vec![endpoint(address), unchecked]);
    cluster.ready().await;
    let healthy = cluster.endpoints().tally().healthy;
    assert_eq!(healthy, 2, "one passes, one is not checked");
    drop(listener);
    until("the first fails", || cluster.endpoints().tally().healthy == 1).await;
    assign(Vec::new());
    let attempts = count(&cluster, ClusterMetric::HealthCheckAttempt);
    sleep(Duration::from_millis(100)).await;
    let later = count(&cluster, ClusterMetric::HealthCheckAttempt);
    assert!(later <= attempts + 1, "{attempts} checks, then {later} though nobody is left");
}

#[tokio::test]
async fn checks_end_with_their_cluster() {
    let script = Script::new([200]);
    let address = http_backend(false, Arc::clone(&script), Statuses).await;
    let cluster = checked(address, HealthCheckKind::Http(Box::new(http_check())), |_| {});
    cluster.ready().await;
    drop(cluster);
    sleep(Duration::from_millis(50)).await;
    let seen = script.seen.lock().unwrap().len();
    sleep(Duration::from_millis(150)).await;
    assert_eq!(script.seen.lock().unwrap().len(), seen, "nobody asks any more");
}
