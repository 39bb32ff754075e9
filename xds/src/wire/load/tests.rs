//! The client of load reports against a server of Envoy's service definition, on loopback.

use std::net::SocketAddr;
use std::time::Duration;

use envoy_types::pb::envoy::config::core::v3::Node;
use envoy_types::pb::envoy::service::load_stats::v3::load_reporting_service_server::{
    LoadReportingService, LoadReportingServiceServer,
};
use envoy_types::pb::envoy::service::load_stats::v3::{LoadStatsRequest, LoadStatsResponse};
use envoy_types::pb::google::protobuf::Duration as Span;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::transport::{Endpoint, Server};
use tonic::{Request, Response, Status, Streaming};

use super::{Event, Options, connect};
use crate::model::{Address, ClusterLoad, Load, Locality, LocalityLoad, WantedClusters};
use crate::wire::client::backoff::Backoff;

const LONG: Duration = Duration::from_secs(20);

/// Hands each stream's two ends to the test.
struct Streams(mpsc::Sender<Stream>);

struct Stream {
    requests: Streaming<LoadStatsRequest>,
    answers: mpsc::Sender<Result<LoadStatsResponse, Status>>,
}

impl Stream {
    async fn request(&mut self) -> LoadStatsRequest {
        timeout(LONG, self.requests.message())
            .await
            .expect("nothing comes")
            .unwrap()
            .expect("the stream ended")
    }

    async fn answer(&self, answer: LoadStatsResponse) {
        self.answers.send(Ok(answer)).await.unwrap();
    }
}

#[tonic::async_trait]
impl LoadReportingService for Streams {
    type StreamLoadStatsStream = ReceiverStream<Result<LoadStatsResponse, Status>>;

    async fn stream_load_stats(
        &self,
        request: Request<Streaming<LoadStatsRequest>>,
    ) -> Result<Response<Self::StreamLoadStatsStream>, Status> {
        let (answers, outbound) = mpsc::channel(4);
        self.0.send(Stream { requests: request.into_inner(), answers }).await.unwrap();
        Ok(Response::new(ReceiverStream::new(outbound)))
    }
}

async fn server() -> (SocketAddr, mpsc::Receiver<Stream>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let (streams, opened) = mpsc::channel(4);
    let service = LoadReportingServiceServer::new(Streams(streams));
    let served = Server::builder().serve_with_incoming(service, TcpListenerStream::new(listener));
    tokio::spawn(async move { served.await.unwrap() });
    (addr, opened)
}

fn options() -> Options {
    let backoff = Backoff { base: Duration::from_millis(20), max: Duration::from_millis(50) };
    let node = Node { id: "proxy".to_owned(), ..Node::default() };
    Options { node, metadata: tonic::metadata::MetadataMap::new(), backoff }
}

fn wanted(names: &[&str], interval: Option<Span>) -> LoadStatsResponse {
    LoadStatsResponse {
        clusters: names.iter().map(|name| (*name).to_owned()).collect(),
        load_reporting_interval: interval,
        ..LoadStatsResponse::default()
    }
}

fn one_cluster() -> ClusterLoad {
    let load = Load { issued: 4, successful: 2, failed: 1, in_progress: 1 };
    let locality = Locality { region: "eu".into(), zone: "a".into(), sub_zone: String::new() };
    let address = Address::from(SocketAddr::from(([127, 0, 0, 1], 80)));
    ClusterLoad {
        cluster: "c".into(),
        service_name: "s".to_owned(),
        localities: vec![LocalityLoad { locality, priority: 1, load, endpoints: vec![(address, load)] }],
        dropped: 3,
        interval: Duration::from_millis(1500),
    }
}

#[tokio::test]
async fn what_a_server_asks_for_is_told_and_reports_reach_it() {
    let (addr, mut streams) = server().await;
    let channel = Endpoint::from_shared(format!("http://{addr}")).unwrap().connect_lazy();
    let (reports, mut events, driver) = connect(channel, options());
    let driver = tokio::spawn(driver);
    let mut stream = timeout(LONG, streams.recv()).await.expect("no stream is opened").unwrap();
    let hello = stream.request().await;
    let node = hello.node.unwrap();
    assert_eq!(
        (node.id.as_str(), node.client_features.as_slice()),
        ("proxy", &[super::ALL_CLUSTERS.to_owned()][..])
    );
    assert!(hello.cluster_stats.is_empty());

    stream.answer(wanted(&["c", "d"], Some(Span { seconds: 0, nanos: 1 }))).await;
    let Some(Event::Wanted(told)) = events.recv().await else { panic!("nothing is wanted") };
    let WantedClusters::Named(names) = &told.clusters else { panic!("{told:?}") };
    assert_eq!(names.iter().map(|name| name.as_str()).collect::<Vec<_>>(), ["c", "d"]);
    assert_eq!(told.interval, Duration::from_millis(100), "an interval too short is stretched");

    reports.send(vec![one_cluster()]).await.unwrap();
    let report = stream.request().await;
    let [cluster] = report.cluster_stats.as_slice() else { panic!("{report:?}") };
    assert_eq!((cluster.cluster_name.as_str(), cluster.cluster_service_name.as_str()), ("c", "s"));
    assert_eq!(cluster.total_dropped_requests, 3);
    assert_eq!(cluster.load_report_interval, Some(Span { seconds: 1, nanos: 500_000_000 }));
    let locality = &cluster.upstream_locality_stats[0];
    assert_eq!((locality.locality.as_ref().unwrap().region.as_str(), locality.priority), ("eu", 1));
    let counts = [locality.total_issued_requests, locality.total_successful_requests];
    assert_eq!(counts, [4, 2]);
    assert_eq!([locality.total_error_requests, locality.total_requests_in_progress], [1, 1]);
    assert_eq!(locality.upstream_endpoint_stats[0].total_issued_requests, 4);

    drop(reports);
    timeout(LONG, driver).await.expect("the driver ends with its caller").unwrap();
}

#[tokio::test]
async fn a_stream_that_ends_or_asks_for_nonsense_is_opened_again() {
    let (addr, mut streams) = server().await;
    let channel = Endpoint::from_shared(format!("http://{addr}")).unwrap().connect_lazy();
    let (_reports, mut events, driver) = connect(channel, options());
    let driver = tokio::spawn(driver);
    for ending in ["the server closed the stream", "load_reporting_interval: is required"] {
        let mut stream = timeout(LONG, streams.recv()).await.expect("no stream is opened").unwrap();
        stream.request().await;
        // Dropped at once, the server's half of the stream ends; kept, it is the answer that ends it.
        let mut kept = Some(stream);
        if ending.starts_with("load") {
            kept.as_ref().unwrap().answer(wanted(&["c"], None)).await;
        } else {
            kept = None;
        }
        let told = timeout(LONG, events.recv()).await.expect("nothing is told").unwrap();
        let Event::Disconnected { reason, .. } = told else { panic!("{told:?}") };
        assert_eq!(reason, ending);
        drop(kept);
    }
    drop(events);
    timeout(LONG, driver).await.expect("the driver ends with its caller").unwrap();
}
