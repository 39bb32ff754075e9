//! Asks a rate limit service about a request.

use std::pin::pin;

use xds::model::{RateLimitAnswer, RateLimitQuestion};
use xds::{decode, encode};

use super::super::call_out;
use super::super::stop::Stop;
use super::world::World;
use crate::body::{RequestHead, Response};
use crate::error::{Error, Reason};
use crate::fields::Fields;
use crate::policy::descriptor::Subject;
use crate::policy::filter::rate_limit::{RateLimit, RateLimitPerRoute, Verdict};
use crate::upstream::ClusterMetric;

const METHOD: &str = "/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit";

/// What the service is to be asked about a request, if anything; `here` is what its route says of the filter.
pub(super) fn question(
    limit: &RateLimit,
    here: Option<&RateLimitPerRoute>,
    world: &World<'_>,
    head: &RequestHead,
) -> Option<RateLimitQuestion> {
    // As in Envoy, only routes that forward have limits.
    if !world.forwards() {
        return None;
    }
    let rules = world.route.and_then(|(host, route)| host.rate_limits(route));
    let attributes = &world.ledger.record.borrow().attributes;
    let subject = Subject { head, client: world.client, cluster: world.cluster, attributes };
    limit.question(here, rules, subject, |share| world.is_in(share))
}

/// Asks; gives what the response gets.
pub(super) async fn ask(
    limit: &RateLimit,
    question: &RateLimitQuestion,
    world: &World<'_>,
    head: &mut RequestHead,
) -> Result<Fields, Stop> {
    let counted = |metric| {
        if let Some(cluster) = world.cluster.and_then(|name| world.clusters.get(name)) {
            cluster.stats().inc(metric);
        }
    };
    let is_in = |share: &_| world.is_in(share);
    // Two layers: that the request's own time is over, and that the service has no answer.
    let asked = pin!(async { Ok(answer(limit, question, world).await) });
    let answer = match world.ledger.deadlines.limit(asked).await? {
        Ok(answer) => answer,
        Err(error) => {
            tracing::debug!(%error, "rate limit service");
            counted(ClusterMetric::RatelimitError);
            if let Some(refusal) = limit.unanswered(is_in) {
                return Err(refusal.into());
            }
            counted(ClusterMetric::RatelimitFailureModeAllowed);
            return Ok(Fields::new());
        }
    };
    counted(match answer.over_limit {
        Some(true) => ClusterMetric::RatelimitOverLimit,
        Some(false) | None => ClusterMetric::RatelimitOk,
    });
    limit.note(&answer, &mut world.ledger.record.borrow_mut().attributes);
    let enforced = limit.enforces(is_in);
    match limit.verdict(answer, enforced, head, &world.ledger.record.borrow()) {
        Verdict::Pass(fields) => Ok(fields),
        Verdict::Refuse(refusal) => Err(Stop::Reply(refusal)),
    }
}

/// Gives a response what the service said it gets.
pub(super) fn tell(fields: &Fields, response: &mut Response) {
    for (name, value) in fields.iter() {
        response.head.headers.append(name.clone(), value.clone());
    }
}

async fn answer(
    limit: &RateLimit,
    question: &RateLimitQuestion,
    world: &World<'_>,
) -> Result<RateLimitAnswer, Error> {
    let message = encode::rate_limit_question(question);
    let (worker, clusters) = (world.worker, world.clusters);
    let answer = call_out::unary(worker, clusters, &limit.service, METHOD, &message, limit.timeout).await?;
    decode::rate_limit_answer(&answer)
        .map_err(|refused| Error::new(Reason::UpstreamProtocol, format!("an answer that is none: {refused}")))
}
