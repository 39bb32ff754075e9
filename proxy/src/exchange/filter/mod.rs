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

mod processor;

mod pass;

mod leave;

mod process;

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
use state::Late;

pub(super) use world::World;

/// A request's way through the filters that are on for it.
#[derive(Debug, Default)]
pub(super) struct Passage<'a> {
    passes: Vec<Pass<'a>>,
    /// How many of them have seen the request.
    entered: usize,
    /// What the response waits for.
    late: Option<Late>,
    /// How many of them the response has still to go through.
    ahead: usize,
}

impl<'a> Passage<'a> {
    /// The filters that are on where `overrides` hold.
    pub(super) fn new(filters: &'a Filters, overrides: Option<&'a Overrides>) -> Self {
        let passes: Vec<_> = filters.on(overrides).map(Pass::new).collect();
        Self { ahead: passes.len(), passes, entered: 0, late: None }
    }

    /// Takes a request through, as far as no filter stops it. Gives whether a route is to be looked for again: then
    /// [`settle`](Self::settle), and come again.
    pub(super) async fn enter(
        &mut self,
        world: &World<'_>,
        head: &mut RequestHead,
        body: &mut Body,
    ) -> Result<bool, Stop> {
        while let Some(pass) = self.passes.get_mut(self.entered) {
            self.entered += 1;
            if let Some(wait) = pass.enter(world, head, body)? {
                // Rare, and large: it does not make every request's future larger.
                Box::pin(pass.wait(wait, world, head, body)).await?;
                world.ledger.deadlines.goes_on();
                if world.ledger.wishes.reroute.take() {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// For the filters that have not seen the request, `overrides` hold now.
    pub(super) fn settle(&mut self, overrides: Option<&'a Overrides>) {
        for pass in self.passes.iter_mut().skip(self.entered) {
            pass.settle(overrides);
        }
    }

    /// Takes a response through, as far as no filter has to wait for something; `request` is the head it answers, if a
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
            self.late = self.passes[at].leave(world, request, chosen, response);
            if self.late.is_some() {
                return true;
            }
        }
        false
    }

    /// Waits for what a filter wants of the response before it goes on; or gives what is to be in its place.
    pub(super) async fn wait(&mut self, ledger: &Rc<Ledger>, response: &mut Response) -> Result<(), Stop> {
        match self.late.take() {
            None => Ok(()),
            Some(Late::Message) => {
                grpc_web::gather(response, ledger).await;
                Ok(())
            }
            Some(Late::Processor(session)) => {
                let processed = processor::response(&session, response).await;
                if processed.is_err() {
                    // As in Envoy, what is answered now goes to the client as it is.
                    self.ahead = 0;
                }
                processed
            }
        }
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
