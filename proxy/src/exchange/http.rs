//! One HTTP request, from its head to the last byte of its response.
//!
//! The story is [`handle`]: admit, route, forward or answer, dress the response. Every request gets a response, and
//! its books are closed once, whatever happens: also when the client goes away and the future is dropped.

use std::rc::Rc;
use std::sync::Arc;

use http::StatusCode;

use super::context::Worker;
use super::ledger::{Books, whole_len};
use super::reply::{self, Asked};
use super::visit::Visit;
use crate::body::{Request, RequestHead, Response, Version};
use crate::error::{Error, Reason};
use crate::fields::Fields;
use crate::observe::record::ConnectionFacts;
use crate::policy::draw::Draw;
use crate::policy::http::{Closing, HttpMetric, HttpPolicy};
use crate::policy::reply::Reply;
use crate::policy::route::{Found, RouteTable};
use crate::upstream::Clusters;

/// Serves a request that came over `connection`. `policy`, `routes` and `clusters` are of one snapshot, so that the
/// request reads one version of the configuration. Dropping the future gives the request up.
pub async fn handle(
    worker: &Worker,
    connection: &Rc<ConnectionFacts>,
    policy: &Arc<HttpPolicy>,
    routes: &RouteTable,
    clusters: &Clusters,
    request: Request,
) -> Response {
    let Request { mut head, mut body, interim } = request;
    let patience = Some(Rc::clone(&worker.patience));
    let books = Books::open(policy, connection, head.version, whole_len(&body), patience);
    let runtime = Arc::clone(&books.ledger().record.borrow().runtime);
    let mut visit = Visit::begin(worker, connection, clusters, books, &head);
    let draw = Draw { random: worker.random(), runtime: &runtime };
    let outcome = match visit.admit(&mut head) {
        Ok(admitted) => {
            let found = visit.route(routes, &head, draw);
            let route = visit.found(&found);
            let entered = if policy.filters.is_empty() {
                Ok(())
            } else {
                let client = &admitted.client;
                Box::pin(visit.filter(&policy.filters, route, client, draw, &mut head, &mut body)).await
            };
            match (entered, found) {
                (Err(stopped), _) => Err(stopped),
                (Ok(()), Found::Route(_, route)) => {
                    visit.act(route, draw, admitted, (head, body, interim)).await
                }
                (Ok(()), Found::TlsRequired) => Err(visit.stop(&head, to_https(&head))),
                (Ok(()), Found::None) => Err(visit.fail(&head, Reason::NoRoute)),
            }
        }
        Err(refused) => Err(visit.stop(&head, refused)),
    };
    // The future is not to hold the response while it waits.
    let late = match visit.respond(outcome) {
        Ok(response) => return response,
        Err(late) => late,
    };
    late.await
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
