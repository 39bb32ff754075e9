//! What a proxy starts with (`envoy.config.bootstrap.v3.Bootstrap`).

use std::collections::BTreeMap;
use std::time::Duration;

use envoy_types::pb::envoy::config::bootstrap::v3 as pb;
use envoy_types::pb::envoy::config::core::v3 as core;
use envoy_types::pb::envoy::config::listener::v3::Listener as PbListener;
use envoy_types::pb::envoy::extensions::regex_engines::v3::GoogleRe2;
use envoy_types::pb::google::protobuf::Duration as Span;
use pb::bootstrap::{DynamicResources as PbDynamic, StaticResources};

use super::access_log;
use super::address::{self, Use};
use super::ads_users;
use super::any;
use super::api_listener;
use super::cluster;
use super::listener::{self, Unnamed};
use super::metadata;
use super::path::{Invalid, Path, absent};
use super::runtime;
use super::secret;
use super::source;
use crate::model::{
    Admin, ApiListener, Bootstrap, Cluster, ClusterName, ConfigSource, DynamicResources, Listener,
    ListenerName, Node, Secret,
};

/// Envoy's `stats_flush_interval`.
const STATS_FLUSH_INTERVAL: Duration = Duration::from_secs(5);

/// The longest `stats_flush_interval`, as in Envoy.
const STATS_FLUSH_BELOW: Duration = Duration::from_secs(300);

/// A bootstrap.
pub(super) fn bootstrap(path: &Path<'_>, bootstrap: &pb::Bootstrap) -> Result<Bootstrap, Invalid> {
    #[rustfmt::skip]
    let pb::Bootstrap {
        node, static_resources, dynamic_resources, cluster_manager, stats_flush_interval, layered_runtime,
        admin, default_regex_engine,
        // When Envoy makes its counters, and how it tunes its allocator: there is nothing of the kind here.
        deferred_stat_options: _, memory_allocator_manager: _,
        // Refused when set.
        node_context_params, hds_config, flags_path, stats_sinks, stats_config, watchdog, watchdogs, tracing,
        overload_manager, enable_dispatcher_stats, header_prefix, stats_server_version_override,
        use_tcp_for_dns_lookups, dns_resolution_config, typed_dns_resolver_config, bootstrap_extensions,
        fatal_actions, config_sources, default_config_source, default_socket_interface,
        certificate_provider_instances, inline_headers, perf_tracing_file_path, xds_delegate_extension,
        xds_config_tracker_extension, listener_manager, application_log_config,
        grpc_async_client_manager_config, enable_worker_cpu_affinity, stats_flush, stats_eviction,
    } = bootstrap;
    absent!(path; node_context_params, hds_config, flags_path, stats_sinks, watchdog, watchdogs, tracing,
        overload_manager, enable_dispatcher_stats, header_prefix, stats_server_version_override,
        use_tcp_for_dns_lookups, dns_resolution_config, typed_dns_resolver_config, bootstrap_extensions,
        fatal_actions, config_sources, default_config_source, default_socket_interface,
        certificate_provider_instances, inline_headers, perf_tracing_file_path, xds_delegate_extension,
        xds_config_tracker_extension, listener_manager, application_log_config,
        grpc_async_client_manager_config, enable_worker_cpu_affinity, stats_flush, stats_eviction);
    path.field("stats_config")
        .absent(&stats_config.clone().filter(|config| *config != Default::default()))?;
    regex_engine(&path.field("default_regex_engine"), default_regex_engine)?;
    let at = path.field("static_resources");
    let Statics { listeners, api_listener, clusters, secrets } = statics(&at, static_resources)?;
    let dynamic = self::dynamic(&path.field("dynamic_resources"), dynamic_resources)?;
    if dynamic.ads.is_none() {
        ads_users::none(&at, &listeners, api_listener.as_ref(), &clusters)?;
    }
    let no_server = dynamic.ads.is_none() && !matches!(dynamic.clusters, Some(ConfigSource::Api { .. }));
    if let Some(index) = clusters.iter().position(|cluster| cluster.reports_load && no_server) {
        let at = at.field("clusters").index(index);
        return at
            .field("lrs_server")
            .refuse("needs a control plane: neither ads_config nor cds_config is one");
    }
    let has_ads = dynamic.ads.is_some();
    let (local_cluster, load_stats) = manager(&path.field("cluster_manager"), cluster_manager, &clusters)?;
    Ok(Bootstrap {
        node: self::node(&path.field("node"), node)?,
        listeners,
        api_listener,
        clusters,
        secrets,
        dynamic,
        admin: admin.as_ref().map(|admin| self::admin(&path.field("admin"), admin)).transpose()?,
        local_cluster,
        load_stats,
        runtime: runtime::layers(&path.field("layered_runtime"), layered_runtime, has_ads)?,
        stats_flush_interval: flush_interval(&path.field("stats_flush_interval"), stats_flush_interval)?,
    })
}

