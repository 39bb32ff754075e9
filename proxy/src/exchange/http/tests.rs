use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use xds::model::{self, NetworkFilter, RouteSource};

use super::{handle, reject};
use crate::body::{Body, Frame, Interim, Request, RequestHead, Response, Scheme, Text, Version};
use crate::error::{Error, Reason};
use crate::exchange::context::Worker;
use crate::fields::Fields;
use crate::observe::access_log::{Environment, Outputs};
use crate::observe::metrics::Registry;
use crate::observe::record::ConnectionFacts;
use crate::policy::http::{HttpMetric, HttpPolicy, Shared};
use crate::policy::route::RouteTable;
use crate::policy::samples;
use crate::policy::samples::connection;
use crate::upstream::{Cluster, Clusters, Transports};

/// A backend that echoes heads, or does what the path says; counts the requests it read.
async fn backend() -> (u16, Rc<Cell<u32>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let requests = Rc::new(Cell::new(0));
    let counted = Rc::clone(&requests);
    tokio::task::spawn_local(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::task::spawn_local(serve(stream, Rc::clone(&counted)));
        }
    });
    (port, requests)
}

async fn serve(mut stream: TcpStream, requests: Rc<Cell<u32>>) {
    let mut input = Vec::new();
    loop {
        let head_end = loop {
            if let Some(at) = input.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            if stream.read_buf(&mut input).await.unwrap_or(0) == 0 {
                return;
            }
        };
        let head = String::from_utf8(input[..head_end].to_vec()).unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.map_or(0, |length| length.parse().unwrap());
        while input.len() < head_end + length {
            if stream.read_buf(&mut input).await.unwrap_or(0) == 0 {
                return;
            }
        }
        let body = String::from_utf8(input[head_end..head_end + length].to_vec()).unwrap();
        input.drain(..head_end + length);
        requests.set(requests.get() + 1);
        let path = head.split(' ').nth(1).unwrap();
        let answer = |status: u16, text: &str| {
            let length = text.len();
            format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nserver: backend\r\n\r\n{text}")
        };
        let answer = match path {
            "/close" => return,
            "/hang" => std::future::pending().await,
            "/broken" => "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc".to_owned(),
            "/flaky" if requests.get() == 1 => answer(503, "not yet"),
            "/ws" => {
                let open = "HTTP/1.1 101 X\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
                stream.write_all(open.as_bytes()).await.unwrap();
                let mut byte = [0; 5];
                stream.read_exact(&mut byte).await.unwrap();
                stream.write_all(&byte).await.unwrap();
                return;
            }
            "/503" => answer(503, "sorry"),
            "/grpc" => "HTTP/1.1 200 OK\r\ncontent-length: 0\r\ncontent-type: application/grpc\r\n\
                        grpc-status: 5\r\n\r\n"
                .to_owned(),
            _ => answer(200, &format!("{head}{body}")),
        };
        stream.write_all(answer.as_bytes()).await.unwrap();
        if path == "/broken" {
            return;
        }
    }
}

/// A proxy without sockets of its own: what a listener's chain would hand a request to.
struct Proxy {
    worker: Worker,
    connection: Rc<ConnectionFacts>,
    policy: Arc<HttpPolicy>,
    routes: RouteTable,
    clusters: Clusters,
    outputs: Arc<Outputs>,
    log: std::path::PathBuf,
    requests: Rc<Cell<u32>>,
    _directory: tempfile::TempDir,
}

