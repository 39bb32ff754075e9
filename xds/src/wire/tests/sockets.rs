//! Client and server over gRPC on loopback.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use envoy_types::pb::envoy::service::discovery::v3::DiscoveryRequest;
use envoy_types::pb::envoy::service::discovery::v3::aggregated_discovery_service_client::AggregatedDiscoveryServiceClient;
use prost::Message as _;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::codegen::Service as TowerService;
use tonic::transport::{Channel, Endpoint, Server};

use super::pair::{Body, Facts, identity, world};
use crate::wire::client::backoff::Backoff;
use crate::wire::client::event::Event;
use crate::wire::client::stream::{self, Handle, Mode, Options, Service};
use crate::wire::nack::Rejection;
use crate::wire::resource::ResourceType::{Cluster, Listener};
use crate::wire::resource::{Interest, ResourceType};
use crate::wire::server::status::StreamStatus;
use crate::wire::server::stream::{Admission, service};
use crate::wire::server::world::World;

const LONG: Duration = Duration::from_secs(20);

/// A control plane that admits everybody but the node `stranger`.
struct ControlPlane {
    addr: SocketAddr,
    world: watch::Sender<Arc<World>>,
    statuses: Arc<Mutex<Vec<watch::Receiver<StreamStatus>>>>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl ControlPlane {
    async fn start(addr: SocketAddr, facts: &Facts) -> Self {
        let (world, seen) = watch::channel(world(facts));
        let statuses = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&statuses);
        let ads = service(move |visitor| {
            if visitor.node.id == "stranger" {
                return Err(tonic::Status::permission_denied("no proxy named stranger may join"));
            }
            let (status, told) = watch::channel(StreamStatus::default());
            shared.lock().unwrap().push(told);
            Ok(Admission { world: seen.clone(), status })
        });
        let listener = TcpListener::bind(addr).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let incoming = TcpListenerStream::new(listener);
        let (stop, stopped) = oneshot::channel();
        let stopped = async { drop(stopped.await) };
        let served = Server::builder().serve_with_incoming_shutdown(AnyPath(ads), incoming, stopped);
        let task = tokio::spawn(async move { served.await.unwrap() });
        Self { addr, world, statuses, stop, task }
    }

    fn publish(&self, facts: &Facts) {
        self.world.send_replace(world(facts));
    }

