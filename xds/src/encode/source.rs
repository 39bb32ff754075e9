//! Where configuration and bytes come from.

use envoy_types::pb::envoy::config::core::v3 as pb;
use pb::api_config_source::ApiType as PbApiType;
use pb::config_source::ConfigSourceSpecifier;
use pb::data_source::Specifier;

use super::headers;
use super::scalar;
use crate::model::{ApiType, ConfigSource, DataSource};

pub(super) fn config_source(source: &ConfigSource) -> pb::ConfigSource {
    let (specifier, timeout) = match source {
        ConfigSource::Ads { initial_fetch_timeout } => {
            (ConfigSourceSpecifier::Ads(pb::AggregatedConfigSource {}), scalar::limit(*initial_fetch_timeout))
        }
        ConfigSource::Api { initial_fetch_timeout, .. } => (
            ConfigSourceSpecifier::ApiConfigSource(api(source).unwrap_or_default()),
            scalar::limit(*initial_fetch_timeout),
        ),
        ConfigSource::Path { path, watched_directory } => {
            let file = pb::PathConfigSource {
                path: path.clone(),
                watched_directory: directory(watched_directory.as_ref()),
                ..Default::default()
            };
            (ConfigSourceSpecifier::PathConfigSource(file), None)
        }
    };
    pb::ConfigSource {
        initial_fetch_timeout: timeout,
        resource_api_version: pb::ApiVersion::V3.into(),
        config_source_specifier: Some(specifier),
        ..Default::default()
    }
}

/// The server that the resource comes from.
pub(super) fn own_server() -> pb::ConfigSource {
    let own = pb::SelfConfigSource { transport_api_version: pb::ApiVersion::V3.into() };
    pb::ConfigSource {
        resource_api_version: pb::ApiVersion::V3.into(),
        config_source_specifier: Some(ConfigSourceSpecifier::Self_(own)),
        ..Default::default()
    }
}

/// The stream of `source`, if it is one of its own.
pub(super) fn api(source: &ConfigSource) -> Option<pb::ApiConfigSource> {
    let ConfigSource::Api {
        api_type,
        cluster,
        set_node_on_first_message_only,
        initial_metadata,
        // Stands beside the stream's description, not in it.
        initial_fetch_timeout: _,
    } = source
    else {
        return None;
    };
    let api_type = match api_type {
        ApiType::Grpc => PbApiType::Grpc,
        ApiType::DeltaGrpc => PbApiType::DeltaGrpc,
    };
    let target = pb::grpc_service::EnvoyGrpc { cluster_name: cluster.to_string(), ..Default::default() };
    let service = pb::GrpcService {
        initial_metadata: initial_metadata
            .iter()
            .map(|(name, value)| headers::literal(name, value))
            .collect(),
        target_specifier: Some(pb::grpc_service::TargetSpecifier::EnvoyGrpc(target)),
        ..Default::default()
    };
    Some(pb::ApiConfigSource {
        api_type: api_type.into(),
        transport_api_version: pb::ApiVersion::V3.into(),
        grpc_services: vec![service],
        set_node_on_first_message_only: *set_node_on_first_message_only,
        ..Default::default()
    })
}

pub(super) fn data_source(source: &DataSource) -> pb::DataSource {
    let (specifier, watched_directory) = match source {
        DataSource::File { path, watched_directory } => {
            (Specifier::Filename(path.clone()), directory(watched_directory.as_ref()))
        }
        DataSource::Inline(bytes) => {
            let text = String::from_utf8(bytes.clone()).map(Specifier::InlineString);
            (text.unwrap_or_else(|error| Specifier::InlineBytes(error.into_bytes())), None)
        }
        DataSource::Environment(name) => (Specifier::EnvironmentVariable(name.clone()), None),
    };
    pb::DataSource { watched_directory, specifier: Some(specifier) }
}

/// `sources` with their common watched directory, which Envoy reads beside them, not in each.
pub(super) fn watched<const N: usize>(
    sources: [Option<&DataSource>; N],
) -> ([Option<pb::DataSource>; N], Option<pb::WatchedDirectory>) {
    let mut encoded = sources.map(|source| source.map(data_source));
    let mut directories = encoded.iter().flatten().map(|source| source.watched_directory.clone());
    let common =
        directories.next().flatten().filter(|first| directories.all(|next| next.as_ref() == Some(first)));
    if common.is_some() {
        encoded.iter_mut().flatten().for_each(|source| source.watched_directory = None);
    }
    (encoded, common)
}

fn directory(directory: Option<&String>) -> Option<pb::WatchedDirectory> {
    directory.map(|path| pb::WatchedDirectory { path: path.clone(), ..Default::default() })
}