const CONFIG: &str = r#"
static_resources:
  listeners:
  - name: l
    address: {socket_address: {address: 127.0.0.1, port_value: 0}}
    filter_chains:
    - filters:
      - name: hcm
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: in
          access_log:
          - name: f
            typed_config:
              "@type": type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog
              path: LOG
              log_format: {text_format_source: {inline_string: "%REQ(:METHOD)% %REQ(:PATH)% %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %ROUTE_NAME% %UPSTREAM_CLUSTER% %BYTES_RECEIVED% %BYTES_SENT% %UPSTREAM_REQUEST_ATTEMPT_COUNT% %GRPC_STATUS% %RESP(SERVER)%\n"}}
          http_filters: [{name: r, typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}]
          route_config:
            name: rc
            response_headers_to_add: [{header: {key: x-resp, value: "%RESPONSE_CODE% %RESPONSE_FLAGS% %REQ(X-ASK)%"}}]
            virtual_hosts:
            - name: a
              domains: ["*"]
              include_attempt_count_in_response: true
              include_request_attempt_count: true
              routes:
              - {name: direct, match: {path: /direct}, direct_response: {status: 200, body: {inline_string: hello}}}
              - {name: moved, match: {prefix: /moved}, redirect: {https_redirect: true}}
              - {name: ws, match: {path: /ws}, route: {cluster: c, upgrade_configs: [{upgrade_type: websocket}]}}
              - {name: flaky, match: {path: /flaky}, route: {cluster: c, retry_policy: {retry_on: "5xx", num_retries: 2}}}
              - {name: dead, match: {path: /dead}, route: {cluster: dead, retry_policy: {retry_on: connect-failure, num_retries: 2}}}
              - {name: none, match: {path: /none}, route: {cluster: none}}
              - {name: missing, match: {path: /missing}, route: {cluster_header: x-cluster}}
              - {name: slow, match: {path: /hang}, route: {cluster: c, timeout: 0.2s}}
              - {name: aged, match: {path: /hang-aged}, route: {cluster: c, prefix_rewrite: /hang, max_stream_duration: {max_stream_duration: 0.2s}}}
              - {name: rest, match: {prefix: /}, route: {cluster: c}}
  clusters:
  - {name: c, type: STATIC, load_assignment: {cluster_name: c, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: BACKEND}}}}]}]}}
  - {name: dead, type: STATIC, load_assignment: {cluster_name: c, endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: 1}}}}]}]}}
  - {name: none, type: STATIC}
"#;

impl Proxy {
    async fn start() -> Self {
        let (port, requests) = backend().await;
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("log");
        let text = CONFIG.replace("LOG", log.to_str().unwrap()).replace("BACKEND", &port.to_string());
        let bootstrap = xds::file::bootstrap_from_yaml(&text).unwrap();
        let bootstrap = xds::decode::bootstrap(&bootstrap).unwrap();
        let NetworkFilter::Http(http) = &bootstrap.listeners[0].filter_chains[0].filter else {
            panic!("not http")
        };
        let RouteSource::Inline(routes) = &http.routes else { panic!("not inline") };
        let outputs = Arc::new(Outputs::new(Environment::default()).unwrap());
        let registry = Arc::new(Registry::default());
        let shared = Shared::new(Arc::clone(&registry), Arc::clone(&outputs));
        Self {
            worker: Worker::new(),
            connection: Rc::new(connection("192.0.2.9:4000")),
            policy: Arc::new(HttpPolicy::compile(http, &shared).unwrap()),
            routes: RouteTable::compile(routes, &samples::shared()).unwrap(),
            clusters: clusters(&bootstrap.clusters, &registry),
            outputs,
            log,
            requests,
            _directory: directory,
        }
    }

    async fn send(&self, request: Request) -> Response {
        let Self { worker, connection, policy, routes, clusters, .. } = self;
        handle(worker, connection, policy, routes, clusters, request).await
    }

    /// Status, fields and body of the answer to a GET.
    async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        Answer::of(self.send(request(Method::GET, path, headers, Body::empty())).await).await
    }

    fn count(&self, metric: HttpMetric) -> u64 {
        self.policy.stats.counters.get(metric)
    }

    /// What was logged, once everything is written.
    fn log(self) -> String {
        let Self { worker, policy, outputs, log, _directory, .. } = self;
        drop((worker, policy));
        drop(Arc::into_inner(outputs).expect("nobody else holds the outputs"));
        std::fs::read_to_string(log).unwrap()
    }
}

