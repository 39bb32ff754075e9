//! What is counted for a cluster and for an endpoint, under Envoy's names (`cluster.NAME.*`).
//!
//! One rule: a name stands here only if something counts it.

use crate::observe::metrics::{Kind, Metric, MetricSet};

/// Declares a metric set: the enum and its table in one place, so that they cannot drift apart.
macro_rules! metrics {
    ($(#[$doc:meta])* $set:ident { $($variant:ident $kind:ident $name:literal $help:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $set {
            $(#[doc = $help] $variant,)+
        }

        impl MetricSet for $set {
            const METRICS: &'static [Metric] =
                &[$(Metric { name: $name, kind: Kind::$kind, help: $help },)+];

            fn index(self) -> usize {
                self as usize
            }
        }
    };
}

metrics! {
    /// The metrics of a cluster.
    ClusterMetric {
        UpstreamCxTotal Counter "upstream_cx_total" "Connections begun.",
        UpstreamCxActive Gauge "upstream_cx_active" "Connections open.",
        UpstreamCxHttp1Total Counter "upstream_cx_http1_total" "HTTP/1.1 connections made.",
        UpstreamCxHttp2Total Counter "upstream_cx_http2_total" "HTTP/2 connections made.",
        UpstreamCxConnectFail Counter "upstream_cx_connect_fail" "Connections that were not established.",
        UpstreamCxConnectTimeout Counter "upstream_cx_connect_timeout" "Connections not established in time.",
        UpstreamCxIdleTimeout Counter "upstream_cx_idle_timeout" "Connections closed because nobody used them.",
        UpstreamCxMaxDurationReached Counter "upstream_cx_max_duration_reached" "Connections closed for their age.",
        UpstreamCxMaxRequests Counter "upstream_cx_max_requests" "Connections closed after their last allowed request.",
        UpstreamCxRxBytesTotal Counter "upstream_cx_rx_bytes_total" "Bytes of datagrams received from endpoints.",
        UpstreamCxTxBytesTotal Counter "upstream_cx_tx_bytes_total" "Bytes of datagrams sent to endpoints.",
        UdpSessRxDatagrams Counter "udp.sess_rx_datagrams" "Datagrams received from endpoints.",
        UdpSessRxDatagramsDropped Counter "udp.sess_rx_datagrams_dropped" "Datagrams of endpoints that are too long.",
        UdpSessRxErrors Counter "udp.sess_rx_errors" "Errors while receiving from endpoints.",
        UdpSessTxDatagrams Counter "udp.sess_tx_datagrams" "Datagrams sent to endpoints.",
        UdpSessTxErrors Counter "udp.sess_tx_errors" "Errors while sending to endpoints.",
        UpstreamCxOverflow Counter "upstream_cx_overflow" "Connections not opened because of the circuit breaker.",
        UpstreamCxNoneHealthy Counter "upstream_cx_none_healthy" "Requests without an endpoint to go to.",
        UpstreamCxProtocolError Counter "upstream_cx_protocol_error" "Answers that were not valid HTTP.",
        UpstreamCxDestroy Counter "upstream_cx_destroy" "Connections ended.",
        UpstreamCxDestroyLocal Counter "upstream_cx_destroy_local" "Connections ended by this proxy.",
        UpstreamCxDestroyRemote Counter "upstream_cx_destroy_remote" "Connections ended by the endpoint.",
        UpstreamCxDestroyWithActiveRq Counter "upstream_cx_destroy_with_active_rq" "Connections ended in the middle of a request.",
        UpstreamRqTotal Counter "upstream_rq_total" "Requests sent.",
        UpstreamRqActive Gauge "upstream_rq_active" "Requests in flight.",
        UpstreamRqPendingTotal Counter "upstream_rq_pending_total" "Requests that waited for a connection.",
        UpstreamRqPendingActive Gauge "upstream_rq_pending_active" "Requests waiting for a connection.",
        UpstreamRqPendingOverflow Counter "upstream_rq_pending_overflow" "Requests refused by the circuit breaker.",
        UpstreamRqPendingFailureEject Counter "upstream_rq_pending_failure_eject" "Waiting requests failed by a failed connection.",
        UpstreamRqCancelled Counter "upstream_rq_cancelled" "Requests given up while waiting for a connection.",
        UpstreamRqTimeout Counter "upstream_rq_timeout" "Requests without a response in time.",
        UpstreamRqPerTryTimeout Counter "upstream_rq_per_try_timeout" "Attempts without a response in time.",
        UpstreamRqMaxDurationReached Counter "upstream_rq_max_duration_reached" "Requests ended for their age.",
        UpstreamRqRxReset Counter "upstream_rq_rx_reset" "Requests reset by the endpoint.",
        UpstreamRqTxReset Counter "upstream_rq_tx_reset" "Requests reset by this proxy.",
        UpstreamRqRetry Counter "upstream_rq_retry" "Retries begun.",
        UpstreamRqRetrySuccess Counter "upstream_rq_retry_success" "Retries that helped.",
        UpstreamInternalRedirectSucceeded Counter "upstream_internal_redirect_succeeded_total" "Redirects followed here.",
        UpstreamInternalRedirectFailed Counter "upstream_internal_redirect_failed_total" "Redirects passed on, though their status could be followed.",
        UpstreamRqRetryOverflow Counter "upstream_rq_retry_overflow" "Retries refused by the circuit breaker or budget.",
        UpstreamRqRetryLimitExceeded Counter "upstream_rq_retry_limit_exceeded" "Requests that used up their retries.",
        UpstreamRqRetryBackoffExponential Counter "upstream_rq_retry_backoff_exponential" "Retries after an exponential wait.",
        UpstreamRqDropOverload Counter "upstream_rq_drop_overload" "Requests refused by drop_overloads.",
        UpstreamRqCompleted Counter "upstream_rq_completed" "Requests answered.",
        UpstreamRq1xx Counter "upstream_rq_1xx" "Responses 101.",
        UpstreamRq2xx Counter "upstream_rq_2xx" "Responses 200 to 299.",
        UpstreamRq3xx Counter "upstream_rq_3xx" "Responses 300 to 399.",
        UpstreamRq4xx Counter "upstream_rq_4xx" "Responses 400 to 499.",
        UpstreamRq5xx Counter "upstream_rq_5xx" "Responses 500 to 599.",
        RatelimitOk Counter "ratelimit.ok" "Requests that a rate limit service let pass.",
        RatelimitError Counter "ratelimit.error" "Requests about which a rate limit service could not be asked.",
        RatelimitOverLimit Counter "ratelimit.over_limit" "Requests that a rate limit service found over a limit.",
        RatelimitFailureModeAllowed Counter "ratelimit.failure_mode_allowed" "Requests that went on though a rate limit service could not be asked.",
        MembershipChange Counter "membership_change" "Changes of the endpoints.",
        MembershipTotal Gauge "membership_total" "Endpoints.",
        MembershipHealthy Gauge "membership_healthy" "Healthy endpoints.",
        MembershipDegraded Gauge "membership_degraded" "Degraded endpoints.",
        MembershipExcluded Gauge "membership_excluded" "Endpoints not counted before their first health check.",
        UpdateAttempt Counter "update_attempt" "Lookups begun, or endpoint resources received.",
        UpdateSuccess Counter "update_success" "Lookups answered, or endpoint resources taken.",
        UpdateFailure Counter "update_failure" "Lookups failed.",
        UpdateEmpty Counter "update_empty" "Updates without any endpoint.",
        UpdateNoRebuild Counter "update_no_rebuild" "Updates that changed nothing.",
        LbHealthyPanic Counter "lb_healthy_panic" "Picks that ignored health because too few endpoints are healthy.",
        HealthCheckAttempt Counter "health_check.attempt" "Active checks.",
        HealthCheckSuccess Counter "health_check.success" "Active checks passed.",
        HealthCheckFailure Counter "health_check.failure" "Active checks failed.",
        HealthCheckNetworkFailure Counter "health_check.network_failure" "Active checks failed by the network.",
        HealthCheckVerifyCluster Counter "health_check.verify_cluster" "Active checks answered by another service.",
        HealthCheckHealthy Gauge "health_check.healthy" "Endpoints that pass their checks.",
        EjectionsActive Gauge "outlier_detection.ejections_active" "Endpoints ejected now.",
        EjectionsOverflow Counter "outlier_detection.ejections_overflow" "Ejections refused by max_ejection_percent.",
        EjectionsEnforcedTotal Counter "outlier_detection.ejections_enforced_total" "Ejections.",
        EjectionsDetectedConsecutive5xx Counter "outlier_detection.ejections_detected_consecutive_5xx" "Runs of server errors.",
        EjectionsEnforcedConsecutive5xx Counter "outlier_detection.ejections_enforced_consecutive_5xx" "Ejections for runs of server errors.",
        EjectionsDetectedConsecutiveGatewayFailure Counter "outlier_detection.ejections_detected_consecutive_gateway_failure" "Runs of gateway errors.",
        EjectionsEnforcedConsecutiveGatewayFailure Counter "outlier_detection.ejections_enforced_consecutive_gateway_failure" "Ejections for runs of gateway errors.",
        EjectionsDetectedConsecutiveLocalOriginFailure Counter "outlier_detection.ejections_detected_consecutive_local_origin_failure" "Runs of local origin failures.",
        EjectionsEnforcedConsecutiveLocalOriginFailure Counter "outlier_detection.ejections_enforced_consecutive_local_origin_failure" "Ejections for runs of local origin failures.",
        EjectionsDetectedSuccessRate Counter "outlier_detection.ejections_detected_success_rate" "Success rates far below the mean.",
        EjectionsEnforcedSuccessRate Counter "outlier_detection.ejections_enforced_success_rate" "Ejections for the success rate.",
        EjectionsDetectedLocalOriginSuccessRate Counter "outlier_detection.ejections_detected_local_origin_success_rate" "Local origin success rates far below the mean.",
        EjectionsEnforcedLocalOriginSuccessRate Counter "outlier_detection.ejections_enforced_local_origin_success_rate" "Ejections for the local origin success rate.",
        EjectionsDetectedFailurePercentage Counter "outlier_detection.ejections_detected_failure_percentage" "Failure shares over the threshold.",
        EjectionsEnforcedFailurePercentage Counter "outlier_detection.ejections_enforced_failure_percentage" "Ejections for the failure share.",
        EjectionsDetectedLocalOriginFailurePercentage Counter "outlier_detection.ejections_detected_local_origin_failure_percentage" "Local origin failure shares over the threshold.",
        EjectionsEnforcedLocalOriginFailurePercentage Counter "outlier_detection.ejections_enforced_local_origin_failure_percentage" "Ejections for the local origin failure share.",
        DefaultCxOpen Gauge "circuit_breakers.default.cx_open" "Whether the connection limit is reached.",
        DefaultRqPendingOpen Gauge "circuit_breakers.default.rq_pending_open" "Whether the pending limit is reached.",
        DefaultRqOpen Gauge "circuit_breakers.default.rq_open" "Whether the request limit is reached.",
        DefaultRqRetryOpen Gauge "circuit_breakers.default.rq_retry_open" "Whether the retry limit is reached.",
        HighCxOpen Gauge "circuit_breakers.high.cx_open" "Whether the connection limit is reached.",
        HighRqPendingOpen Gauge "circuit_breakers.high.rq_pending_open" "Whether the pending limit is reached.",
        HighRqOpen Gauge "circuit_breakers.high.rq_open" "Whether the request limit is reached.",
        HighRqRetryOpen Gauge "circuit_breakers.high.rq_retry_open" "Whether the retry limit is reached.",
        DefaultRemainingCx Gauge "circuit_breakers.default.remaining_cx" "Connections left, if tracked.",
        DefaultRemainingPending Gauge "circuit_breakers.default.remaining_pending" "Pending requests left, if tracked.",
        DefaultRemainingRq Gauge "circuit_breakers.default.remaining_rq" "Requests left, if tracked.",
        DefaultRemainingRetries Gauge "circuit_breakers.default.remaining_retries" "Retries left, if tracked.",
        HighRemainingCx Gauge "circuit_breakers.high.remaining_cx" "Connections left, if tracked.",
        HighRemainingPending Gauge "circuit_breakers.high.remaining_pending" "Pending requests left, if tracked.",
        HighRemainingRq Gauge "circuit_breakers.high.remaining_rq" "Requests left, if tracked.",
        HighRemainingRetries Gauge "circuit_breakers.high.remaining_retries" "Retries left, if tracked.",
    }
}

metrics! {
    /// The metrics of one endpoint, as Envoy's `/clusters` shows them.
    HostMetric {
        CxTotal Counter "cx_total" "Connections begun.",
        CxActive Gauge "cx_active" "Connections open.",
        CxConnectFail Counter "cx_connect_fail" "Connections that were not established.",
        RqTotal Counter "rq_total" "Requests sent.",
        RqActive Gauge "rq_active" "Requests in flight.",
        RqSuccess Counter "rq_success" "Requests answered below 500.",
        RqError Counter "rq_error" "Requests answered with 500 or above, or not at all.",
        RqTimeout Counter "rq_timeout" "Requests without an answer in time.",
    }
}

impl ClusterMetric {
    /// The class counter of a response with `status`.
    #[must_use]
    pub fn of_status(status: u16) -> Self {
        match status {
            ..200 => Self::UpstreamRq1xx,
            200..300 => Self::UpstreamRq2xx,
            300..400 => Self::UpstreamRq3xx,
            400..500 => Self::UpstreamRq4xx,
            500.. => Self::UpstreamRq5xx,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_stands_once() {
        let mut names: Vec<_> = ClusterMetric::METRICS.iter().map(|metric| metric.name).collect();
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all, "two metrics of a cluster share a name");
    }

    #[test]
    fn a_status_is_counted_in_its_class() {
        let names = [101, 204, 302, 404, 503].map(|status| {
            let metric = ClusterMetric::of_status(status);
            ClusterMetric::METRICS[metric.index()].name
        });
        let want =
            ["upstream_rq_1xx", "upstream_rq_2xx", "upstream_rq_3xx", "upstream_rq_4xx", "upstream_rq_5xx"];
        assert_eq!(names, want);
    }
}
