//! Heads and trailers as a processor sees and changes them.

use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use xds::model::FieldMutation;

use super::super::super::stop::Stop;
use super::session::Session;
use crate::body::{Body, Frame, RequestHead, ResponseHead, Size, Source};
use crate::error::Error;
use crate::fields::Fields;
use crate::policy::facts;
use crate::policy::filter::ext_proc::{Change, Section, Telling};

/// Fields that are sent and changed.
pub(super) enum Head<'a> {
    Request(&'a mut RequestHead),
    Response(&'a mut ResponseHead),
    Trailers(&'a mut Fields),
}

impl Head<'_> {
    /// What of it may be changed.
    fn section(&mut self) -> Section<'_> {
        match self {
            Self::Request(head) => Section::Request(head),
            Self::Response(head) => Section::Response(head),
            Self::Trailers(fields) => Section::Fields(fields),
        }
    }

    /// Its fields.
    pub(super) fn fields(&mut self) -> &mut Fields {
        match self {
            Self::Request(head) => &mut head.headers,
            Self::Response(head) => &mut head.headers,
            Self::Trailers(fields) => fields,
        }
    }

    /// The length that it says its body has.
    pub(super) fn declared(&mut self) -> Option<u64> {
        facts::text(self.fields(), CONTENT_LENGTH.as_str())?.parse().ok()
    }

    /// What the service is told of it.
    pub(super) fn told(&self, telling: &Telling) -> Vec<(String, Vec<u8>)> {
        match self {
            Self::Request(head) => telling.of_request(head),
            Self::Response(head) => telling.of_response(head),
            Self::Trailers(fields) => telling.of_trailers(fields),
        }
    }
}

/// Changes fields as the service said.
pub(super) fn rewrite(
    session: &Session,
    head: &mut Head<'_>,
    fields: &FieldMutation,
    how: Change,
) -> Result<(), Stop> {
    session.change(head.section(), fields, how).map_err(Stop::Reply)
}

/// The length is not known any more.
pub(super) fn forget_length(head: &mut Head<'_>, body: &mut Body) {
    head.fields().remove(CONTENT_LENGTH);
    measure(head, body);
}

/// Makes the body as long as its head says, as far as that is known.
pub(super) fn measure(head: &mut Head<'_>, body: &mut Body) {
    let size = head.declared().map_or(Size::Unknown, Size::Exact);
    if body.is_done() || body.size() == size {
        return;
    }
    let inner = std::mem::replace(body, Body::empty());
    *body = match inner.as_full() {
        Some(bytes) => Body::whole(size, bytes.clone()),
        None => Body::source(size, Box::new(Unmeasured(inner))),
    };
}

/// A body that is all here, though its head may not say how long it is: then it is one even if it is empty.
pub(super) fn body_of(size: Size, bytes: Bytes) -> Body {
    if bytes.is_empty() && size == Size::Unknown {
        return Body::source(size, Box::new(Unmeasured(Body::empty())));
    }
    Body::whole(size, bytes)
}

/// A body that is passed on as it is, with another length or none.
struct Unmeasured(Body);

impl Source for Unmeasured {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, Error>>> {
        self.0.poll_frame(cx)
    }
}
