//! What a server wants to know of load (`LoadStatsResponse`).

use std::time::Duration;

use envoy_types::pb::envoy::service::load_stats::v3 as pb;

use super::path::{Invalid, Path};
use crate::model::{ClusterName, WantedClusters, WantedLoad};

/// The shortest interval between two reports; a shorter one is stretched, for a report costs a look at every endpoint.
const INTERVAL_MIN: Duration = Duration::from_millis(100);

/// The most clusters that are named.
const CLUSTERS_MAX: usize = 100_000;

/// What is wanted from now on.
pub(super) fn wanted_load(path: &Path<'_>, response: &pb::LoadStatsResponse) -> Result<WantedLoad, Invalid> {
    let pb::LoadStatsResponse {
        clusters,
        send_all_clusters,
        load_reporting_interval,
        report_endpoint_granularity,
    } = response;
    let at = path.field("load_reporting_interval");
    let interval = at.positive(at.required(load_reporting_interval)?)?;
    if clusters.len() > CLUSTERS_MAX {
        let found = clusters.len();
        return path
            .field("clusters")
            .refuse(format!("has {found} names; at most {CLUSTERS_MAX} are accepted"));
    }
    Ok(WantedLoad {
        clusters: if *send_all_clusters {
            WantedClusters::All
        } else {
            WantedClusters::Named(clusters.iter().map(|name| ClusterName::new(name.as_str())).collect())
        },
        interval: interval.max(INTERVAL_MIN),
        endpoints: *report_endpoint_granularity,
    })
}
