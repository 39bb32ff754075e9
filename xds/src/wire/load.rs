//! The client of a load reporting service (LRS): learns what is wanted, and sends the reports it is given.
//!
//! The one rule: when to report and what, the caller decides; a report is only sent on the stream whose server asked
//! for it, and what is lost with a stream is not counted again.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use envoy_types::pb::envoy::config::core::v3::Node;
use envoy_types::pb::envoy::service::load_stats::v3::LoadStatsRequest;
use envoy_types::pb::envoy::service::load_stats::v3::load_reporting_service_client::LoadReportingServiceClient;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::metadata::MetadataMap;
use tonic::transport::Channel;
use tonic::{Request, Status, Streaming};

use super::client::backoff::Backoff;
use super::limits::{LOAD_REPORTS_QUEUED_MAX, MESSAGE_BYTES_MAX};
use crate::model::{ClusterLoad, WantedLoad};
use crate::{decode, encode};

/// What tells a server that it may ask for all clusters.
const ALL_CLUSTERS: &str = "envoy.lrs.supports_send_all_clusters";

/// How a server is spoken to.
#[derive(Debug, Clone)]
pub struct Options {
    /// Who this is.
    pub node: Node,
    /// gRPC metadata of every stream (`initial_metadata`).
    pub metadata: MetadataMap,
    /// The waits between attempts.
    pub backoff: Backoff,
}

/// What the caller is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// This is wanted from now on; the interval begins now.
    Wanted(WantedLoad),
    /// Nothing is wanted until the next word: the stream ended.
    Disconnected {
        /// Why.
        reason: String,
        /// When it is opened again.
        retry_in: Duration,
    },
}

/// Prepares a stream over a channel: where reports go, its events, and the future that drives it, which ends when
/// either of the two is dropped.
pub fn connect(
    channel: Channel,
    options: Options,
) -> (mpsc::Sender<Vec<ClusterLoad>>, mpsc::Receiver<Event>, impl Future<Output = ()> + Send + 'static) {
    let (reports, inbox) = mpsc::channel(LOAD_REPORTS_QUEUED_MAX);
    let (events, received) = mpsc::channel(LOAD_REPORTS_QUEUED_MAX);
    (reports, received, drive(Driver { channel, options, inbox, events }))
}

struct Driver {
    channel: Channel,
    options: Options,
    inbox: mpsc::Receiver<Vec<ClusterLoad>>,
    events: mpsc::Sender<Event>,
}

/// Why a stream ended.
enum End {
    /// The caller dropped its half.
    Caller,
    /// The stream failed, or the server closed it.
    Stream { reason: String, answered: bool },
}

async fn drive(mut driver: Driver) {
    let mut failures = 0;
    loop {
        let End::Stream { reason, answered } = driver.one_stream().await else { return };
        failures = if answered { 0 } else { failures + 1 };
        let retry_in = driver.options.backoff.wait(failures, fastrand::f64());
        if driver.events.send(Event::Disconnected { reason, retry_in }).await.is_err() {
            return;
        }
        let mut pause = pin!(tokio::time::sleep(retry_in));
        loop {
            tokio::select! {
                () = &mut pause => break,
                // The server that this was for is gone.
                late = driver.inbox.recv() => if late.is_none() { return },
                () = driver.events.closed() => return,
            }
        }
    }
}

impl Driver {
    async fn one_stream(&mut self) -> End {
        let (requests, outbound) = mpsc::channel(LOAD_REPORTS_QUEUED_MAX);
        let mut answered = false;
        let ended = |status: &Status, answered| End::Stream { reason: status.to_string(), answered };
        let hello = LoadStatsRequest { node: Some(self.node()), cluster_stats: Vec::new() };
        if requests.send(hello).await.is_err() {
            return End::Caller;
        }
        let opening = open(self.channel.clone(), self.options.metadata.clone(), outbound);
        let mut responses = tokio::select! {
            opened = opening => match opened {
                Ok(responses) => responses,
                Err(status) => return ended(&status, answered),
            },
            () = self.events.closed() => return End::Caller,
        };
        loop {
            tokio::select! {
                report = self.inbox.recv() => {
                    let Some(report) = report else { return End::Caller };
                    if requests.try_send(encode::load_report(&report)).is_err() {
                        let reason = "the server does not read its reports".to_owned();
                        return End::Stream { reason, answered };
                    }
                }
                response = responses.message() => {
                    let response = match response {
                        Ok(Some(response)) => response,
                        Ok(None) => {
                            let reason = "the server closed the stream".to_owned();
                            return End::Stream { reason, answered };
                        }
                        Err(status) => return ended(&status, answered),
                    };
                    match decode::wanted_load(&response) {
                        Ok(wanted) => {
                            answered = true;
                            if self.events.send(Event::Wanted(wanted)).await.is_err() {
                                return End::Caller;
                            }
                        }
                        Err(invalid) => return End::Stream { reason: invalid.to_string(), answered },
                    }
                }
                () = self.events.closed() => return End::Caller,
            }
        }
    }

    fn node(&self) -> Node {
        let mut node = self.options.node.clone();
        if !node.client_features.iter().any(|feature| feature == ALL_CLUSTERS) {
            node.client_features.push(ALL_CLUSTERS.to_owned());
        }
        node
    }
}

async fn open(
    channel: Channel,
    metadata: MetadataMap,
    outbound: mpsc::Receiver<LoadStatsRequest>,
) -> Result<Streaming<envoy_types::pb::envoy::service::load_stats::v3::LoadStatsResponse>, Status> {
    let mut client = LoadReportingServiceClient::new(channel).max_decoding_message_size(MESSAGE_BYTES_MAX);
    let mut request = Request::new(ReceiverStream::new(outbound));
    *request.metadata_mut() = metadata;
    Ok(client.stream_load_stats(request).await?.into_inner())
}

#[cfg(test)]
mod tests;
