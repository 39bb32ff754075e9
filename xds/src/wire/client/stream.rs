//! Drives a client machine on a gRPC stream, and opens the stream again whenever it ends.
//!
//! The one rule: the driver never waits for only one side. A caller that is busy applying resources can still
//! subscribe, and a control plane that stops reading is given up rather than waited for.

use std::collections::VecDeque;
use std::future::{Future, pending, ready};
use std::pin::Pin;
use std::time::{Duration, Instant};

use futures_util::{Stream, StreamExt, TryFutureExt, TryStreamExt, stream};
use http::uri::PathAndQuery;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::MetadataMap;
use tonic::transport::Channel;
use tonic::{Code, Request, Response, Status};
use tonic_prost::ProstCodec;

use super::backoff::Backoff;
use super::delta::Delta;
use super::event::{Event, Ticket};
use super::machine::{Identity, Machine, Output};
use super::sotw::Sotw;
use crate::wire::limits::{
    COMMANDS_QUEUED_MAX, EVENTS_QUEUED_MAX, MESSAGE_BYTES_MAX, MISSING_AFTER, PEACEFUL_STREAM_AGE,
    REQUESTS_QUEUED_MAX,
};
use crate::wire::nack::Rejection;
use crate::wire::resource::{Interest, ResourceType};

/// Which variant of the protocol is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// `GRPC`: every response of a root type is complete.
    Sotw,
    /// `DELTA_GRPC`: responses hold what changed.
    Delta,
}

/// Which service of the control plane is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// The aggregated discovery service: one stream for all types.
    Aggregated,
    /// The service of one type, for control planes without aggregation; subscribe to this type only.
    Of(ResourceType),
}

impl Service {
    /// The gRPC path of the stream.
    pub fn path(self, delta: bool) -> &'static str {
        match (self, delta) {
            (Self::Aggregated, false) => {
                "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources"
            }
            (Self::Aggregated, true) => {
                "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources"
            }
            (Self::Of(ty), delta) => ty.own_service(delta),
        }
    }
}

/// How a control plane is spoken to.
#[derive(Debug, Clone)]
pub struct Options {
    /// The node, and how often it is sent.
    pub identity: Identity,
    /// The variant of the protocol.
    pub mode: Mode,
    /// The service that is called.
    pub service: Service,
    /// gRPC metadata of every stream (`initial_metadata`).
    pub metadata: MetadataMap,
    /// The waits between attempts.
    pub backoff: Backoff,
    /// How long a subscribed resource may take to come (state of the world only).
    pub missing_after: Duration,
}

impl Options {
    /// One aggregated stream with the usual limits.
    pub fn aggregated(identity: Identity, mode: Mode) -> Self {
        Self {
            identity,
            mode,
            service: Service::Aggregated,
            metadata: MetadataMap::new(),
            backoff: Backoff::default(),
            missing_after: MISSING_AFTER,
        }
    }
}

/// The driver ended: nobody drives the stream any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the xDS stream's driver has ended")]
pub struct Ended;

#[derive(Debug)]
enum Command {
    Subscribe(ResourceType, Interest),
    Verdict(Ticket, Vec<Rejection>),
}

/// Tells a stream what is wanted and what became of what arrived.
#[derive(Debug, Clone)]
pub struct Handle {
    commands: mpsc::Sender<Command>,
}

impl Handle {
    /// From now on, this is wanted of the type. Replaces what was wanted before.
    pub async fn subscribe(&self, ty: ResourceType, interest: Interest) -> Result<(), Ended> {
        self.commands.send(Command::Subscribe(ty, interest)).await.map_err(|_| Ended)
    }

    /// The response was applied, except for the rejected resources: acknowledges it, or refuses it by their names.
    pub async fn verdict(&self, ticket: Ticket, rejected: Vec<Rejection>) -> Result<(), Ended> {
        self.commands.send(Command::Verdict(ticket, rejected)).await.map_err(|_| Ended)
    }
}

