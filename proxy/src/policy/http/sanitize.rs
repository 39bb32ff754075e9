//! `x-envoy-*` request fields that only trusted neighbours may send.
//!
//! Without `internal_address_config`, which this proxy refuses, Envoy trusts no address, so that they always go.

use http::HeaderName;

use super::compile::HttpPolicy;
use crate::body::RequestHead;
use crate::policy::facts;

/// Removed from every request.
const ALWAYS: [HeaderName; 15] = [
    HeaderName::from_static("x-envoy-internal"),
    HeaderName::from_static("x-envoy-retriable-status-codes"),
    HeaderName::from_static("x-envoy-retriable-header-names"),
    HeaderName::from_static("x-envoy-retry-on"),
    HeaderName::from_static("x-envoy-retry-grpc-on"),
    HeaderName::from_static("x-envoy-max-retries"),
    HeaderName::from_static("x-envoy-upstream-alt-stat-name"),
    HeaderName::from_static("x-envoy-upstream-rq-timeout-ms"),
    HeaderName::from_static("x-envoy-upstream-rq-per-try-timeout-ms"),
    HeaderName::from_static("x-envoy-upstream-rq-timeout-alt-response"),
    HeaderName::from_static("x-envoy-expected-rq-timeout-ms"),
    HeaderName::from_static("x-envoy-force-trace"),
    HeaderName::from_static("x-envoy-ip-tags"),
    HeaderName::from_static("x-envoy-original-url"),
    HeaderName::from_static("x-envoy-hedge-on-per-try-timeout"),
];

/// Removed where requests come straight from clients.
const AT_THE_EDGE: [HeaderName; 5] = [
    HeaderName::from_static("x-envoy-decorator-operation"),
    HeaderName::from_static("x-envoy-downstream-service-cluster"),
    HeaderName::from_static("x-envoy-downstream-service-node"),
    HeaderName::from_static("x-envoy-original-path"),
    HeaderName::from_static("x-envoy-original-host"),
];

impl HttpPolicy {
    pub(super) fn remove_envoy_fields(&self, head: &mut RequestHead) {
        if !facts::has_envoy_fields(&head.headers) {
            return;
        }
        for name in &ALWAYS {
            head.headers.remove(name);
        }
        if self.use_remote_address {
            for name in &AT_THE_EDGE {
                head.headers.remove(name);
            }
        }
    }
}
