//! Waiting for the whole body of a request.

use std::collections::VecDeque;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::BytesMut;
use http::header::CONTENT_LENGTH;

use super::super::ledger::Ledger;
use super::super::stop::Stop;
use crate::body::{Body, Frame, RequestHead, Size, Source};
use crate::error::{Error, Reason};
use crate::fields::number;

/// All of `body`, of at most `bytes_max` bytes, with the length that it turned out to have.
pub(super) async fn whole(
    body: &mut Body,
    bytes_max: usize,
    head: &mut RequestHead,
    ledger: &Rc<Ledger>,
) -> Result<Body, Stop> {
    let mut bytes = BytesMut::new();
    let mut trailers = None;
    loop {
        let frame = {
            let next = pin!(async { body.frame().await.transpose() });
            ledger.deadlines.limit(next).await?
        };
        match frame {
            None => break,
            Some(Frame::Trailers(fields)) => {
                trailers = Some(fields);
                break;
            }
            Some(Frame::Data(data)) => {
                if bytes.len() + data.len() > bytes_max {
                    return Err(Error::new(Reason::RequestBodyTooLarge, "request_payload_too_large").into());
                }
                ledger.deadlines.touch();
                bytes.extend_from_slice(&data);
            }
        }
    }
    let length = bytes.len();
    if !head.headers.contains_key(CONTENT_LENGTH) {
        head.headers.insert(CONTENT_LENGTH, number(length as u64));
    }
    let Some(trailers) = trailers else {
        ledger.received(length);
        ledger.request_complete();
        return Ok(Body::full(bytes));
    };
    let frames = [Frame::Data(bytes.freeze())].into_iter().filter(|_| length > 0);
    let frames = frames.chain([Frame::Trailers(trailers)]).collect();
    Ok(Body::source(Size::Exact(length as u64), Box::new(Kept(frames))))
}

/// Frames that are all here.
struct Kept(VecDeque<Frame>);

impl Source for Kept {
    fn poll_frame(&mut self, _cx: &mut Context<'_>) -> Poll<Option<Result<Frame, Error>>> {
        Poll::Ready(self.0.pop_front().map(Ok))
    }
}