fn clusters(models: &[model::Cluster], registry: &Registry) -> Clusters {
    let mut clusters = Clusters::new();
    for model in models {
        let cluster =
            Cluster::new(Arc::new(model.clone()), Transports::plain(), registry, &Arc::default()).unwrap();
        clusters.insert(cluster);
    }
    clusters
}

fn request(method: Method, path: &str, headers: &[(&str, &str)], body: Body) -> Request {
    let mut fields = Fields::new();
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        fields.append(name, HeaderValue::from_str(value).unwrap());
    }
    let head = RequestHead {
        method,
        scheme: Scheme::Http,
        authority: "h.example".into(),
        path: path.into(),
        version: Version::Http11,
        headers: fields,
        upgrade: None,
    };
    Request { head: Box::new(head), body, interim: Interim::default() }
}

struct Answer {
    status: u16,
    headers: Fields,
    body: Result<String, Reason>,
}

impl Answer {
    async fn of(response: Response) -> Self {
        let Response { head, mut body, .. } = response;
        let mut bytes = Vec::new();
        let mut failed = None;
        while let Some(frame) = body.frame().await {
            match frame {
                Ok(Frame::Data(data)) => bytes.extend_from_slice(&data),
                Ok(Frame::Trailers(_)) => {}
                Err(error) => failed = Some(error.reason()),
            }
        }
        let text = String::from_utf8(bytes).unwrap();
        Self { status: head.status.as_u16(), headers: head.headers, body: failed.map_or(Ok(text), Err) }
    }

    fn field(&self, name: &str) -> &str {
        self.headers.get(name).map_or("-", |value| value.to_str().unwrap())
    }

    fn text(&self) -> &str {
        self.body.as_ref().unwrap()
    }
}

/// Runs a test with a proxy on one worker.
fn with_proxy<F: Future<Output = ()>>(test: impl FnOnce(Proxy) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async move { test(Proxy::start().await).await });
}

#[test]
fn a_request_is_forwarded_with_envoys_fields_and_logged() {
    with_proxy(|proxy| async move {
        let answer = proxy.get("/echo?a=1", &[("x-ask", "why"), ("user-agent", "test")]).await;
        assert_eq!(answer.status, 200);
        let seen = answer.text().to_ascii_lowercase();
        assert!(seen.starts_with("get /echo?a=1 http/1.1\r\n"), "{seen}");
        for field in
            ["host: h.example", "x-forwarded-proto: http", "x-envoy-attempt-count: 1", "user-agent: test"]
        {
            assert!(seen.contains(&format!("\r\n{field}\r\n")), "{field} in {seen}");
        }
        // What the request has waited for already is taken off.
        assert!(
            ["15000", "14"]
                .iter()
                .any(|left| seen.contains(&format!("\r\nx-envoy-expected-rq-timeout-ms: {left}"))),
            "{seen}"
        );
        assert!(seen.contains("\r\nx-request-id: "), "{seen}");
        assert_eq!(answer.field("server"), "envoy");
        assert_eq!(answer.field("x-resp"), "200 - why");
        assert_eq!(answer.field("x-envoy-attempt-count"), "1");
        assert!(answer.field("x-envoy-upstream-service-time").parse::<u64>().is_ok());
        assert!(answer.field("date").ends_with(" GMT"));
        assert_eq!((proxy.count(HttpMetric::RqTotal), proxy.count(HttpMetric::RqActive)), (1, 0));
        assert_eq!((proxy.count(HttpMetric::Rq2xx), proxy.count(HttpMetric::RqHttp1Total)), (1, 1));
        let bytes = answer.text().len();
        let line = format!("GET /echo?a=1 200 - via_upstream rest c 0 {bytes} 1 - envoy\n");
        assert_eq!(proxy.log(), line);
    });
}

