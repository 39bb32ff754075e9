//! gRPC services that requests are asked about.

use envoy_types::pb::envoy::config::core::v3 as pb;
use pb::grpc_service::{EnvoyGrpc, TargetSpecifier};

use super::headers;
use super::scalar;
use crate::model::GrpcService;

pub(super) fn grpc_service(service: &GrpcService) -> pb::GrpcService {
    let GrpcService { cluster, authority, timeout, initial_metadata } = service;
    let grpc =
        EnvoyGrpc { cluster_name: cluster.to_string(), authority: authority.clone(), ..Default::default() };
    pb::GrpcService {
        timeout: timeout.and_then(scalar::span),
        initial_metadata: initial_metadata
            .iter()
            .map(|(name, value)| headers::literal(name, value))
            .collect(),
        target_specifier: Some(TargetSpecifier::EnvoyGrpc(grpc)),
        ..Default::default()
    }
}
