//! Answers to health checks (`envoy.extensions.filters.http.health_check.v3`).

use envoy_types::pb::envoy::extensions::filters::http::health_check::v3 as pb;
use envoy_types::pb::envoy::r#type::v3::Percent;

use super::super::matcher;
use super::super::path::{Invalid, Path};
use crate::model::{HealthCheckFilter, HealthCheckMode};

/// The filter in a chain.
pub(super) fn filter(path: &Path<'_>, filter: &pb::HealthCheck) -> Result<HealthCheckFilter, Invalid> {
    let pb::HealthCheck { pass_through_mode, cache_time, cluster_min_healthy_percentages, headers } = filter;
    let time = path.field("cache_time");
    let cache_time = cache_time.as_ref().map(|span| time.duration(span)).transpose()?;
    let cache_time = cache_time.filter(|time| !time.is_zero());
    let at = path.field("cluster_min_healthy_percentages");
    let mode = if path.field("pass_through_mode").required(pass_through_mode)?.value {
        if !cluster_min_healthy_percentages.is_empty() {
            return at.refuse("has no effect in pass_through_mode; leave it unset");
        }
        HealthCheckMode::PassThrough { cache_time }
    } else {
        if cache_time.is_some() {
            return time.refuse("must not be set unless pass_through_mode is on");
        }
        let mut names: Vec<&String> = cluster_min_healthy_percentages.keys().collect();
        names.sort_unstable();
        let cluster = |name: &String| {
            let Percent { value } = cluster_min_healthy_percentages[name];
            let share = at.key(name).percent(&Some(Percent { value }), 0.0)?;
            // As in Envoy, what is less than one percent does not count.
            Ok((name.clone(), share as u32))
        };
        HealthCheckMode::Answer { clusters: names.into_iter().map(cluster).collect::<Result<_, _>>()? }
    };
    Ok(HealthCheckFilter { headers: path.field("headers").each(headers, matcher::header)?, mode })
}
