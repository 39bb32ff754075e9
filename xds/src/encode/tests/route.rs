//! Models of route tables.

use http::StatusCode;

use super::choices::Choices;
use super::{common, filter, manager, match_tree};
use crate::model::{
    AppendAction, BackOff, ClusterName, ClusterTarget, ConnectConfig, CookieMatcher, DirectResponse, Domain,
    FilterStateMatcher, Forward, HashPolicy, HashSource, HeaderAdd, HeaderMutations, HostRewrite,
    InternalRedirectPolicy, InternalRedirectPredicate, MatchInput, MaxStreamDuration, MirrorTarget,
    PathMatch, PathRewrite, QueryMatcher, QueryTest, Redirect, RedirectPath, RequestMirror, RequireTls,
    RetryCondition, RetryPolicy, Route, RouteAction, RouteConfigName, RouteConfiguration, RouteMatch,
    RouteRateLimits, RoutingPriority, VirtualHost, WeightedCluster, WeightedClusters,
};

/// A field to add.
pub(super) fn header_add(from: &mut Choices<'_>) -> HeaderAdd {
    let actions = [
        AppendAction::AppendIfExistsOrAdd,
        AppendAction::AddIfAbsent,
        AppendAction::OverwriteIfExistsOrAdd,
        AppendAction::OverwriteIfExists,
    ];
    HeaderAdd {
        name: from.name(),
        value: crate::model::FormatString::parse(from.one_of(&["", "x", "%PROTOCOL%-%REQ(a)%", "50%%"]))
            .unwrap(),
        action: from.one_of(&actions),
        keep_empty_value: from.flag(),
    }
}

fn mutations(from: &mut Choices<'_>) -> HeaderMutations {
    HeaderMutations { add: from.list(2, header_add), remove: from.list(2, Choices::name) }
}

/// A test on the query.
pub(super) fn query_matcher(from: &mut Choices<'_>) -> QueryMatcher {
    QueryMatcher {
        name: from.name(),
        test: if from.flag() {
            QueryTest::Text(common::string_matcher(from))
        } else {
            QueryTest::Present(from.flag())
        },
    }
}

fn route_match(from: &mut Choices<'_>) -> RouteMatch {
    let path = match from.between(0, 4) {
        0 => PathMatch::Prefix(from.text()),
        1 => PathMatch::Exact(from.text()),
        2 => PathMatch::SeparatedPrefix(format!("/{}", from.name())),
        3 => PathMatch::Connect,
        _ => PathMatch::Regex(common::regex(from)),
    };
    RouteMatch {
        case_sensitive: matches!(path, PathMatch::Regex(_)) || !from.flag(),
        path,
        headers: from.list(2, common::header_matcher),
        query_parameters: from.list(2, query_matcher),
        cookies: from.list(2, |from| CookieMatcher {
            name: from.name(),
            text: common::string_matcher(from),
            invert: from.flag(),
        }),
        grpc: from.flag(),
        runtime_fraction: from.maybe(filter::runtime_fraction),
        dynamic_metadata: from.list(2, common::metadata_matcher),
        filter_state: from
            .list(2, |from| FilterStateMatcher { key: from.name(), text: common::string_matcher(from) }),
    }
}

fn retry_policy(from: &mut Choices<'_>) -> RetryPolicy {
    let base_interval = from.positive();
    let conditions = RetryCondition::ALL.map(|(_, condition)| condition);
    RetryPolicy {
        on: from.list(3, |from| from.one_of(&conditions)),
        num_retries: from.number(),
        per_try_timeout: from.maybe(Choices::positive),
        per_try_idle_timeout: from.maybe(Choices::positive),
        retriable_status_codes: from
            .list(2, |from| from.one_of(&[StatusCode::CONFLICT, StatusCode::SERVICE_UNAVAILABLE])),
        retriable_headers: from.list(2, common::header_matcher),
        retriable_request_headers: from.list(2, common::header_matcher),
        back_off: BackOff { base_interval, max_interval: base_interval + from.duration() },
        avoid_previous_hosts: from.flag(),
        host_selection_retry_max_attempts: from.between(1, 20),
        avoid_previous_priorities: from.maybe(|from| from.between(1, 9)),
    }
}

