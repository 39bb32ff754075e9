//! One HTTP/3 request, from its head to the acknowledgement of its answer's last byte.
//!
//! The task running this is owned by the connection; the handler's future is dropped when the client gives up.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use h3::error::StreamError;
use h3::server::{RequestResolver, RequestStream};
use http::StatusCode;
use http::header::EXPECT;
use tokio::time::timeout;

use super::settings::H3Settings;
use crate::body::{Interim, Request, Response, ResponseHead};
use crate::codec::h2::to_interim;
use crate::codec::h3::{self as codec, Outgoing, Receive, Stopped, Transport, Unsent};
use crate::downstream::http::h1::Refusal;
use crate::error::Error;

/// How one request ended, for the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StreamEnd {
    /// The whole response has arrived.
    Complete,
    /// Answered or reset without the handler.
    Refused,
    /// The client stopped the stream or went away.
    ClientGone,
    /// The response broke off.
    Failed,
}

/// The client's interest in an answer. Once it is gone it is not asked for again.
struct Interest(Option<Stopped>);

impl Interest {
    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let gone = self.0.as_mut().map_or(Poll::Pending, |stopped| stopped.as_mut().poll(cx));
        if gone.is_ready() {
            self.0 = None;
        }
        gone
    }
}

/// One request from its head to the last byte of its response.
pub(super) async fn serve_stream<H>(
    resolver: RequestResolver<Transport, Bytes>,
    stopped: Option<Stopped>,
    settings: Rc<H3Settings>,
    handler: H,
) -> StreamEnd
where
    H: AsyncFn(Request) -> Response,
{
    let interest = Interest(stopped);
    let (request, stream) = match timeout(settings.request_headers_timeout, resolver.resolve_request()).await
    {
        Ok(Ok(resolved)) => resolved,
        Ok(Err(StreamError::RemoteTerminate { .. })) => return StreamEnd::ClientGone,
        // `h3` has reset the stream for what is malformed; one that is late is reset by being dropped.
        Ok(Err(_)) | Err(_) => return StreamEnd::Refused,
    };
    let (send, receive) = stream.split();
    let mut head = match codec::from_request(request.into_parts().0, settings.head_limit) {
        Ok(head) => head,
        Err(why) => return refuse(send, interest, why, &settings).await,
    };
    let interim = Interim::default();
    let mut receive = Receive::new(receive);
    if head.headers.get(EXPECT).is_some_and(|expect| expect.as_bytes().eq_ignore_ascii_case(b"100-continue"))
    {
        // Answered here, when somebody asks for the body; so it is not the next hop's to answer.
        head.headers.remove(EXPECT);
        receive = receive.expecting(interim.clone());
    }
    let body = receive.into_body(&head.headers);
    let response = handler(Request { head, body, interim: interim.clone() });
    answer(send, interest, &interim, response).await
}

/// Interim answers as they come, then the final one.
async fn answer(
    mut send: RequestStream<Outgoing<Bytes>, Bytes>,
    mut interest: Interest,
    interim: &Interim,
    response: impl Future<Output = Response>,
) -> StreamEnd {
    let mut response = pin!(response);
    loop {
        let mut early: Vec<ResponseHead> = Vec::new();
        let answered = poll_fn(|cx| {
            if interest.poll_gone(cx).is_ready() {
                return Poll::Ready(None);
            }
            let answered = response.as_mut().poll(cx);
            while let Poll::Ready(head) = interim.poll_next(cx) {
                early.push(head);
            }
            match answered {
                Poll::Ready(response) => Poll::Ready(Some(Some(response))),
                Poll::Pending if early.is_empty() => Poll::Pending,
                Poll::Pending => Poll::Ready(Some(None)),
            }
        });
        let Some(answered) = answered.await else { return StreamEnd::ClientGone };
        for message in early.into_iter().filter_map(to_interim) {
            if send.send_response(message).await.is_err() {
                return StreamEnd::ClientGone;
            }
        }
        if let Some(response) = answered {
            return reply(send, interest, response).await;
        }
    }
}

async fn reply(
    mut send: RequestStream<Outgoing<Bytes>, Bytes>,
    mut interest: Interest,
    response: Response,
) -> StreamEnd {
    let Response { head, body, close: _ } = response;
    let sent = async {
        if send.send_response(codec::to_response(head)).await.is_err() {
            return StreamEnd::ClientGone;
        }
        match codec::send(body, &mut send).await {
            Ok(()) => StreamEnd::Complete,
            Err(Unsent::Peer(_)) => StreamEnd::ClientGone,
            Err(Unsent::Body(_)) => StreamEnd::Failed,
        }
    };
    let ended = tokio::select! {
        biased;
        ended = sent => ended,
        () = poll_fn(|cx| interest.poll_gone(cx)) => StreamEnd::ClientGone,
    };
    if ended == StreamEnd::Complete {
        // What is not acknowledged would be lost when the connection is closed.
        poll_fn(|cx| if interest.0.is_none() { Poll::Ready(()) } else { interest.poll_gone(cx) }).await;
    }
    ended
}

/// Answers a request that cannot be given to the handler.
async fn refuse(
    send: RequestStream<Outgoing<Bytes>, Bytes>,
    interest: Interest,
    why: Error,
    settings: &H3Settings,
) -> StreamEnd {
    let status = StatusCode::from_u16(why.reason().status()).unwrap_or(StatusCode::BAD_REQUEST);
    let response = (settings.refusal)(&Refusal { error: why, status });
    // A client that is gone already does not miss the answer.
    let _sent = reply(send, interest, response).await;
    StreamEnd::Refused
}