fn node(path: &Path<'_>, node: &Option<core::Node>) -> Result<Node, Invalid> {
    let Some(node) = node else { return Ok(Node::default()) };
    let core::Node {
        id,
        cluster,
        metadata: fields,
        dynamic_parameters,
        locality,
        // What software this is and can do, we say ourselves.
        user_agent_name: _,
        user_agent_version_type: _,
        extensions: _,
        client_features: _,
        listening_addresses: _,
    } = node;
    absent!(path; dynamic_parameters);
    let at = path.field("metadata");
    Ok(Node {
        id: id.clone(),
        cluster: cluster.clone(),
        locality: address::locality(locality),
        metadata: match fields {
            Some(fields) => metadata::object(&at, fields)?,
            None => BTreeMap::new(),
        },
    })
}

/// What stands in the bootstrap.
struct Statics {
    listeners: Vec<Listener>,
    api_listener: Option<ApiListener>,
    clusters: Vec<Cluster>,
    secrets: Vec<Secret>,
}

/// Static resources; a name stands for one of its kind.
fn statics(path: &Path<'_>, statics: &Option<StaticResources>) -> Result<Statics, Invalid> {
    let nothing = StaticResources::default();
    let StaticResources { listeners, clusters, secrets } = statics.as_ref().unwrap_or(&nothing);
    let at = path.field("listeners");
    let (listeners, api_listener) = self::listeners(&at, listeners)?;
    let at = path.field("clusters");
    let clusters = at.each(clusters, cluster::cluster)?;
    at.unique("cluster name", clusters.iter().map(|cluster| cluster.name.as_str()))?;
    let at = path.field("secrets");
    let secrets = at.each(secrets, secret::secret)?;
    at.unique("secret name", secrets.iter().map(|secret| secret.name.as_str()))?;
    Ok(Statics { listeners, api_listener, clusters, secrets })
}

/// Those with sockets, and the one without.
fn listeners(
    path: &Path<'_>,
    listeners: &[PbListener],
) -> Result<(Vec<Listener>, Option<ApiListener>), Invalid> {
    let (mut bound, mut api) = (Vec::new(), None);
    for (index, found) in listeners.iter().enumerate() {
        let at = path.index(index);
        if found.api_listener.is_none() {
            bound.push(listener::listener(&at, found, Unnamed::ByAddress)?);
        } else if api.is_some() {
            return at.field("api_listener").refuse("is set in a second listener; only one may have it");
        } else {
            api = Some(api_listener::api_listener(&at, found)?);
        }
    }
    let names = bound.iter().map(|listener| &listener.name).chain(api.iter().map(|api| &api.name));
    path.unique("listener name", names.map(ListenerName::as_str))?;
    Ok((bound, api))
}

