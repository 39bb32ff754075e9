//! One request's way through one filter.

use std::rc::Rc;
use std::sync::Arc;

use http::{HeaderValue, Method, StatusCode};
use xds::model::{Buffer, BufferPerRoute, Half};

use super::super::stop::Stop;
use super::compress;
use super::decompress;
use super::faults;
use super::gather;
use super::grpc_web;
use super::processor;
use super::rate_limit;
use super::state::{State, Wait};
use super::tally;
use super::trailing::{self, Trailing};
use super::world::World;
use crate::body::{Body, RequestHead, Response, ResponseHead};
use crate::clock;
use crate::fields::Fields;
use crate::policy::descriptor::Subject;
use crate::policy::filter::compressor::{Compressor, Offer};
use crate::policy::filter::cors::{self, Cors};
use crate::policy::filter::decompressor::Direction;
use crate::policy::filter::fault::{Fault, FaultRule};
use crate::policy::filter::grpc_stats::GrpcStats;
use crate::policy::filter::grpc_web::Speech;
use crate::policy::filter::header_mutation::Section;
use crate::policy::filter::health_check::{self, HealthCheck};
use crate::policy::filter::local_rate_limit::{LocalRateLimit, Verdict};
use crate::policy::filter::{Filter, Kind, Overrides, Setting};

/// A filter that is on, and what it remembers of the request.
#[derive(Debug)]
pub(super) struct Pass<'a> {
    pub(super) filter: &'a Filter,
    pub(super) settings: &'a [Arc<Setting>],
    pub(super) state: State<'a>,
}

impl<'a> Pass<'a> {
    pub(super) fn new((filter, settings): (&'a Filter, &'a [Arc<Setting>])) -> Self {
        Self { filter, settings, state: State::Nothing }
    }

    /// From now on `overrides` hold; whether the filter is on was said before.
    pub(super) fn settle(&mut self, overrides: Option<&'a Overrides>) {
        let found = overrides.and_then(|overrides| overrides.of(self.filter.name()));
        self.settings = found.map_or(&[], |settings| &settings.found);
    }

    /// A request comes in; gives what it has to wait for before it goes on.
    pub(super) fn enter(
        &mut self,
        world: &World<'_>,
        head: &mut RequestHead,
        body: &mut Body,
    ) -> Result<Option<Wait>, Stop> {
        match &self.filter.kind {
            // As in Envoy, only routes that forward have a policy.
            Kind::Cors(_) if !world.forwards() => {}
            Kind::Cors(cors) => self.cors(cors, world, head)?,
            Kind::Csrf(csrf) => {
                if let Some(reply) = csrf.refuse(self.first(Setting::csrf), head, |share| world.is_in(share))
                {
                    return Err(reply.into());
                }
            }
            Kind::Buffer(buffer) => {
                let wanted = self.buffer(*buffer).filter(|_| !body.is_done() && !head.is_tunnel());
                return Ok(wanted.map(Wait::Body));
            }
            Kind::Fault(fault) => return self.fault(fault, world, head),
            Kind::HeaderMutation(filter) => {
                filter.change_request(self.all(Setting::changes), head, &world.ledger.record.borrow());
                if filter.changes(Section::RequestTrailers, self.all(Setting::changes)) {
                    self.watch_trailers(Section::RequestTrailers, world, body);
                }
            }
            Kind::LocalRateLimit(limit) => {
                let limit = self.first(Setting::local_rate_limit).unwrap_or(limit);
                return self.limit(limit, world, head).map(|()| None);
            }
            Kind::RateLimit(limit) => {
                let here = self.first(Setting::rate_limit);
                return Ok(rate_limit::question(limit, here, world, head).map(Wait::RateLimit));
            }
            Kind::Compressor(_) if head.method == Method::CONNECT => self.state = State::Tunnel,
            Kind::Compressor(compressor) => self.compress_request(compressor, head, body)?,
            Kind::Decompressor(filter) => {
                if filter.request(head, !body.is_done()) {
                    decompress::decompress(body, filter, Direction::Request)?;
                }
            }
            Kind::GrpcStats(filter) => self.tally(filter, world, head, body),
            Kind::ExtProc(filter) => return Ok(self.process(filter, world, head)),
            Kind::HealthCheck(filter) => self.check(filter, world, head)?,
            Kind::GrpcWeb => {
                if let Some(speech) = Speech::translate(head) {
                    self.state = State::Speech(speech);
                    grpc_web::translate(speech, body)?;
                }
            }
            Kind::SetMetadata(_)
            | Kind::HeaderToMetadata(_)
            | Kind::SetFilterState(_)
            | Kind::StatefulSession(_) => self.note(world, head),
        }
        Ok(None)
    }