fn target(from: &mut Choices<'_>) -> ClusterTarget {
    match from.between(0, 2) {
        0 => ClusterTarget::Cluster(ClusterName::new(from.name())),
        1 => ClusterTarget::Header(from.name()),
        _ => ClusterTarget::Weighted(WeightedClusters {
            clusters: from.some(3, |from| WeightedCluster {
                name: ClusterName::new(from.name()),
                weight: from.between(1, 100),
                request_headers: mutations(from),
                response_headers: mutations(from),
                host_rewrite_literal: from.text(),
                filters: filter::overrides(from),
            }),
            runtime_key_prefix: from.text(),
        }),
    }
}

fn request_mirror(from: &mut Choices<'_>) -> RequestMirror {
    let host_rewrite_literal = from.text();
    RequestMirror {
        target: match from.flag() {
            true => MirrorTarget::Cluster(ClusterName::new(from.name())),
            false => MirrorTarget::Header(from.name()),
        },
        share: from.maybe(filter::runtime_fraction),
        shadow_host: host_rewrite_literal.is_empty() && from.flag(),
        request_headers: from.list(2, filter::change),
        host_rewrite_literal,
    }
}

fn hash_policy(from: &mut Choices<'_>) -> HashPolicy {
    let source = match from.between(0, 4) {
        4 => HashSource::FilterState(from.name()),
        0 => HashSource::SourceIp,
        1 => HashSource::Header { name: from.name(), rewrite: from.maybe(common::substitution) },
        2 => HashSource::QueryParameter(from.name()),
        _ => HashSource::Cookie {
            name: from.name(),
            ttl: from.maybe(Choices::duration),
            path: from.text(),
            attributes: from.list(2, |from| (from.name(), from.text())),
        },
    };
    HashPolicy { source, terminal: from.flag() }
}

fn internal_redirects(from: &mut Choices<'_>) -> InternalRedirectPolicy {
    let codes = [StatusCode::FOUND, StatusCode::SEE_OTHER, StatusCode::PERMANENT_REDIRECT];
    InternalRedirectPolicy {
        max_internal_redirects: from.between(0, 32),
        redirect_response_codes: from.list(3, |from| from.one_of(&codes)),
        predicates: from.list(2, |from| match from.between(0, 2) {
            0 => InternalRedirectPredicate::PreviousRoutes,
            1 => InternalRedirectPredicate::AllowListedRoutes(from.list(2, Choices::name)),
            _ => InternalRedirectPredicate::SafeCrossScheme,
        }),
        allow_cross_scheme_redirect: from.flag(),
        response_headers_to_copy: from.list(2, Choices::name),
    }
}

fn forward(from: &mut Choices<'_>) -> Forward {
    let statuses =
        [StatusCode::SERVICE_UNAVAILABLE, StatusCode::NOT_FOUND, StatusCode::INTERNAL_SERVER_ERROR];
    let upgrades = manager::upgrades(from);
    Forward {
        target: target(from),
        cluster_not_found: from.one_of(&statuses),
        timeout: from.maybe(Choices::positive),
        idle_timeout: from.maybe(|from| from.maybe(Choices::positive)),
        max_stream_duration: MaxStreamDuration {
            max_stream_duration: from.maybe(Choices::duration),
            grpc_timeout_header_max: from.maybe(Choices::duration),
            grpc_timeout_header_offset: from.duration(),
        },
        path_rewrite: match from.between(0, 2) {
            0 => PathRewrite::None,
            1 => PathRewrite::Prefix(from.name()),
            _ => {
                let (regex, substitution) = common::substitution(from);
                PathRewrite::Regex { regex, substitution }
            }
        },
        host_rewrite: match from.between(0, 4) {
            0 => HostRewrite::None,
            1 => HostRewrite::Literal(from.name()),
            2 => HostRewrite::Auto,
            3 => HostRewrite::Header(from.name()),
            _ => {
                let (regex, substitution) = common::substitution(from);
                HostRewrite::PathRegex { regex, substitution }
            }
        },
        append_x_forwarded_host: from.flag(),
        retry: from.maybe(retry_policy),
        hash_policy: from.list(2, hash_policy),
        connect: from
            .maybe(|from| ConnectConfig { allow_post: from.flag() })
            .filter(|_| upgrades.iter().any(|config| config.upgrade_type == "connect")),
        upgrades,
        priority: from.one_of(&[RoutingPriority::Default, RoutingPriority::High]),
        rate_limits: RouteRateLimits {
            rules: from.list(2, filter::rate_limit_rule),
            include_host: from.flag(),
        },
        request_mirrors: from.list(2, request_mirror),
        internal_redirects: from.maybe(internal_redirects),
    }
}

