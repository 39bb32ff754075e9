//! gRPC services that requests are asked about (`envoy.config.core.v3.GrpcService`).

use envoy_types::pb::envoy::config::core::v3 as pb;
use pb::grpc_service::{EnvoyGrpc, TargetSpecifier};

use super::headers;
use super::path::{Invalid, Path, absent};
use crate::model::{ClusterName, GrpcService};

/// A service behind a cluster.
pub(super) fn grpc_service(path: &Path<'_>, service: &pb::GrpcService) -> Result<GrpcService, Invalid> {
    let pb::GrpcService { timeout, initial_metadata, retry_policy, target_specifier } = service;
    absent!(path; retry_policy);
    let timeout = path.field("timeout").optional_positive(timeout)?;
    let metadata = path.field("initial_metadata").each(initial_metadata, headers::literal_value)?;
    let grpc = match target_specifier {
        Some(TargetSpecifier::EnvoyGrpc(grpc)) => grpc,
        Some(TargetSpecifier::GoogleGrpc(_)) => {
            return path.field("google_grpc").refuse("is not supported here; use envoy_grpc with a cluster");
        }
        None => return path.refuse("has no target; accepted: envoy_grpc"),
    };
    let path = path.field("envoy_grpc");
    let EnvoyGrpc {
        cluster_name,
        authority,
        retry_policy,
        max_receive_message_length,
        // We send no x-envoy fields on calls of our own in any case.
        skip_envoy_headers: _,
    } = grpc;
    absent!(path; retry_policy, max_receive_message_length);
    Ok(GrpcService {
        cluster: ClusterName::new(path.field("cluster_name").non_empty(cluster_name)?),
        authority: headers::value(&path.field("authority"), authority)?,
        timeout,
        initial_metadata: metadata,
    })
}
