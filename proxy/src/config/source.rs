//! Streams to control planes: one for ADS, one for each type and source outside it.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tonic::metadata::{AsciiMetadataKey, AsciiMetadataValue, MetadataMap};
use xds::model::{ApiType, ConfigSource};
use xds::wire::client::event::Event;
use xds::wire::client::machine::Identity;
use xds::wire::client::stream::{self, Handle, Mode, Options, Service};
use xds::wire::resource::{Interest, ResourceType};

use super::channel;
use crate::snapshot::Live;

/// A running stream; ends when dropped.
#[derive(Debug)]
pub(super) struct Stream {
    handle: Handle,
    tasks: [AbortHandle; 2],
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}

impl Stream {
    /// Opens a stream to `source` and hands its events, marked with `key`, to `events`.
    ///
    /// # Errors
    /// When `source` is no gRPC source, or its metadata is not ASCII.
    pub(super) fn open<K: Clone + Send + 'static>(
        key: K,
        source: &ConfigSource,
        service: Service,
        identity: &Identity,
        live: &Arc<Live>,
        events: mpsc::Sender<(K, Event)>,
    ) -> Result<Self, String> {
        let ConfigSource::Api { api_type, cluster, set_node_on_first_message_only, initial_metadata, .. } =
            source
        else {
            return Err("a gRPC config source is needed here".to_owned());
        };
        let mode = match api_type {
            ApiType::Grpc => Mode::Sotw,
            ApiType::DeltaGrpc => Mode::Delta,
        };
        let identity = Identity { first_message_only: *set_node_on_first_message_only, ..identity.clone() };
        let mut options = Options::aggregated(identity, mode);
        options.service = service;
        options.metadata = metadata(initial_metadata)?;
        let channel = channel::to_cluster(cluster.clone(), Arc::clone(live));
        let (handle, mut received, driver) = stream::connect(channel, options);
        let driving = tokio::spawn(driver).abort_handle();
        let forwarding = tokio::spawn(async move {
            while let Some(event) = received.recv().await {
                if events.send((key.clone(), event)).await.is_err() {
                    return;
                }
            }
        });
        Ok(Self { handle, tasks: [driving, forwarding.abort_handle()] })
    }

    /// The stream's commands.
    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// From now on, `interest` is wanted of `ty`.
    pub(super) async fn subscribe(&self, ty: ResourceType, interest: Interest) {
        if self.handle.subscribe(ty, interest).await.is_err() {
            tracing::error!(?ty, "an xDS stream has ended by itself");
        }
    }
}

/// Metadata of a stream.
///
/// # Errors
/// The pair that is not ASCII.
pub(super) fn metadata(pairs: &[(String, String)]) -> Result<MetadataMap, String> {
    let mut map = MetadataMap::new();
    for (key, value) in pairs {
        let name: AsciiMetadataKey =
            key.parse().map_err(|_| format!("initial_metadata: {key:?} is not a metadata key"))?;
        let value: AsciiMetadataValue =
            value.parse().map_err(|_| format!("initial_metadata: the value of {key} is not ASCII"))?;
        map.append(name, value);
    }
    Ok(map)
}
