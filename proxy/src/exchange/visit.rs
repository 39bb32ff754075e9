//! What is carried along while a request is served, and what its response is made of.

use std::borrow::Cow;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use http::header::SET_COOKIE;
use http::{HeaderName, HeaderValue, Method};

use super::context::Worker;
use super::download;
use super::filter::{Passage, World};
use super::forward::opens_tunnel;
use super::ledger::{Books, Ledger};
use super::reply::{self, Asked};
use super::stop::Stop;
use crate::body::{Body, RequestHead, Response};
use crate::error::{Error, Reason};
use crate::fields::{Fields, number};
use crate::observe::record::{ConnectionFacts, Place};
use crate::policy::draw::Draw;
use crate::policy::facts;
use crate::policy::filter::Filters;
use crate::policy::http::{Admitted, Closing};
use crate::policy::reply::Reply;
use crate::policy::route::{Found, History, Mutations, NewCookie, RouteTable, VirtualHost};
use crate::upstream::Clusters;

const ATTEMPT_COUNT: HeaderName = HeaderName::from_static("x-envoy-attempt-count");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A request being served.
pub(super) struct Visit<'a> {
    pub(super) worker: &'a Worker,
    pub(super) connection: &'a ConnectionFacts,
    pub(super) clusters: &'a Clusters,
    books: Books,
    pub(super) ledger: Rc<Ledger>,
    grpc: bool,
    method: Method,
    request_id: Option<HeaderValue>,
    pub(super) host: Option<&'a VirtualHost>,
    /// What the response's fields get.
    pub(super) mutations: Option<&'a Mutations>,
    /// The request as the upstream saw it, where response fields are made of it.
    request: Option<Box<RequestHead>>,
    pub(super) cookies: Vec<NewCookie>,
    passage: Passage<'a>,
    /// The redirects that led here.
    pub(super) history: Option<Box<History>>,
}

impl<'a> Visit<'a> {
    /// A request begins.
    pub(super) fn begin(
        worker: &'a Worker,
        connection: &'a ConnectionFacts,
        clusters: &'a Clusters,
        books: Books,
        head: &RequestHead,
    ) -> Self {
        Self {
            worker,
            connection,
            clusters,
            ledger: Rc::clone(books.ledger()),
            books,
            grpc: facts::is_grpc(&head.headers),
            method: head.method.clone(),
            request_id: None,
            host: None,
            mutations: None,
            request: None,
            cookies: Vec::new(),
            passage: Passage::default(),
            history: None,
        }
    }

    /// The same request, after a redirect that is followed: it was admitted already, and all of it is here.
    pub(super) fn resume(
        &mut self,
        head: &RequestHead,
        (admitted, history): (Admitted, Box<History>),
    ) -> Admitted {
        self.request_id = head.headers.get(REQUEST_ID).cloned();
        self.ledger.record.borrow_mut().remote = admitted.client.clone();
        self.ledger.request_complete();
        self.history = Some(history);
        admitted
    }

    /// Looks whether the head is acceptable, and normalises it.
    pub(super) fn admit(&mut self, head: &mut RequestHead) -> Result<Admitted, Reply> {
        let rng = &mut self.worker.rng.borrow_mut();
        self.ledger.policy.change_early(head, &self.ledger.record.borrow());
        let admitted = self.ledger.policy.admit(head, self.connection, rng)?;
        self.request_id = head.headers.get(REQUEST_ID).cloned();
        self.ledger.record.borrow_mut().remote = admitted.client.clone();
        Ok(admitted)
    }

