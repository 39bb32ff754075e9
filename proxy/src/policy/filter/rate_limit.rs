//! Limits that a service keeps for all proxies (`envoy.filters.http.ratelimit`): what it is asked, and what its answer
//! means.

use std::time::Duration;

use http::{HeaderName, HeaderValue, StatusCode};
use xds::model::{
    self, GrpcService, RateLimitAnswer, RateLimitFilter, RateLimitQuestion, RateLimitQuota,
    RateLimitedRequests, RuntimeFraction, VhRateLimits,
};

use super::local_rate_limit::RouteRules;
use crate::body::RequestHead;
use crate::error::{Invalid, Reason};
use crate::fields::{Fields, number};
use crate::observe::attributes::Attributes;
use crate::observe::record::Record;
use crate::policy::descriptor::{Descriptor, DescriptorRules, Subject};
use crate::policy::facts;
use crate::policy::field_add::{Add, append};
use crate::policy::http::Shared;
use crate::policy::reply::Reply;

/// gRPC's RESOURCE_EXHAUSTED.
const RESOURCE_EXHAUSTED: u32 = 8;
const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
const RATELIMITED: HeaderName = HeaderName::from_static("x-envoy-ratelimited");

/// The filter in a chain.
#[derive(Debug)]
pub struct RateLimit {
    /// Who is asked.
    pub service: GrpcService,
    /// How long an answer may take.
    pub timeout: Option<Duration>,
    domain: String,
    stage: u32,
    requests: RateLimitedRequests,
    deny: bool,
    deny_share: Option<RuntimeFraction>,
    as_resource_exhausted: bool,
    shows_quota: bool,
    names_itself: bool,
    status: StatusCode,
    status_on_error: StatusCode,
    response_headers: Vec<Add>,
    enabled: Option<RuntimeFraction>,
    enforced: Option<RuntimeFraction>,
    own_rules: Option<DescriptorRules>,
    namespace: String,
}

/// The filter on a host or route.
#[derive(Debug)]
pub struct RateLimitPerRoute {
    vh_rate_limits: VhRateLimits,
    rules: Option<DescriptorRules>,
    domain: String,
}

/// What becomes of a request that was asked about.
#[derive(Debug)]
pub enum Verdict {
    /// It goes on, and its response gets these fields.
    Pass(Fields),
    /// It is refused.
    Refuse(Box<Reply>),
}

fn rules_of(models: &[model::RateLimit]) -> Result<Option<DescriptorRules>, Invalid> {
    (!models.is_empty()).then(|| DescriptorRules::compile(models)).transpose()
}

impl RateLimitPerRoute {
    /// Compiles `model`.
    ///
    /// # Errors
    /// Names the rule that cannot be used.
    pub fn compile(model: &model::RateLimitPerRoute) -> Result<Self, Invalid> {
        let model::RateLimitPerRoute { vh_rate_limits, rate_limits, domain } = model;
        let rules = rules_of(rate_limits)?;
        Ok(Self { vh_rate_limits: *vh_rate_limits, rules, domain: domain.clone() })
    }
}

impl RateLimit {
    /// Compiles `model`.
    ///
    /// # Errors
    /// Names the field that cannot be used.
    pub fn compile(model: &RateLimitFilter, shared: &Shared) -> Result<Self, Invalid> {
        let RateLimitFilter {
            domain,
            stage,
            request_type,
            timeout,
            failure_mode_deny,
            failure_mode_deny_percent,
            as_resource_exhausted,
            service,
            x_ratelimit_headers,
            disable_x_envoy_ratelimited,
            status,
            status_on_error,
            response_headers,
            filter_enabled,
            filter_enforced,
            rate_limits,
            metadata_namespace,
        } = model;
        let add = response_headers.iter().map(|model| Add::compile(model, shared.environment()));
        let add = add.collect::<Result<Vec<_>, _>>();
        Ok(Self {
            service: service.clone(),
            timeout: service.timeout.or((!timeout.is_zero()).then_some(*timeout)),
            domain: domain.clone(),
            stage: *stage,
            requests: *request_type,
            deny: *failure_mode_deny,
            deny_share: failure_mode_deny_percent.clone(),
            as_resource_exhausted: *as_resource_exhausted,
            shows_quota: *x_ratelimit_headers,
            names_itself: !disable_x_envoy_ratelimited,
            status: *status,
            status_on_error: *status_on_error,
            response_headers: add.map_err(|invalid: Invalid| invalid.within("response_headers_to_add"))?,
            enabled: filter_enabled.clone(),
            enforced: filter_enforced.clone(),
            own_rules: rules_of(rate_limits)?,
            namespace: metadata_namespace.clone(),
        })
    }

    /// What the service is to be asked about a request; `None` if nothing.
    pub fn question(
        &self,
        here: Option<&RateLimitPerRoute>,
        rules: Option<RouteRules<'_>>,
        subject: Subject<'_>,
        is_in: impl Fn(&RuntimeFraction) -> bool,
    ) -> Option<RateLimitQuestion> {
        if !self.concerns(subject.head) || self.enabled.as_ref().is_some_and(|share| !is_in(share)) {
            return None;
        }
        let descriptors = self.descriptors(here, rules, subject);
        let domain = here.map(|here| &here.domain).filter(|domain| !domain.is_empty());
        let domain = domain.unwrap_or(&self.domain).clone();
        (!descriptors.is_empty()).then_some(RateLimitQuestion { domain, descriptors })
    }

