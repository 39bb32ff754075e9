//! Limits of this proxy's own (`envoy.filters.http.local_ratelimit`): token buckets for all requests and for those
//! with certain descriptors, shared by all workers.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, StatusCode};
use xds::model::{self, HeaderAdd, LocalDescriptor, RuntimeFraction, VhRateLimits};

use crate::body::RequestHead;
use crate::error::{Invalid, Reason};
use crate::fields::{Fields, number};
use crate::observe::metrics::{Counters, Kind, Metric, MetricSet, Scope};
use crate::observe::record::Record;
use crate::policy::descriptor::{Descriptor, DescriptorRules, Subject};
use crate::policy::facts;
use crate::policy::field_add::Add;
use crate::policy::http::Shared;
use crate::policy::reply::Reply;
use crate::policy::token_bucket::TokenBucket;

/// gRPC's RESOURCE_EXHAUSTED.
const RESOURCE_EXHAUSTED: u32 = 8;
const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// What is counted.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs, reason = "each is explained by its help text")]
pub enum LocalRateLimitMetric {
    Enabled,
    Enforced,
    RateLimited,
    Ok,
}

impl MetricSet for LocalRateLimitMetric {
    const METRICS: &'static [Metric] = &[
        Metric { name: "enabled", kind: Kind::Counter, help: "Requests that were looked at." },
        Metric { name: "enforced", kind: Kind::Counter, help: "Requests that were refused." },
        Metric { name: "rate_limited", kind: Kind::Counter, help: "Requests over the limit." },
        Metric { name: "ok", kind: Kind::Counter, help: "Requests within it." },
    ];

    fn index(self) -> usize {
        self as usize
    }
}

/// The filter, in a chain or on a host or route.
#[derive(Debug)]
pub struct LocalRateLimit {
    status: StatusCode,
    bucket: Option<TokenBucket>,
    enabled: Option<RuntimeFraction>,
    enforced: Option<RuntimeFraction>,
    request_headers: Vec<Add>,
    response_headers: Vec<Add>,
    descriptors: Vec<(Descriptor, TokenBucket)>,
    stage: u32,
    shows_quota: bool,
    vh_rate_limits: VhRateLimits,
    always_consume_default: bool,
    as_resource_exhausted: bool,
    own_rules: Option<DescriptorRules>,
    retry_after: bool,
    stats: Arc<Counters<LocalRateLimitMetric>>,
}

/// The rules of a request's route and of its host.
#[derive(Debug, Clone, Copy)]
pub struct RouteRules<'a> {
    /// The route's own.
    pub route: &'a DescriptorRules,
    /// Whether the host's hold beside them.
    pub include_host: bool,
    /// The host's.
    pub host: &'a DescriptorRules,
}

impl RouteRules<'_> {
    /// The descriptors of a request by the rules of `stage` that hold for it.
    pub(super) fn descriptors(
        self,
        stage: u32,
        vh_rate_limits: VhRateLimits,
        subject: Subject<'_>,
    ) -> Vec<Descriptor> {
        let with_host = match vh_rate_limits {
            _ if self.include_host => true,
            VhRateLimits::Include => true,
            VhRateLimits::Ignore => false,
            VhRateLimits::Override => self.route.is_empty(stage),
        };
        let of_host = with_host.then(|| self.host.of(stage, subject)).into_iter().flatten();
        self.route.of(stage, subject).chain(of_host).collect()
    }
}

/// What becomes of a request.
#[derive(Debug)]
pub enum Verdict {
    /// It is not looked at, or within the limit.
    Pass,
    /// It is over the limit, and goes on with these fields.
    Mark,
    /// It is refused.
    Refuse(Box<Reply>),
}

impl LocalRateLimit {
    /// Compiles `model`.
    ///
    /// # Errors
    /// Names the field that cannot be used.
    pub fn compile(model: &model::LocalRateLimit, shared: &Shared) -> Result<Self, Invalid> {
        let model::LocalRateLimit {
            stat_prefix,
            status,
            token_bucket,
            filter_enabled,
            filter_enforced,
            request_headers_when_not_enforced,
            response_headers,
            descriptors,
            stage,
            x_ratelimit_headers,
            vh_rate_limits,
            always_consume_default,
            as_resource_exhausted,
            rate_limits,
            retry_after,
        } = model;
        let add = |name: &str, models: &[HeaderAdd]| {
            let each = models.iter().map(|model| Add::compile(model, shared.environment()));
            each.collect::<Result<Vec<_>, _>>().map_err(|invalid: Invalid| invalid.within(name))
        };
        let own_rules =
            (!rate_limits.is_empty()).then(|| DescriptorRules::compile(rate_limits)).transpose()?;
        let bucket = |LocalDescriptor { entries, token_bucket }: &LocalDescriptor| {
            (entries.clone(), TokenBucket::new(*token_bucket))
        };
        Ok(Self {
            status: *status,
            bucket: token_bucket.map(TokenBucket::new),
            enabled: filter_enabled.clone(),
            enforced: filter_enforced.clone(),
            request_headers: add(
                "request_headers_to_add_when_not_enforced",
                request_headers_when_not_enforced,
            )?,
            response_headers: add("response_headers_to_add", response_headers)?,
            descriptors: descriptors.iter().map(bucket).collect(),
            stage: *stage,
            shows_quota: *x_ratelimit_headers,
            vh_rate_limits: *vh_rate_limits,
            always_consume_default: *always_consume_default,
            as_resource_exhausted: *as_resource_exhausted,
            own_rules,
            retry_after: *retry_after,
            stats: shared.counters(Scope::new(
                "http_local_rate_limit",
                "envoy_local_http_ratelimit_prefix",
                stat_prefix.as_str(),
            )),
        })
    }

