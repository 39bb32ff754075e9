//! What is carried along while a request is served, and what its response is made of.

use std::borrow::Cow;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use http::header::SET_COOKIE;
use http::{HeaderName, HeaderValue, Method};
use xds::model::{FilterStateFactory, UpgradeConfig};

use super::context::Worker;
use super::download;
use super::filter::{Passage, World};
use super::forward::{Sending, Tried, opens_tunnel};
use super::ledger::{Books, Ledger};
use super::mirror::Mirroring;
use super::origin;
use super::reply::{self, Asked};
use super::stop::Stop;
use super::upload::Upload;
use crate::body::{Body, Interim, RequestHead, Response, Text};
use crate::error::{Error, Reason};
use crate::fields::{Fields, number};
use crate::observe::record::{ConnectionFacts, Place};
use crate::policy::draw::Draw;
use crate::policy::facts;
use crate::policy::filter::Filters;
use crate::policy::http::{Admitted, Closing, HttpMetric};
use crate::policy::reply::Reply;
use crate::policy::retry::Retries;
use crate::policy::route::{
    Action, Cluster, Ends, Forward, Found, Mutations, NewCookie, Route, RouteTable, VirtualHost,
};
use crate::policy::timeout::Timeouts;
use crate::upstream::pool::SendOptions;
use crate::upstream::{Clusters, Named};