#[test]
fn answers_made_here_are_envoys() {
    with_proxy(|proxy| async move {
        let direct = proxy.get("/direct", &[]).await;
        assert_eq!((direct.status, direct.text()), (200, "hello"));
        assert_eq!((direct.field("content-type"), direct.field("content-length")), ("text/plain", "5"));
        assert_eq!((direct.field("x-resp"), direct.field("x-envoy-attempt-count")), ("0 - ", "-"));
        let moved = proxy.get("/moved/x?y", &[]).await;
        assert_eq!((moved.status, moved.field("location")), (301, "https://h.example/moved/x?y"));
        let none = proxy.get("/none", &[]).await;
        assert_eq!((none.status, none.text()), (503, "no healthy upstream"));
        assert_eq!((none.field("x-resp"), none.field("x-envoy-attempt-count")), ("0 UH ", "1"));
        let missing = proxy.get("/missing", &[("x-cluster", "nobody")]).await;
        assert_eq!((missing.status, missing.text(), missing.field("x-resp")), (503, "", "0 NC "));
        let fragment = proxy.get("/a#b", &[]).await;
        assert_eq!((fragment.status, fragment.field("x-resp")), (400, "-"));
        assert_eq!(
            proxy.log(),
            "GET /direct 200 - direct_response direct - 0 5 0 - envoy\n\
             GET /moved/x?y 301 - direct_response moved - 0 0 0 - envoy\n\
             GET /none 503 UH no_healthy_upstream none none 0 19 1 - envoy\n\
             GET /missing 503 NC cluster_not_found missing - 0 0 0 - envoy\n\
             GET /a#b 400 - path_normalization_failed - - 0 0 0 - envoy\n"
        );
    });
}

#[test]
fn a_retry_sends_the_body_again_and_helps() {
    with_proxy(|proxy| async move {
        let body = Body::full(Bytes::from_static(b"payload"));
        let headers = &[("content-length", "7")];
        let answer = Answer::of(proxy.send(request(Method::POST, "/flaky", headers, body)).await).await;
        assert_eq!(answer.status, 200);
        assert!(answer.text().ends_with("payload"), "{}", answer.text());
        assert!(answer.text().contains("x-envoy-attempt-count: 2"), "{}", answer.text());
        assert_eq!((answer.field("x-envoy-attempt-count"), proxy.requests.get()), ("2", 2));
        assert!(proxy.log().starts_with("POST /flaky 200 - via_upstream flaky c 7 "));
    });
}

#[test]
fn a_dead_endpoint_is_tried_as_often_as_allowed() {
    with_proxy(|proxy| async move {
        let answer = proxy.get("/dead", &[]).await;
        assert_eq!(answer.status, 503);
        assert_eq!(
            answer.text(),
            "upstream connect error or disconnect/reset before headers. retried and the latest reset reason: \
             remote connection failure"
        );
        assert_eq!((answer.field("x-resp"), answer.field("x-envoy-attempt-count")), ("0 URX,UF ", "3"));
        let grpc = proxy.get("/dead", &[("content-type", "application/grpc")]).await;
        assert_eq!((grpc.status, grpc.field("grpc-status"), grpc.text()), (200, "14", ""));
        let log = proxy.log();
        assert!(log.starts_with("GET /dead 503 URX,UF upstream_reset_before_response_started{"), "{log}");
        assert!(log.ends_with(" 0 0 3 Unavailable envoy\n"), "{log}");
    });
}

#[test]
fn what_takes_too_long_is_ended_by_its_limit() {
    with_proxy(|proxy| async move {
        let slow = proxy.get("/hang", &[]).await;
        assert_eq!((slow.status, slow.text()), (504, "upstream request timeout"));
        assert_eq!(slow.field("x-resp"), "0 UT ");
        let aged = proxy.get("/hang-aged", &[]).await;
        assert_eq!((aged.status, aged.text()), (504, "downstream duration timeout"));
        assert_eq!(proxy.count(HttpMetric::RqMaxDurationReached), 1);
        assert_eq!(
            proxy.log(),
            "GET /hang 504 UT response_timeout slow c 0 24 1 - envoy\n\
             GET /hang 504 - max_duration_timeout aged c 0 27 1 - envoy\n"
        );
    });
}

