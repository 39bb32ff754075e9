//! The step that sends a request to its cluster and makes the response ready for the client.

use std::rc::Rc;
use std::sync::Arc;

use http::{HeaderName, Method, StatusCode};
use xds::model::SchemeTransformation;

use super::attempt::{self, Event, Tries};
use super::context::Worker;
use super::ledger::Ledger;
use super::upload::Upload;
use crate::body::{Interim, Request, RequestHead, Response, Scheme, Text};
use crate::clock;
use crate::error::Error;
use crate::fields;
use crate::observe::record::UpstreamFacts;
use crate::policy::http::HttpMetric;
use crate::policy::retry::{Retries, RetryRule};
use crate::policy::route::{Forward, set_authority};
use crate::policy::timeout::Timeouts;
use crate::upstream::pool::{SendOptions, Sent};
use crate::upstream::{Cluster, ClusterMetric, Host, Named, Outcome, PickContext, RetryPermit};

const ATTEMPT_COUNT: HeaderName = HeaderName::from_static("x-envoy-attempt-count");
const SERVICE_TIME: HeaderName = HeaderName::from_static("x-envoy-upstream-service-time");

/// A request on its way to a cluster.
pub(super) struct Sending<'a> {
    pub(super) worker: &'a Worker,
    pub(super) ledger: &'a Rc<Ledger>,
    pub(super) cluster: &'a Arc<Cluster>,
    pub(super) forward: &'a Forward,
    pub(super) timeouts: Timeouts,
    pub(super) options: SendOptions,
    pub(super) hash: Option<u64>,
    /// Endpoints that the request names itself.
    pub(super) named: Named,
    /// Whether the upstream sees how often it was tried.
    pub(super) count_attempts: bool,
    /// Taken by the last attempt.
    pub(super) head: Option<Box<RequestHead>>,
    /// The same, where a redirect may be followed.
    pub(super) kept: Option<Box<RequestHead>>,
    pub(super) upload: Upload,
    pub(super) interim: Interim,
    pub(super) tried: Tried,
}

/// Where attempts went.
#[derive(Debug, Default)]
pub(super) struct Tried {
    last: Option<Arc<Host>>,
    /// All of them, where a retry rule avoids what was tried.
    hosts: Vec<Arc<Host>>,
    priorities: Vec<u32>,
}

impl Sending<'_> {
    /// Sends, as often as the retries allow; the response is as the upstream gave it.
    pub(super) async fn run(&mut self, retries: Option<Retries<'_>>) -> Result<Response, Error> {
        let ledger = self.ledger;
        let sent = attempt::run(self, retries, ledger).await?;
        if !self.may_follow(sent.response.head.status) {
            self.upload.release();
        }
        let now = {
            let mut record = self.ledger.record.borrow_mut();
            let now = record.elapsed();
            record.response_started = Some(now);
            now
        };
        let mut response = sent.response;
        let received = self.ledger.record.borrow().request_received;
        if let (false, Some(received)) = (self.ledger.policy.suppress_envoy_headers, received) {
            let millis = u64::try_from(now.saturating_sub(received).as_millis()).unwrap_or(u64::MAX);
            response.head.headers.insert(SERVICE_TIME, fields::number(millis));
        }
        Ok(response)
    }

    /// Whether a redirect of this status may be followed, with the same body.
    fn may_follow(&self, status: StatusCode) -> bool {
        self.forward.internal_redirects.as_ref().is_some_and(|policy| policy.takes(status))
    }

    fn rule(&self) -> Option<&RetryRule> {
        self.forward.retry.as_ref()
    }

    fn pick(&mut self) -> Result<Arc<Host>, Error> {
        let rule = self.rule();
        let session = self.ledger.session.borrow();
        let context = PickContext {
            hash: self.hash,
            avoid_hosts: match rule {
                Some(rule) if rule.avoid_previous_hosts => &self.tried.hosts,
                _ => &[],
            },
            host_selection_attempts: rule.map_or(0, |rule| rule.host_selection_attempts),
            avoid_priorities: match rule.and_then(|rule| rule.avoid_previous_priorities) {
                Some(every) => {
                    // Priorities are left only after so many attempts each (`update_frequency`).
                    let every = usize::try_from(every).unwrap_or(usize::MAX).max(1);
                    &self.tried.priorities[..self.tried.priorities.len() / every * every]
                }
                None => &[],
            },
            named: Some(&self.named),
            // Another try goes to another endpoint, as in Envoy.
            session: session.as_deref().filter(|_| self.tried.last.is_none()),
        };
        let picked = self.cluster.pick(&context, &mut self.worker.rng.borrow_mut())?;
        if rule.is_some_and(|rule| rule.avoid_previous_hosts || rule.avoid_previous_priorities.is_some()) {
            self.tried.hosts.push(Arc::clone(&picked.host));
            self.tried.priorities.push(picked.priority);
        }
        self.tried.last = Some(Arc::clone(&picked.host));
        self.ledger.record.borrow_mut().upstream =
            Some(UpstreamFacts { host: picked.host.address().clone(), local: None, protocol: "" });
        Ok(picked.host)
    }

    /// The head that `host` is to see in this attempt.
    fn head_for(&mut self, host: &Host, number: u32, last: bool) -> Box<RequestHead> {
        let head = if last { self.head.take() } else { self.head.clone() };
        let mut head = head.expect("only the last attempt takes the head");
        let envoy_fields = !self.ledger.policy.suppress_envoy_headers;
        if self.forward.host_rewrite.is_auto() && !host.hostname().is_empty() {
            let authority = Text::from(host.hostname());
            set_authority(&mut head, authority, self.forward.append_forwarded_host, envoy_fields);
        }
        if self.ledger.policy.scheme == SchemeTransformation::MatchUpstream {
            head.scheme = if host.transport().is_tls() { Scheme::Https } else { Scheme::Http };
        }
        if envoy_fields {
            let completed = self.ledger.deadlines.completed();
            self.timeouts.announce(&mut head, completed.map(clock::since).unwrap_or_default());
        }
        if self.count_attempts {
            head.headers.insert(ATTEMPT_COUNT, fields::number(number.into()));
        }
        head
    }
}

