//! Cross-site request forgery (`envoy.filters.http.csrf`): a change must come from the site that it changes, by
//! `origin` or else `referer` (Fetch, "Origin header").

use std::sync::Arc;

use http::{Method, StatusCode};
use xds::model::{self, RuntimeFraction, StringMatcher};

use crate::body::RequestHead;
use crate::observe::metrics::{Counters, Kind, Metric, MetricSet};
use crate::policy::facts;
use crate::policy::reply::Reply;

/// What is counted.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs, reason = "each is explained by its help text")]
pub enum CsrfMetric {
    MissingSourceOrigin,
    RequestInvalid,
    RequestValid,
}

impl MetricSet for CsrfMetric {
    const METRICS: &'static [Metric] = &[
        Metric {
            name: "csrf.missing_source_origin",
            kind: Kind::Counter,
            help: "Changes that say not where they come from.",
        },
        Metric { name: "csrf.request_invalid", kind: Kind::Counter, help: "Changes from elsewhere." },
        Metric { name: "csrf.request_valid", kind: Kind::Counter, help: "Changes from where they may come." },
    ];

    fn index(self) -> usize {
        self as usize
    }
}

/// The filter in a chain.
#[derive(Debug)]
pub struct Csrf {
    policy: CsrfPolicy,
    stats: Arc<Counters<CsrfMetric>>,
}

/// Whose changes are refused.
#[derive(Debug)]
pub struct CsrfPolicy {
    enabled: RuntimeFraction,
    shadow: Option<RuntimeFraction>,
    additional_origins: Vec<StringMatcher>,
}

impl CsrfPolicy {
    /// Takes `model` over.
    #[must_use]
    pub fn new(model: &model::CsrfPolicy) -> Self {
        let model::CsrfPolicy { filter_enabled, shadow_enabled, additional_origins } = model;
        Self {
            enabled: filter_enabled.clone(),
            shadow: shadow_enabled.clone(),
            additional_origins: additional_origins.clone(),
        }
    }
}

impl Csrf {
    /// The filter with the chain's policy.
    #[must_use]
    pub fn new(policy: CsrfPolicy, stats: Arc<Counters<CsrfMetric>>) -> Self {
        Self { policy, stats }
    }

    /// The answer to a request that is refused; `said` is the policy of its host or route.
    #[must_use]
    pub fn refuse(
        &self,
        said: Option<&CsrfPolicy>,
        head: &RequestHead,
        is_in: impl Fn(&RuntimeFraction) -> bool,
    ) -> Option<Reply> {
        let policy = said.unwrap_or(&self.policy);
        let enabled = is_in(&policy.enabled);
        let shadow = policy.shadow.as_ref().is_some_and(&is_in);
        if !enabled && !shadow || !changes(&head.method) {
            return None;
        }
        let metric = match source(head) {
            None => CsrfMetric::MissingSourceOrigin,
            Some(origin) if policy.allows(origin, &head.authority) => CsrfMetric::RequestValid,
            Some(_) => CsrfMetric::RequestInvalid,
        };
        self.stats.inc(metric);
        if matches!(metric, CsrfMetric::RequestValid) || !enabled {
            return None;
        }
        let refused = Reply::status(StatusCode::FORBIDDEN, "csrf_origin_mismatch");
        Some(Reply { body: "Invalid origin".into(), ..refused })
    }
}

impl CsrfPolicy {
    fn allows(&self, source: &str, authority: &str) -> bool {
        source == host_and_port(authority)
            || self.additional_origins.iter().any(|matcher| matcher.is_match(source))
    }
}

fn changes(method: &Method) -> bool {
    [Method::POST, Method::PUT, Method::DELETE, Method::PATCH].contains(method)
}

/// Where the request comes from, if it says so.
fn source(head: &RequestHead) -> Option<&str> {
    ["origin", "referer"]
        .into_iter()
        .filter_map(|name| facts::text(&head.headers, name))
        .map(host_and_port)
        .find(|origin| !origin.is_empty())
}

/// Host and port of an absolute `http` or `https` address; anything else as it is.
fn host_and_port(address: &str) -> &str {
    let lower = |prefix: &str| {
        let start = address.get(..prefix.len())?;
        start.eq_ignore_ascii_case(prefix).then(|| &address[prefix.len()..])
    };
    match lower("http://").or_else(|| lower("https://")) {
        Some(rest) => rest.split(['/', '?', '#']).next().unwrap_or_default(),
        None => address,
    }
}
