//! Faults on purpose (`envoy.extensions.filters.http.fault.v3`).

use common::fault_delay::FaultDelaySecifier;
use common::fault_rate_limit::{FixedLimit, LimitType};
use envoy_types::pb::envoy::extensions::filters::common::fault::v3 as common;
use envoy_types::pb::envoy::extensions::filters::http::fault::v3 as pb;
use envoy_types::pb::envoy::r#type::v3::FractionalPercent;
use http::StatusCode;
use pb::fault_abort::ErrorType;

use super::super::matcher;
use super::super::path::{Invalid, Path, absent};
use crate::model::{Fault, FaultAbort, FaultAbortKind, FaultDelay, FaultRateLimit, Fraction};

/// The filter in a chain, or on a host or route.
pub(super) fn fault(path: &Path<'_>, fault: &pb::HttpFault) -> Result<Fault, Invalid> {
    #[rustfmt::skip]
    let pb::HttpFault {
        delay, abort, upstream_cluster, headers, downstream_nodes, max_active_faults, response_rate_limit,
        // Nothing is counted by downstream cluster, so there is nothing to turn off.
        disable_downstream_cluster_stats: _,
        // Refused when set.
        delay_percent_runtime, abort_percent_runtime, delay_duration_runtime, abort_http_status_runtime,
        max_active_faults_runtime, response_rate_limit_percent_runtime, abort_grpc_status_runtime,
        filter_metadata,
    } = fault;
    absent!(path; delay_percent_runtime, abort_percent_runtime, delay_duration_runtime,
        abort_http_status_runtime, max_active_faults_runtime, response_rate_limit_percent_runtime,
        abort_grpc_status_runtime, filter_metadata);
    let (at_delay, at_abort, at_limit) =
        (path.field("delay"), path.field("abort"), path.field("response_rate_limit"));
    Ok(Fault {
        delay: delay.as_ref().map(|found| self::delay(&at_delay, found)).transpose()?,
        abort: abort.as_ref().map(|found| self::abort(&at_abort, found)).transpose()?,
        response_rate_limit: response_rate_limit
            .as_ref()
            .map(|found| rate_limit(&at_limit, found))
            .transpose()?,
        upstream_cluster: upstream_cluster.clone(),
        headers: path.field("headers").each(headers, matcher::header)?,
        downstream_nodes: downstream_nodes.clone(),
        max_active_faults: max_active_faults.as_ref().map(|max| max.value),
    })
}

/// No percentage is none of the requests, as in Envoy.
fn percentage(path: &Path<'_>, percentage: &Option<FractionalPercent>) -> Result<Fraction, Invalid> {
    match percentage {
        Some(found) => path.field("percentage").fraction(found),
        None => Ok(Fraction { numerator: 0, denominator: 100 }),
    }
}

fn delay(path: &Path<'_>, delay: &common::FaultDelay) -> Result<FaultDelay, Invalid> {
    let common::FaultDelay { percentage: share, fault_delay_secifier } = delay;
    let fixed = match fault_delay_secifier {
        Some(FaultDelaySecifier::FixedDelay(span)) => Some(path.field("fixed_delay").positive(span)?),
        Some(FaultDelaySecifier::HeaderDelay(common::fault_delay::HeaderDelay {})) => None,
        None => return path.refuse("is empty; accepted: fixed_delay, header_delay"),
    };
    Ok(FaultDelay { percentage: percentage(path, share)?, fixed })
}

fn abort(path: &Path<'_>, abort: &pb::FaultAbort) -> Result<FaultAbort, Invalid> {
    let pb::FaultAbort { percentage: share, response_body, error_type } = abort;
    let kind = match error_type {
        Some(ErrorType::HttpStatus(status)) => {
            let at = path.field("http_status");
            let code = at.within(*status, &(200..=599))?;
            let status = u16::try_from(code).ok().and_then(|code| StatusCode::from_u16(code).ok());
            FaultAbortKind::Http(status.ok_or_else(|| at.invalid("is not a status"))?)
        }
        Some(ErrorType::GrpcStatus(status)) => FaultAbortKind::Grpc(*status),
        Some(ErrorType::HeaderAbort(pb::fault_abort::HeaderAbort {})) => FaultAbortKind::Header,
        None => return path.refuse("is empty; accepted: http_status, grpc_status, header_abort"),
    };
    Ok(FaultAbort { percentage: percentage(path, share)?, kind, response_body: response_body.clone() })
}

fn rate_limit(path: &Path<'_>, limit: &common::FaultRateLimit) -> Result<FaultRateLimit, Invalid> {
    let common::FaultRateLimit { percentage: share, limit_type } = limit;
    let kbps = match limit_type {
        Some(LimitType::FixedLimit(FixedLimit { limit_kbps: 0 })) => {
            return path.field("fixed_limit").field("limit_kbps").refuse("0 is not accepted; 1 or more is");
        }
        Some(LimitType::FixedLimit(FixedLimit { limit_kbps })) => Some(*limit_kbps),
        Some(LimitType::HeaderLimit(common::fault_rate_limit::HeaderLimit {})) => None,
        None => return path.refuse("is empty; accepted: fixed_limit, header_limit"),
    };
    Ok(FaultRateLimit { percentage: percentage(path, share)?, kbps })
}
