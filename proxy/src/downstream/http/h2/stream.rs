//! One HTTP/2 stream, from the head of its request to the last byte of its response.
//!
//! The task running this is owned by the connection; the handler's future is dropped when the client gives up.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use bytes::Bytes;
use h2::RecvStream;
use h2::server::SendResponse;
use http::StatusCode;
use http::header::EXPECT;

use super::settings::H2Settings;
use crate::body::{Interim, Request, Response, Scheme};
use crate::codec::h2::{self as codec, Peer, Receive, Unsent};
use crate::downstream::http::h1::Refusal;
use crate::error::Error;

/// How one stream ended, for the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StreamEnd {
    /// The whole response was handed to the connection.
    Complete,
    /// Answered without the handler.
    Refused,
    /// The client reset the stream or went away.
    ClientGone,
    /// The response broke off.
    Failed,
}

/// One stream from its head to the last byte of its response.
pub(super) async fn serve_stream<H>(
    request: http::Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
    scheme: Scheme,
    settings: Rc<H2Settings>,
    handler: H,
) -> StreamEnd
where
    H: AsyncFn(Request) -> Response,
{
    let (parts, receive) = request.into_parts();
    let mut head = match codec::from_request(parts, scheme, settings.head_limit()) {
        Ok(head) => head,
        Err(why) => return refuse(respond, why, &settings).await,
    };
    let interim = Interim::default();
    let mut receive = Receive::new(receive, Peer::Client);
    if head.headers.get(EXPECT).is_some_and(|expect| expect.as_bytes().eq_ignore_ascii_case(b"100-continue"))
    {
        // Answered here, when somebody asks for the body; so it is not the next hop's to answer.
        head.headers.remove(EXPECT);
        receive = receive.expecting(interim.clone());
    }
    let body = receive.into_body(&head.headers);
    let mut response = pin!(handler(Request { head, body, interim: interim.clone() }));
    let answered = poll_fn(|cx| {
        if respond.poll_reset(cx).is_ready() {
            return Poll::Ready(None);
        }
        let answered = response.as_mut().poll(cx);
        while let Poll::Ready(head) = interim.poll_next(cx) {
            if let Some(message) = codec::to_interim(head) {
                // A stream that takes no interim response any more says so to the final one.
                let _sent = respond.send_informational(message);
            }
        }
        answered.map(Some)
    });
    match answered.await {
        Some(response) => reply(respond, response).await,
        None => StreamEnd::ClientGone,
    }
}

async fn reply(mut respond: SendResponse<Bytes>, response: Response) -> StreamEnd {
    let Response { head, body, close: _ } = response;
    let bodiless = body.is_done();
    let Ok(mut stream) = respond.send_response(codec::to_response(head), bodiless) else {
        // Either the client is gone, or the head holds what HTTP/2 cannot carry; the reset tells the latter apart.
        respond.send_reset(h2::Reason::INTERNAL_ERROR);
        return StreamEnd::Failed;
    };
    if bodiless {
        return StreamEnd::Complete;
    }
    if let Some(bytes) = body.as_full() {
        stream.reserve_capacity(bytes.len());
        // Where the window takes all of it there is nothing to wait for.
        if stream.capacity() >= bytes.len() {
            return match stream.send_data(bytes.clone(), true) {
                Ok(()) => StreamEnd::Complete,
                Err(_gone) => StreamEnd::ClientGone,
            };
        }
    }
    match codec::Send::new(body, stream, Peer::Client).run().await {
        Ok(()) => StreamEnd::Complete,
        Err(Unsent::Peer(_)) => StreamEnd::ClientGone,
        Err(Unsent::Body(_)) => StreamEnd::Failed,
    }
}

/// Answers a request that cannot be given to the handler.
async fn refuse(respond: SendResponse<Bytes>, why: Error, settings: &H2Settings) -> StreamEnd {
    let status = StatusCode::from_u16(why.reason().status()).unwrap_or(StatusCode::BAD_REQUEST);
    let response = settings.answer(&Refusal { error: why, status });
    // A client that is gone already does not miss the answer.
    let _sent = reply(respond, response).await;
    StreamEnd::Refused
}
