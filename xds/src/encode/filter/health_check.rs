//! Answers to health checks.

use envoy_types::pb::envoy::extensions::filters::http::health_check::v3 as pb;
use envoy_types::pb::envoy::r#type::v3::Percent;

use super::super::{matcher, scalar};
use crate::model::{HealthCheckFilter, HealthCheckMode};

pub(super) fn filter(filter: &HealthCheckFilter) -> pb::HealthCheck {
    let HealthCheckFilter { headers, mode } = filter;
    let headers = headers.iter().map(matcher::header).collect();
    match mode {
        HealthCheckMode::PassThrough { cache_time } => pb::HealthCheck {
            pass_through_mode: scalar::switch(true),
            cache_time: cache_time.and_then(scalar::span),
            headers,
            ..Default::default()
        },
        HealthCheckMode::Answer { clusters } => pb::HealthCheck {
            pass_through_mode: scalar::switch(false),
            cluster_min_healthy_percentages: clusters
                .iter()
                .map(|(name, share)| (name.clone(), Percent { value: f64::from(*share) }))
                .collect(),
            headers,
            ..Default::default()
        },
    }
}