fn dynamic(path: &Path<'_>, dynamic: &Option<PbDynamic>) -> Result<DynamicResources, Invalid> {
    let Some(dynamic) = dynamic else { return Ok(DynamicResources::default()) };
    let PbDynamic { lds_config, lds_resources_locator, cds_config, cds_resources_locator, ads_config } =
        dynamic;
    absent!(path; lds_resources_locator, cds_resources_locator);
    let at = path.field("ads_config");
    let ads = ads_config.as_ref().map(|api| source::ads(&at, api)).transpose()?;
    let fetched = |name, config: &Option<core::ConfigSource>| {
        let at = path.field(name);
        let found = config.as_ref().map(|config| source::config_source(&at, config)).transpose()?;
        if ads.is_none() && matches!(found, Some(ConfigSource::Ads { .. })) {
            return at.field("ads").refuse("needs dynamic_resources.ads_config, which is not set");
        }
        Ok(found)
    };
    let (listeners, clusters) = (fetched("lds_config", lds_config)?, fetched("cds_config", cds_config)?);
    Ok(DynamicResources { ads, listeners, clusters })
}

fn admin(path: &Path<'_>, admin: &pb::Admin) -> Result<Admin, Invalid> {
    let pb::Admin {
        access_log,
        access_log_path,
        // Where Envoy's profiler writes; there is no such endpoint here.
        profile_path: _,
        address,
        socket_options,
        // There is no limit over all connections to leave out.
        ignore_global_conn_limit: _,
        allow_paths,
    } = admin;
    absent!(path; socket_options, allow_paths);
    let mut logs = access_log::access_logs(&path.field("access_log"), access_log)?;
    if !access_log_path.is_empty() {
        logs.push(access_log::to_file(access_log_path));
    }
    let at = path.field("address");
    let address = address.as_ref().map(|address| address::address(&at, address, Use::Listen)).transpose()?;
    Ok(Admin { address, access_log: logs })
}

/// The cluster that this proxy is a member of, and where load is reported.
fn manager(
    path: &Path<'_>,
    manager: &Option<pb::ClusterManager>,
    clusters: &[Cluster],
) -> Result<(Option<ClusterName>, Option<ConfigSource>), Invalid> {
    let Some(manager) = manager else { return Ok((None, None)) };
    let pb::ClusterManager {
        local_cluster_name,
        outlier_detection,
        upstream_bind_config,
        load_stats_config,
        // When Envoy makes a cluster's state; nothing that can be told from outside.
        enable_deferred_cluster_creation: _,
    } = manager;
    absent!(path; outlier_detection, upstream_bind_config);
    let at = path.field("load_stats_config");
    let load_stats = load_stats_config.as_ref().map(|api| source::ads(&at, api)).transpose()?;
    if local_cluster_name.is_empty() {
        return Ok((None, load_stats));
    }
    if clusters.iter().any(|cluster| cluster.name.as_str() == local_cluster_name) {
        return Ok((Some(ClusterName::new(local_cluster_name.as_str())), load_stats));
    }
    path.field("local_cluster_name").refuse(format!("{local_cluster_name:?} is not a static cluster"))
}

fn flush_interval(path: &Path<'_>, interval: &Option<Span>) -> Result<Duration, Invalid> {
    let interval = path.optional_positive(interval)?.unwrap_or(STATS_FLUSH_INTERVAL);
    if interval < Duration::from_millis(1) || interval >= STATS_FLUSH_BELOW {
        return path.refuse(format!("{interval:?} is not accepted; 1 ms up to 5 min are"));
    }
    Ok(interval)
}

/// There is one engine, with RE2's syntax.
fn regex_engine(path: &Path<'_>, engine: &Option<core::TypedExtensionConfig>) -> Result<(), Invalid> {
    let Some(core::TypedExtensionConfig { name, typed_config }) = engine else { return Ok(()) };
    let path = path.field("typed_config");
    let config = path.required(typed_config)?;
    match any::unpack_if(&path, config)? {
        Some(GoogleRe2 {}) => Ok(()),
        None => any::unknown(&path, name, config, "GoogleRE2"),
    }
}