/// Prepares a stream over a channel: the handle, its events, and the future that drives it.
///
/// The future ends when the handle or the events are dropped, and may be dropped at any time. The channel decides
/// how the control plane is reached: make it with `Endpoint::connect_with_connector_lazy` to bring mTLS of your own.
pub fn connect(
    channel: Channel,
    options: Options,
) -> (Handle, mpsc::Receiver<Event>, Pin<Box<dyn Future<Output = ()> + Send>>) {
    let (commands, inbox) = mpsc::channel(COMMANDS_QUEUED_MAX);
    let (events, received) = mpsc::channel(EVENTS_QUEUED_MAX);
    let driven: Pin<Box<dyn Future<Output = ()> + Send>> = match options.mode {
        Mode::Sotw => {
            let machine = Sotw::new(options.identity.clone(), options.missing_after);
            Box::pin(drive(Driver::new(machine, channel, options, inbox, events)))
        }
        Mode::Delta => {
            let machine = Delta::new(options.identity.clone());
            Box::pin(drive(Driver::new(machine, channel, options, inbox, events)))
        }
    };
    (Handle { commands }, received, driven)
}

struct Driver<M: Machine> {
    machine: M,
    channel: Channel,
    options: Options,
    inbox: mpsc::Receiver<Command>,
    events: mpsc::Sender<Event>,
    /// Events that wait for a place in the queue; nothing more is received meanwhile.
    outbox: VecDeque<Event>,
}

impl<M: Machine> Driver<M> {
    fn new(
        machine: M,
        channel: Channel,
        options: Options,
        inbox: mpsc::Receiver<Command>,
        events: mpsc::Sender<Event>,
    ) -> Self {
        Self { machine, channel, options, inbox, events, outbox: VecDeque::new() }
    }

    /// Waits for the caller to say or take something. May be dropped at any time: whatever was taken out of a queue
    /// has been carried out.
    async fn caller(&mut self) -> Turn<M::Request> {
        let expiry = self.machine.deadline();
        let room = self.events.clone().reserve_owned();
        tokio::select! {
            () = self.events.closed() => Turn::Gone,
            () = until(expiry) => {
                self.outbox.extend(self.machine.tick(now()));
                Turn::Done
            }
            room = room, if !self.outbox.is_empty() => {
                if let (Ok(room), Some(event)) = (room, self.outbox.pop_front()) {
                    room.send(event);
                }
                Turn::Done
            }
            command = self.inbox.recv() => {
                let request = match command {
                    None => return Turn::Gone,
                    Some(Command::Subscribe(ty, interest)) => self.machine.subscribe(ty, interest, now()),
                    Some(Command::Verdict(ticket, rejected)) => self.machine.settle(&ticket, rejected),
                };
                request.map_or(Turn::Done, Turn::Say)
            }
        }
    }

    /// Takes in what came from the control plane; gives back what to say to it.
    fn take_in(
        &mut self,
        message: Option<Result<Inbound<M::Response>, Status>>,
        answered: &mut bool,
    ) -> Result<Vec<M::Request>, End> {
        let ended = |reason, peaceful, answered| Err(End::Stream { reason, peaceful, answered });
        let mut say = Vec::new();
        match message {
            Some(Ok(Inbound::Opened)) => {
                self.machine.connected(now());
                self.outbox.push_back(Event::Connected);
            }
            Some(Ok(Inbound::Message(message))) => {
                *answered = true;
                match self.machine.receive(message, now()) {
                    Err(violation) => return ended(violation.to_string(), false, true),
                    Ok(outputs) => outputs.into_iter().for_each(|output| match output {
                        Output::Send(request) => say.push(request),
                        Output::Tell(event) => self.outbox.push_back(event),
                    }),
                }
            }
            Some(Err(status)) => {
                let peaceful = *answered && matches!(status.code(), Code::Ok | Code::Unavailable);
                return ended(describe(&status), peaceful, *answered);
            }
            None => return ended("the control plane closed the stream".to_owned(), *answered, *answered),
        }
        Ok(say)
    }
}

/// What became of a turn of the caller's side.
enum Turn<R> {
    /// There is nothing to say to the control plane.
    Done,
    /// This is to be said to the control plane, if there is a stream.
    Say(R),
    /// The caller dropped the handle or the events.
    Gone,
}

fn now() -> Instant {
    tokio::time::Instant::now().into()
}

