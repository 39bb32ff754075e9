//! From the model to Envoy's protobuf messages.
//!
//! Every struct of the model is destructured with all of its fields named, so that nothing added to it is
//! forgotten here; `decode` of what is made here gives the same model back. Envoy itself accepts it too.

mod scalar;

mod address;

mod headers;

mod source;

mod metadata;

mod matcher;

mod metadata_matcher;

mod match_tree;

mod access_log;

mod filter_state;

mod tls;

mod quic;

mod endpoint;

mod balance_policy;

mod balance;

mod health;

mod limits;

mod http_options;

mod proxy_protocol;

mod cluster;

mod retry;

mod mirror;

mod internal_redirect;

mod forward;

mod route;

mod rate_limit;

mod grpc_service;

mod filter;

mod local_reply;

mod hcm;

mod hcm_edge;
mod network_filter;

mod udp_proxy;

mod listener;

mod runtime;

mod bootstrap;

mod load;

#[cfg(test)]
mod tests;

use envoy_types::pb::envoy::config::bootstrap::v3::Bootstrap as PbBootstrap;
use envoy_types::pb::envoy::config::cluster::v3::Cluster as PbCluster;
use envoy_types::pb::envoy::config::core::v3::Node as PbNode;
use envoy_types::pb::envoy::config::endpoint::v3::ClusterLoadAssignment;
use envoy_types::pb::envoy::config::listener::v3::Listener as PbListener;
use envoy_types::pb::envoy::config::route::v3::RouteConfiguration as PbRoutes;
use envoy_types::pb::envoy::extensions::transport_sockets::tls::v3::Secret as PbSecret;
use envoy_types::pb::envoy::service::load_stats::v3::LoadStatsRequest;
use envoy_types::pb::envoy::service::runtime::v3::Runtime as PbRuntime;
use envoy_types::pb::google::protobuf::Any;
use prost::Message;

use crate::model::{
    ApiListener, Bootstrap, Cluster, ClusterLoad, Listener, LoadAssignment, Node, ProcessorQuestion,
    RateLimitQuestion, RouteConfiguration, RuntimeValues, Secret,
};

/// A question to a rate limit service, as its bytes.
#[must_use]
pub fn rate_limit_question(question: &RateLimitQuestion) -> Vec<u8> {
    filter::rate_limit_question(question).encode_to_vec()
}

/// A part of a message for an external processor, as its bytes.
#[must_use]
pub fn processor_question(question: ProcessorQuestion) -> Vec<u8> {
    filter::processor_question(question).encode_to_vec()
}

/// A Bootstrap.
#[must_use]
pub fn bootstrap(bootstrap: &Bootstrap) -> PbBootstrap {
    bootstrap::bootstrap(bootstrap)
}

/// A Node, as the first request of a stream carries it; what software this is stays unset.
#[must_use]
pub fn node(node: &Node) -> PbNode {
    bootstrap::node(node)
}

/// A Listener.
#[must_use]
pub fn listener(listener: &Listener) -> PbListener {
    listener::listener(listener)
}

/// A Listener without sockets.
#[must_use]
pub fn api_listener(listener: &ApiListener) -> PbListener {
    listener::api_listener(listener)
}

/// A RouteConfiguration.
#[must_use]
pub fn route_configuration(table: &RouteConfiguration) -> PbRoutes {
    route::route_configuration(table)
}

/// A Cluster.
#[must_use]
pub fn cluster(cluster: &Cluster) -> PbCluster {
    cluster::cluster(cluster)
}

/// A ClusterLoadAssignment.
#[must_use]
pub fn load_assignment(assignment: &LoadAssignment) -> ClusterLoadAssignment {
    endpoint::load_assignment(assignment)
}

/// A Secret, its private key included.
#[must_use]
pub fn secret(secret: &Secret) -> PbSecret {
    tls::secret(secret)
}

/// Runtime values.
#[must_use]
pub fn runtime(values: &RuntimeValues) -> PbRuntime {
    runtime::runtime(values)
}

/// A report of load, without the node.
#[must_use]
pub fn load_report(clusters: &[ClusterLoad]) -> LoadStatsRequest {
    load::report(clusters)
}

/// Any of the messages above with its type URL, as discovery responses carry them.
#[must_use]
pub fn any<M: prost::Message + prost::Name>(message: &M) -> Any {
    scalar::any(message)
}
