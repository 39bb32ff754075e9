//! Request fields that are taken away: `x-envoy-*` ones that only trusted neighbours may send, and a `referer` that
//! is none.
//!
//! Requests from addresses of `internal_address_config` keep them; without it there is no such address.

use http::header::REFERER;
use http::{HeaderName, HeaderValue};

use super::compile::HttpPolicy;
use crate::body::RequestHead;
use crate::policy::facts;

const INTERNAL: HeaderName = HeaderName::from_static("x-envoy-internal");

/// Removed from every request from outside.
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
    pub(super) fn remove_envoy_fields(&self, head: &mut RequestHead, internal: bool) {
        if internal {
            head.headers.insert(INTERNAL, HeaderValue::from_static("true"));
            return;
        }
        let edge = self.use_remote_address;
        facts::remove_envoy_fields(&mut head.headers, |name| {
            ALWAYS.contains(&name) || (edge && AT_THE_EDGE.contains(&name))
        });
    }
}

/// Removes a `referer` that may not be one (RFC 9110 §10.1.3: neither fragment nor user information), as Envoy does.
pub(super) fn check_referer(head: &mut RequestHead) {
    let Some(value) = head.headers.get(REFERER) else { return };
    if !std::str::from_utf8(value.as_bytes()).is_ok_and(is_referer) {
        head.headers.remove(REFERER);
    }
}

fn is_referer(value: &str) -> bool {
    if let Some((_, rest)) = value.split_once("://").filter(|(scheme, _)| is_scheme(scheme)) {
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        return !authority.is_empty() && !authority.contains('@') && !rest.contains('#');
    }
    // A relative reference: no colon before its first slash, and nothing but what a path or query may hold.
    let scheme = value.split('/').next().unwrap_or_default();
    let may_stand = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=:@/?".contains(&byte);
    !scheme.contains(':') && value.bytes().all(may_stand)
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
