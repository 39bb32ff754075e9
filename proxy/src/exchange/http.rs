//! One HTTP request, from its head to the last byte of its response.
//!
//! The story is [`handle`]: admit, route, forward or answer, dress the response. Every request gets a response, and
//! its books are closed once, whatever happens: also when the client goes away and the future is dropped.

use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use http::StatusCode;

use super::context::Worker;
use super::forward::Sending;
use super::ledger::{Books, whole_len};
use super::reply::{self, Asked};
use super::stop::{Again, Stop};
use super::visit::Visit;
use crate::body::{Request, RequestHead, Response, Version};
use crate::error::{Error, Reason};
use crate::fields::Fields;
use crate::observe::record::ConnectionFacts;
use crate::policy::draw::Draw;
use crate::policy::http::{Admitted, Closing, HttpMetric, HttpPolicy};
use crate::policy::reply::Reply;
use crate::policy::route::{Found, History, RouteTable};
use crate::upstream::Clusters;

/// Serves a request that came over `connection`. `policy`, `routes` and `clusters` are of one snapshot, so that the
/// request reads one version of the configuration. Dropping the future gives the request up.
pub fn handle<'a>(
    worker: &'a Worker,
    connection: &'a Rc<ConnectionFacts>,
    policy: &'a Arc<HttpPolicy>,
    routes: &'a RouteTable,
    clusters: &'a Clusters,
    request: Request,
) -> impl Future<Output = Response> + use<'a> {
    pass(worker, connection, policy, routes, clusters, request, None)
}

/// Serves a request, or what follows a redirect, which was admitted before and has books of its own.
fn pass<'a>(
    worker: &'a Worker,
    connection: &'a Rc<ConnectionFacts>,
    policy: &'a Arc<HttpPolicy>,
    routes: &'a RouteTable,
    clusters: &'a Clusters,
    request: Request,
    before: Option<Box<(Admitted, Box<History>)>>,
) -> impl Future<Output = Response> + use<'a> {
    // Begun here, and not when polled: the arguments of an async function are moved twice.
    let Request { mut head, mut body, interim } = request;
    let patience = Some(Rc::clone(&worker.patience));
    let books = Books::open(policy, connection, head.version, whole_len(&body), patience);
    let runtime = Arc::clone(&books.ledger().record.borrow().runtime);
    let mut visit = Visit::begin(worker, connection, clusters, books, &head);
    async move {
        let draw = Draw { random: worker.random(), runtime: &runtime };
        let admitted = match before {
            None => visit.admit(&mut head),
            Some(before) => Ok(visit.resume(&head, *before)),
        };
        let outcome = match admitted {
            Ok(admitted) => {
                let found = visit.route(routes, &head, draw);
                visit.found(&found);
                let entered = if policy.filters.is_empty() {
                    Ok(found)
                } else {
                    let client = &admitted.client;
                    let message = (&mut *head, &mut body);
                    Box::pin(visit.filter(&policy.filters, routes, found, client, draw, message)).await
                };
                match entered {
                    Err(stopped) => Err(stopped),
                    Ok(Found::Route(_, route)) => {
                        match visit.act(route, draw, &admitted, Request { head, body, interim }) {
                            Err(stopped) => Err(stopped),
                            Ok((mut sending, retries)) => match sending.run(retries).await {
                                Err(error) => Err(error.into()),
                                Ok(response) => {
                                    let Sending { upload, interim, kept, .. } = sending;
                                    let sent = (upload, interim, kept);
                                    visit.answered_by((routes, route), draw, admitted, sent, response)
                                }
                            },
                        }
                    }
                    Ok(Found::TlsRequired) => Err(visit.stop(&head, to_https(&head))),
                    Ok(Found::None) => Err(visit.fail(&head, Reason::NoRoute)),
                }
            }
            Err(refused) => Err(visit.stop(&head, refused)),
        };
        // The future is not to hold the response while it waits.
        let late: Pin<Box<dyn Future<Output = Response> + '_>> = match outcome {
            Err(Stop::Again(again)) => {
                drop(visit);
                follow(worker, connection, policy, routes, clusters, *again)
            }
            outcome => match visit.respond(outcome) {
                Ok(response) => return response,
                Err(late) => late,
            },
        };
        late.await
    }
}

/// Rare, and as large as any request: it does not make every request's future larger.
fn follow<'a>(
    worker: &'a Worker,
    connection: &'a Rc<ConnectionFacts>,
    policy: &'a Arc<HttpPolicy>,
    routes: &'a RouteTable,
    clusters: &'a Clusters,
    again: Again,
) -> Pin<Box<dyn Future<Output = Response> + 'a>> {
    let Again { request, admitted, history } = again;
    let before = Some(Box::new((admitted, history)));
    Box::pin(pass(worker, connection, policy, routes, clusters, request, before))
}

/// The answer to a request that could not be read: it is counted and logged like any other. `status` may differ
/// from the reason's. The connection is to be closed after it.
pub fn reject(
    worker: &Worker,
    connection: &Rc<ConnectionFacts>,
    policy: &Arc<HttpPolicy>,
    version: Version,
    status: StatusCode,
    error: &Error,
) -> Response {
    let books = Books::open(policy, connection, version, None, None);
    let ledger = Rc::clone(books.ledger());
    policy.stats.counters.inc(HttpMetric::CxProtocolError);
    let text = match error.reason() {
        Reason::RequestHeadTimeout => "request header timeout",
        _ => status.canonical_reason().unwrap_or_default(),
    };
    let reply = Reply { body: text.into(), ..Reply::status(status, "") };
    let asked = Asked { grpc: false, head: false, complete: false, retried: false };
    let mut fields = Fields::new();
    // As in Envoy, what was wrong with the request is not known yet where the answer's look is decided.
    let reply = ledger.localized(&reply, &mut fields);
    ledger.note_error(error);
    let mut response = reply::response(&reply, fields, asked);
    policy.close_response(&mut response.head.headers, &Closing { date: &worker.date(), request_id: None });
    ledger.note_response(reply.status.as_u16(), &response.head.headers);
    ledger.sent(reply.body.len());
    ledger.response_complete();
    Response { close: true, ..response }
}

/// Envoy's answer where a virtual host demands TLS.
fn to_https(head: &RequestHead) -> Reply {
    let location = format!("https://{}{}", head.authority, head.path);
    Reply::redirect(StatusCode::MOVED_PERMANENTLY, &location, "direct_response")
}

#[cfg(test)]
mod tests;