fn redirect(from: &mut Choices<'_>) -> Redirect {
    let statuses = [
        StatusCode::MOVED_PERMANENTLY,
        StatusCode::FOUND,
        StatusCode::SEE_OTHER,
        StatusCode::TEMPORARY_REDIRECT,
        StatusCode::PERMANENT_REDIRECT,
    ];
    Redirect {
        scheme: from.maybe(|from| from.one_of(&["http", "https"]).to_owned()),
        host: Some(from.name()),
        port: from.maybe(Choices::port),
        path: match from.between(0, 3) {
            0 => RedirectPath::Keep,
            1 => RedirectPath::Replace(from.name()),
            2 => RedirectPath::Prefix(from.text()),
            _ => {
                let (regex, substitution) = common::substitution(from);
                RedirectPath::Regex { regex, substitution }
            }
        },
        status: from.one_of(&statuses),
        strip_query: from.flag(),
    }
}

fn route(from: &mut Choices<'_>) -> Route {
    Route {
        name: from.text(),
        matches: route_match(from),
        action: match from.between(0, 2) {
            0 => RouteAction::Forward(Box::new(forward(from))),
            1 => RouteAction::Redirect(redirect(from)),
            _ => RouteAction::DirectResponse(DirectResponse {
                status: from.one_of(&[StatusCode::OK, StatusCode::IM_A_TEAPOT]),
                body: from.maybe(common::data_source),
            }),
        },
        request_headers: mutations(from),
        response_headers: mutations(from),
        filters: filter::overrides(from),
    }
}

fn virtual_host(from: &mut Choices<'_>) -> VirtualHost {
    let routes = from.list(3, route);
    let inputs = [MatchInput::RequestHeader(from.name()), MatchInput::FilterState(from.name())];
    let matcher = |from: &mut Choices<'_>| match_tree::tree(from, 2, &inputs, |from| from.list(2, route));
    VirtualHost {
        name: from.name(),
        domains: from.some(3, |from| {
            let name = from.name();
            match from.between(0, 2) {
                0 => Domain::Exact(name),
                1 => Domain::Suffix(format!(".{name}")),
                _ => Domain::Prefix(format!("{name}.")),
            }
        }),
        matcher: if routes.is_empty() { from.maybe(matcher) } else { None },
        routes,
        require_tls: from.one_of(&[RequireTls::None, RequireTls::ExternalOnly, RequireTls::All]),
        request_headers: mutations(from),
        response_headers: mutations(from),
        include_request_attempt_count: from.flag(),
        include_attempt_count_in_response: from.flag(),
        retry_policy: from.maybe(retry_policy),
        rate_limits: from.list(2, filter::rate_limit_rule),
        request_mirrors: from.list(2, request_mirror),
        filters: filter::overrides(from),
    }
}

pub(super) fn route_configuration(from: &mut Choices<'_>) -> RouteConfiguration {
    let mut virtual_hosts = from.list(2, virtual_host);
    if let Some(host) = virtual_hosts.first_mut()
        && from.flag()
    {
        host.domains.push(Domain::Any);
    }
    RouteConfiguration {
        name: RouteConfigName::new(from.name()),
        virtual_hosts,
        request_headers: mutations(from),
        response_headers: mutations(from),
        ignore_port_in_host_matching: from.flag(),
        most_specific_header_mutations_wins: from.flag(),
        validate_clusters: from.maybe(Choices::flag),
        max_direct_response_body_size_bytes: from.between(64, 100_000),
        request_mirrors: from.list(2, request_mirror),
        filters: filter::overrides(from),
    }
}
