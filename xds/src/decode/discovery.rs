//! How a cluster's endpoints are found: `type`, or `cluster_type` with a `DnsCluster`.

use std::time::Duration;

use envoy_types::pb::envoy::config::cluster::v3::cluster as pb;
use envoy_types::pb::envoy::config::endpoint::v3::ClusterLoadAssignment;
use envoy_types::pb::envoy::extensions::clusters::common::dns::v3::DnsLookupFamily as DnsFamily;
use envoy_types::pb::envoy::extensions::clusters::dns::v3::{DnsCluster, dns_cluster};
use envoy_types::pb::google::protobuf::Duration as Span;
use pb::{ClusterDiscoveryType, DiscoveryType, DnsLookupFamily as Family};

use super::address::Use;
use super::any;
use super::endpoint;
use super::path::{Invalid, Path, absent};
use super::source;
use crate::model::{Discovery, DnsLookupFamily, DnsOptions, LoadAssignment};

/// Envoy's `dns_refresh_rate`.
const REFRESH_RATE: Duration = Duration::from_secs(5);

/// Rates up to here are refused, as in Envoy: they would be a busy loop.
const REFRESH_RATE_ABOVE: Duration = Duration::from_millis(1);

/// The discovery fields of a cluster.
pub(super) struct Fields<'a> {
    pub(super) kind: &'a Option<ClusterDiscoveryType>,
    pub(super) eds: &'a Option<pb::EdsClusterConfig>,
    pub(super) assignment: &'a Option<ClusterLoadAssignment>,
    pub(super) dns_refresh_rate: &'a Option<Span>,
    pub(super) dns_jitter: &'a Option<Span>,
    pub(super) dns_failure_refresh_rate: &'a Option<pb::RefreshRate>,
    pub(super) respect_dns_ttl: bool,
    pub(super) dns_lookup_family: i32,
}

/// How the endpoints of the cluster called `name` are found.
pub(super) fn discovery(path: &Path<'_>, name: &str, fields: &Fields<'_>) -> Result<Discovery, Invalid> {
    let at = path.field("type");
    let kind = match fields.kind {
        Some(ClusterDiscoveryType::ClusterType(custom)) => {
            return dns_cluster(&path.field("cluster_type"), path, name, custom, fields);
        }
        Some(ClusterDiscoveryType::Type(kind)) => at.known(*kind)?,
        None => DiscoveryType::Static,
    };
    if kind == DiscoveryType::Eds {
        return eds(path, name, fields);
    }
    path.field("eds_cluster_config").absent(fields.eds)?;
    match kind {
        DiscoveryType::Static => Ok(Discovery::Static(assignment(path, name, fields, Use::Connect)?)),
        DiscoveryType::StrictDns => Ok(Discovery::StrictDns {
            assignment: assignment(path, name, fields, Use::Resolve)?,
            dns: dns(path, fields)?,
        }),
        DiscoveryType::LogicalDns => Ok(Discovery::LogicalDns {
            assignment: single(path, assignment(path, name, fields, Use::Resolve)?)?,
            dns: dns(path, fields)?,
        }),
        DiscoveryType::OriginalDst => {
            at.refuse("ORIGINAL_DST is not supported here; accepted: STATIC, STRICT_DNS, LOGICAL_DNS, EDS")
        }
        DiscoveryType::Eds => eds(path, name, fields),
    }
}

fn eds(path: &Path<'_>, name: &str, fields: &Fields<'_>) -> Result<Discovery, Invalid> {
    path.field("load_assignment").absent(fields.assignment)?;
    let path = path.field("eds_cluster_config");
    let pb::EdsClusterConfig { eds_config, service_name } = path.required(fields.eds)?;
    let at = path.field("eds_config");
    Ok(Discovery::Eds {
        service_name: if service_name.is_empty() { name } else { service_name }.to_owned(),
        source: source::config_source(&at, at.required(eds_config)?)?,
    })
}

/// The endpoints in the cluster; without any, Envoy runs it empty.
fn assignment(
    path: &Path<'_>,
    name: &str,
    fields: &Fields<'_>,
    usage: Use,
) -> Result<LoadAssignment, Invalid> {
    match fields.assignment {
        Some(assignment) => endpoint::load_assignment(&path.field("load_assignment"), assignment, usage),
        None => Ok(LoadAssignment {
            cluster_name: name.to_owned(),
            localities: Vec::new(),
            overprovisioning_factor: endpoint::OVERPROVISIONING_FACTOR,
            weighted_priority_health: false,
            drop_overloads: Vec::new(),
        }),
    }
}

/// LOGICAL_DNS has one name.
fn single(path: &Path<'_>, assignment: LoadAssignment) -> Result<LoadAssignment, Invalid> {
    match assignment.localities.iter().map(|group| group.endpoints.len()).sum::<usize>() {
        1 => Ok(assignment),
        found => path
            .field("load_assignment")
            .refuse(format!("has {found} endpoints; a LOGICAL_DNS cluster has exactly one")),
    }
}

