//! Where configuration and bytes come from (`ConfigSource`, `ApiConfigSource`, `DataSource`). gRPC or files;
//! version 3 only.

use std::time::Duration;

use envoy_types::pb::envoy::config::core::v3 as pb;
use pb::api_config_source::ApiType as PbApiType;
use pb::config_source::ConfigSourceSpecifier;
use pb::data_source::Specifier;

use super::grpc_service;
use super::path::{Invalid, Path, absent};
use crate::model::{ApiType, ClusterName, ConfigSource, DataSource, GrpcService};

/// How long the first answer is waited for unless said otherwise.
const INITIAL_FETCH_TIMEOUT: Duration = Duration::from_secs(15);

/// A place to fetch resources from.
pub(super) fn config_source(path: &Path<'_>, source: &pb::ConfigSource) -> Result<ConfigSource, Invalid> {
    let pb::ConfigSource {
        authorities,
        initial_fetch_timeout,
        resource_api_version,
        config_source_specifier,
    } = source;
    absent!(path; authorities);
    version(&path.field("resource_api_version"), *resource_api_version)?;
    let timeout =
        path.field("initial_fetch_timeout").limit(initial_fetch_timeout, Some(INITIAL_FETCH_TIMEOUT))?;
    match config_source_specifier {
        Some(ConfigSourceSpecifier::Ads(pb::AggregatedConfigSource {})) => {
            Ok(ConfigSource::Ads { initial_fetch_timeout: timeout })
        }
        Some(ConfigSourceSpecifier::ApiConfigSource(api)) => {
            api_source(&path.field("api_config_source"), api, timeout)
        }
        Some(ConfigSourceSpecifier::PathConfigSource(file)) => {
            path_source(&path.field("path_config_source"), file)
        }
        Some(ConfigSourceSpecifier::Path(file)) => {
            let file = path.field("path").non_empty(file)?;
            Ok(ConfigSource::Path { path: file, watched_directory: None })
        }
        Some(ConfigSourceSpecifier::Self_(_)) => path.field("self").unsupported(),
        None => path.refuse("is empty; accepted: ads, api_config_source, path_config_source"),
    }
}

/// The source of the aggregated stream, which has no first-answer timeout of its own.
pub(super) fn ads(path: &Path<'_>, api: &pb::ApiConfigSource) -> Result<ConfigSource, Invalid> {
    api_source(path, api, Some(INITIAL_FETCH_TIMEOUT))
}

/// Whether a source is the server that the resource comes from; nothing else is accepted where this is asked.
pub(super) fn is_self(path: &Path<'_>, source: &Option<pb::ConfigSource>) -> Result<bool, Invalid> {
    let Some(source) = source else { return Ok(false) };
    let pb::ConfigSource {
        authorities,
        initial_fetch_timeout,
        resource_api_version,
        config_source_specifier,
    } = source;
    absent!(path; authorities, initial_fetch_timeout);
    version(&path.field("resource_api_version"), *resource_api_version)?;
    match config_source_specifier {
        Some(ConfigSourceSpecifier::Self_(pb::SelfConfigSource { transport_api_version })) => {
            let at = path.field("self");
            version(&at.field("transport_api_version"), *transport_api_version)?;
            Ok(true)
        }
        _ => path
            .refuse("only self is accepted here; name another server in cluster_manager.load_stats_config"),
    }
}

fn path_source(path: &Path<'_>, source: &pb::PathConfigSource) -> Result<ConfigSource, Invalid> {
    let pb::PathConfigSource { path: file, watched_directory, poll_interval } = source;
    absent!(path; poll_interval);
    Ok(ConfigSource::Path {
        path: path.field("path").non_empty(file)?,
        watched_directory: directory(&path.field("watched_directory"), watched_directory)?,
    })
}

