//! Copies of requests for other clusters.

use envoy_types::pb::envoy::config::route::v3::route_action::RequestMirrorPolicy;

use super::filter;
use super::scalar;
use crate::model::{MirrorTarget, RequestMirror};

pub(super) fn mirror(mirror: &RequestMirror) -> RequestMirrorPolicy {
    let RequestMirror { target, share, shadow_host, request_headers, host_rewrite_literal } = mirror;
    let (cluster, cluster_header) = match target {
        MirrorTarget::Cluster(name) => (name.to_string(), String::new()),
        MirrorTarget::Header(name) => (String::new(), name.clone()),
    };
    RequestMirrorPolicy {
        cluster,
        cluster_header,
        runtime_fraction: share.as_ref().map(scalar::runtime_fraction),
        // Where the host is rewritten, nothing is appended anyway.
        disable_shadow_host_suffix_append: !shadow_host && host_rewrite_literal.is_empty(),
        request_headers_mutations: request_headers.iter().map(filter::header_change).collect(),
        host_rewrite_literal: host_rewrite_literal.clone(),
        ..Default::default()
    }
}
