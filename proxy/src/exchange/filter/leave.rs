//! One response's way through one filter.

use super::decompress;
use super::grpc_web;
use super::pass::Pass;
use super::rate_limit;
use super::state::{Late, State};
use super::tally;
use super::throttle;
use super::world::World;
use crate::body::Response;
use crate::clock;
use crate::observe::record::RequestView;
use crate::policy::filter::cors::Cors;
use crate::policy::filter::header_mutation::Section;
use crate::policy::filter::{Kind, Setting};

impl Pass<'_> {
    /// A response goes out; gives what it has to wait for before it goes on.
    pub(super) fn leave(
        &mut self,
        world: &World<'_>,
        request: Option<RequestView<'_>>,
        chosen: Option<&'static str>,
        response: &mut Response,
    ) -> Option<Late> {
        match (&self.filter.kind, &self.state) {
            (Kind::Cors(_), State::Origin(origin)) => {
                Cors::share(self.all(Setting::cors), origin, &mut response.head.headers);
            }
            (Kind::Fault(_), State::Throttle(kbps)) => throttle::slow_down(&mut response.body, *kbps),
            (Kind::HeaderMutation(filter), _) => {
                let record = world.ledger.record.borrow();
                let headers = &mut response.head.headers;
                filter.change(Section::Response, self.all(Setting::changes), headers, request, &record);
                drop(record);
                if filter.changes(Section::ResponseTrailers, self.all(Setting::changes)) {
                    self.watch_trailers(Section::ResponseTrailers, world, &mut response.body);
                }
            }
            (Kind::Compressor(_), State::Tunnel) => {}
            (Kind::Compressor(compressor), _) => {
                self.compress(compressor, chosen, world, response);
            }
            (Kind::Decompressor(filter), _) => decompress::response(filter, response, world.ledger),
            (Kind::LocalRateLimit(_), State::Quota(limit, bucket)) => {
                limit.show_quota(bucket, &mut response.head.headers, clock::since_start());
            }
            (Kind::GrpcStats(filter), State::Call(call)) => {
                tally::response(response, call, filter.measures_time.then_some(world.ledger));
            }
            (Kind::HealthCheck(filter), state) => {
                let check = if let State::Check(passed_on) = state { Some(*passed_on) } else { None };
                filter.respond(check, &mut response.head, clock::since_start());
            }
            (Kind::GrpcWeb, State::Speech(speech)) => {
                return grpc_web::answer(*speech, response).then_some(Late::Message);
            }
            (Kind::ExtProc(filter), _) => return self.process_response(filter, world, request),
            (Kind::StatefulSession(_), State::Session(sessions)) => {
                let (record, session) = (world.ledger.record.borrow(), world.ledger.session.borrow());
                if let (Some(upstream), Some(session)) = (&record.upstream, &*session) {
                    let endpoint = upstream.host.to_string();
                    sessions.tell(session, &endpoint, &mut response.head.headers, clock::since_start());
                }
            }
            (Kind::HeaderToMetadata(filter), _) => {
                let filter = self.first(Setting::header_to_metadata).unwrap_or(filter);
                let attributes = &mut world.ledger.record.borrow_mut().attributes;
                filter.note_response(&mut response.head.headers, attributes);
            }
            (Kind::RateLimit(_), State::Fields(fields)) => rate_limit::tell(fields, response),
            (
                Kind::Cors(_)
                | Kind::Csrf(_)
                | Kind::Buffer(_)
                | Kind::Fault(_)
                | Kind::LocalRateLimit(_)
                | Kind::GrpcStats(_)
                | Kind::GrpcWeb
                | Kind::SetMetadata(_)
                | Kind::SetFilterState(_)
                | Kind::RateLimit(_)
                | Kind::StatefulSession(_),
                _,
            ) => {}
        }
        None
    }
}
