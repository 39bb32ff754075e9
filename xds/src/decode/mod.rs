//! From Envoy's protobuf messages to the model.
//!
//! Every message is destructured with all of its fields named. A field is converted, or it is harmless and a
//! comment beside it says why, or it must be at its default: else the resource is refused with the field's path.
//! A field that a new `envoy-types` brings stops the build until one of the three is chosen.
#![allow(deprecated, reason = "older forms that are still sent are converted, so they have to be named")]

mod path;

mod scalar;

mod any;

mod address;

mod headers;

mod source;

mod metadata;

mod matcher;

mod metadata_matcher;

mod match_tree;

mod log_format;

mod access_log;

mod filter_state;

mod validation;

mod secret;

mod tls;

mod quic;

mod endpoint;

mod discovery;

mod balancer;

mod balance_policy;

mod balance;

mod health;

mod limits;

mod http_options;

mod upstream_http;

mod proxy_protocol;

mod cluster;

mod upgrade;

mod rate_limit;

mod grpc_service;

mod filter;

mod retry;

mod mirror;

mod internal_redirect;

mod redirect;

mod specifier_plugin;

mod forward;

mod route_match;

mod route;

mod route_config;

mod local_reply;

mod hcm_edge;

mod hcm;

mod tcp_proxy;

mod network_filter;

mod udp_proxy;

mod listener_filter;

mod filter_chain;

mod listener;

mod api_listener;

mod ads_users;

mod runtime;

mod bootstrap;

mod load;

mod resource;

#[cfg(test)]
mod tests;

use envoy_types::pb::envoy::config::bootstrap::v3::Bootstrap as PbBootstrap;
use envoy_types::pb::envoy::config::cluster::v3::Cluster as PbCluster;
use envoy_types::pb::envoy::config::endpoint::v3::ClusterLoadAssignment;
use envoy_types::pb::envoy::config::listener::v3::Listener as PbListener;
use envoy_types::pb::envoy::config::route::v3::RouteConfiguration as PbRoutes;
use envoy_types::pb::envoy::extensions::transport_sockets::tls::v3::Secret as PbSecret;
use envoy_types::pb::envoy::service::ext_proc::v3::ProcessingResponse;
use envoy_types::pb::envoy::service::load_stats::v3::LoadStatsResponse;
use envoy_types::pb::envoy::service::ratelimit::v3::RateLimitResponse;
use envoy_types::pb::envoy::service::runtime::v3::Runtime as PbRuntime;
use envoy_types::pb::google::protobuf::Any;
use path::Path;
use prost::Message;

pub use metadata::encoded as encoded_value;
pub use path::Invalid;
pub use resource::Resource;

use crate::model::{
    ApiListener, Bootstrap, Cluster, Listener, LoadAssignment, ProcessorAnswer, RateLimitAnswer,
    RouteConfiguration, RuntimeValues, Secret, WantedLoad,
};

/// A Bootstrap.
///
/// # Errors
/// The first field that is refused.
pub fn bootstrap(message: &PbBootstrap) -> Result<Bootstrap, Invalid> {
    bootstrap::bootstrap(&Path::ROOT, message)
}

/// A Listener with sockets as LDS delivers it: it has a name.
///
/// # Errors
/// The first field that is refused.
pub fn listener(message: &PbListener) -> Result<Listener, Invalid> {
    listener::listener(&Path::ROOT, message, listener::Unnamed::Refused)
}

/// A Listener without sockets.
///
/// # Errors
/// The first field that is refused.
pub fn api_listener(message: &PbListener) -> Result<ApiListener, Invalid> {
    api_listener::api_listener(&Path::ROOT, message)
}

/// A RouteConfiguration as RDS delivers it: it has a name.
///
/// # Errors
/// The first field that is refused.
pub fn route_configuration(message: &PbRoutes) -> Result<RouteConfiguration, Invalid> {
    Path::ROOT.field("name").non_empty(&message.name)?;
    route_config::route_configuration(&Path::ROOT, message)
}

