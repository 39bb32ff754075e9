//! Requests and responses that a service processes: their heads first, then their bodies, then their trailers.
//!
//! One rule: a part waits for the answer to the part before it; only pieces of a streamed body are sent ahead.

mod asked;

mod session;

mod head;

mod streamed;

mod whole;

use std::rc::Rc;

use http::header::CONTENT_LENGTH;
use xds::model::{BodyMode, Half, PartAnswer, ProcessorPart};

use super::super::stop::Stop;
use crate::body::{Body, RequestHead, Response, Size};
use crate::policy::filter::ext_proc::Change;
use asked::Said;
use head::{Head, body_of, forget_length, measure, rewrite};
pub(super) use session::Session;
use streamed::Streamed;

/// Lets the service process a request.
pub(super) async fn request(
    session: &Rc<Session>,
    head: &mut RequestHead,
    body: &mut Body,
) -> Result<(), Stop> {
    let tunnel = head.is_tunnel();
    process(session, Half::Request, Head::Request(head), body, tunnel).await
}

/// Lets the service process a response; what it answers is in place of it.
pub(super) async fn response(session: &Rc<Session>, response: &mut Response) -> Result<(), Stop> {
    let Response { head, body, .. } = response;
    let tunnel = head.status == http::StatusCode::SWITCHING_PROTOCOLS;
    process(session, Half::Response, Head::Response(head), body, tunnel).await
}

async fn process(
    session: &Rc<Session>,
    half: Half,
    mut head: Head<'_>,
    body: &mut Body,
    tunnel: bool,
) -> Result<(), Stop> {
    if session.is_over() {
        return Ok(());
    }
    let (modes, filter) = (session.modes(), &session.filter);
    if filter.observes {
        observe(session, half, &head, body, tunnel);
        return Ok(());
    }
    let without_length = !tunnel && filter.drops_length(&modes, half);
    if modes.head(half) {
        session.ask(half, ProcessorPart::Headers(head.told(&filter.telling), body.is_done()));
        if without_length {
            forget_length(&mut head, body);
        }
        let Some(Said::Part(part)) = session.answer(half).await? else { return Ok(()) };
        if take_head(session, half, &mut head, body, part, without_length)? {
            return Ok(());
        }
    } else if without_length {
        forget_length(&mut head, body);
    }
    if body.is_done() || tunnel {
        return Ok(());
    }
    if !without_length && (filter.keeps_length() || head.declared().is_none()) {
        measure(&mut head, body);
    }
    let sent = modes.head(half);
    let modes = session.modes();
    match modes.body(half) {
        BodyMode::Buffered | BodyMode::BufferedPartial if sent => {
            // What is kept of a body may be much; what waits for a head only is not to be larger for it.
            return Box::pin(whole::process(session, half, &mut head, body)).await;
        }
        BodyMode::None if !modes.trailers(half) => {}
        // What is asked about a body alone does not hold its head back, as in Envoy.
        _ => stream(session, half, body, body.size()),
    }
    Ok(())
}

/// Takes what was answered about a head; gives whether that is all.
fn take_head(
    session: &Rc<Session>,
    half: Half,
    head: &mut Head<'_>,
    body: &mut Body,
    part: PartAnswer,
    without_length: bool,
) -> Result<bool, Stop> {
    let PartAnswer { replaces, fields, body: made, clear_route_cache } = part;
    if let Some(fields) = &fields {
        rewrite(session, head, fields, Change { replaces, without_length })?;
    }
    session.reroute(half, clear_route_cache, fields.is_some());
    if !replaces {
        return Ok(false);
    }
    if let Some(made) = made {
        head.fields().remove(CONTENT_LENGTH);
        *body = body_of(Size::Unknown, made.unwrap_or_default().into());
        if half == Half::Request {
            session.ledger.request_complete();
        }
    }
    session.finish(half);
    Ok(true)
}

/// Lets the service watch.
fn observe(session: &Rc<Session>, half: Half, head: &Head<'_>, body: &mut Body, tunnel: bool) {
    let modes = session.modes();
    if modes.head(half) {
        session.ask(half, ProcessorPart::Headers(head.told(&session.filter.telling), body.is_done()));
    }
    let watched = modes.body(half) == BodyMode::Streamed || modes.trailers(half);
    if watched && !body.is_done() && !tunnel {
        stream(session, half, body, body.size());
    }
}

fn stream(session: &Rc<Session>, half: Half, body: &mut Body, size: Size) {
    let inner = std::mem::replace(body, Body::empty());
    *body = Body::source(size, Box::new(Streamed::new(session, half, inner, None)));
}
