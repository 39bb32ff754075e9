//! The HTTP filters of one request: in their order on the way in, in reverse on the way out.
//!
//! What a filter wants is decided in `policy::filter`; here it is carried out. An answer made here passes all filters
//! on its way out, also those that its request never reached, as in Envoy.

mod compress;

mod inflate;

mod decompress;

mod tally;

mod faults;

mod gather;

mod grpc_web;

mod state;

mod note;

mod pass;

mod rate_limit;

mod throttle;

mod trailing;

mod world;

use std::rc::Rc;

use super::ledger::Ledger;
use super::stop::Stop;
use crate::body::{Body, RequestHead, Response};
use crate::observe::record::RequestView;
use crate::policy::filter::{Filters, Overrides, compressor};
use pass::Pass;

pub(super) use world::World;

/// A request's way through the filters that are on for it.
#[derive(Debug, Default)]
pub(super) struct Passage<'a> {
    passes: Vec<Pass<'a>>,
    /// How many of them the response has still to go through.
    ahead: usize,
}

impl<'a> Passage<'a> {
    /// The filters that are on where `overrides` hold.
    pub(super) fn new(filters: &'a Filters, overrides: Option<&'a Overrides>) -> Self {
        let passes: Vec<_> = filters.on(overrides).map(Pass::new).collect();
        Self { ahead: passes.len(), passes }
    }

    /// Takes a request through, as far as no filter stops it.
    pub(super) async fn enter(
        &mut self,
        world: &World<'_>,
        head: &mut RequestHead,
        body: &mut Body,
    ) -> Result<(), Stop> {
        for pass in &mut self.passes {
            if let Some(wait) = pass.enter(world, head, body)? {
                // Rare, and large: it does not make every request's future larger.
                Box::pin(pass.wait(wait, world, head, body)).await?;
                world.ledger.deadlines.goes_on();
            }
        }
        Ok(())
    }

    /// Takes a response through, as far as no filter has to wait for its body; `request` is the head it answers, if a
    /// filter wants it. Gives whether one has to wait: then [`wait`](Self::wait), and come again.
    pub(super) fn leave(
        &mut self,
        world: &World<'_>,
        request: Option<RequestView<'_>>,
        response: &mut Response,
    ) -> bool {
        let chosen = self.encoding(response);
        while let Some(at) = self.ahead.checked_sub(1) {
            self.ahead = at;
            if self.passes[at].leave(world, request, chosen, response) {
                return true;
            }
        }
        false
    }

    /// Waits for the body that a filter makes fields of.
    pub(super) async fn wait(ledger: &Rc<Ledger>, response: &mut Response) {
        grpc_web::gather(response, ledger).await;
    }

    /// The encoding that the client likes best of those that the chain's compressors offer for this response.
    fn encoding(&self, response: &Response) -> Option<&'static str> {
        let accepts = self.passes.iter().find_map(Pass::accepts)?;
        let offers: Vec<_> =
            self.passes.iter().filter_map(|pass| pass.offer(&response.head.headers)).collect();
        compressor::choose(std::str::from_utf8(accepts.as_bytes()).ok()?, &offers)
    }

    /// Whether a filter makes of the request what it does to the response.
    pub(super) fn needs_request(&self) -> bool {
        self.passes.iter().any(Pass::needs_request)
    }
}
