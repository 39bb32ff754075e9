//! Faults on purpose.

use common::fault_delay::{FaultDelaySecifier, HeaderDelay};
use common::fault_rate_limit::{FixedLimit, HeaderLimit, LimitType};
use envoy_types::pb::envoy::extensions::filters::common::fault::v3 as common;
use envoy_types::pb::envoy::extensions::filters::http::fault::v3 as pb;
use pb::fault_abort::{ErrorType, HeaderAbort};

use super::super::{matcher, scalar};
use crate::model::{Fault, FaultAbort, FaultAbortKind, FaultDelay, FaultRateLimit};

pub(super) fn fault(fault: &Fault) -> pb::HttpFault {
    let Fault {
        delay,
        abort,
        response_rate_limit,
        upstream_cluster,
        headers,
        downstream_nodes,
        max_active_faults,
    } = fault;
    pb::HttpFault {
        delay: delay.map(self::delay),
        abort: abort.as_ref().map(self::abort),
        upstream_cluster: upstream_cluster.clone(),
        headers: headers.iter().map(matcher::header).collect(),
        downstream_nodes: downstream_nodes.clone(),
        max_active_faults: max_active_faults.and_then(scalar::uint32),
        response_rate_limit: response_rate_limit.map(rate_limit),
        ..Default::default()
    }
}

fn delay(delay: FaultDelay) -> common::FaultDelay {
    let FaultDelay { percentage, fixed } = delay;
    let specifier = match fixed.and_then(scalar::span) {
        Some(span) => FaultDelaySecifier::FixedDelay(span),
        None => FaultDelaySecifier::HeaderDelay(HeaderDelay {}),
    };
    common::FaultDelay {
        percentage: Some(scalar::fraction(percentage)),
        fault_delay_secifier: Some(specifier),
    }
}

fn abort(abort: &FaultAbort) -> pb::FaultAbort {
    let FaultAbort { percentage, kind, response_body } = abort;
    let kind = match kind {
        FaultAbortKind::Http(status) => ErrorType::HttpStatus(status.as_u16().into()),
        FaultAbortKind::Grpc(status) => ErrorType::GrpcStatus(*status),
        FaultAbortKind::Header => ErrorType::HeaderAbort(HeaderAbort {}),
    };
    pb::FaultAbort {
        percentage: Some(scalar::fraction(*percentage)),
        response_body: response_body.clone(),
        error_type: Some(kind),
    }
}

fn rate_limit(limit: FaultRateLimit) -> common::FaultRateLimit {
    let FaultRateLimit { percentage, kbps } = limit;
    let limit_type = match kbps {
        Some(limit_kbps) => LimitType::FixedLimit(FixedLimit { limit_kbps }),
        None => LimitType::HeaderLimit(HeaderLimit {}),
    };
    common::FaultRateLimit { percentage: Some(scalar::fraction(percentage)), limit_type: Some(limit_type) }
}