/// Why a stream ended.
enum End {
    /// The caller dropped the handle or the events.
    Caller,
    /// The stream failed, or the control plane closed it.
    Stream { reason: String, peaceful: bool, answered: bool },
}

enum Inbound<R> {
    Opened,
    Message(R),
}

async fn drive<M: Machine>(mut driver: Driver<M>) {
    let mut failures = 0;
    loop {
        while driver.machine.idle() {
            if let Turn::Gone = driver.caller().await {
                return;
            }
        }
        let began = tokio::time::Instant::now();
        let End::Stream { reason, peaceful, answered } = one_stream(&mut driver).await else { return };
        driver.machine.closed();
        failures = if answered { 0 } else { failures + 1 };
        let settled = peaceful && began.elapsed() >= PEACEFUL_STREAM_AGE;
        let retry_in = match settled {
            true => Duration::ZERO,
            false => driver.options.backoff.wait(failures, fastrand::f64()),
        };
        tracing::debug!(reason, ?retry_in, "xds stream ended");
        driver.outbox.push_back(Event::Disconnected { reason, retry_in });
        if !wait(&mut driver, retry_in).await {
            return;
        }
    }
}

/// Waits and serves the caller meanwhile; `false` once it is gone.
async fn wait<M: Machine>(driver: &mut Driver<M>, span: Duration) -> bool {
    let end = tokio::time::Instant::now() + span;
    loop {
        tokio::select! {
            () = tokio::time::sleep_until(end) => return true,
            turn = driver.caller() => match turn {
                // The next stream's first requests say it all.
                Turn::Done | Turn::Say(_) => {}
                Turn::Gone => return false,
            },
        }
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
        None => pending().await,
    }
}

async fn one_stream<M: Machine>(driver: &mut Driver<M>) -> End {
    let (requests, outbound) = mpsc::channel(REQUESTS_QUEUED_MAX);
    let mut inbound = Box::pin(call::<M>(driver, outbound));
    let mut answered = false;
    let mut unsaid = driver.machine.open();
    loop {
        for request in unsaid.drain(..) {
            // A closed queue belongs to a stream that has failed, which its other half is about to say.
            if let Err(mpsc::error::TrySendError::Full(_)) = requests.try_send(request) {
                let reason = "the control plane does not read its requests".to_owned();
                return End::Stream { reason, peaceful: false, answered };
            }
        }
        // What came last is handed over before more is read, so that a busy caller slows the control plane down.
        let caught_up = driver.outbox.is_empty();
        tokio::select! {
            turn = driver.caller() => match turn {
                Turn::Done => {}
                Turn::Say(request) => unsaid.push(request),
                Turn::Gone => return End::Caller,
            },
            message = inbound.next(), if caught_up => match driver.take_in(message, &mut answered) {
                Ok(requests) => unsaid.extend(requests),
                Err(end) => return end,
            },
        }
    }
}

/// Opens the stream; its first item says that the control plane answers at all.
fn call<M: Machine>(
    driver: &Driver<M>,
    outbound: mpsc::Receiver<M::Request>,
) -> impl Stream<Item = Result<Inbound<M::Response>, Status>> + Send + 'static {
    let mut client =
        tonic::client::Grpc::new(driver.channel.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX);
    let path = PathAndQuery::from_static(driver.options.service.path(M::DELTA));
    let mut request = Request::new(ReceiverStream::new(outbound));
    *request.metadata_mut() = driver.options.metadata.clone();
    let answer = async move {
        client.ready().await.map_err(|error| Status::unavailable(format!("cannot be reached: {error}")))?;
        let codec: ProstCodec<M::Request, M::Response> = ProstCodec::default();
        client.streaming(request, path, codec).await
    };
    answer
        .map_ok(Response::into_inner)
        .map_ok(|messages| stream::once(ready(Ok(Inbound::Opened))).chain(messages.map_ok(Inbound::Message)))
        .try_flatten_stream()
}

/// The status with its causes, which is where transport errors say what happened.
fn describe(status: &Status) -> String {
    let mut text = format!("{:?}: {}", status.code(), status.message());
    let mut cause = std::error::Error::source(status);
    while let Some(error) = cause {
        let message = error.to_string();
        if !text.contains(&message) {
            text = format!("{text}: {message}");
        }
        cause = error.source();
    }
    text
}