#[test]
fn an_upstream_that_closes_is_told_apart_before_and_within_its_response() {
    with_proxy(|proxy| async move {
        let closed = proxy.get("/close", &[]).await;
        assert_eq!(closed.status, 503);
        assert!(closed.text().ends_with("reset reason: connection termination"), "{}", closed.text());
        let broken = proxy.get("/broken", &[]).await;
        assert_eq!((broken.status, broken.body), (200, Err(Reason::UpstreamClosed)));
        let log = proxy.log();
        let lines: Vec<&str> = log.lines().collect();
        assert!(lines[0].starts_with("GET /close 503 UC upstream_reset_before_response_started{"), "{log}");
        assert!(lines[1].starts_with("GET /broken 200 UC "), "{log}");
    });
}

#[test]
fn a_client_that_goes_away_is_logged_without_a_status() {
    with_proxy(|proxy| async move {
        let sent = proxy.send(request(Method::GET, "/hang", &[], Body::empty()));
        assert!(tokio::time::timeout(Duration::from_millis(50), sent).await.is_err());
        let cut = proxy.send(request(Method::GET, "/broken", &[], Body::empty())).await;
        drop(cut);
        assert_eq!((proxy.count(HttpMetric::RqRxReset), proxy.count(HttpMetric::RqActive)), (2, 0));
        assert_eq!(
            proxy.log(),
            "GET /hang 0 DC downstream_remote_disconnect slow c 0 0 1 - -\n\
             GET /broken 200 DC downstream_remote_disconnect rest c 0 0 1 - envoy\n"
        );
    });
}

#[test]
fn upgrades_pass_where_a_route_allows_them() {
    with_proxy(|proxy| async move {
        let upgrade = |path: &str| {
            let mut request = request(Method::GET, path, &[], Body::full(Bytes::from_static(b"hello")));
            request.head.upgrade = Some(Text::from("websocket"));
            request
        };
        let refused = Answer::of(proxy.send(upgrade("/echo")).await).await;
        assert_eq!((refused.status, refused.field("x-resp")), (403, "0 - "));
        let opened = proxy.send(upgrade("/ws")).await;
        assert_eq!(opened.head.status, StatusCode::SWITCHING_PROTOCOLS);
        assert_eq!(proxy.count(HttpMetric::CxUpgradesActive), 1);
        assert_eq!(Answer::of(opened).await.text(), "hello");
        assert_eq!(proxy.count(HttpMetric::CxUpgradesActive), 0);
        let log = proxy.log();
        assert!(
            log.starts_with("GET /echo 403 - upgrade_failed rest c 5 0 0 - envoy\nGET /ws 101 "),
            "{log}"
        );
    });
}

#[test]
fn a_grpc_status_in_the_head_is_noted() {
    with_proxy(|proxy| async move {
        let answer = proxy.get("/grpc", &[("content-type", "application/grpc")]).await;
        assert_eq!((answer.status, answer.field("grpc-status")), (200, "5"));
        assert_eq!(proxy.log(), "GET /grpc 200 - via_upstream rest c 0 0 1 NotFound envoy\n");
    });
}

#[test]
fn a_request_that_could_not_be_read_is_answered_counted_and_logged() {
    with_proxy(|proxy| async move {
        let error = Error::new(Reason::DownstreamProtocol, "http1.codec_error");
        let Proxy { worker, connection, policy, .. } = &proxy;
        let response = reject(worker, connection, policy, Version::Http11, StatusCode::BAD_REQUEST, &error);
        assert!(response.close);
        let answer = Answer::of(response).await;
        assert_eq!((answer.status, answer.text(), answer.field("server")), (400, "Bad Request", "envoy"));
        assert_eq!(proxy.count(HttpMetric::Rq4xx), 1);
        assert_eq!(proxy.log(), "- - 400 DPE http1.codec_error - - 0 11 0 - envoy\n");
    });
}
