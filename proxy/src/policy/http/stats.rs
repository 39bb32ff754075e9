//! Metrics of a connection manager (`http.STAT_PREFIX.`), by Envoy's names.

use std::sync::Arc;

use crate::body::Version;
use crate::observe::metrics::{Counters, Histogram, Kind, Metric, MetricSet};

/// The metrics.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs, reason = "each is explained by its help text")]
pub enum HttpMetric {
    CxTotal,
    CxActive,
    CxSslTotal,
    CxSslActive,
    CxHttp1Total,
    CxHttp1Active,
    CxHttp2Total,
    CxHttp2Active,
    CxHttp3Total,
    CxHttp3Active,
    CxUpgradesTotal,
    CxUpgradesActive,
    CxProtocolError,
    CxDestroy,
    CxDestroyRemote,
    CxDestroyLocal,
    CxRxBytesTotal,
    CxTxBytesTotal,
    CxDrainClose,
    CxIdleTimeout,
    CxMaxDurationReached,
    CxMaxRequestsReached,
    RqTotal,
    RqActive,
    RqHttp1Total,
    RqHttp2Total,
    RqHttp3Total,
    RqCompleted,
    Rq1xx,
    Rq2xx,
    Rq3xx,
    Rq4xx,
    Rq5xx,
    RqTimeout,
    RqHeaderTimeout,
    RqIdleTimeout,
    RqMaxDurationReached,
    RqTooLarge,
    RqNonRelativePath,
    RqFailedPathNormalization,
    RqRedirectedWithNormalizedPath,
    RqWsOnNonWsRoute,
    RqRxReset,
    RqTxReset,
    RqDirectResponse,
    RqRedirect,
    RqForwarded,
    NoRoute,
    NoCluster,
    RetrySkippedRequestNotComplete,
    ResetAfterDownstreamResponseStarted,
    InternalRedirectBadLocation,
    InternalRedirectUnsafeScheme,
    InternalRedirectTooMany,
    InternalRedirectNoRoute,
    InternalRedirectPredicate,
}

const fn counter(name: &'static str, help: &'static str) -> Metric {
    Metric { name, kind: Kind::Counter, help }
}

const fn gauge(name: &'static str, help: &'static str) -> Metric {
    Metric { name, kind: Kind::Gauge, help }
}

impl MetricSet for HttpMetric {
    const METRICS: &'static [Metric] = &[
        counter("downstream_cx_total", "Connections."),
        gauge("downstream_cx_active", "Connections open."),
        counter("downstream_cx_ssl_total", "TLS connections."),
        gauge("downstream_cx_ssl_active", "TLS connections open."),
        counter("downstream_cx_http1_total", "HTTP/1 connections."),
        gauge("downstream_cx_http1_active", "HTTP/1 connections open."),
        counter("downstream_cx_http2_total", "HTTP/2 connections."),
        gauge("downstream_cx_http2_active", "HTTP/2 connections open."),
        counter("downstream_cx_http3_total", "HTTP/3 connections."),
        gauge("downstream_cx_http3_active", "HTTP/3 connections open."),
        counter("downstream_cx_upgrades_total", "Requests that became tunnels."),
        gauge("downstream_cx_upgrades_active", "Tunnels open."),
        counter("downstream_cx_protocol_error", "Connections closed for a protocol error."),
        counter("downstream_cx_destroy", "Connections closed."),
        counter("downstream_cx_destroy_remote", "Connections closed by the client."),
        counter("downstream_cx_destroy_local", "Connections closed here."),
        counter("downstream_cx_rx_bytes_total", "Bytes received."),
        counter("downstream_cx_tx_bytes_total", "Bytes sent."),
        counter("downstream_cx_drain_close", "Connections closed by draining."),
        counter("downstream_cx_idle_timeout", "Connections closed for idleness."),
        counter("downstream_cx_max_duration_reached", "Connections closed for their age."),
        counter("downstream_cx_max_requests_reached", "Connections closed after their last allowed request."),
        counter("downstream_rq_total", "Requests."),
        gauge("downstream_rq_active", "Requests in flight."),
        counter("downstream_rq_http1_total", "HTTP/1 requests."),
        counter("downstream_rq_http2_total", "HTTP/2 requests."),
        counter("downstream_rq_http3_total", "HTTP/3 requests."),
        counter("downstream_rq_completed", "Requests with a response."),
        counter("downstream_rq_1xx", "Responses with status 1xx."),
        counter("downstream_rq_2xx", "Responses with status 2xx."),
        counter("downstream_rq_3xx", "Responses with status 3xx."),
        counter("downstream_rq_4xx", "Responses with status 4xx."),
        counter("downstream_rq_5xx", "Responses with status 5xx."),
        counter("downstream_rq_timeout", "Requests not complete within request_timeout."),
        counter("downstream_rq_header_timeout", "Requests whose head was not complete in time."),
        counter("downstream_rq_idle_timeout", "Requests on which nothing moved for stream_idle_timeout."),
        counter("downstream_rq_max_duration_reached", "Requests that reached max_stream_duration."),
        counter("downstream_rq_too_large", "Requests whose body was too large to buffer."),
        counter("downstream_rq_non_relative_path", "Requests whose path does not begin with a slash."),
        counter("downstream_rq_failed_path_normalization", "Requests whose path cannot be normalised."),
        counter(
            "downstream_rq_redirected_with_normalized_path",
            "Requests redirected to the normalised path.",
        ),
        counter("downstream_rq_ws_on_non_ws_route", "Upgrades on routes that do not allow them."),
        counter("downstream_rq_rx_reset", "Requests reset by the client."),
        counter("downstream_rq_tx_reset", "Requests reset here."),
        counter("rq_direct_response", "Requests answered by the route."),
        counter("rq_redirect", "Requests redirected by the route."),
        counter("rq_total", "Requests that a route took to a cluster."),
        counter("no_route", "Requests without route."),
        counter("no_cluster", "Requests to a cluster that does not exist."),
        counter("rq_retry_skipped_request_not_complete", "Retries not made: the request was not all kept."),
        counter("rq_reset_after_downstream_response_started", "Responses that broke off half way."),
        counter("passthrough_internal_redirect_bad_location", "Redirects not followed: no absolute address."),
        counter("passthrough_internal_redirect_unsafe_scheme", "Redirects not followed: another scheme."),
        counter("passthrough_internal_redirect_too_many_redirects", "Redirects not followed: one too many."),
        counter("passthrough_internal_redirect_no_route", "Redirects not followed: no route takes them."),
        counter("passthrough_internal_redirect_predicate", "Redirects not followed: a predicate says no."),
    ];

    fn index(self) -> usize {
        self as usize
    }
}