const ATTEMPT_COUNT: HeaderName = HeaderName::from_static("x-envoy-attempt-count");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A request being served.
pub(super) struct Visit<'a> {
    worker: &'a Worker,
    connection: &'a ConnectionFacts,
    clusters: &'a Clusters,
    books: Books,
    ledger: Rc<Ledger>,
    grpc: bool,
    method: Method,
    request_id: Option<HeaderValue>,
    host: Option<&'a VirtualHost>,
    /// What the response's fields get.
    mutations: Option<&'a Mutations>,
    /// The request as the upstream saw it, where response fields are made of it.
    request: Option<Box<RequestHead>>,
    cookies: Vec<NewCookie>,
    passage: Passage<'a>,
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
        }
    }

    /// Looks whether the head is acceptable, and normalises it.
    pub(super) fn admit(&mut self, head: &mut RequestHead) -> Result<Admitted, Reply> {
        let rng = &mut self.worker.rng.borrow_mut();
        let admitted = self.ledger.policy.admit(head, self.connection, rng)?;
        self.request_id = head.headers.get(REQUEST_ID).cloned();
        self.ledger.record.borrow_mut().remote = admitted.client.clone();
        Ok(admitted)
    }

    /// The route that takes the request, by what is known before the filters have it.
    pub(super) fn route(&self, routes: &'a RouteTable, head: &RequestHead, draw: Draw<'_>) -> Found<'a> {
        routes.find(head, draw, &self.ledger.record.borrow().attributes)
    }

    /// A route takes the request, if one was found.
    pub(super) fn found(&mut self, found: &Found<'a>) -> Option<&'a Route> {
        let Found::Route(host, route) = *found else { return None };
        self.host = Some(host);
        self.mutations = Some(&route.response);
        self.ledger.record.borrow_mut().route = Arc::clone(&route.name);
        Some(route)
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

    /// Takes the request through the filters that are on for its route.
    pub(super) async fn filter(
        &mut self,
        filters: &'a Filters,
        route: Option<&'a Route>,
        client: &Place,
        draw: Draw<'_>,
        head: &mut RequestHead,
        body: &mut Body,
    ) -> Result<(), Stop> {
        self.passage = Passage::new(filters, route.map(|route| route.overrides(draw)));
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
        let entered = self.passage.enter(&world, head, body).await;
        if entered.is_err() {
            // What a filter answers gets what a forwarding route adds, and nothing of other routes, as in Envoy.
            self.mutations = self.mutations.filter(|_| forwards);
            self.note_request(head);
        }
        entered
    }

    /// Carries out the route's action.
    pub(super) async fn act(
        &mut self,
        route: &'a Route,
        draw: Draw<'_>,
        admitted: Admitted,
        (head, body, interim): (Box<RequestHead>, Body, Interim),
    ) -> Result<Response, Stop> {
        let Action::Forward(forward) = &route.action else { return Err(self.answer(route, &head)) };
        let chosen = forward.target.choose(&head, draw);
        let cluster = chosen.as_ref().and_then(|chosen| self.clusters.get(&chosen.name));
        if let (Some(chosen), Some(_)) = (&chosen, cluster) {
            self.ledger.record.borrow_mut().cluster = Arc::clone(&chosen.name);
            self.mutations = chosen.response.or(self.mutations);
        }
        self.check_tunnel(&head, &forward.upgrades)?;
        let (Some(chosen), Some(cluster)) = (chosen, cluster) else {
            let missing = Reply::status(forward.cluster_not_found, "cluster_not_found");
            return Err(self.stop(&head, Reply { reason: Some(Reason::NoCluster), ..missing }));
        };
        let (mut head, timeouts) = self.shape(route, forward, &chosen, head, &admitted);
        // What the route adds and rewrites counts where an endpoint is chosen, as in Envoy.
        let hashed = {
            let attributes = &self.ledger.record.borrow().attributes;
            forward.hash.hash(&head, self.ends(&admitted), attributes)
        };
        self.cookies = hashed.cookies;
        let named = Named::read(&cluster.model().load_balancing.override_headers, &head.headers);
        let retries = Retries::begin(forward.retry.as_ref(), &mut head);
        self.note_request(&head);
        self.ledger.policy.stats.counters.inc(HttpMetric::RqForwarded);
        let mut sending = Sending {
            upload: Upload::new(
                Mirroring {
                    worker: self.worker,
                    clusters: self.clusters,
                    draw,
                    ledger: &self.ledger,
                    forward,
                    timeouts,
                }
                .send(&head, body),
                retries.is_some(),
                &self.ledger,
            ),
            worker: self.worker,
            ledger: &self.ledger,
            cluster,
            forward,
            timeouts,
            options: SendOptions {
                priority: forward.priority,
                downstream_version: head.version,
                server_name: self.server_name(),
                origin: origin::of(self.connection, &self.connection.remote, cluster),
            },
            hash: hashed.hash,
            named,
            count_attempts: self.host.is_some_and(|host| host.attempt_count_in_request),
            head: Some(head),
            interim,
            tried: Tried::default(),
        };
        Ok(sending.run(retries).await?)
    }

    /// The head that the cluster is to see, and how long things may take.
    fn shape(
        &mut self,
        route: &Route,
        forward: &Forward,
        chosen: &Cluster<'_>,
        mut head: Box<RequestHead>,
        admitted: &Admitted,
    ) -> (Box<RequestHead>, Timeouts) {
        let policy = &self.ledger.policy;
        let timeouts = forward.timeouts.decide(forward.retry.as_ref(), policy.timeouts, &mut head);
        self.ledger.deadlines.set(&timeouts);
        let envoy_fields = !policy.suppress_envoy_headers;
        route.shape_request(forward, chosen, &mut head, &self.ledger.record.borrow(), envoy_fields);
        if let Some(port) = &admitted.connect_port {
            head.authority = Text::from(format!("{}:{port}", head.authority));
        }
        (head, timeouts)
    }

    /// The answer of a redirect or direct response.
    fn answer(&mut self, route: &Route, head: &RequestHead) -> Stop {
        if let Err(refused) = self.check_tunnel(head, &[]) {
            return refused;
        }
        self.note_request(head);
        let counters = &self.ledger.policy.stats.counters;
        counters.inc(match route.action {
            Action::Redirect(_) => HttpMetric::RqRedirect,
            Action::Direct { .. } | Action::Forward(_) => HttpMetric::RqDirectResponse,
        });
        match route.reply(head) {
            Some(reply) => reply.into(),
            None => Stop::Error(Error::new(Reason::Internal, "a forwarding route has no answer")),
        }
    }

    fn check_tunnel(&mut self, head: &RequestHead, route: &[UpgradeConfig]) -> Result<(), Stop> {
        if self.ledger.policy.allows_tunnel(head, route) {
            Ok(())
        } else {
            Err(self.fail(head, Reason::UpgradeNotAllowed))
        }
    }

    /// Keeps of the head what logs and response fields are made of.
    pub(super) fn note_request(&mut self, head: &RequestHead) {
        self.ledger.note_request(head);
        if self.mutations.is_some_and(Mutations::needs_request) || self.passage.needs_request() {
            self.request = Some(Box::new(head.clone()));
        }
    }

    /// The server name that filters ask for upstream.
    fn server_name(&self) -> Option<Text> {
        let record = self.ledger.record.borrow();
        record.attributes.text_of(FilterStateFactory::UpstreamServerName).map(Text::from)
    }

    fn ends<'b>(&'b self, admitted: &'b Admitted) -> Ends<'b> {
        let (remote, local) = (&self.connection.remote, &self.connection.local);
        Ends { client: &admitted.client, remote, local }
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
            Passage::wait(&self.ledger, &mut response).await;
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
            Err(Stop::Error(error)) => {
                self.ledger.note_error(&error);
                let response = self.made_here(&reply::of_error(&error, self.asked()));
                // What is left of the body is not worth reading.
                Response { close: error.reason() == Reason::RequestBodyTooLarge, ..response }
            }
        }
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
