//! What a route does with a request: send it on, follow where that leads, or answer.

use std::sync::Arc;

use http::header::LOCATION;
use xds::model::{FilterStateFactory, UpgradeConfig};

use super::forward::{Sending, Tried};
use super::mirror::Mirroring;
use super::origin;
use super::stop::{Again, Stop};
use super::upload::Upload;
use super::visit::Visit;
use crate::body::{Body, Interim, Request, RequestHead, Response, Text};
use crate::error::{Error, Reason};
use crate::policy::draw::Draw;
use crate::policy::http::{Admitted, HttpMetric};
use crate::policy::reply::Reply;
use crate::policy::retry::Retries;
use crate::policy::route::{Action, Cluster, Ends, Forward, Found, InternalRedirects, Route, RouteTable};
use crate::policy::timeout::Timeouts;
use crate::upstream::pool::SendOptions;
use crate::upstream::{ClusterMetric, Named};

impl<'a> Visit<'a> {
    /// What sends the request where the route says, if it does not answer itself.
    pub(super) fn act(
        &mut self,
        route: &'a Route,
        draw: Draw<'_>,
        admitted: &Admitted,
        Request { head, body, interim }: Request,
    ) -> Result<(Sending<'_>, Option<Retries<'a>>), Stop> {
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
        let (mut head, timeouts) = self.shape(route, forward, &chosen, head, admitted);
        // What the route adds and rewrites counts where an endpoint is chosen, as in Envoy.
        let hashed = {
            let attributes = &self.ledger.record.borrow().attributes;
            forward.hash.hash(&head, self.ends(admitted), attributes)
        };
        self.cookies = hashed.cookies;
        let named = Named::read(&cluster.model().load_balancing.override_headers, &head.headers);
        let retries = Retries::begin(forward.retry.as_ref(), &mut head);
        self.note_request(&head);
        self.ledger.policy.stats.counters.inc(HttpMetric::RqForwarded);
        let kept = forward.internal_redirects.is_some().then(|| head.clone());
        let sending = Sending {
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
                retries.is_some() || forward.internal_redirects.is_some(),
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
            kept,
            interim,
            tried: Tried::default(),
        };
        Ok((sending, retries))
    }

    /// What the upstream answered, or, where it leads to a route of ours, what follows it.
    pub(super) fn answered_by(
        &mut self,
        (routes, route): (&'a RouteTable, &'a Route),
        draw: Draw<'_>,
        admitted: Admitted,
        (upload, interim, sent): (Upload, Interim, Option<Box<RequestHead>>),
        response: Response,
    ) -> Result<Response, Stop> {
        let Action::Forward(forward) = &route.action else { return Ok(response) };
        let policy = forward.internal_redirects.as_ref();
        let policy = policy.filter(|policy| policy.takes(response.head.status));
        let Some((policy, sent)) = policy.zip(sent) else { return Ok(response) };
        let followed = self.follow((policy, routes, route), draw, &sent, &response, &upload);
        let cluster = Arc::clone(&self.ledger.record.borrow().cluster);
        let count = |metric| {
            if let Some(cluster) = self.clusters.get(&cluster) {
                cluster.stats().inc(metric);
            }
        };
        let Some((head, body)) = followed else {
            count(ClusterMetric::UpstreamInternalRedirectFailed);
            upload.release();
            return Ok(response);
        };
        count(ClusterMetric::UpstreamInternalRedirectSucceeded);
        let history = self.history.take().unwrap_or_default();
        let request = Request { head, body, interim };
        Err(Stop::Again(Box::new(Again { request, admitted, history })))
    }

    /// The request that follows a redirect, if it is to be followed: where it is not, the client gets the redirect.
    fn follow(
        &mut self,
        (policy, routes, route): (&InternalRedirects, &'a RouteTable, &'a Route),
        draw: Draw<'_>,
        sent: &RequestHead,
        response: &Response,
        upload: &Upload,
    ) -> Option<(Box<RequestHead>, Body)> {
        let body = upload.again()?;
        response.head.headers.get(LOCATION)?;
        let encrypted = self.connection.tls.is_some();
        let mut history = self.history.take().unwrap_or_default();
        let followed = policy.follow(sent, encrypted, &response.head, &history).and_then(|redirected| {
            let to = match self.route(routes, &redirected.head, draw) {
                Found::Route(_, to) => Arc::clone(&to.name),
                Found::TlsRequired => Arc::default(),
                Found::None => return Err(HttpMetric::InternalRedirectNoRoute),
            };
            policy.accept(&redirected, &route.name, &to, &mut history)?;
            Ok(redirected)
        });
        self.history = Some(history);
        match followed {
            Ok(redirected) => {
                self.ledger.note_details("internal_redirect");
                self.ledger.note_response(response.head.status.as_u16(), &response.head.headers);
                self.ledger.response_complete();
                Some((redirected.head, if redirected.drops_body { Body::empty() } else { body }))
            }
            Err(why) => {
                self.ledger.policy.stats.counters.inc(why);
                None
            }
        }
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

    /// The server name that filters ask for upstream.
    fn server_name(&self) -> Option<Text> {
        let record = self.ledger.record.borrow();
        record.attributes.text_of(FilterStateFactory::UpstreamServerName).map(Text::from)
    }

    fn ends<'b>(&'b self, admitted: &'b Admitted) -> Ends<'b> {
        let (remote, local) = (&self.connection.remote, &self.connection.local);
        Ends { client: &admitted.client, remote, local }
    }
}