/// Counters and durations of one `stat_prefix`; they outlive the policies that count with them.
#[derive(Debug)]
pub struct HttpStats {
    /// Counters and gauges.
    pub counters: Arc<Counters<HttpMetric>>,
    /// `downstream_rq_time`: from a request's first byte to its response's last.
    pub rq_time: Arc<Histogram>,
    /// `downstream_cx_length_ms`: how long connections live.
    pub cx_length: Arc<Histogram>,
}

/// A connection that is counted as long as this lives.
#[derive(Debug)]
pub struct Connected {
    counters: Arc<Counters<HttpMetric>>,
    active: HttpMetric,
    tls: bool,
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.counters.dec(HttpMetric::CxActive);
        self.counters.dec(self.active);
        if self.tls {
            self.counters.dec(HttpMetric::CxSslActive);
        }
        self.counters.inc(HttpMetric::CxDestroy);
    }
}

impl HttpStats {
    /// Counts a connection that speaks `version`, over TLS or not, until what is given is dropped.
    #[must_use]
    pub fn connection(&self, version: Version, tls: bool) -> Connected {
        let (total, active) = match version {
            Version::Http10 | Version::Http11 => (HttpMetric::CxHttp1Total, HttpMetric::CxHttp1Active),
            Version::Http2 => (HttpMetric::CxHttp2Total, HttpMetric::CxHttp2Active),
            Version::Http3 => (HttpMetric::CxHttp3Total, HttpMetric::CxHttp3Active),
        };
        for metric in [HttpMetric::CxTotal, HttpMetric::CxActive, total, active] {
            self.counters.inc(metric);
        }
        if tls {
            self.counters.inc(HttpMetric::CxSslTotal);
            self.counters.inc(HttpMetric::CxSslActive);
        }
        Connected { counters: Arc::clone(&self.counters), active, tls }
    }

    /// Counts a response by its class.
    pub fn count_status(&self, status: u16) {
        self.counters.inc(HttpMetric::RqCompleted);
        self.counters.inc(match status / 100 {
            1 => HttpMetric::Rq1xx,
            2 => HttpMetric::Rq2xx,
            3 => HttpMetric::Rq3xx,
            4 => HttpMetric::Rq4xx,
            _ => HttpMetric::Rq5xx,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_active_as_long_as_it_lives() {
        let stats = HttpStats {
            counters: Arc::new(Counters::new()),
            rq_time: Arc::new(Histogram::new()),
            cx_length: Arc::new(Histogram::new()),
        };
        let metrics = [
            HttpMetric::CxTotal,
            HttpMetric::CxActive,
            HttpMetric::CxSslActive,
            HttpMetric::CxHttp1Active,
            HttpMetric::CxHttp2Total,
            HttpMetric::CxHttp2Active,
            HttpMetric::CxDestroy,
        ];
        let seen = || metrics.map(|metric| stats.counters.get(metric));
        let (plain, tls) = (stats.connection(Version::Http11, false), stats.connection(Version::Http2, true));
        assert_eq!(seen(), [2, 2, 1, 1, 1, 1, 0]);
        drop(tls);
        assert_eq!(seen(), [2, 1, 0, 1, 1, 0, 1]);
        drop(plain);
        assert_eq!(seen(), [2, 0, 0, 0, 1, 0, 2]);
    }

    #[test]
    fn every_metric_stands_at_its_own_place() {
        let name = |metric: HttpMetric| HttpMetric::METRICS[metric.index()].name;
        assert_eq!(name(HttpMetric::CxMaxRequestsReached), "downstream_cx_max_requests_reached");
        assert_eq!(name(HttpMetric::Rq1xx), "downstream_rq_1xx");
        assert_eq!(name(HttpMetric::RqTxReset), "downstream_rq_tx_reset");
        let last = HttpMetric::InternalRedirectPredicate;
        assert_eq!(last.index() + 1, HttpMetric::METRICS.len());
        assert_eq!(name(last), "passthrough_internal_redirect_predicate");
    }
}