impl Tries for Sending<'_> {
    type Permit = RetryPermit;

    async fn once(&mut self, number: u32, last: bool) -> Result<Sent, Error> {
        let host = self.pick()?;
        let head = self.head_for(&host, number, last);
        if last && self.forward.internal_redirects.is_none() {
            self.upload.release();
        }
        let request = Request { head, body: self.upload.body(), interim: self.interim.clone() };
        let sent = if self.forward.ends_tunnel(&request.head) {
            // Rare, and large: it does not make every request's future larger.
            Box::pin(self.worker.pools.tunnel(self.cluster, &host, request.body, &self.options)).await?
        } else {
            self.worker.pools.send(self.cluster, &host, request, &self.options).await?
        };
        if let Some(upstream) = &mut self.ledger.record.borrow_mut().upstream {
            upstream.local = sent.connection.local;
            upstream.protocol = sent.connection.version.map_or("", |version| version.as_str());
        }
        Ok(sent)
    }

    fn is_repeatable(&self) -> bool {
        self.upload.is_repeatable()
    }

    fn permit(&mut self) -> Result<RetryPermit, Error> {
        self.cluster.circuit(self.forward.priority).try_retry()
    }

    fn note(&mut self, event: Event) {
        let stats = self.cluster.stats();
        match event {
            Event::PerTryTimeout => stats.inc(ClusterMetric::UpstreamRqPerTryTimeout),
            Event::Timeout => stats.inc(ClusterMetric::UpstreamRqTimeout),
            Event::MaxDuration => stats.inc(ClusterMetric::UpstreamRqMaxDurationReached),
            Event::BackOff => stats.inc(ClusterMetric::UpstreamRqRetryBackoffExponential),
            Event::RetryHelped => stats.inc(ClusterMetric::UpstreamRqRetrySuccess),
            Event::LimitExceeded => stats.inc(ClusterMetric::UpstreamRqRetryLimitExceeded),
            Event::BodyGone => {
                self.ledger.policy.stats.counters.inc(HttpMetric::RetrySkippedRequestNotComplete);
            }
        }
        if let (Event::PerTryTimeout | Event::Timeout, Some(host)) = (event, &self.tried.last) {
            self.cluster.report(host, Outcome::TimedOut);
        }
    }

    fn random(&mut self) -> u64 {
        self.worker.random()
    }
}

/// Whether a response to this request opens a tunnel.
pub(super) fn opens_tunnel(status: StatusCode, method: &Method) -> bool {
    status == StatusCode::SWITCHING_PROTOCOLS || (*method == Method::CONNECT && status.is_success())
}
