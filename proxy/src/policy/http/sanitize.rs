//! `x-envoy-*` request fields that only trusted neighbours may send.
//!
//! Without `internal_address_config`, which this proxy refuses, Envoy trusts no address, so that they always go.

use super::compile::HttpPolicy;
use crate::body::RequestHead;
use crate::policy::facts;

/// Removed from every request.
const ALWAYS: [&str; 15] = [
    "x-envoy-internal",
    "x-envoy-retriable-status-codes",
    "x-envoy-retriable-header-names",
    "x-envoy-retry-on",
    "x-envoy-retry-grpc-on",
    "x-envoy-max-retries",
    "x-envoy-upstream-alt-stat-name",
    "x-envoy-upstream-rq-timeout-ms",
    "x-envoy-upstream-rq-per-try-timeout-ms",
    "x-envoy-upstream-rq-timeout-alt-response",
    "x-envoy-expected-rq-timeout-ms",
    "x-envoy-force-trace",
    "x-envoy-ip-tags",
    "x-envoy-original-url",
    "x-envoy-hedge-on-per-try-timeout",
];

/// Removed where requests come straight from clients.
const AT_THE_EDGE: [&str; 5] = [
    "x-envoy-decorator-operation",
    "x-envoy-downstream-service-cluster",
    "x-envoy-downstream-service-node",
    "x-envoy-original-path",
    "x-envoy-original-host",
];

impl HttpPolicy {
    pub(super) fn remove_envoy_fields(&self, head: &mut RequestHead) {
        let edge = self.use_remote_address;
        facts::remove_envoy_fields(&mut head.headers, |name| {
            ALWAYS.contains(&name) || (edge && AT_THE_EDGE.contains(&name))
        });
    }
}
