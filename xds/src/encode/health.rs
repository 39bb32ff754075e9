//! Active health checks.

use envoy_types::pb::envoy::config::core::v3 as pb;
use envoy_types::pb::envoy::r#type::v3::{CodecClientType, Int64Range};
use http::Method;
use pb::health_check::{HealthChecker, Payload, payload};

use super::headers;
use super::matcher;
use super::scalar;
use crate::model::{
    GrpcHealthCheck, HealthCheck, HealthCheckKind, HttpHealthCheck, StatusRange, TcpHealthCheck,
};

pub(super) fn health_check(check: &HealthCheck) -> pb::HealthCheck {
    let HealthCheck {
        kind,
        timeout,
        interval,
        interval_jitter,
        interval_jitter_percent,
        initial_jitter,
        no_traffic_interval,
        no_traffic_healthy_interval,
        unhealthy_edge_interval,
        unhealthy_interval,
        healthy_edge_interval,
        unhealthy_threshold,
        healthy_threshold,
        alt_port,
        reuse_connection,
    } = check;
    let checker = match kind {
        HealthCheckKind::Http(check) => HealthChecker::HttpHealthCheck(http(check)),
        HealthCheckKind::Tcp(check) => HealthChecker::TcpHealthCheck(tcp(check)),
        HealthCheckKind::Grpc(check) => HealthChecker::GrpcHealthCheck(grpc(check)),
    };
    pb::HealthCheck {
        timeout: scalar::span(*timeout),
        interval: scalar::span(*interval),
        initial_jitter: scalar::unless_zero(*initial_jitter),
        interval_jitter: scalar::unless_zero(*interval_jitter),
        interval_jitter_percent: *interval_jitter_percent,
        unhealthy_threshold: scalar::uint32(*unhealthy_threshold),
        healthy_threshold: scalar::uint32(*healthy_threshold),
        alt_port: alt_port.map(u32::from).and_then(scalar::uint32),
        reuse_connection: scalar::switch(*reuse_connection),
        no_traffic_interval: scalar::span(*no_traffic_interval),
        no_traffic_healthy_interval: no_traffic_healthy_interval.and_then(scalar::span),
        unhealthy_interval: unhealthy_interval.and_then(scalar::span),
        unhealthy_edge_interval: unhealthy_edge_interval.and_then(scalar::span),
        healthy_edge_interval: healthy_edge_interval.and_then(scalar::span),
        health_checker: Some(checker),
        ..Default::default()
    }
}

fn http(check: &HttpHealthCheck) -> pb::health_check::HttpHealthCheck {
    let HttpHealthCheck {
        host,
        path,
        method: verb,
        request_headers_to_add,
        expected_statuses,
        retriable_statuses,
        http2,
        service_name,
    } = check;
    let codec = if *http2 { CodecClientType::Http2 } else { CodecClientType::Http1 };
    pb::health_check::HttpHealthCheck {
        host: host.clone(),
        path: path.clone(),
        request_headers_to_add: literals(request_headers_to_add),
        expected_statuses: expected_statuses.iter().map(status_range).collect(),
        retriable_statuses: retriable_statuses.iter().map(status_range).collect(),
        codec_client_type: codec.into(),
        service_name_matcher: service_name.as_ref().map(matcher::string),
        method: method(verb).into(),
        ..Default::default()
    }
}

fn method(method: &Method) -> pb::RequestMethod {
    // The decoder knows no other methods; a name that is none of them is asked as GET.
    pb::RequestMethod::from_str_name(method.as_str()).unwrap_or(pb::RequestMethod::Get)
}

fn status_range(range: &StatusRange) -> Int64Range {
    let StatusRange { start, end } = range;
    Int64Range { start: i64::from(*start), end: i64::from(*end) }
}

fn tcp(check: &TcpHealthCheck) -> pb::health_check::TcpHealthCheck {
    let TcpHealthCheck { send, receive } = check;
    pb::health_check::TcpHealthCheck {
        send: Some(send).filter(|bytes| !bytes.is_empty()).map(|bytes| hexadecimal(bytes)),
        receive: receive.iter().map(|bytes| hexadecimal(bytes)).collect(),
        ..Default::default()
    }
}

/// Envoy takes only the hexadecimal form for TCP checks.
fn hexadecimal(bytes: &[u8]) -> Payload {
    let digits = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Payload { payload: Some(payload::Payload::Text(digits)) }
}

fn grpc(check: &GrpcHealthCheck) -> pb::health_check::GrpcHealthCheck {
    let GrpcHealthCheck { service_name, authority, initial_metadata } = check;
    pb::health_check::GrpcHealthCheck {
        service_name: service_name.clone(),
        authority: authority.clone(),
        initial_metadata: literals(initial_metadata),
    }
}

fn literals(fields: &[(String, String)]) -> Vec<pb::HeaderValueOption> {
    let option = |(name, value): &(String, String)| pb::HeaderValueOption {
        header: Some(headers::literal(name, value)),
        ..Default::default()
    };
    fields.iter().map(option).collect()
}
