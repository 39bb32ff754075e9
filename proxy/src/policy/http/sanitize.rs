//! `x-envoy-*` request fields that only trusted neighbours may send.
//!
//! Without `internal_address_config`, which this proxy refuses, Envoy trusts no address, so that they always go.

use super::compile::HttpPolicy;
use crate::body::RequestHead;
use crate::policy::facts;

/// Removed from every request.
const ALWAYS: [&[u8]; 15] = [
    b"x-envoy-internal",
    b"x-envoy-retriable-status-codes",
    b"x-envoy-retriable-header-names",
    b"x-envoy-retry-on",
    b"x-envoy-retry-grpc-on",
    b"x-envoy-max-retries",
    b"x-envoy-upstream-alt-stat-name",
    b"x-envoy-upstream-rq-timeout-ms",
    b"x-envoy-upstream-rq-per-try-timeout-ms",
    b"x-envoy-upstream-rq-timeout-alt-response",
    b"x-envoy-expected-rq-timeout-ms",
    b"x-envoy-force-trace",
    b"x-envoy-ip-tags",
    b"x-envoy-original-url",
    b"x-envoy-hedge-on-per-try-timeout",
];

/// Removed where requests come straight from clients.
const AT_THE_EDGE: [&[u8]; 5] = [
    b"x-envoy-decorator-operation",
    b"x-envoy-downstream-service-cluster",
    b"x-envoy-downstream-service-node",
    b"x-envoy-original-path",
    b"x-envoy-original-host",
];

impl HttpPolicy {
    pub(super) fn remove_envoy_fields(&self, head: &mut RequestHead) {
        let edge = self.use_remote_address;
        facts::remove_envoy_fields(&mut head.headers, |name| {
            ALWAYS.contains(&name) || (edge && AT_THE_EDGE.contains(&name))
        });
    }
}
