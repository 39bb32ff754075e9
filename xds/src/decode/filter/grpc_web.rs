//! gRPC for browsers (`envoy.extensions.filters.http.grpc_web.v3`), of which there is nothing to say.

use envoy_types::pb::envoy::extensions::filters::http::grpc_web::v3 as pb;

/// The filter of a chain. It has no fields; a new one stops the build here.
pub(super) fn filter(filter: &pb::GrpcWeb) {
    let pb::GrpcWeb {} = filter;
}
