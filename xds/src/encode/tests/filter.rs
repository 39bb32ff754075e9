//! Models of HTTP filters.

use http::StatusCode;

use super::choices::Choices;
use super::{common, route};
use crate::model::{
    AppendAction, Buffer, BufferPerRoute, CorsPolicy, CsrfPolicy, Fault, FaultAbort, FaultAbortKind,
    FaultDelay, FaultRateLimit, FilterConfig, FilterMutations, FilterOverride, FilterSetting, FormatString,
    HeaderChange, HeaderMutationFilter, HttpFilter, HttpFilterKind, QueryChange, RuntimeFraction,
};

/// A filter other than the router.
pub(super) fn http_filter(from: &mut Choices<'_>) -> HttpFilter {
    let kind = match from.between(0, 4) {
        0 => HttpFilterKind::Cors,
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
        let setting = match from.between(0, 6) {
            0 => FilterSetting::Disabled,
            1 => FilterSetting::Enabled,
            2 => FilterSetting::Config(FilterConfig::Cors(Box::new(cors(from)))),
            3 => FilterSetting::Config(FilterConfig::Csrf(csrf(from))),
            4 => FilterSetting::Config(FilterConfig::Buffer(if from.flag() {
                BufferPerRoute::Disabled
            } else {
                BufferPerRoute::Buffer(buffer(from))
            })),
            5 => FilterSetting::Config(FilterConfig::Fault(Box::new(fault(from)))),
            _ => FilterSetting::Config(FilterConfig::HeaderMutation(Box::new(mutations(from)))),
        };
        FilterOverride { filter: from.name(), setting }
    });
    overrides.sort_by(|one, two| one.filter.cmp(&two.filter));
    overrides
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

fn change(from: &mut Choices<'_>) -> HeaderChange {
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