/// A Cluster.
///
/// # Errors
/// The first field that is refused.
pub fn cluster(message: &PbCluster) -> Result<Cluster, Invalid> {
    cluster::cluster(&Path::ROOT, message)
}

/// A ClusterLoadAssignment as EDS delivers it: every address is literal.
///
/// # Errors
/// The first field that is refused.
pub fn load_assignment(message: &ClusterLoadAssignment) -> Result<LoadAssignment, Invalid> {
    endpoint::load_assignment(&Path::ROOT, message, address::Use::Connect)
}

/// What a server of load reports wants to know.
///
/// # Errors
/// The first field that is refused.
pub fn wanted_load(message: &LoadStatsResponse) -> Result<WantedLoad, Invalid> {
    load::wanted_load(&Path::ROOT, message)
}

/// A rate limit service's answer, as its bytes.
///
/// # Errors
/// The first field that is refused, or that it is no such message.
pub fn rate_limit_answer(message: &[u8]) -> Result<RateLimitAnswer, Invalid> {
    match RateLimitResponse::decode(message) {
        Ok(answer) => filter::rate_limit_answer(&Path::ROOT, &answer),
        Err(error) => Path::ROOT.refuse(error.to_string()),
    }
}

/// An external processor's answer, as its bytes.
///
/// # Errors
/// That it is no such message.
pub fn processor_answer(message: &[u8]) -> Result<ProcessorAnswer, Invalid> {
    match ProcessingResponse::decode(message) {
        Ok(answer) => Ok(filter::processor_answer(&answer)),
        Err(error) => Path::ROOT.refuse(error.to_string()),
    }
}

/// A Secret.
///
/// # Errors
/// The first field that is refused.
pub fn secret(message: &PbSecret) -> Result<Secret, Invalid> {
    secret::secret(&Path::ROOT, message)
}

/// Runtime values as RTDS delivers them.
///
/// # Errors
/// The first field that is refused.
pub fn runtime(message: &PbRuntime) -> Result<RuntimeValues, Invalid> {
    runtime::runtime(&Path::ROOT, message)
}

/// A resource of a discovery response whose `type_url` is given.
///
/// # Errors
/// When the resource is of another type, when this build does not know the type, when the bytes are no such
/// message, and the first field that is refused.
pub fn resource(type_url: &str, any: &Any) -> Result<Resource, Invalid> {
    if any.type_url != type_url {
        let found = &any.type_url;
        return Path::ROOT.refuse(format!("is a {found:?} in a response of {type_url:?}"));
    }
    let root = Path::ROOT;
    if let Some(message) = any::unpack_if::<PbListener>(&root, any)? {
        return match message.api_listener {
            Some(_) => api_listener(&message).map(Resource::ApiListener),
            None => listener(&message).map(Resource::Listener),
        };
    }
    if let Some(message) = any::unpack_if::<PbRoutes>(&root, any)? {
        return route_configuration(&message).map(Resource::RouteConfiguration);
    }
    if let Some(message) = any::unpack_if::<PbCluster>(&root, any)? {
        return cluster(&message).map(Resource::Cluster);
    }
    if let Some(message) = any::unpack_if::<ClusterLoadAssignment>(&root, any)? {
        return load_assignment(&message).map(Resource::LoadAssignment);
    }
    if let Some(message) = any::unpack_if::<PbSecret>(&root, any)? {
        return secret(&message).map(Resource::Secret);
    }
    if let Some(message) = any::unpack_if::<PbRuntime>(&root, any)? {
        return runtime(&message).map(Resource::Runtime);
    }
    root.refuse(format!(
        "{type_url:?} is not a type of resource that is supported; \
         accepted: Listener, RouteConfiguration, Cluster, ClusterLoadAssignment, Secret, Runtime"
    ))
}
