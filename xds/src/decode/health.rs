//! Active health checks (`envoy.config.core.v3.HealthCheck`): HTTP, TCP and gRPC.

use std::time::Duration;

use envoy_types::pb::envoy::config::core::v3 as pb;
use envoy_types::pb::envoy::r#type::v3::{CodecClientType, Int64Range};
use http::Method;
use pb::health_check::{HealthChecker, Payload, payload};

use super::headers;
use super::matcher;
use super::path::{Invalid, Path, absent};
use super::scalar::switch;
use crate::model::{
    GrpcHealthCheck, HealthCheck, HealthCheckKind, HttpHealthCheck, StatusRange, TcpHealthCheck,
};

/// Envoy's interval while a cluster has no traffic.
const NO_TRAFFIC_INTERVAL: Duration = Duration::from_secs(60);

/// An active check.
pub(super) fn health_check(path: &Path<'_>, check: &pb::HealthCheck) -> Result<HealthCheck, Invalid> {
    let pb::HealthCheck {
        timeout,
        interval,
        initial_jitter,
        interval_jitter,
        interval_jitter_percent,
        unhealthy_threshold,
        healthy_threshold,
        alt_port,
        reuse_connection,
        no_traffic_interval,
        no_traffic_healthy_interval,
        unhealthy_interval,
        unhealthy_edge_interval,
        healthy_edge_interval,
        event_log_path,
        event_logger,
        event_service,
        always_log_health_check_failures,
        always_log_health_check_success,
        tls_options,
        transport_socket_match_criteria,
        health_checker,
    } = check;
    absent!(path; event_log_path, event_logger, event_service,
        always_log_health_check_failures, always_log_health_check_success, tls_options,
        transport_socket_match_criteria);
    let required = |name, span| {
        let at = path.field(name);
        at.positive(at.required(span)?)
    };
    let threshold = |name, value| {
        let at = path.field(name);
        at.required(value)?;
        Ok::<u32, Invalid>(at.ranged(value, 1..=u32::MAX)?.unwrap_or(1))
    };
    Ok(HealthCheck {
        kind: kind(path, health_checker)?,
        timeout: required("timeout", timeout)?,
        interval: required("interval", interval)?,
        interval_jitter: path.field("interval_jitter").optional(interval_jitter)?.unwrap_or_default(),
        interval_jitter_percent: *interval_jitter_percent,
        initial_jitter: path.field("initial_jitter").optional(initial_jitter)?.unwrap_or_default(),
        no_traffic_interval: path
            .field("no_traffic_interval")
            .optional_positive(no_traffic_interval)?
            .unwrap_or(NO_TRAFFIC_INTERVAL),
        no_traffic_healthy_interval: path
            .field("no_traffic_healthy_interval")
            .optional_positive(no_traffic_healthy_interval)?,
        unhealthy_edge_interval: path
            .field("unhealthy_edge_interval")
            .optional_positive(unhealthy_edge_interval)?,
        unhealthy_interval: path.field("unhealthy_interval").optional_positive(unhealthy_interval)?,
        healthy_edge_interval: path
            .field("healthy_edge_interval")
            .optional_positive(healthy_edge_interval)?,
        unhealthy_threshold: threshold("unhealthy_threshold", unhealthy_threshold)?,
        healthy_threshold: threshold("healthy_threshold", healthy_threshold)?,
        alt_port: alt_port.as_ref().map(|port| path.field("alt_port").port(port.value)).transpose()?,
        reuse_connection: switch(reuse_connection, true),
    })
}

fn kind(path: &Path<'_>, checker: &Option<HealthChecker>) -> Result<HealthCheckKind, Invalid> {
    match checker {
        Some(HealthChecker::HttpHealthCheck(check)) => {
            let check = http(&path.field("http_health_check"), check)?;
            Ok(HealthCheckKind::Http(Box::new(check)))
        }
        Some(HealthChecker::TcpHealthCheck(check)) => {
            tcp(&path.field("tcp_health_check"), check).map(HealthCheckKind::Tcp)
        }
        Some(HealthChecker::GrpcHealthCheck(check)) => {
            grpc(&path.field("grpc_health_check"), check).map(HealthCheckKind::Grpc)
        }
        Some(HealthChecker::CustomHealthCheck(check)) => {
            path.field("custom_health_check").refuse(format!("{:?} is not supported here", check.name))
        }
        None => {
            path.refuse("has no checker; accepted: http_health_check, tcp_health_check, grpc_health_check")
        }
    }
}

