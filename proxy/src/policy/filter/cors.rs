//! Cross-origin resource sharing (`envoy.filters.http.cors`; Fetch, "CORS protocol"): preflight requests are answered
//! here, and responses say who may read them.

use std::sync::Arc;

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN,
};
use http::{HeaderName, HeaderValue, Method};
use xds::model::{self, RuntimeFraction, StringMatcher};

use crate::body::RequestHead;
use crate::error::Invalid;
use crate::fields::Fields;
use crate::observe::metrics::{Counters, Kind, Metric, MetricSet};

const REQUEST_PRIVATE_NETWORK: &str = "access-control-request-private-network";
const ALLOW_PRIVATE_NETWORK: HeaderName = HeaderName::from_static("access-control-allow-private-network");
const TRUE: HeaderValue = HeaderValue::from_static("true");

/// What is counted.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs, reason = "each is explained by its help text")]
pub enum CorsMetric {
    OriginValid,
    OriginInvalid,
}

impl MetricSet for CorsMetric {
    const METRICS: &'static [Metric] = &[
        Metric { name: "cors.origin_valid", kind: Kind::Counter, help: "Requests of an origin that may." },
        Metric { name: "cors.origin_invalid", kind: Kind::Counter, help: "Requests of one that may not." },
    ];

    fn index(self) -> usize {
        self as usize
    }
}

/// The filter in a chain.
#[derive(Debug)]
pub struct Cors {
    /// What it has counted.
    pub stats: Arc<Counters<CorsMetric>>,
}

/// The policy of a host or route; what it leaves open, a less specific one decides.
#[derive(Debug)]
pub struct CorsPolicy {
    origins: Vec<StringMatcher>,
    methods: Option<HeaderValue>,
    headers: Option<HeaderValue>,
    expose: Option<HeaderValue>,
    max_age: Option<HeaderValue>,
    credentials: Option<bool>,
    private_network: Option<bool>,
    forward_not_matching: Option<bool>,
    enabled: Option<RuntimeFraction>,
    shadow: Option<RuntimeFraction>,
}

/// What becomes of a request.
#[derive(Debug)]
pub enum Verdict {
    /// It goes on, and its response is nobody else's.
    Pass,
    /// It goes on, and its response may be read by this origin.
    Share(HeaderValue),
    /// It was a preflight request: these fields answer it, and the answer may be read by this origin.
    Preflight(Fields, Option<HeaderValue>),
}

impl CorsPolicy {
    /// Compiles `model`.
    ///
    /// # Errors
    /// Names the text that cannot stand in a field.
    pub fn compile(model: &model::CorsPolicy) -> Result<Self, Invalid> {
        let model::CorsPolicy {
            allow_origin,
            allow_methods,
            allow_headers,
            expose_headers,
            max_age,
            allow_credentials,
            filter_enabled,
            shadow_enabled,
            allow_private_network_access,
            forward_not_matching_preflights,
        } = model;
        let text = |name: &str, text: &str| match HeaderValue::from_str(text) {
            Ok(value) => Ok(Some(value).filter(|value| !value.is_empty())),
            Err(_) => Err(Invalid::new(name, format!("{text:?} cannot stand in a header"))),
        };
        Ok(Self {
            origins: allow_origin.clone(),
            methods: text("allow_methods", allow_methods)?,
            headers: text("allow_headers", allow_headers)?,
            expose: text("expose_headers", expose_headers)?,
            max_age: text("max_age", max_age)?,
            credentials: *allow_credentials,
            private_network: *allow_private_network_access,
            forward_not_matching: *forward_not_matching_preflights,
            enabled: filter_enabled.clone(),
            shadow: shadow_enabled.clone(),
        })
    }
}