    /// Carries a wait out.
    pub(super) async fn wait(
        &mut self,
        wait: Wait,
        world: &World<'_>,
        head: &mut RequestHead,
        body: &mut Body,
    ) -> Result<(), Stop> {
        match wait {
            Wait::Delay(time) => {
                world.ledger.wait(time).await?;
                match &self.filter.kind {
                    Kind::Fault(fault) => faults::abort(fault, self.rule(fault), world, head),
                    _ => Ok(()),
                }
            }
            Wait::Body(bytes_max) => {
                *body = gather::whole(body, bytes_max, head, world.ledger).await?;
                Ok(())
            }
            Wait::RateLimit(question) => {
                if let Kind::RateLimit(limit) = &self.filter.kind {
                    self.state = State::Fields(rate_limit::ask(limit, &question, world, head).await?);
                }
                Ok(())
            }
            Wait::Processor(session) => processor::request(&session, head, body).await,
        }
    }

    /// Whether the filter makes of the request what it does to the response.
    pub(super) fn needs_request(&self) -> bool {
        match &self.filter.kind {
            Kind::HeaderMutation(filter) => filter.needs_request(self.all(Setting::changes)),
            Kind::ExtProc(filter) => filter.telling.has_attributes(Half::Response),
            _ => false,
        }
    }

    /// Most bytes to wait for; `None` if nothing is waited for.
    fn buffer(&self, chain: Buffer) -> Option<usize> {
        let Buffer { max_request_bytes } = match self.first(Setting::buffer) {
            Some(BufferPerRoute::Disabled) => return None,
            Some(BufferPerRoute::Buffer(buffer)) => buffer,
            None => chain,
        };
        Some(usize::try_from(max_request_bytes).unwrap_or(usize::MAX))
    }

