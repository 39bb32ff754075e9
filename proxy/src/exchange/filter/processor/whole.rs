//! Bodies that their processor gets in one piece.

use std::pin::pin;
use std::rc::Rc;

use bytes::{Bytes, BytesMut};
use http::header::CONTENT_LENGTH;
use xds::model::{BodyMode, Half, PartAnswer, ProcessorPart};

use super::super::super::stop::Stop;
use super::asked::Said;
use super::head::{Head, body_of, rewrite};
use super::session::Session;
use super::streamed::Streamed;
use crate::body::{Body, Frame, Size};
use crate::error::{Error, Reason};
use crate::fields::Fields;
use crate::limits::PROCESSOR_BUFFER_BYTES;
use crate::policy::filter::ext_proc::Change;
use crate::policy::reply::Reply;

/// What was read of a body.
enum Read {
    /// All of it, with its trailers.
    Whole(Bytes, Option<Fields>),
    /// More than may be kept; the rest is still to come.
    Start(Bytes),
}

/// Sends `body`, or as much of it as may be kept, in one piece, and takes what is made of it.
pub(super) async fn process(
    session: &Rc<Session>,
    half: Half,
    head: &mut Head<'_>,
    body: &mut Body,
) -> Result<(), Stop> {
    let partial = session.body_mode(half) == BodyMode::BufferedPartial;
    let (bytes, trailers) = match read(session, body).await? {
        Read::Whole(bytes, trailers) => (bytes, trailers),
        Read::Start(bytes) if partial => {
            session.ask(half, ProcessorPart::Body(bytes.to_vec(), false));
            let bytes = take(session, half, head, bytes, true).await?;
            session.finish_body(half);
            let rest = std::mem::replace(body, Body::empty());
            let rest = Streamed::new(session, half, rest, Some(bytes).filter(|bytes| !bytes.is_empty()));
            *body = Body::source(Size::Unknown, Box::new(rest));
            return Ok(());
        }
        Read::Start(_) => return Err(too_large(half)),
    };
    if half == Half::Request {
        session.ledger.received(bytes.len());
        session.ledger.request_complete();
    }
    session.ask(half, ProcessorPart::Body(bytes.to_vec(), trailers.is_none()));
    let bytes = take(session, half, head, bytes, partial).await?;
    session.finish_body(half);
    let size = match head.fields().contains_key(CONTENT_LENGTH) {
        true => Size::Exact(bytes.len() as u64),
        false => Size::Unknown,
    };
    *body = match trailers {
        None => body_of(size, bytes),
        Some(mut trailers) => {
            if session.modes().trailers(half) && !session.is_over() {
                session.ask(half, ProcessorPart::Trailers(session.filter.telling.of_trailers(&trailers)));
                if let Some(Said::Trailers(Some(change))) = session.answer(half).await? {
                    rewrite(session, &mut Head::Trailers(&mut trailers), &change, Change::default())?;
                }
            }
            session.finish(half);
            let ready = Some(bytes).filter(|bytes| !bytes.is_empty());
            let rest = Streamed::new(session, half, Body::empty(), ready).ended(Some(trailers));
            Body::source(size, Box::new(rest))
        }
    };
    Ok(())
}

/// What the service makes of `bytes`, with what it changes of the head.
async fn take(
    session: &Rc<Session>,
    half: Half,
    head: &mut Head<'_>,
    bytes: Bytes,
    partial: bool,
) -> Result<Bytes, Stop> {
    let Some(Said::Part(part)) = session.answer(half).await? else { return Ok(bytes) };
    let PartAnswer { replaces: _, fields, body, clear_route_cache } = part;
    let without_length = session.filter.drops_length(&session.modes(), half);
    if let Some(fields) = &fields {
        rewrite(session, head, fields, Change { replaces: false, without_length })?;
    }
    session.reroute(half, clear_route_cache, fields.is_some());
    let Some(made) = body else { return Ok(bytes) };
    let length = made.as_ref().map_or(0, Vec::len);
    if !partial && head.declared().is_some_and(|declared| declared != length as u64) {
        let why = "mismatch between content length and the length of the mutated body";
        return Err(Stop::Reply(session.refuse(why)));
    }
    Ok(made.map_or(bytes, Bytes::from))
}

async fn read(session: &Session, body: &mut Body) -> Result<Read, Stop> {
    let mut bytes = BytesMut::new();
    loop {
        let frame = {
            let next = pin!(async { body.frame().await.transpose() });
            session.ledger.deadlines.limit(next).await?
        };
        match frame {
            None => return Ok(Read::Whole(bytes.freeze(), None)),
            Some(Frame::Trailers(trailers)) => return Ok(Read::Whole(bytes.freeze(), Some(trailers))),
            Some(Frame::Data(data)) => {
                session.ledger.deadlines.touch();
                bytes.extend_from_slice(&data);
                if bytes.len() > PROCESSOR_BUFFER_BYTES {
                    return Ok(Read::Start(bytes.freeze()));
                }
            }
        }
    }
}

fn too_large(half: Half) -> Stop {
    match half {
        Half::Request => Error::new(Reason::RequestBodyTooLarge, "request_payload_too_large").into(),
        Half::Response => {
            let reply = Reply::status(http::StatusCode::INTERNAL_SERVER_ERROR, "response_payload_too_large");
            Reply { body: "Internal Server Error".into(), ..reply }.into()
        }
    }
}
