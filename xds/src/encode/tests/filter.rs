//! Models of HTTP filters.

use std::time::Duration;

use http::StatusCode;

use super::choices::Choices;
use super::{common, ext_proc, metadata, rate_limit, route};
use crate::model::{
    AppendAction, Buffer, BufferPerRoute, CompressDirection, Compressor, CompressorLibrary,
    CompressorPerRoute, CorsPolicy, CsrfPolicy, DecompressDirection, Decompressor, DecompressorLibrary,
    DescriptorAction, Fault, FaultAbort, FaultAbortKind, FaultDelay, FaultRateLimit, FilterConfig,
    FilterMutations, FilterOverride, FilterSetting, FormatString, GrpcStats, GrpcStatsMethods, HeaderChange,
    HeaderMutationFilter, HealthCheckFilter, HealthCheckMode, HttpFilter, HttpFilterKind, LocalDescriptor,
    LocalRateLimit, QueryChange, RateLimit, RuntimeFraction, SessionState, StatefulSession,
    StatefulSessionPerRoute, TokenBucket, VhRateLimits,
};

/// A filter other than the router.
pub(super) fn http_filter(from: &mut Choices<'_>) -> HttpFilter {
    let kind = match from.between(0, 16) {
        16 => HttpFilterKind::ExtProc(Box::new(ext_proc::filter(from))),
        15 => HttpFilterKind::HealthCheck(Box::new(health_check(from))),
        12 => HttpFilterKind::RateLimit(Box::new(rate_limit::filter(from))),
        13 => HttpFilterKind::StatefulSession(Box::new(stateful_session(from))),
        14 => HttpFilterKind::GrpcStats(Box::new(grpc_stats(from))),
        8 => HttpFilterKind::Decompressor(Box::new(decompressor(from))),
        9 => HttpFilterKind::SetFilterState(Box::new(metadata::set_filter_state(from))),
        10 => HttpFilterKind::SetMetadata(Box::new(metadata::set_metadata(from))),
        11 => HttpFilterKind::HeaderToMetadata(Box::new(metadata::header_to_metadata(from))),
        6 => HttpFilterKind::Compressor(Box::new(compressor(from))),
        0 => HttpFilterKind::Cors,
        5 => HttpFilterKind::LocalRateLimit(Box::new(local_rate_limit(from))),
        7 => HttpFilterKind::GrpcWeb,
        1 => HttpFilterKind::Csrf(csrf(from)),
        2 => HttpFilterKind::Buffer(buffer(from)),
        3 => HttpFilterKind::Fault(Box::new(fault(from))),
        _ => HttpFilterKind::HeaderMutation(Box::new(HeaderMutationFilter {
            mutations: mutations(from),
            most_specific_header_mutations_wins: from.flag(),
        })),
    };
    HttpFilter { name: from.name(), kind, disabled: from.flag() }
}

/// What a level says about filters, in the order in which it is read back.
pub(super) fn overrides(from: &mut Choices<'_>) -> Vec<FilterOverride> {
    let mut overrides = from.list(2, |from| {
        let setting = match from.between(0, 13) {
            13 => FilterSetting::Config(FilterConfig::ExtProc(Box::new(ext_proc::per_route(from)))),
            11 => FilterSetting::Config(FilterConfig::RateLimit(Box::new(rate_limit::per_route(from)))),
            0 => FilterSetting::Disabled,
            12 => FilterSetting::Config(FilterConfig::StatefulSession(Box::new(if from.flag() {
                StatefulSessionPerRoute::Disabled
            } else {
                StatefulSessionPerRoute::Session(stateful_session(from))
            }))),
            10 => {
                let filter = metadata::set_filter_state(from);
                FilterSetting::Config(FilterConfig::SetFilterState(Box::new(filter)))
            }
            9 => {
                let mut filter = metadata::header_to_metadata(from);
                filter.response_rules.push(metadata::rule(from));
                FilterSetting::Config(FilterConfig::HeaderToMetadata(Box::new(filter)))
            }
            8 => FilterSetting::Config(FilterConfig::Compressor(if from.flag() {
                CompressorPerRoute::Disabled
            } else {
                CompressorPerRoute::Overrides { remove_accept_encoding_header: from.maybe(Choices::flag) }
            })),
            1 => FilterSetting::Enabled,
            2 => FilterSetting::Config(FilterConfig::Cors(Box::new(cors(from)))),
            3 => FilterSetting::Config(FilterConfig::Csrf(csrf(from))),
            4 => FilterSetting::Config(FilterConfig::Buffer(if from.flag() {
                BufferPerRoute::Disabled
            } else {
                BufferPerRoute::Buffer(buffer(from))
            })),
            7 => {
                let bucket = token_bucket(from);
                let filter = LocalRateLimit { token_bucket: Some(bucket), ..local_rate_limit(from) };
                FilterSetting::Config(FilterConfig::LocalRateLimit(Box::new(filter)))
            }
            5 => FilterSetting::Config(FilterConfig::Fault(Box::new(fault(from)))),
            _ => FilterSetting::Config(FilterConfig::HeaderMutation(Box::new(mutations(from)))),
        };
        FilterOverride { filter: from.name(), setting }
    });
    overrides.sort_by(|one, two| one.filter.cmp(&two.filter));
    overrides
}

