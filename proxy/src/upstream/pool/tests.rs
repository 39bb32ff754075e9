//! Pools against real backends on loopback.

mod backend;
mod http1;
mod http2;
mod limits;
mod secured;

use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use tokio::task::LocalSet;
use xds::model::{self, UpstreamProtocol};

use super::{Pools, SendOptions, Sent};
use crate::body::{Body, Frame, Interim, Request, RequestHead, Scheme, Text, Version};
use crate::error::{Error, Reason};
use crate::fields::Fields;
use crate::upstream::cluster::Cluster;
use crate::upstream::fixture;
use crate::upstream::host::Host;
use crate::upstream::state::HealthFlag;
use crate::upstream::stats::{ClusterMetric as M, HostMetric};
use backend::{Backend, Reply};

/// Runs a test as a worker runs: one thread, tasks that need not be `Send`.
fn on_a_worker(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, test);
}

/// A worker with its pools, and a cluster of one endpoint.
struct Worker {
    pools: Pools,
    cluster: Arc<Cluster>,
    host: Arc<Host>,
}

impl Worker {
    fn new(backend: &Backend) -> Self {
        Self::with(backend, |_| {})
    }

    fn with(backend: &Backend, change: impl FnOnce(&mut model::Cluster)) -> Self {
        let mut model = fixture::model(vec![fixture::endpoint(backend.address)]);
        change(&mut model);
        Self::of(fixture::cluster(model))
    }

    fn of(cluster: Arc<Cluster>) -> Self {
        let host = Arc::clone(&cluster.endpoints().hosts()[0]);
        Self { pools: Pools::new(), cluster, host }
    }

    async fn send(&self, request: Request) -> Result<Sent, Error> {
        self.send_by(request, &SendOptions::default()).await
    }

    async fn send_by(&self, request: Request, options: &SendOptions) -> Result<Sent, Error> {
        self.pools.send(&self.cluster, &self.host, request, options).await
    }

    /// Sends a GET and reads the response to its end.
    async fn get(&self) -> Result<String, Error> {
        read(self.send(get()).await?).await
    }

    fn count(&self, metric: M) -> u64 {
        self.cluster.stats().get(metric)
    }

    /// Asserts that nothing is held that nobody uses: every gauge of requests is back at zero.
    fn assert_nothing_leaks(&self) {
        let gauges = [M::UpstreamRqActive, M::UpstreamRqPendingActive].map(|metric| self.count(metric));
        assert_eq!(gauges, [0, 0], "requests active and pending");
        assert_eq!(self.host.active_requests(), 0, "the endpoint's active requests");
        assert_eq!(self.cluster.circuit(model::RoutingPriority::Default).requests(), 0, "request permits");
    }
}

fn request(method: Method, body: Body) -> Request {
    Request {
        head: Box::new(RequestHead {
            method,
            scheme: Scheme::Http,
            authority: Text::from_static("service.test"),
            path: Text::from_static("/"),
            version: Version::Http11,
            headers: Fields::new(),
            upgrade: None,
        }),
        body,
        interim: Interim::default(),
    }
}

fn get() -> Request {
    request(Method::GET, Body::empty())
}

async fn read(sent: Sent) -> Result<String, Error> {
    let mut body = sent.response.body;
    let mut text = String::new();
    while let Some(frame) = body.frame().await {
        if let Frame::Data(bytes) = frame? {
            text.push_str(std::str::from_utf8(&bytes).unwrap());
        }
    }
    Ok(text)
}

/// Waits until `done`, for at most two seconds.
async fn eventually(what: &str, done: impl Fn() -> bool) {
    for _ in 0..200 {
        if done() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("not within two seconds: {what}");
}

fn reason(result: &Result<impl Sized, Error>) -> Option<Reason> {
    result.as_ref().err().map(Error::reason)
}

/// Lets every other task on the worker run.
async fn settle() {
    tokio::time::sleep(Duration::from_millis(30)).await;
}

fn http2(model: &mut model::Cluster) {
    model.http.protocol = UpstreamProtocol::Http2;
}

/// Two requests at once.
async fn both(worker: &Rc<Worker>) -> [Result<String, Error>; 2] {
    let (left, right) = tokio::join!(worker.get(), worker.get());
    [left, right]
}
