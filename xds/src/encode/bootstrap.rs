//! Bootstraps.

use envoy_types::pb::envoy::config::bootstrap::v3 as pb;
use envoy_types::pb::envoy::config::core::v3 as core;
use pb::bootstrap::{DynamicResources as PbDynamic, StaticResources};

use super::access_log;
use super::address;
use super::cluster;
use super::listener;
use super::metadata;
use super::runtime;
use super::scalar;
use super::source;
use super::tls;
use crate::model::{Admin, Bootstrap, DynamicResources, Node};

pub(super) fn bootstrap(bootstrap: &Bootstrap) -> pb::Bootstrap {
    let Bootstrap {
        node: who,
        listeners,
        api_listener,
        clusters,
        secrets,
        dynamic: fetched,
        admin: server,
        local_cluster,
        load_stats,
        runtime: layers,
        stats_flush_interval,
    } = bootstrap;
    let manager = pb::ClusterManager {
        local_cluster_name: local_cluster.as_ref().map(ToString::to_string).unwrap_or_default(),
        load_stats_config: load_stats.as_ref().and_then(source::api),
        ..Default::default()
    };
    pb::Bootstrap {
        node: Some(node(who)),
        static_resources: Some(StaticResources {
            listeners: listeners
                .iter()
                .map(listener::listener)
                .chain(api_listener.iter().map(listener::api_listener))
                .collect(),
            clusters: clusters.iter().map(cluster::cluster).collect(),
            secrets: secrets.iter().map(tls::secret).collect(),
        }),
        dynamic_resources: Some(dynamic(fetched)).filter(|fetched| *fetched != PbDynamic::default()),
        cluster_manager: Some(manager).filter(|manager| *manager != pb::ClusterManager::default()),
        stats_flush_interval: scalar::span(*stats_flush_interval),
        layered_runtime: runtime::layers(layers),
        admin: server.as_ref().map(admin),
        ..Default::default()
    }
}

pub(super) fn node(node: &Node) -> core::Node {
    let Node { id, cluster, locality, metadata } = node;
    core::Node {
        id: id.clone(),
        cluster: cluster.clone(),
        metadata: Some(metadata::object(metadata)).filter(|fields| !fields.fields.is_empty()),
        locality: address::locality(locality),
        ..Default::default()
    }
}

fn dynamic(dynamic: &DynamicResources) -> PbDynamic {
    let DynamicResources { ads, listeners, clusters } = dynamic;
    PbDynamic {
        lds_config: listeners.as_ref().map(source::config_source),
        cds_config: clusters.as_ref().map(source::config_source),
        ads_config: ads.as_ref().and_then(source::api),
        ..Default::default()
    }
}

fn admin(admin: &Admin) -> pb::Admin {
    let Admin { address, access_log } = admin;
    pb::Admin {
        access_log: access_log::access_logs(access_log),
        address: address.as_ref().map(address::address),
        ..Default::default()
    }
}
