//! Faults on purpose: which of them a request suffers, counted as they come.

use std::time::Duration;

use super::super::stop::Stop;
use super::world::World;
use crate::body::RequestHead;
use crate::policy::filter::fault::{Fault, FaultMetric, FaultRule};

/// What a request that the rule concerns suffers before it may be [`abort`]ed: KiB per second of its response, and a delay.
pub(super) fn inject(
    fault: &Fault,
    rule: &FaultRule,
    world: &World<'_>,
    head: &RequestHead,
) -> (Option<u64>, Option<Duration>) {
    let limit = rule.limit(head, world.worker.random());
    let delay = rule.delay(head, world.worker.random());
    let kbps = limit.filter(|_| suffers(fault, rule, world));
    if kbps.is_some() {
        fault.stats.inc(FaultMetric::ResponseRlInjected);
    }
    let delay = delay.filter(|_| suffers(fault, rule, world));
    if delay.is_some() {
        fault.stats.inc(FaultMetric::DelaysInjected);
        world.ledger.record.borrow_mut().flags.insert("DI");
    }
    (kbps, delay)
}

/// Ends a request, if it is to be.
pub(super) fn abort(
    fault: &Fault,
    rule: &FaultRule,
    world: &World<'_>,
    head: &RequestHead,
) -> Result<(), Stop> {
    let Some(reply) = rule.abort(head, world.worker.random()) else { return Ok(()) };
    if !suffers(fault, rule, world) {
        return Ok(());
    }
    fault.stats.inc(FaultMetric::AbortsInjected);
    Err(reply.into())
}

/// Whether the request may suffer a fault: it has a place among those that do, or gets one.
fn suffers(fault: &Fault, rule: &FaultRule, world: &World<'_>) -> bool {
    let mut held = world.ledger.faults.borrow_mut();
    if held.iter().any(|active| active.is_of(&fault.stats)) {
        return true;
    }
    let entered = rule.enter(&fault.stats);
    let may = entered.is_some();
    held.extend(entered);
    may
}