    /// Waits until the latest stream's status looks like this.
    async fn until(&self, wanted: impl Fn(&StreamStatus) -> bool) -> StreamStatus {
        let check = async {
            loop {
                let told = self.statuses.lock().unwrap().last().map(|told| told.borrow().clone());
                if let Some(status) = told.filter(&wanted) {
                    return status;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(LONG, check).await.expect("the status never became as wanted")
    }

    async fn stop(self) -> SocketAddr {
        let Self { addr, world, stop, task, .. } = self;
        // Streams end with the world, connections with their streams.
        drop((world, stop));
        tokio::time::timeout(LONG, task).await.expect("every connection ends").unwrap();
        addr
    }
}

/// Serves the types' own services by the aggregated one, as a control plane without aggregation looks to a client.
#[derive(Clone)]
struct AnyPath<S>(S);

impl<S, B> TowerService<http::Request<B>> for AnyPath<S>
where
    S: TowerService<http::Request<B>, Error = Infallible>,
{
    type Response = S::Response;
    type Error = Infallible;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, mut request: http::Request<B>) -> S::Future {
        let path = match request.uri().path() {
            "/envoy.service.listener.v3.ListenerDiscoveryService/StreamListeners" => {
                Service::Aggregated.path(false)
            }
            "/envoy.service.listener.v3.ListenerDiscoveryService/DeltaListeners" => {
                Service::Aggregated.path(true)
            }
            other => other,
        };
        *request.uri_mut() = path.parse().unwrap();
        self.0.call(request)
    }
}

/// A proxy that holds what it is given and refuses what is bad.
struct Proxy {
    handle: Handle,
    events: mpsc::Receiver<Event>,
    task: JoinHandle<()>,
    held: Facts,
    disconnects: Vec<String>,
}

fn options(mode: Mode) -> Options {
    let backoff = Backoff { base: Duration::from_millis(20), max: Duration::from_millis(50) };
    Options { backoff, ..Options::aggregated(identity(), mode) }
}

fn channel(addr: SocketAddr) -> Channel {
    Endpoint::from_shared(format!("http://{addr}")).unwrap().connect_lazy()
}

impl Proxy {
    fn start(addr: SocketAddr, options: Options) -> Self {
        let (handle, events, driver) = stream::connect(channel(addr), options);
        let task = tokio::spawn(driver);
        Self { handle, events, task, held: Facts::new(), disconnects: Vec::new() }
    }

    async fn turn(&mut self) {
        let event = tokio::time::timeout(LONG, self.events.recv()).await.expect("nothing happens").unwrap();
        match event {
            Event::Updated { ticket, resources, removed, .. } => {
                let held = self.held.entry(ticket.ty).or_default();
                removed.iter().for_each(|name| drop(held.remove(name)));
                let mut rejected = Vec::new();
                for arrived in resources {
                    let body = Body::decode(arrived.body.value.as_slice()).unwrap();
                    match body.version.starts_with("bad") {
                        true => {
                            rejected.push(Rejection { name: arrived.name, error: "it is bad".to_owned() })
                        }
                        false => drop(held.insert(arrived.name, body.version)),
                    }
                }
                self.handle.verdict(ticket, rejected).await.unwrap();
            }
            Event::Disconnected { reason, .. } => self.disconnects.push(reason),
            Event::Connected | Event::Gone { .. } => {}
        }
    }

    async fn until(&mut self, ty: ResourceType, wanted: &[(&str, &str)]) {
        while self.held.get(&ty) != facts(&[(ty, wanted)]).get(&ty) {
            self.turn().await;
        }
    }
}

fn facts(all: &[(ResourceType, &[(&str, &str)])]) -> Facts {
    let own = |(name, version): &(&str, &str)| ((*name).to_owned(), (*version).to_owned());
    all.iter().map(|(ty, resources)| (*ty, resources.iter().map(own).collect::<BTreeMap<_, _>>())).collect()
}

fn anywhere() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

async fn follows_refuses_and_recovers(mode: Mode) {
    let control = ControlPlane::start(anywhere(), &facts(&[(Cluster, &[("a", "1")])])).await;
    let mut proxy = Proxy::start(control.addr, options(mode));
    proxy.handle.subscribe(Cluster, Interest::all()).await.unwrap();
    proxy.until(Cluster, &[("a", "1")]).await;
    control.publish(&facts(&[(Cluster, &[("b", "1"), ("c", "bad")])]));
    proxy.until(Cluster, &[("b", "1")]).await;
    let status =
        control.until(|status| status.types.get(&Cluster).is_some_and(|ty| ty.refusal.is_some())).await;
    let cluster = &status.types[&Cluster];
    assert_eq!(cluster.refusal.as_ref().unwrap().resources[0].name, "c");
    assert!(!cluster.held.contains_key("c"), "{:?}", cluster.held);
    control.publish(&facts(&[(Cluster, &[("b", "1"), ("c", "1")])]));
    proxy.until(Cluster, &[("b", "1"), ("c", "1")]).await;
    control.until(|status| !status.types[&Cluster].behind && status.types[&Cluster].refusal.is_none()).await;
    assert_eq!(proxy.disconnects, [""; 0]);
    control.stop().await;
    proxy.task.abort();
}

#[tokio::test]
async fn a_proxy_follows_the_world_in_both_variants() {
    follows_refuses_and_recovers(Mode::Sotw).await;
    follows_refuses_and_recovers(Mode::Delta).await;
}

async fn survives_a_restart(mode: Mode) {
    let control = ControlPlane::start(anywhere(), &facts(&[(Listener, &[("a", "1"), ("b", "1")])])).await;
    let mut proxy = Proxy::start(control.addr, options(mode));
    proxy.handle.subscribe(Listener, Interest::all()).await.unwrap();
    proxy.until(Listener, &[("a", "1"), ("b", "1")]).await;
    let addr = control.stop().await;
    while proxy.disconnects.is_empty() {
        proxy.turn().await;
    }
    assert_eq!(proxy.held[&Listener].len(), 2, "what ran keeps running");
    let control = ControlPlane::start(addr, &facts(&[(Listener, &[("b", "2")])])).await;
    proxy.until(Listener, &[("b", "2")]).await;
    control.stop().await;
    proxy.task.abort();
}

#[tokio::test]
async fn a_proxy_keeps_what_it_has_while_the_control_plane_is_away_and_catches_up() {
    survives_a_restart(Mode::Sotw).await;
    survives_a_restart(Mode::Delta).await;
}

#[tokio::test]
async fn a_control_plane_that_is_down_at_first_is_waited_for() {
    let reserved = TcpListener::bind(anywhere()).await.unwrap();
    let addr = reserved.local_addr().unwrap();
    drop(reserved);
    let mut proxy = Proxy::start(addr, options(Mode::Delta));
    proxy.handle.subscribe(Cluster, Interest::all()).await.unwrap();
    while proxy.disconnects.len() < 3 {
        proxy.turn().await;
    }
    assert!(proxy.disconnects[0].contains("refused"), "{}", proxy.disconnects[0]);
    let control = ControlPlane::start(addr, &facts(&[(Cluster, &[("a", "1")])])).await;
    proxy.until(Cluster, &[("a", "1")]).await;
    control.stop().await;
    proxy.task.abort();
}

#[tokio::test]
async fn a_control_plane_without_aggregation_is_spoken_to_by_type() {
    let control = ControlPlane::start(anywhere(), &facts(&[(Listener, &[("a", "1")])])).await;
    for mode in [Mode::Sotw, Mode::Delta] {
        let own = Options { service: Service::Of(Listener), ..options(mode) };
        let mut proxy = Proxy::start(control.addr, own);
        proxy.handle.subscribe(Listener, Interest::all()).await.unwrap();
        proxy.until(Listener, &[("a", "1")]).await;
        proxy.task.abort();
    }
    control.stop().await;
}

#[tokio::test]
async fn a_client_that_may_not_join_is_told_why() {
    let control = ControlPlane::start(anywhere(), &Facts::new()).await;
    let mut strange = options(Mode::Sotw);
    strange.identity.node.id = "stranger".to_owned();
    let mut proxy = Proxy::start(control.addr, strange);
    proxy.handle.subscribe(Cluster, Interest::all()).await.unwrap();
    while proxy.disconnects.is_empty() {
        proxy.turn().await;
    }
    assert_eq!(proxy.disconnects[0], "PermissionDenied: no proxy named stranger may join");
    control.stop().await;
    proxy.task.abort();
}

#[tokio::test]
async fn a_first_request_without_a_node_is_refused() {
    let control = ControlPlane::start(anywhere(), &Facts::new()).await;
    let mut client = AggregatedDiscoveryServiceClient::new(channel(control.addr));
    let request = DiscoveryRequest { type_url: Cluster.type_url(), ..DiscoveryRequest::default() };
    let mut responses =
        client.stream_aggregated_resources(tokio_stream::once(request)).await.unwrap().into_inner();
    let status = responses.message().await.unwrap_err();
    assert_eq!(status.message(), "the first discovery request of a stream must carry a node");
    control.stop().await;
}

#[tokio::test]
async fn the_driver_ends_with_its_caller_and_the_server_notices() {
    let control = ControlPlane::start(anywhere(), &facts(&[(Cluster, &[("a", "1")])])).await;
    let mut proxy = Proxy::start(control.addr, options(Mode::Delta));
    proxy.handle.subscribe(Cluster, Interest::all()).await.unwrap();
    proxy.until(Cluster, &[("a", "1")]).await;
    let Proxy { handle, events, task, .. } = proxy;
    drop(handle);
    tokio::time::timeout(LONG, task).await.expect("the driver ends").unwrap();
    drop(events);
    let mut told = control.statuses.lock().unwrap().pop().unwrap();
    let gone = async { while told.changed().await.is_ok() {} };
    tokio::time::timeout(LONG, gone).await.expect("the status ends with the stream");
    control.stop().await;
}