    /// What the most specific level says of the filter that says anything.
    pub(super) fn first<T>(&self, of: fn(&'a Setting) -> Option<T>) -> Option<T> {
        self.all(of).next()
    }

    /// What all levels say of the filter, the most specific first.
    pub(super) fn all<T>(
        &self,
        of: fn(&'a Setting) -> Option<T>,
    ) -> impl DoubleEndedIterator<Item = T> + Clone {
        self.settings.iter().filter_map(move |setting| of(setting))
    }

    fn cors(&mut self, cors: &'a Cors, world: &World<'_>, head: &RequestHead) -> Result<(), Stop> {
        match cors.judge(self.all(Setting::cors), head, |share| world.is_in(share)) {
            cors::Verdict::Pass => {}
            cors::Verdict::Share(origin) => self.state = State::Origin(origin),
            cors::Verdict::Preflight(headers, origin) => {
                self.state = origin.map_or(State::Nothing, State::Origin);
                let head = ResponseHead { status: StatusCode::OK, headers };
                let response = Response { head, body: Body::empty(), close: false };
                return Err(Stop::Response(Box::new(response), "cors_response"));
            }
        }
        Ok(())
    }

    fn tally(&mut self, filter: &GrpcStats, world: &World<'_>, head: &RequestHead, body: &mut Body) {
        let cluster = world.cluster.and_then(|name| world.clusters.get(name));
        if let Some(call) = cluster.and_then(|cluster| filter.call(head, cluster)) {
            tally::request(body, &call);
            self.state = State::Call(call);
        }
    }

    fn rule(&self, fault: &'a Fault) -> &'a FaultRule {
        self.first(Setting::fault).unwrap_or(&fault.rule)
    }

    fn fault(
        &mut self,
        fault: &'a Fault,
        world: &World<'_>,
        head: &RequestHead,
    ) -> Result<Option<Wait>, Stop> {
        let rule = self.rule(fault);
        if !rule.concerns(head, world.cluster) {
            return Ok(None);
        }
        let (kbps, delay) = faults::inject(fault, rule, world, head);
        if let Some(kbps) = kbps {
            self.state = State::Throttle(kbps);
        }
        match delay {
            Some(delay) => Ok(Some(Wait::Delay(delay))),
            None => faults::abort(fault, rule, world, head).map(|()| None),
        }
    }

    /// The encodings that the client accepts, if the filter compresses.
    pub(super) fn accepts(&self) -> Option<&HeaderValue> {
        if let State::Accepts(accepts) = &self.state { Some(accepts) } else { None }
    }

    /// What the filter offers for a response, if it compresses.
    pub(super) fn offer(&self, fields: &Fields) -> Option<Offer> {
        if let Kind::Compressor(compressor) = &self.filter.kind { compressor.offer(fields) } else { None }
    }

    fn check(&mut self, filter: &HealthCheck, world: &World<'_>, head: &RequestHead) -> Result<(), Stop> {
        let verdict = filter.judge(head, world.clusters, clock::since_start());
        let reply = match verdict {
            health_check::Verdict::Other => return Ok(()),
            health_check::Verdict::PassOn => None,
            health_check::Verdict::Reply(reply) => Some(reply),
        };
        self.state = State::Check(reply.is_none());
        let mut record = world.ledger.record.borrow_mut();
        record.health_check = true;
        let Some(reply) = reply else { return Ok(()) };
        if !reply.status.is_success() {
            record.flags.insert("LH");
        }
        Err(Stop::Reply(reply))
    }

    fn compress_request(
        &mut self,
        compressor: &Compressor,
        head: &mut RequestHead,
        body: &mut Body,
    ) -> Result<(), Stop> {
        let said = self.first(Setting::compressor);
        let (accepts, compress) = compressor.request(said, head, !body.is_done());
        if let Some(accepts) = accepts {
            self.state = State::Accepts(accepts);
        }
        if compress {
            compress::compress(body, compressor.library())?;
        }
        Ok(())
    }

    pub(super) fn compress(
        &self,
        compressor: &Compressor,
        chosen: Option<&'static str>,
        world: &World<'_>,
        response: &mut Response,
    ) {
        let said = self.first(Setting::compressor);
        // An earlier filter may have taken away what the client accepts.
        let chosen = chosen.filter(|_| self.accepts().is_some());
        let has_body = !response.body.is_done();
        if compressor.response(said, chosen, &mut response.head, has_body)
            && let Err(error) = compress::compress(&mut response.body, compressor.library())
        {
            world.ledger.broke_off(&error);
        }
    }

    fn limit(
        &mut self,
        limit: &'a LocalRateLimit,
        world: &World<'_>,
        head: &mut RequestHead,
    ) -> Result<(), Stop> {
        let rules = world.route.and_then(|(host, route)| host.rate_limits(route));
        let record = world.ledger.record.borrow();
        let subject =
            Subject { head, client: world.client, cluster: world.cluster, attributes: &record.attributes };
        let now = clock::since_start();
        let (verdict, bucket) = limit.judge(rules, subject, &record, now, |share| world.is_in(share));
        if let Some(bucket) = bucket {
            self.state = State::Quota(limit, bucket);
        }
        match verdict {
            Verdict::Pass => Ok(()),
            Verdict::Mark => {
                limit.mark(head, &record);
                Ok(())
            }
            Verdict::Refuse(reply) => Err(Stop::Reply(reply)),
        }
    }

    pub(super) fn watch_trailers(&self, section: Section, world: &World<'_>, body: &mut Body) {
        let change = Trailing {
            ledger: Rc::clone(world.ledger),
            filter: self.filter.at,
            settings: self.settings.to_vec(),
            section,
        };
        trailing::change(body, change);
    }
}