    fn concerns(&self, head: &RequestHead) -> bool {
        let internal = || facts::text(&head.headers, "x-envoy-internal") == Some("true");
        match self.requests {
            RateLimitedRequests::Both => true,
            RateLimitedRequests::Internal => internal(),
            RateLimitedRequests::External => !internal(),
        }
    }

    fn descriptors(
        &self,
        here: Option<&RateLimitPerRoute>,
        rules: Option<RouteRules<'_>>,
        subject: Subject<'_>,
    ) -> Vec<Descriptor> {
        let own = here.and_then(|here| here.rules.as_ref()).or(self.own_rules.as_ref());
        if let Some(own) = own {
            return own.of(self.stage, subject).collect();
        }
        let Some(rules) = rules else { return Vec::new() };
        let vh_rate_limits = here.map(|here| here.vh_rate_limits).unwrap_or_default();
        rules.descriptors(self.stage, vh_rate_limits, subject)
    }

    /// Notes what an answer says about its request.
    pub fn note(&self, answer: &RateLimitAnswer, attributes: &mut Attributes) {
        if !answer.metadata.is_empty() {
            attributes.metadata_mut().merge(&self.namespace, &answer.metadata);
        }
    }

    /// Whether a request over the limit is refused.
    #[must_use]
    pub fn enforces(&self, is_in: impl Fn(&RuntimeFraction) -> bool) -> bool {
        self.enforced.as_ref().is_none_or(is_in)
    }

    /// What becomes of a request whose service has answered; it gets what the answer adds.
    pub fn verdict(
        &self,
        answer: RateLimitAnswer,
        enforced: bool,
        head: &mut RequestHead,
        record: &Record,
    ) -> Verdict {
        let mut fields = parsed(&answer.response_headers);
        if self.shows_quota {
            show_quota(&answer.quotas, &mut fields);
        }
        let over = answer.over_limit == Some(true);
        if over && self.names_itself {
            fields.insert(RATELIMITED, HeaderValue::from_static("true"));
        }
        if over && enforced {
            return Verdict::Refuse(Box::new(self.refusal(answer.body, fields, head, record)));
        }
        for (name, value) in parsed(&answer.request_headers).iter() {
            if let Ok(name) = HeaderName::from_bytes(name.as_bytes()) {
                append(&mut head.headers, name, value.clone());
            }
        }
        Verdict::Pass(fields)
    }

    fn refusal(&self, body: Vec<u8>, mut headers: Fields, head: &RequestHead, record: &Record) -> Reply {
        for add in &self.response_headers {
            if let Some(value) = add.value(record, &facts::heads(head)) {
                add.put(&mut headers, value);
            }
        }
        Reply {
            body: body.into(),
            reason: Some(Reason::RateLimited),
            grpc_status: self.as_resource_exhausted.then_some(RESOURCE_EXHAUSTED),
            headers,
            ..Reply::status(self.status, "request_rate_limited")
        }
    }

    /// The answer to a request about which the service could not be asked; `None` if it goes on.
    #[must_use]
    pub fn unanswered(&self, is_in: impl Fn(&RuntimeFraction) -> bool) -> Option<Reply> {
        let denies = match &self.deny_share {
            Some(share) => is_in(share),
            None => self.deny,
        };
        denies.then(|| Reply {
            reason: Some(Reason::RateLimitService),
            ..Reply::status(self.status_on_error, "rate_limiter_error")
        })
    }
}

fn parsed(fields: &[(String, String)]) -> Fields {
    let mut all = Fields::new();
    for (name, value) in fields {
        let pair = HeaderName::from_bytes(name.as_bytes()).ok().zip(HeaderValue::from_str(value).ok());
        if let Some((name, value)) = pair {
            all.append(name, value);
        }
    }
    all
}

/// Says how much is left where least is, and what all windows allow (draft-ietf-httpapi-ratelimit-headers-03).
fn show_quota(quotas: &[RateLimitQuota], fields: &mut Fields) {
    let Some(least) = quotas.iter().min_by_key(|quota| quota.remaining) else { return };
    let mut limit = least.limit.to_string();
    for RateLimitQuota { limit: allowed, window, name, .. } in quotas.iter().filter(|one| one.window > 0) {
        limit.push_str(&format!(", {allowed};w={window}"));
        if !name.is_empty() {
            limit.push_str(&format!(";name=\"{name}\""));
        }
    }
    if let Ok(limit) = HeaderValue::try_from(limit) {
        fields.append(LIMIT, limit);
        fields.append(REMAINING, number(least.remaining.into()));
        fields.append(RESET, number(least.reset));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quota(limit: u32, window: u32, name: &str, remaining: u32) -> RateLimitQuota {
        RateLimitQuota { limit, window, name: name.to_owned(), remaining, reset: u64::from(remaining) + 1 }
    }

    #[test]
    fn the_quota_shown_is_the_one_of_which_least_is_left() {
        let mut fields = Fields::new();
        show_quota(&[quota(10, 1, "", 5), quota(100, 60, "x", 3), quota(7, 0, "y", 4)], &mut fields);
        let text = |name: HeaderName| fields.get(&name).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(text(LIMIT).as_deref(), Some("100, 10;w=1, 100;w=60;name=\"x\""));
        assert_eq!(text(REMAINING).as_deref(), Some("3"));
        assert_eq!(text(RESET).as_deref(), Some("4"));
        let mut fields = Fields::new();
        show_quota(&[], &mut fields);
        assert!(fields.is_empty());
    }

    #[test]
    fn a_name_that_no_field_can_hold_shows_nothing() {
        let mut fields = Fields::new();
        show_quota(&[quota(10, 1, "a\nb", 5)], &mut fields);
        assert!(fields.is_empty());
    }
}