impl Cors {
    /// What becomes of a request where `policies` hold, the most specific first.
    #[must_use]
    pub fn judge<'a>(
        &self,
        policies: impl Iterator<Item = &'a CorsPolicy> + Clone,
        head: &RequestHead,
        is_in: impl Fn(&RuntimeFraction) -> bool,
    ) -> Verdict {
        // Whether the policy holds is never left to a less specific one.
        let Some(policy) = policies.clone().next() else { return Verdict::Pass };
        let enabled = policy.enabled.as_ref().is_none_or(&is_in);
        let shadow = policy.shadow.as_ref().is_some_and(&is_in);
        if !enabled && !shadow {
            return Verdict::Pass;
        }
        let Some(origin) = head.headers.get(ORIGIN).filter(|origin| !origin.is_empty()) else {
            return Verdict::Pass;
        };
        let allowed = is_allowed(policies.clone(), origin);
        self.stats.inc(if allowed { CorsMetric::OriginValid } else { CorsMetric::OriginInvalid });
        if !enabled {
            return Verdict::Pass;
        }
        let asks = head.headers.get(ACCESS_CONTROL_REQUEST_METHOD).is_some_and(|method| !method.is_empty());
        match (head.method == Method::OPTIONS && asks, allowed) {
            (true, true) => Verdict::Preflight(preflight(policies, head, Some(origin)), Some(origin.clone())),
            (true, false)
                if !first(policies.clone(), |policy| policy.forward_not_matching).unwrap_or(true) =>
            {
                Verdict::Preflight(preflight(policies, head, None), None)
            }
            (false, true) => Verdict::Share(origin.clone()),
            (_, false) => Verdict::Pass,
        }
    }

    /// Says on a response that `origin` may read it.
    pub fn share<'a>(
        policies: impl Iterator<Item = &'a CorsPolicy> + Clone,
        origin: &HeaderValue,
        fields: &mut Fields,
    ) {
        fields.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        if first(policies.clone(), |policy| policy.credentials) == Some(true) {
            fields.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE);
        }
        if let Some(expose) = first(policies.clone(), |policy| policy.expose.clone()) {
            fields.insert(ACCESS_CONTROL_EXPOSE_HEADERS, expose);
        }
    }
}

/// The answer to a preflight request; `origin` is one that may.
fn preflight<'a>(
    policies: impl Iterator<Item = &'a CorsPolicy> + Clone,
    head: &RequestHead,
    origin: Option<&HeaderValue>,
) -> Fields {
    let mut fields = Fields::new();
    if let Some(origin) = origin {
        fields.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    }
    if first(policies.clone(), |policy| policy.credentials) == Some(true) {
        fields.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE);
    }
    let asked = head.headers.get(REQUEST_PRIVATE_NETWORK).is_some_and(|value| value == "true");
    if asked && first(policies.clone(), |policy| policy.private_network) == Some(true) {
        fields.insert(ALLOW_PRIVATE_NETWORK, TRUE);
    }
    let texts = [
        (ACCESS_CONTROL_ALLOW_METHODS, first(policies.clone(), |policy| policy.methods.clone())),
        (ACCESS_CONTROL_ALLOW_HEADERS, first(policies.clone(), |policy| policy.headers.clone())),
        (ACCESS_CONTROL_MAX_AGE, first(policies.clone(), |policy| policy.max_age.clone())),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            fields.insert(name, text);
        }
    }
    fields
}

fn is_allowed<'a>(mut policies: impl Iterator<Item = &'a CorsPolicy>, origin: &HeaderValue) -> bool {
    // The most specific policy that lists origins decides.
    let listing = policies.find(|policy| !policy.origins.is_empty());
    let (Some(policy), Ok(origin)) = (listing, std::str::from_utf8(origin.as_bytes())) else { return false };
    let any = StringMatcher::exact("*");
    policy.origins.iter().any(|matcher| *matcher == any || matcher.is_match(origin))
}

/// What the most specific policy says that says anything.
fn first<'a, T>(
    mut policies: impl Iterator<Item = &'a CorsPolicy>,
    say: impl Fn(&CorsPolicy) -> Option<T>,
) -> Option<T> {
    policies.find_map(say)
}
