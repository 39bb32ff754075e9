use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, LocalSet, spawn_local};
use tokio::time::timeout;
use xds::model::{self, AccessLog, AccessLogFormat, AccessLogSink, FormatString, TcpTarget};

use super::*;
use crate::observe::access_log::{Environment, Outputs};
use crate::observe::metrics::Registry;
use crate::observe::record::Place;
use crate::policy::tcp::TcpScopes;
use crate::upstream::Transports;

fn local<F: Future>(test: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let bounded = async { timeout(Duration::from_secs(20), test).await.expect("the test hangs") };
    LocalSet::new().block_on(&runtime, bounded)
}

/// A proxy to `backends` in cluster `a`, logging to a file.
struct Proxy {
    policy: Arc<TcpPolicy>,
    clusters: Clusters,
    pools: Pools,
    outputs: Outputs,
    folder: tempfile::TempDir,
}

struct Settings {
    target: &'static str,
    idle_timeout: Option<Duration>,
    max_connect_attempts: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { target: "a", idle_timeout: None, max_connect_attempts: 1 }
    }
}

fn cluster(backends: &[SocketAddr]) -> Arc<Cluster> {
    let endpoints: String = backends
        .iter()
        .map(|backend| {
            format!(
                "    - endpoint: {{address: {{socket_address: {{address: {}, port_value: {}}}}}}}\n",
                backend.ip(),
                backend.port()
            )
        })
        .collect();
    let yaml = format!(
        "name: a\nconnect_timeout: 2s\nload_assignment:\n  cluster_name: a\n  endpoints:\n  - lb_endpoints:\n{endpoints}"
    );
    let message = xds::file::message_from_yaml("envoy.config.cluster.v3.Cluster", &yaml).unwrap();
    let model = xds::decode::cluster(&message).unwrap();
    Cluster::new(Arc::new(model), Transports::plain(), &Registry::default(), &Arc::default()).unwrap()
}

fn proxy(backends: &[SocketAddr], settings: &Settings) -> Proxy {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log").to_str().unwrap().to_owned();
    let text = "%BYTES_RECEIVED% %BYTES_SENT% %RESPONSE_FLAGS% %UPSTREAM_HOST% %UPSTREAM_CLUSTER%\n";
    let model = model::TcpProxy {
        stat_prefix: "tcp".to_owned(),
        target: TcpTarget::Cluster(settings.target.into()),
        idle_timeout: settings.idle_timeout,
        max_connect_attempts: settings.max_connect_attempts,
        max_downstream_connection_duration: None,
        access_log: vec![AccessLog {
            sink: AccessLogSink::File(path),
            format: AccessLogFormat::Text {
                format: FormatString::parse(text).unwrap(),
                omit_empty_values: false,
            },
            filter: None,
        }],
        hash_policy: Vec::new(),
    };
    let outputs = Outputs::new(Environment::default()).unwrap();
    let scopes = TcpScopes::new(Arc::new(Registry::default()));
    let policy = Arc::new(TcpPolicy::compile(&model, &scopes, &outputs).unwrap());
    let mut clusters = Clusters::new();
    clusters.insert(cluster(backends));
    Proxy { policy, clusters, pools: Pools::new(), outputs, folder }
}

impl Proxy {
    fn connect(&self) -> (DuplexStream, JoinHandle<()>) {
        self.connect_until(std::future::pending())
    }

    fn connect_until(&self, stopped: impl Future<Output = ()> + 'static) -> (DuplexStream, JoinHandle<()>) {
        let (client, here) = duplex(64 * 1024);
        let place = Place::Ip("192.0.2.1:5".parse().unwrap());
        let facts = ConnectionFacts {
            id: 1,
            listener: "l".into(),
            filter_chain: "".into(),
            direct_remote: place.clone(),
            remote: place.clone(),
            local: place,
            server_name: None,
            tls: None,
            remote_text: Default::default(),
            tlvs: None,
            attributes: Default::default(),
        };
        let (policy, clusters, pools) = (self.policy.clone(), self.clusters.clone(), self.pools.clone());
        let serving = spawn_local(async move {
            serve(here, 0, &policy, &clusters, &pools, Rc::new(facts), stopped).await;
        });
        (client, serving)
    }

    /// The log, once everything is written.
    fn log(self) -> String {
        drop(self.policy);
        drop(self.outputs);
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }
}

/// A backend that sends back what it gets.
async fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    spawn_local(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            spawn_local(async move {
                let (mut read, mut write) = stream.split();
                let _copied = tokio::io::copy(&mut read, &mut write).await;
                let _closed = write.shutdown().await;
            });
        }
    });
    address
}

async fn refusing() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

#[test]
fn bytes_reach_the_backend_and_come_back_and_are_logged() {
    local(async {
        let backend = echo().await;
        let proxy = proxy(&[backend], &Settings::default());
        let (mut client, serving) = proxy.connect();
        client.write_all(b"hello").await.unwrap();
        client.shutdown().await.unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer, "hello");
        serving.await.unwrap();
        let stats = proxy.policy.stats.clone();
        assert_eq!((stats.get(TcpMetric::CxTotal), stats.get(TcpMetric::CxActive)), (1, 0));
        assert_eq!(stats.get(TcpMetric::CxTxBytesTotal), 5);
        assert_eq!(proxy.log(), format!("5 5 - {backend} a\n"));
    });
}

#[test]
fn another_endpoint_is_tried_when_one_refuses() {
    local(async {
        let backends = [refusing().await, echo().await];
        let proxy = proxy(&backends, &Settings { max_connect_attempts: 2, ..Settings::default() });
        for _ in 0..4 {
            let (mut client, _serving) = proxy.connect();
            client.write_all(b"x").await.unwrap();
            client.read_exact(&mut [0]).await.expect("the endpoint that works was not tried");
        }
    });
}

#[test]
fn attempts_end_and_say_why() {
    local(async {
        let backend = refusing().await;
        let proxy = proxy(&[backend], &Settings { max_connect_attempts: 3, ..Settings::default() });
        let (mut client, serving) = proxy.connect();
        assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
        serving.await.unwrap();
        assert_eq!(proxy.log(), format!("0 0 UF,URX {backend} a\n"));
    });
}

#[test]
fn a_cluster_without_endpoints_or_none_at_all_closes_the_connection() {
    local(async {
        for (target, flags) in [("a", "UH"), ("missing", "NC")] {
            let proxy = proxy(&[], &Settings { target, ..Settings::default() });
            let (mut client, serving) = proxy.connect();
            assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
            serving.await.unwrap();
            assert_eq!(proxy.log(), format!("0 0 {flags} - {target}\n"));
        }
    });
}

#[test]
fn an_idle_connection_is_closed_and_counted() {
    local(async {
        let settings = Settings { idle_timeout: Some(Duration::from_millis(50)), ..Settings::default() };
        let proxy = proxy(&[echo().await], &settings);
        let (mut client, serving) = proxy.connect();
        assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
        serving.await.unwrap();
        assert_eq!(proxy.policy.stats.get(TcpMetric::IdleTimeout), 1);
    });
}

#[test]
fn the_end_of_the_drain_time_cuts_and_still_logs() {
    local(async {
        let backend = echo().await;
        let proxy = proxy(&[backend], &Settings::default());
        let (mut client, serving) = proxy.connect_until(tokio::time::sleep(Duration::from_millis(50)));
        client.write_all(b"abc").await.unwrap();
        client.read_exact(&mut [0; 3]).await.unwrap();
        assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
        serving.await.unwrap();
        assert_eq!(proxy.log(), format!("3 3 - {backend} a\n"));
    });
}
