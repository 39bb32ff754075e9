//! What requests are counted by (`envoy.config.route.v3.RateLimit`), and how many may pass.

use std::time::Duration;

use super::{HeaderMatcher, MetadataKey, QueryMatcher};

/// A rule that makes a descriptor of a request.
#[derive(Debug, Clone, PartialEq)]
pub struct RateLimit {
    /// Which filters read the rule: those of the same stage, 0 to 10.
    pub stage: u32,
    /// Its entries; the rule makes no descriptor if one of them cannot be made.
    pub actions: Vec<DescriptorAction>,
}

/// How an entry of a descriptor is made.
#[derive(Debug, Clone, PartialEq)]
pub enum DescriptorAction {
    /// `destination_cluster`: the route's cluster.
    DestinationCluster,
    /// The value of a request field.
    RequestHeader {
        /// The field, lower case.
        name: String,
        /// The entry's key.
        key: String,
        /// Whether a request without it has a descriptor without this entry; else it has none.
        skip_if_absent: bool,
    },
    /// The value of a query parameter.
    QueryParameter {
        /// The parameter.
        name: String,
        /// The entry's key.
        key: String,
        /// Whether a request without it has a descriptor without this entry; else it has none.
        skip_if_absent: bool,
    },
    /// `remote_address`: the client's.
    RemoteAddress,
    /// `masked_remote_address`: the client's network.
    MaskedRemoteAddress {
        /// Bits of an IPv4 address that count, at most 32.
        v4_bits: u8,
        /// Bits of an IPv6 address that count, at most 128.
        v6_bits: u8,
    },
    /// The same for every request.
    GenericKey {
        /// The entry's key.
        key: String,
        /// The entry's value.
        value: String,
    },
    /// A value for requests whose fields pass, or do not.
    HeaderValueMatch {
        /// The entry's key.
        key: String,
        /// The entry's value.
        value: String,
        /// Whether they must pass.
        expect_match: bool,
        /// The tests; at least one.
        headers: Vec<HeaderMatcher>,
    },
    /// A value for requests whose query passes, or does not.
    QueryParameterValueMatch {
        /// The entry's key.
        key: String,
        /// The entry's value.
        value: String,
        /// Whether it must pass.
        expect_match: bool,
        /// The tests; at least one.
        query_parameters: Vec<QueryMatcher>,
    },
    /// A text of the dynamic metadata; an empty one counts as absent.
    Metadata {
        /// The entry's key.
        key: String,
        /// Where the text stands; the path is not empty.
        at: MetadataKey,
        /// The value where the text is absent; empty for none.
        default_value: String,
        /// Whether a request without either has a descriptor without this entry; else it has none.
        skip_if_absent: bool,
    },
}

/// What a host or route says of its own requests' descriptors.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RouteRateLimits {
    /// Its rules.
    pub rules: Vec<RateLimit>,
    /// Of a route: whether the host's rules hold as well (`include_vh_rate_limits`).
    pub include_host: bool,
}

/// How many may pass (`envoy.type.v3.TokenBucket`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenBucket {
    /// Most at once, above zero.
    pub max_tokens: u32,
    /// How many come back in each interval, above zero.
    pub tokens_per_fill: u32,
    /// At least 50 ms.
    pub fill_interval: Duration,
}