fn stateful_session(from: &mut Choices<'_>) -> StatefulSession {
    let state = from.maybe(|from| {
        if from.flag() {
            return SessionState::Header(from.name());
        }
        SessionState::Cookie {
            name: from.name(),
            ttl: Duration::from_secs(from.between(0, 100_000).into()),
            path: from.text(),
            attributes: from.list(2, |from| (from.name(), from.text())),
        }
    });
    StatefulSession { state, strict: from.flag() }
}

/// A share that a runtime value may stand in for.
pub(super) fn runtime_fraction(from: &mut Choices<'_>) -> RuntimeFraction {
    RuntimeFraction { default: common::fraction(from), key: from.text() }
}

fn cors(from: &mut Choices<'_>) -> CorsPolicy {
    CorsPolicy {
        allow_origin: from.list(2, common::string_matcher),
        allow_methods: from.text(),
        allow_headers: from.text(),
        expose_headers: from.text(),
        max_age: from.text(),
        allow_credentials: from.maybe(Choices::flag),
        filter_enabled: from.maybe(runtime_fraction),
        shadow_enabled: from.maybe(runtime_fraction),
        allow_private_network_access: from.maybe(Choices::flag),
        forward_not_matching_preflights: from.maybe(Choices::flag),
    }
}

fn csrf(from: &mut Choices<'_>) -> CsrfPolicy {
    CsrfPolicy {
        filter_enabled: runtime_fraction(from),
        shadow_enabled: from.maybe(runtime_fraction),
        additional_origins: from.list(2, common::string_matcher),
    }
}

fn buffer(from: &mut Choices<'_>) -> Buffer {
    Buffer { max_request_bytes: from.between(1, u32::MAX) }
}

fn fault(from: &mut Choices<'_>) -> Fault {
    Fault {
        delay: from.maybe(|from| FaultDelay {
            percentage: common::fraction(from),
            fixed: from.maybe(Choices::positive),
        }),
        abort: from.maybe(|from| FaultAbort {
            percentage: common::fraction(from),
            kind: match from.between(0, 2) {
                0 => FaultAbortKind::Http(StatusCode::IM_A_TEAPOT),
                1 => FaultAbortKind::Grpc(from.number()),
                _ => FaultAbortKind::Header,
            },
            response_body: from.text(),
        }),
        response_rate_limit: from.maybe(|from| FaultRateLimit {
            percentage: common::fraction(from),
            kbps: from.maybe(|from| from.between(1, 1000).into()),
        }),
        upstream_cluster: from.text(),
        headers: from.list(2, common::header_matcher),
        downstream_nodes: from.list(2, Choices::text),
        max_active_faults: from.maybe(Choices::number),
    }
}

fn mutations(from: &mut Choices<'_>) -> FilterMutations {
    FilterMutations {
        request: from.list(2, change),
        query: from.list(2, query),
        response: from.list(2, change),
        request_trailers: from.list(2, change),
        response_trailers: from.list(2, change),
    }
}

pub(super) fn change(from: &mut Choices<'_>) -> HeaderChange {
    match from.between(0, 2) {
        0 => HeaderChange::Remove(from.name()),
        1 => HeaderChange::RemoveOnMatch(common::string_matcher(from)),
        _ => HeaderChange::Add(route::header_add(from)),
    }
}

fn query(from: &mut Choices<'_>) -> QueryChange {
    if from.flag() {
        return QueryChange::Remove(from.name());
    }
    QueryChange::Add {
        key: from.name(),
        value: FormatString::parse(from.one_of(&["", "x", "%REQ(a)%", "50%%"])).unwrap(),
        action: from.one_of(&[AppendAction::AppendIfExistsOrAdd, AppendAction::OverwriteIfExists]),
    }
}

fn local_rate_limit(from: &mut Choices<'_>) -> LocalRateLimit {
    LocalRateLimit {
        stat_prefix: from.name(),
        status: from.one_of(&[StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE]),
        token_bucket: from.maybe(token_bucket),
        filter_enabled: from.maybe(runtime_fraction),
        filter_enforced: from.maybe(runtime_fraction),
        request_headers_when_not_enforced: from.list(2, route::header_add),
        response_headers: from.list(2, route::header_add),
        descriptors: from.list(2, |from| LocalDescriptor {
            entries: from.some(2, |from| (from.name(), from.name())),
            token_bucket: token_bucket(from),
        }),
        stage: from.between(0, 10),
        x_ratelimit_headers: from.flag(),
        vh_rate_limits: from.one_of(&[VhRateLimits::Override, VhRateLimits::Include, VhRateLimits::Ignore]),
        always_consume_default: from.flag(),
        as_resource_exhausted: from.flag(),
        rate_limits: from.list(2, rate_limit_rule),
        retry_after: from.flag(),
    }
}