fn dns(path: &Path<'_>, fields: &Fields<'_>) -> Result<DnsOptions, Invalid> {
    let lookup_family = match path.field("dns_lookup_family").known(fields.dns_lookup_family)? {
        Family::Auto => DnsLookupFamily::Auto,
        Family::V4Only => DnsLookupFamily::V4Only,
        Family::V6Only => DnsLookupFamily::V6Only,
        Family::V4Preferred => DnsLookupFamily::V4Preferred,
        Family::All => DnsLookupFamily::All,
    };
    let at = path.field("dns_failure_refresh_rate");
    let failure_refresh = match fields.dns_failure_refresh_rate {
        Some(pb::RefreshRate { base_interval, max_interval }) => {
            Some(failure_refresh(&at, base_interval, max_interval)?)
        }
        None => None,
    };
    Ok(DnsOptions {
        refresh_rate: refresh_rate(&path.field("dns_refresh_rate"), fields.dns_refresh_rate)?,
        respect_dns_ttl: fields.respect_dns_ttl,
        lookup_family,
        jitter: path.field("dns_jitter").optional(fields.dns_jitter)?.unwrap_or_default(),
        failure_refresh,
    })
}

/// `cluster_type` with its typed config; `path` is the field's, `cluster` its parent's.
fn dns_cluster(
    path: &Path<'_>,
    cluster: &Path<'_>,
    name: &str,
    custom: &pb::CustomClusterType,
    fields: &Fields<'_>,
) -> Result<Discovery, Invalid> {
    let pb::CustomClusterType { name: extension, typed_config } = custom;
    let path = path.field("typed_config");
    let config = path.required(typed_config)?;
    let Some(config) = any::unpack_if::<DnsCluster>(&path, config)? else {
        return any::unknown(&path, extension, config, "DnsCluster");
    };
    let Fields {
        kind: _, eds, assignment: _, dns_refresh_rate, dns_jitter, dns_failure_refresh_rate, ..
    } = fields;
    cluster.field("eds_cluster_config").absent(*eds)?;
    let elsewhere = dns_refresh_rate.is_some()
        || dns_jitter.is_some()
        || dns_failure_refresh_rate.is_some()
        || fields.respect_dns_ttl
        || fields.dns_lookup_family != 0;
    if elsewhere {
        return path.refuse("and the cluster's own dns_ fields are both set; keep those of the DnsCluster");
    }
    let assignment = assignment(cluster, name, fields, Use::Resolve)?;
    let dns = dns_options(&path, &config)?;
    if config.all_addresses_in_single_endpoint {
        Ok(Discovery::LogicalDns { assignment: single(cluster, assignment)?, dns })
    } else {
        Ok(Discovery::StrictDns { assignment, dns })
    }
}

fn dns_options(path: &Path<'_>, config: &DnsCluster) -> Result<DnsOptions, Invalid> {
    let DnsCluster {
        dns_refresh_rate,
        dns_failure_refresh_rate,
        respect_dns_ttl,
        dns_jitter,
        typed_dns_resolver_config,
        dns_lookup_family,
        // Tells LOGICAL_DNS from STRICT_DNS; the caller reads it.
        all_addresses_in_single_endpoint: _,
        dns_min_refresh_rate,
    } = config;
    absent!(path; typed_dns_resolver_config, dns_min_refresh_rate);
    let lookup_family = match path.field("dns_lookup_family").known(*dns_lookup_family)? {
        DnsFamily::Unspecified | DnsFamily::Auto => DnsLookupFamily::Auto,
        DnsFamily::V4Only => DnsLookupFamily::V4Only,
        DnsFamily::V6Only => DnsLookupFamily::V6Only,
        DnsFamily::V4Preferred => DnsLookupFamily::V4Preferred,
        DnsFamily::All => DnsLookupFamily::All,
    };
    let at = path.field("dns_failure_refresh_rate");
    let failure_refresh = match dns_failure_refresh_rate {
        Some(dns_cluster::RefreshRate { base_interval, max_interval }) => {
            Some(failure_refresh(&at, base_interval, max_interval)?)
        }
        None => None,
    };
    Ok(DnsOptions {
        refresh_rate: refresh_rate(&path.field("dns_refresh_rate"), dns_refresh_rate)?,
        respect_dns_ttl: *respect_dns_ttl,
        lookup_family,
        jitter: path.field("dns_jitter").optional(dns_jitter)?.unwrap_or_default(),
        failure_refresh,
    })
}

fn refresh_rate(path: &Path<'_>, rate: &Option<Span>) -> Result<Duration, Invalid> {
    match path.optional(rate)? {
        None => Ok(REFRESH_RATE),
        Some(rate) if rate > REFRESH_RATE_ABOVE => Ok(rate),
        Some(rate) => path.refuse(format!("{rate:?} is not accepted; it must be more than 1 ms")),
    }
}

/// Base and maximum; ten times the base unless given, as in Envoy.
fn failure_refresh(
    path: &Path<'_>,
    base: &Option<Span>,
    max: &Option<Span>,
) -> Result<(Duration, Duration), Invalid> {
    let at = path.field("base_interval");
    at.required(base)?;
    let base = refresh_rate(&at, base)?;
    let at = path.field("max_interval");
    match at.optional(max)? {
        None => Ok((base, base.saturating_mul(10))),
        Some(max) if max >= base => Ok((base, max)),
        Some(max) => at.refuse(format!("{max:?} is below the base_interval {base:?}")),
    }
}