fn http(path: &Path<'_>, check: &pb::health_check::HttpHealthCheck) -> Result<HttpHealthCheck, Invalid> {
    let pb::health_check::HttpHealthCheck {
        host,
        path: request_path,
        send,
        receive,
        response_buffer_size,
        request_headers_to_add,
        request_headers_to_remove,
        expected_statuses,
        retriable_statuses,
        codec_client_type,
        service_name_matcher,
        method,
    } = check;
    absent!(path; send, receive, response_buffer_size, request_headers_to_remove);
    let at = path.field("path");
    at.non_empty(request_path)?;
    let codec = path.field("codec_client_type");
    let http2 = match codec.known(*codec_client_type)? {
        CodecClientType::Http1 => false,
        CodecClientType::Http2 => true,
        CodecClientType::Http3 => return codec.refuse("HTTP3 is not supported here; accepted: HTTP1, HTTP2"),
    };
    let service = path.field("service_name_matcher");
    Ok(HttpHealthCheck {
        host: headers::value(&path.field("host"), host)?,
        path: headers::value(&at, request_path)?,
        method: self::method(&path.field("method"), *method)?,
        request_headers_to_add: path
            .field("request_headers_to_add")
            .each(request_headers_to_add, headers::literal)?,
        expected_statuses: path.field("expected_statuses").each(expected_statuses, status_range)?,
        retriable_statuses: path.field("retriable_statuses").each(retriable_statuses, status_range)?,
        http2,
        service_name: service_name_matcher
            .as_ref()
            .map(|text| matcher::string(&service, text))
            .transpose()?,
    })
}

fn method(path: &Path<'_>, method: i32) -> Result<Method, Invalid> {
    Ok(match path.known(method)? {
        pb::RequestMethod::MethodUnspecified | pb::RequestMethod::Get => Method::GET,
        pb::RequestMethod::Head => Method::HEAD,
        pb::RequestMethod::Post => Method::POST,
        pb::RequestMethod::Put => Method::PUT,
        pb::RequestMethod::Delete => Method::DELETE,
        pb::RequestMethod::Options => Method::OPTIONS,
        pb::RequestMethod::Trace => Method::TRACE,
        pb::RequestMethod::Patch => Method::PATCH,
        pb::RequestMethod::Connect => return path.refuse("CONNECT is not accepted for a health check"),
    })
}

fn status_range(path: &Path<'_>, range: &Int64Range) -> Result<StatusRange, Invalid> {
    let Int64Range { start, end } = range;
    match (u16::try_from(*start), u16::try_from(*end)) {
        (Ok(start), Ok(end)) if 100 <= start && start < end && end <= 600 => Ok(StatusRange { start, end }),
        _ => path
            .refuse(format!("{start} up to {end} is not a range of statuses; 100 up to 600 is the widest")),
    }
}

fn tcp(path: &Path<'_>, check: &pb::health_check::TcpHealthCheck) -> Result<TcpHealthCheck, Invalid> {
    let pb::health_check::TcpHealthCheck { send, receive, proxy_protocol_config } = check;
    absent!(path; proxy_protocol_config);
    Ok(TcpHealthCheck {
        send: match send {
            Some(bytes) => payload(&path.field("send"), bytes)?,
            None => Vec::new(),
        },
        receive: path.field("receive").each(receive, payload)?,
    })
}

fn payload(path: &Path<'_>, bytes: &Payload) -> Result<Vec<u8>, Invalid> {
    let Payload { payload } = bytes;
    match payload {
        Some(payload::Payload::Binary(bytes)) if !bytes.is_empty() => Ok(bytes.clone()),
        Some(payload::Payload::Text(digits)) if !digits.is_empty() => {
            let pair = |at| digits.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
            let bytes = (0..digits.len()).step_by(2).map(pair).collect::<Option<Vec<u8>>>();
            let only_digits = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            bytes.filter(|_| only_digits).ok_or_else(|| {
                path.field("text").invalid(format!("{digits:?} is not an even number of hexadecimal digits"))
            })
        }
        _ => path.refuse("is empty; accepted: text (hexadecimal digits), binary"),
    }
}

fn grpc(path: &Path<'_>, check: &pb::health_check::GrpcHealthCheck) -> Result<GrpcHealthCheck, Invalid> {
    let pb::health_check::GrpcHealthCheck { service_name, authority, initial_metadata } = check;
    Ok(GrpcHealthCheck {
        service_name: service_name.clone(),
        authority: headers::value(&path.field("authority"), authority)?,
        initial_metadata: path.field("initial_metadata").each(initial_metadata, headers::literal)?,
    })
}
