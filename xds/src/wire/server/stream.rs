//! The aggregated discovery service: drives a server machine on each stream that a client opens.
//!
//! The one rule: who may see what is decided by the caller, once per stream, from the transport's identity and
//! the node; this file only carries it out. A response is made when the transport asks for one, so a client that
//! does not read costs nothing but its stream.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use envoy_types::pb::envoy::config::core::v3::Node;
use envoy_types::pb::envoy::service::discovery::v3::aggregated_discovery_service_server::{
    AggregatedDiscoveryService, AggregatedDiscoveryServiceServer,
};
use envoy_types::pb::envoy::service::discovery::v3::{
    DeltaDiscoveryRequest, DeltaDiscoveryResponse, DiscoveryRequest, DiscoveryResponse,
};
use futures_util::{Stream, stream};
use tokio::sync::watch;
use tonic::metadata::MetadataMap;
use tonic::{Extensions, Request, Response, Status, Streaming};

use super::delta::Delta;
use super::machine::Machine;
use super::sotw::Sotw;
use super::status::StreamStatus;
use super::world::World;
use crate::wire::limits::{HELLO_WAIT, MESSAGE_BYTES_MAX};

/// Who opened a stream.
#[derive(Debug)]
pub struct Visitor<'a> {
    /// Who the client says it is.
    pub node: &'a Node,
    /// What the transport knows of it: whatever the server's acceptor put there, such as the peer's certificate.
    pub extensions: &'a Extensions,
    /// The stream's gRPC metadata.
    pub metadata: &'a MetadataMap,
    /// Where it connects from, if the transport says so.
    pub remote: Option<SocketAddr>,
    /// Whether it speaks the incremental variant.
    pub delta: bool,
}

/// What a stream gets: the world to send, and a place for what becomes of it. The stream ends when the world's
/// sender is dropped; the status's sender is dropped when the stream ends.
#[derive(Debug)]
pub struct Admission {
    /// The world, as it changes.
    pub world: watch::Receiver<Arc<World>>,
    /// What is known of the client, as it changes.
    pub status: watch::Sender<StreamStatus>,
}

type Admit = dyn Fn(Visitor<'_>) -> Result<Admission, Status> + Send + Sync;

/// The aggregated discovery service; see [`service`].
pub struct Discovery {
    admit: Arc<Admit>,
}

/// The service for a tonic server. `admit` is called once for each stream, after its first request.
pub fn service(
    admit: impl Fn(Visitor<'_>) -> Result<Admission, Status> + Send + Sync + 'static,
) -> AggregatedDiscoveryServiceServer<Discovery> {
    AggregatedDiscoveryServiceServer::new(Discovery { admit: Arc::new(admit) })
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
}

#[tonic::async_trait]
impl AggregatedDiscoveryService for Discovery {
    type StreamAggregatedResourcesStream = Responses<DiscoveryResponse>;
    type DeltaAggregatedResourcesStream = Responses<DeltaDiscoveryResponse>;

    async fn stream_aggregated_resources(
        &self,
        request: Request<Streaming<DiscoveryRequest>>,
    ) -> Result<Response<Responses<DiscoveryResponse>>, Status> {
        Ok(Response::new(serve::<Sotw>(Arc::clone(&self.admit), request)))
    }

    async fn delta_aggregated_resources(
        &self,
        request: Request<Streaming<DeltaDiscoveryRequest>>,
    ) -> Result<Response<Responses<DeltaDiscoveryResponse>>, Status> {
        Ok(Response::new(serve::<Delta>(Arc::clone(&self.admit), request)))
    }
}

type Responses<R> = Pin<Box<dyn Stream<Item = Result<R, Status>> + Send>>;

enum Stage<M: Machine> {
    /// The first request has not come.
    Waiting(Arc<Admit>, Box<Request<Streaming<M::Request>>>),
    Open(Box<Session<M>>),
    Ended,
}

struct Session<M: Machine> {
    machine: M,
    requests: Streaming<M::Request>,
    admission: Admission,
}

fn serve<M: Machine>(admit: Arc<Admit>, request: Request<Streaming<M::Request>>) -> Responses<M::Response> {
    Box::pin(stream::unfold(Stage::<M>::Waiting(admit, Box::new(request)), |stage| async move {
        let mut session = match stage {
            Stage::Waiting(admit, request) => match hello(&*admit, *request).await {
                Ok(Some(session)) => Box::new(session),
                Ok(None) => return None,
                Err(status) => return Some((Err(status), Stage::Ended)),
            },
            Stage::Open(session) => session,
            Stage::Ended => return None,
        };
        match session.response().await {
            Ok(Some(response)) => Some((Ok(response), Stage::Open(session))),
            Ok(None) => None,
            Err(status) => Some((Err(status), Stage::Ended)),
        }
    }))
}

/// Takes the first request, which says who the client is; `None` if the client went away.
async fn hello<M: Machine>(
    admit: &Admit,
    request: Request<Streaming<M::Request>>,
) -> Result<Option<Session<M>>, Status> {
    let remote = request.remote_addr();
    let (metadata, extensions, mut requests) = request.into_parts();
    let Ok(first) = tokio::time::timeout(HELLO_WAIT, requests.message()).await else {
        let wait = HELLO_WAIT.as_secs();
        return Err(Status::deadline_exceeded(format!("no discovery request came in {wait} seconds")));
    };
    let Some(first) = first? else { return Ok(None) };
    let Some(node) = M::node(&first) else {
        return Err(Status::invalid_argument("the first discovery request of a stream must carry a node"));
    };
    let visitor = Visitor { node, extensions: &extensions, metadata: &metadata, remote, delta: M::DELTA };
    let mut admission = admit(visitor)?;
    let world = Arc::clone(&admission.world.borrow_and_update());
    let mut machine = M::new(world);
    machine.request(first).map_err(|violation| Status::resource_exhausted(violation.to_string()))?;
    Ok(Some(Session { machine, requests, admission }))
}

impl<M: Machine> Session<M> {
    /// Waits until there is something to send; `None` once the client has ended the stream.
    async fn response(&mut self) -> Result<Option<M::Response>, Status> {
        loop {
            let response = self.machine.next();
            self.admission.status.send_if_modified(|status| {
                let now = self.machine.status();
                let changed = *status != now;
                *status = now;
                changed
            });
            if let Some(response) = response {
                return Ok(Some(response));
            }
            tokio::select! {
                request = self.requests.message() => match request? {
                    Some(request) => {
                        let taken = self.machine.request(request);
                        taken.map_err(|violation| Status::resource_exhausted(violation.to_string()))?;
                    }
                    None => return Ok(None),
                },
                changed = self.admission.world.changed() => {
                    if changed.is_err() {
                        return Err(Status::unavailable("this control plane has nothing more to say, connect again"));
                    }
                    let world = Arc::clone(&self.admission.world.borrow_and_update());
                    self.machine.world(world);
                }
            }
        }
    }
}
