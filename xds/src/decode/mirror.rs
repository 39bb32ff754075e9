//! Copies of requests for other clusters (`RouteAction.RequestMirrorPolicy`).

use envoy_types::pb::envoy::config::route::v3::route_action::RequestMirrorPolicy;

use super::filter;
use super::headers;
use super::path::{Invalid, Path};
use crate::model::{ClusterName, MirrorTarget, RequestMirror};

/// `request_mirror_policies` of what stands at `path`.
pub(super) fn mirrors(
    path: &Path<'_>,
    policies: &[RequestMirrorPolicy],
) -> Result<Vec<RequestMirror>, Invalid> {
    path.field("request_mirror_policies").each(policies, mirror)
}

fn mirror(path: &Path<'_>, policy: &RequestMirrorPolicy) -> Result<RequestMirror, Invalid> {
    let RequestMirrorPolicy {
        cluster,
        cluster_header,
        runtime_fraction,
        // Nothing is traced here, copies neither.
        trace_sampled: _,
        disable_shadow_host_suffix_append,
        request_headers_mutations,
        host_rewrite_literal,
    } = policy;
    let target = match (cluster.as_str(), cluster_header.as_str()) {
        ("", "") => return path.refuse("has no cluster; accepted: cluster, cluster_header"),
        (name, "") => MirrorTarget::Cluster(ClusterName::new(name)),
        ("", header) => MirrorTarget::Header(headers::name_or_pseudo(&path.field("cluster_header"), header)?),
        _ => return path.refuse("has both cluster and cluster_header; keep one"),
    };
    let at = path.field("runtime_fraction");
    let changes = path.field("request_headers_mutations");
    Ok(RequestMirror {
        target,
        share: runtime_fraction.as_ref().map(|share| at.runtime_fraction(share)).transpose()?,
        shadow_host: !disable_shadow_host_suffix_append && host_rewrite_literal.is_empty(),
        request_headers: changes.each(request_headers_mutations, filter::header_change)?,
        host_rewrite_literal: headers::value(&path.field("host_rewrite_literal"), host_rewrite_literal)?,
    })
}