fn api_source(
    path: &Path<'_>,
    api: &pb::ApiConfigSource,
    initial_fetch_timeout: Option<Duration>,
) -> Result<ConfigSource, Invalid> {
    let pb::ApiConfigSource {
        api_type,
        transport_api_version,
        cluster_names,
        grpc_services,
        refresh_delay,
        request_timeout,
        rate_limit_settings,
        set_node_on_first_message_only,
        config_validators,
    } = api;
    let at = path.field("api_type");
    let api_type = match at.known(*api_type)? {
        PbApiType::Grpc | PbApiType::AggregatedGrpc => ApiType::Grpc,
        PbApiType::DeltaGrpc | PbApiType::AggregatedDeltaGrpc => ApiType::DeltaGrpc,
        PbApiType::Rest => return at.refuse("REST is not supported here; accepted: GRPC, DELTA_GRPC"),
        PbApiType::DeprecatedAndUnavailableDoNotUse => {
            return at.refuse("is required; accepted: GRPC, DELTA_GRPC");
        }
    };
    version(&path.field("transport_api_version"), *transport_api_version)?;
    // cluster_names, refresh_delay and request_timeout belong to REST.
    absent!(path; cluster_names, refresh_delay, request_timeout, rate_limit_settings, config_validators);
    let services = path.field("grpc_services");
    let [service] = grpc_services.as_slice() else {
        return services.refuse(format!("has {} services; exactly one is accepted", grpc_services.len()));
    };
    let (cluster, initial_metadata) = grpc_service(&services.index(0), service)?;
    Ok(ConfigSource::Api {
        api_type,
        cluster,
        set_node_on_first_message_only: *set_node_on_first_message_only,
        initial_metadata,
        initial_fetch_timeout,
    })
}

/// Unset is taken for version 3, as Envoy does.
fn version(path: &Path<'_>, version: i32) -> Result<(), Invalid> {
    match path.known(version)? {
        pb::ApiVersion::Auto | pb::ApiVersion::V3 => Ok(()),
        pb::ApiVersion::V2 => path.refuse("V2 is not supported; accepted: V3"),
    }
}

/// A service that sends resources: its calls are streams, which have no timeout, and no authority of their own.
fn grpc_service(
    path: &Path<'_>,
    service: &pb::GrpcService,
) -> Result<(ClusterName, Vec<(String, String)>), Invalid> {
    path.field("timeout").absent(&service.timeout)?;
    let GrpcService { cluster, authority, timeout: _, initial_metadata } =
        grpc_service::grpc_service(path, service)?;
    path.field("envoy_grpc").field("authority").absent(&authority)?;
    Ok((cluster, initial_metadata))
}

/// Bytes; `directory` is a watched directory that stands beside the source and holds for files without their own.
pub(super) fn data_source(
    path: &Path<'_>,
    source: &pb::DataSource,
    beside: Option<&str>,
) -> Result<DataSource, Invalid> {
    let pb::DataSource { watched_directory, specifier } = source;
    let watched = directory(&path.field("watched_directory"), watched_directory)?;
    if watched.is_some() && !matches!(specifier, Some(Specifier::Filename(_))) {
        return path.field("watched_directory").refuse("is only accepted beside filename");
    }
    match specifier {
        Some(Specifier::Filename(file)) => Ok(DataSource::File {
            path: path.field("filename").non_empty(file)?,
            watched_directory: watched.or_else(|| beside.map(str::to_owned)),
        }),
        Some(Specifier::InlineBytes(bytes)) => Ok(DataSource::Inline(bytes.clone())),
        Some(Specifier::InlineString(text)) => Ok(DataSource::Inline(text.clone().into_bytes())),
        Some(Specifier::EnvironmentVariable(name)) => {
            path.field("environment_variable").non_empty(name).map(DataSource::Environment)
        }
        None => {
            path.refuse("is empty; accepted: filename, inline_string, inline_bytes, environment_variable")
        }
    }
}

/// A data source that holds something when it is inline.
pub(super) fn filled(
    path: &Path<'_>,
    source: &pb::DataSource,
    beside: Option<&str>,
) -> Result<DataSource, Invalid> {
    match data_source(path, source, beside)? {
        DataSource::Inline(bytes) if bytes.is_empty() => path.refuse("must not be empty"),
        source => Ok(source),
    }
}

/// A directory to watch.
pub(super) fn directory(
    path: &Path<'_>,
    directory: &Option<pb::WatchedDirectory>,
) -> Result<Option<String>, Invalid> {
    let Some(pb::WatchedDirectory { path: directory, watch_modify }) = directory else { return Ok(None) };
    absent!(path; watch_modify);
    path.field("path").non_empty(directory).map(Some)
}