    /// What becomes of a request at `now`, and which bucket decided.
    pub fn judge(
        &self,
        rules: Option<RouteRules<'_>>,
        subject: Subject<'_>,
        record: &Record,
        now: Duration,
        is_in: impl Fn(&RuntimeFraction) -> bool,
    ) -> (Verdict, Option<&TokenBucket>) {
        if !self.enabled.as_ref().is_some_and(&is_in) {
            return (Verdict::Pass, None);
        }
        self.stats.inc(LocalRateLimitMetric::Enabled);
        let (within, bucket) = self.ask(&self.of_request(rules, subject), now);
        if within {
            self.stats.inc(LocalRateLimitMetric::Ok);
            return (Verdict::Pass, bucket);
        }
        self.stats.inc(LocalRateLimitMetric::RateLimited);
        if !self.enforced.as_ref().is_some_and(&is_in) {
            return (Verdict::Mark, bucket);
        }
        self.stats.inc(LocalRateLimitMetric::Enforced);
        (Verdict::Refuse(Box::new(self.refusal(subject.head, record, bucket, now))), bucket)
    }

    /// The buckets that hold for a request, the slowest first.
    fn of_request(&self, rules: Option<RouteRules<'_>>, subject: Subject<'_>) -> Vec<&TokenBucket> {
        if self.descriptors.is_empty() {
            return Vec::new();
        }
        let descriptors: Vec<Descriptor> = match (&self.own_rules, rules) {
            (Some(own), _) => own.of(self.stage, subject).collect(),
            (None, None) => Vec::new(),
            (None, Some(rules)) => rules.descriptors(self.stage, self.vh_rate_limits, subject),
        };
        let bucket = |descriptor: &Descriptor| {
            let matching = self.descriptors.iter().find(|(entries, _)| entries == descriptor);
            matching.map(|(_, bucket)| bucket)
        };
        let mut found: Vec<&TokenBucket> = descriptors.iter().filter_map(bucket).collect();
        found.sort_by(|one, two| one.per_second().total_cmp(&two.per_second()));
        found
    }

    /// Takes a token from each bucket that holds; gives whether all had one, and the one that decided.
    fn ask<'a>(&'a self, matching: &[&'a TokenBucket], now: Duration) -> (bool, Option<&'a TokenBucket>) {
        if let Some(empty) = matching.iter().find(|bucket| !bucket.take(now)) {
            return (false, Some(empty));
        }
        let first = matching.first().copied();
        match &self.bucket {
            Some(bucket) if matching.is_empty() || self.always_consume_default => {
                let within = bucket.take(now);
                (within, if within { first.or(Some(bucket)) } else { Some(bucket) })
            }
            _ => (true, first),
        }
    }

    fn refusal(
        &self,
        head: &RequestHead,
        record: &Record,
        bucket: Option<&TokenBucket>,
        now: Duration,
    ) -> Reply {
        let mut headers = Fields::new();
        for add in &self.response_headers {
            if let Some(value) = add.value(record, &facts::heads(head)) {
                add.put(&mut headers, value);
            }
        }
        if let (true, Some(bucket)) = (self.retry_after, bucket) {
            headers.insert(http::header::RETRY_AFTER, number(bucket.next_in(now).as_secs().max(1)));
        }
        Reply {
            body: "local_rate_limited".into(),
            reason: Some(Reason::RateLimited),
            grpc_status: self.as_resource_exhausted.then_some(RESOURCE_EXHAUSTED),
            headers,
            ..Reply::status(self.status, "local_rate_limited")
        }
    }

    /// Marks a request that is over the limit and goes on.
    pub fn mark(&self, head: &mut RequestHead, record: &Record) {
        for add in &self.request_headers {
            if let Some(value) = add.value(record, &facts::heads(head)) {
                add.put(&mut head.headers, value);
            }
        }
    }

    /// Says on a response how much of `bucket` is left.
    pub fn show_quota(&self, bucket: &TokenBucket, fields: &mut Fields, now: Duration) {
        if self.shows_quota {
            fields.insert(LIMIT, number(bucket.max()));
            fields.insert(REMAINING, number(bucket.remaining(now)));
            fields.insert(RESET, number(bucket.next_in(now).as_secs_f64().ceil() as u64));
        }
    }
}