fn compressor(from: &mut Choices<'_>) -> Compressor {
    let direction = |from: &mut Choices<'_>| CompressDirection {
        enabled: from.flag(),
        min_content_length: from.number(),
        content_type: from.list(2, common::string_matcher),
    };
    let request = from.maybe(direction);
    Compressor {
        library: match from.between(0, 2) {
            0 => CompressorLibrary::Gzip { level: from.maybe(|from| from.between(1, 9)) },
            1 => {
                CompressorLibrary::Brotli { quality: from.between(0, 11), window_bits: from.between(10, 24) }
            }
            _ => CompressorLibrary::Zstd { level: from.between(0, 22), checksum: from.flag() },
        },
        request,
        response: direction(from),
        disable_on_etag_header: from.flag(),
        weaken_etag_on_compress: from.flag(),
        remove_accept_encoding_header: from.flag(),
        uncompressible_response_codes: from.list(2, |from| from.one_of(&[206, 404])),
        choose_first: from.flag(),
    }
}

fn decompressor(from: &mut Choices<'_>) -> Decompressor {
    let direction = |from: &mut Choices<'_>| DecompressDirection {
        enabled: from.flag(),
        ignore_no_transform_header: from.flag(),
    };
    Decompressor {
        name: from.name(),
        library: match from.between(0, 2) {
            0 => DecompressorLibrary::Gzip { max_inflate_ratio: from.between(1, 1032) },
            1 => DecompressorLibrary::Brotli,
            _ => DecompressorLibrary::Zstd,
        },
        chunk_bytes: from.between(4096, 65536),
        request: direction(from),
        response: direction(from),
        advertise_accept_encoding: from.flag(),
    }
}

fn grpc_stats(from: &mut Choices<'_>) -> GrpcStats {
    GrpcStats {
        methods: match from.between(0, 2) {
            0 => GrpcStatsMethods::None,
            1 => GrpcStatsMethods::All,
            _ => GrpcStatsMethods::Listed(from.list(3, |from| (from.name(), from.name()))),
        },
        enable_upstream_stats: from.flag(),
        replace_dots_in_grpc_service_name: from.flag(),
    }
}

fn health_check(from: &mut Choices<'_>) -> HealthCheckFilter {
    let mode = if from.flag() {
        HealthCheckMode::PassThrough { cache_time: from.maybe(Choices::positive) }
    } else {
        HealthCheckMode::Answer { clusters: from.list(3, |from| (from.name(), from.between(0, 100))) }
    };
    let mode = match mode {
        HealthCheckMode::Answer { mut clusters } => {
            clusters.sort();
            HealthCheckMode::Answer { clusters }
        }
        pass_through => pass_through,
    };
    HealthCheckFilter { headers: from.list(2, common::header_matcher), mode }
}

pub(super) fn token_bucket(from: &mut Choices<'_>) -> TokenBucket {
    TokenBucket {
        max_tokens: from.between(1, u32::MAX),
        tokens_per_fill: from.between(1, u32::MAX),
        fill_interval: Duration::from_millis(from.between(50, 100_000).into()),
    }
}

/// A rule that makes a descriptor.
pub(super) fn rate_limit_rule(from: &mut Choices<'_>) -> RateLimit {
    let action = |from: &mut Choices<'_>| match from.between(0, 8) {
        8 => DescriptorAction::Metadata {
            key: from.name(),
            at: common::metadata_key(from),
            default_value: from.text(),
            skip_if_absent: from.flag(),
        },
        0 => DescriptorAction::DestinationCluster,
        1 => DescriptorAction::RequestHeader {
            name: from.name(),
            key: from.name(),
            skip_if_absent: from.flag(),
        },
        2 => DescriptorAction::QueryParameter {
            name: from.name(),
            key: from.name(),
            skip_if_absent: from.flag(),
        },
        3 => DescriptorAction::RemoteAddress,
        4 => DescriptorAction::MaskedRemoteAddress { v4_bits: 24, v6_bits: 64 },
        5 => DescriptorAction::GenericKey { key: from.name(), value: from.name() },
        6 => DescriptorAction::HeaderValueMatch {
            key: from.name(),
            value: from.name(),
            expect_match: from.flag(),
            headers: from.some(2, common::header_matcher),
        },
        _ => DescriptorAction::QueryParameterValueMatch {
            key: from.name(),
            value: from.name(),
            expect_match: from.flag(),
            query_parameters: from.some(2, route::query_matcher),
        },
    };
    RateLimit { stage: from.between(0, 10), actions: from.some(2, action) }
}