    /// The route that takes the request, by what is known before the filters have it.
    pub(super) fn route(&self, routes: &'a RouteTable, head: &RequestHead, draw: Draw<'_>) -> Found<'a> {
        routes.find(head, draw, &self.ledger.record.borrow().attributes)
    }

    /// A route takes the request, if one was found, in place of any before.
    pub(super) fn found(&mut self, found: &Found<'a>) {
        (self.host, self.mutations) = (None, None);
        let Found::Route(host, route) = *found else { return };
        (self.host, self.mutations) = (Some(host), Some(&route.response));
        self.ledger.record.borrow_mut().route = Arc::clone(&route.name);
    }

    /// A rule answers the request.
    pub(super) fn stop(&mut self, head: &RequestHead, reply: Reply) -> Stop {
        self.note_request(head);
        reply.into()
    }

    /// The request cannot be served.
    pub(super) fn fail(&mut self, head: &RequestHead, reason: Reason) -> Stop {
        self.note_request(head);
        Stop::Error(reason.into())
    }

    /// Takes the request through the filters that are on for its route; gives the route that takes it then.
    pub(super) async fn filter(
        &mut self,
        filters: &'a Filters,
        routes: &'a RouteTable,
        mut found: Found<'a>,
        client: &Place,
        draw: Draw<'_>,
        (head, body): (&mut RequestHead, &mut Body),
    ) -> Result<Found<'a>, Stop> {
        let overrides = |found: &Found<'a>| Some(found.route()?.overrides(draw));
        self.passage = Passage::new(filters, overrides(&found));
        loop {
            let route = found.route();
            let cluster = route.and_then(|route| route.cluster(head, draw));
            let world = World {
                worker: self.worker,
                ledger: &self.ledger,
                client,
                route: self.host.zip(route),
                clusters: self.clusters,
                cluster: cluster.as_deref(),
            };
            let forwards = world.forwards();
            match self.passage.enter(&world, head, body).await {
                Ok(false) => return Ok(found),
                Ok(true) => {
                    found = self.route(routes, head, draw);
                    self.found(&found);
                    self.passage.settle(overrides(&found));
                }
                Err(stopped) => {
                    // It gets what a forwarding route adds, no other's, as in Envoy.
                    self.mutations = self.mutations.filter(|_| forwards);
                    self.note_request(head);
                    return Err(stopped);
                }
            }
        }
    }

    /// Keeps of the head what logs and response fields are made of.
    pub(super) fn note_request(&mut self, head: &RequestHead) {
        self.ledger.note_request(head);
        if self.mutations.is_some_and(Mutations::needs_request) || self.passage.needs_request() {
            self.request = Some(Box::new(head.clone()));
        }
    }

    /// The response for the client, whatever the outcome; or what gives it, if a filter waits for its body.
    pub(super) fn respond(
        mut self,
        outcome: Result<Response, Stop>,
    ) -> Result<Response, Pin<Box<dyn Future<Output = Response> + 'a>>> {
        let mut response = self.answered(outcome);
        if self.leave(&mut response) {
            // Rare, and large: it does not make every request's future larger.
            return Err(Box::pin(self.respond_late(response)));
        }
        Ok(self.close(response))
    }

    async fn respond_late(mut self, mut response: Response) -> Response {
        loop {
            if let Err(stopped) = self.passage.wait(&self.ledger, &mut response).await {
                response = self.answered(Err(stopped));
            }
            if !self.leave(&mut response) {
                return self.close(response);
            }
        }
    }

    /// The response before filters see it.
    fn answered(&mut self, outcome: Result<Response, Stop>) -> Response {
        match outcome {
            Ok(response) => self.passed_on(response),
            Err(Stop::Reply(reply)) => {
                self.ledger.note_reply(&reply);
                self.made_here(&reply)
            }
            Err(Stop::Response(response, details)) => {
                self.ledger.note_details(details);
                *response
            }
            // A redirect that is followed has no response of its own, so nobody asks for one.
            Err(Stop::Again(_)) => self.failed(&Error::new(Reason::Internal, "a redirect was not followed")),
            Err(Stop::Error(error)) => {
                let kept = self.ledger.wishes.reply.take();
                match kept.filter(|_| error.reason() == Reason::Processor) {
                    Some(reply) => self.answered(Err(Stop::Reply(reply))),
                    None => self.failed(&error),
                }
            }
        }
    }

    fn failed(&self, error: &Error) -> Response {
        self.ledger.note_error(error);
        let response = self.made_here(&reply::of_error(error, self.asked()));
        // What is left of the body is not worth reading.
        Response { close: error.reason() == Reason::RequestBodyTooLarge, ..response }
    }

    /// Takes the response through the filters; gives whether one has to wait before this is repeated.
    fn leave(&mut self, response: &mut Response) -> bool {
        let world = World {
            worker: self.worker,
            ledger: &self.ledger,
            client: &self.connection.remote,
            route: None,
            clusters: self.clusters,
            cluster: None,
        };
        self.passage.leave(&world, self.request.as_deref().map(facts::view), response)
    }

    /// What is last done to a response: the fields of the connection manager, and the watch over its body.
    fn close(self, mut response: Response) -> Response {
        let headers = &mut response.head.headers;
        for cookie in &self.cookies {
            headers.append(SET_COOKIE, cookie.0.clone());
        }
        let closing = Closing { date: &self.worker.date(), request_id: self.request_id.as_ref() };
        self.ledger.policy.close_response(headers, &closing);
        self.ledger.note_response(response.head.status.as_u16(), headers);
        if opens_tunnel(response.head.status, &self.method) {
            self.ledger.open_tunnel();
        }
        Response { body: download::watched(response.body, self.books), ..response }
    }

    /// An upstream's response with the fields that routes add.
    fn passed_on(&self, mut response: Response) -> Response {
        {
            let mut record = self.ledger.record.borrow_mut();
            record.status = response.head.status.as_u16();
            record.details = Cow::Borrowed("via_upstream");
        }
        self.mutate(&mut response.head.headers);
        response
    }

    fn made_here(&self, reply: &Reply) -> Response {
        let mut fields = Fields::new();
        if !self.ledger.policy.suppress_envoy_headers {
            fields = reply::envoy_fields(reply.reason);
        }
        // Routes see the answer before it becomes gRPC's form and before it has a status, as in Envoy.
        self.mutate(&mut fields);
        self.ledger.record.borrow_mut().status = reply.status.as_u16();
        let reply = self.ledger.localized(reply, &mut fields);
        reply::response(&reply, fields, self.asked())
    }

    fn mutate(&self, fields: &mut Fields) {
        let record = self.ledger.record.borrow();
        if let Some(mutations) = self.mutations {
            mutations.apply_to_response(fields, self.request.as_deref().map(facts::view), &record);
        }
        if record.attempts > 0 && self.host.is_some_and(|host| host.attempt_count_in_response) {
            fields.insert(ATTEMPT_COUNT, number(record.attempts.into()));
        }
    }

    fn asked(&self) -> Asked {
        Asked {
            grpc: self.grpc,
            head: self.method == Method::HEAD,
            complete: self.ledger.is_request_complete(),
            retried: self.ledger.record.borrow().attempts > 1,
        }
    }
}
