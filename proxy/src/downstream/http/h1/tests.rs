//! The server engine against raw clients.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::*;
use crate::body::{Body, Frame, ResponseHead, Size, Source, Version};
use crate::codec::io::Stream;
use crate::drain::Drain;
use crate::error::{Error, Reason};

mod bodies;

mod endings;

mod heads;

mod tunnels;

/// Runs on a thread like a worker's, with virtual time.
pub fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, work)
}

pub fn settings() -> H1Settings {
    H1Settings { enable_trailers: true, ..H1Settings::default() }
}

/// Sends `sent`, then half-closes; gives all that was answered until the server's end, and why it ended.
pub fn converse(
    settings: &H1Settings,
    handler: impl AsyncFn(Request) -> Response,
    sent: &[u8],
) -> (String, End) {
    run(async {
        let drain = Drain::new();
        let (mut client, server) = tokio::io::duplex(1 << 20);
        let talk = async {
            client.write_all(sent).await.unwrap();
            client.shutdown().await.unwrap();
            read_all(&mut client).await
        };
        let (end, read) = tokio::join!(serve(Stream::from(server), settings, drain.watch(), handler), talk);
        (read, end)
    })
}

/// The same, one byte in each segment.
pub fn converse_slowly(
    settings: &H1Settings,
    handler: impl AsyncFn(Request) -> Response,
    sent: &[u8],
) -> String {
    run(async {
        let drain = Drain::new();
        let (mut client, server) = tokio::io::duplex(1 << 20);
        let talk = async {
            for byte in sent {
                // A server that refused has closed its side; what it said is still to be read.
                if client.write_all(&[*byte]).await.is_err() {
                    break;
                }
                tokio::task::yield_now().await;
            }
            let _closed = client.shutdown().await;
            read_all(&mut client).await
        };
        tokio::join!(serve(Stream::from(server), settings, drain.watch(), handler), talk).1
    })
}

pub async fn read_all(client: &mut DuplexStream) -> String {
    let mut read = Vec::new();
    let _broken = client.read_to_end(&mut read).await;
    String::from_utf8_lossy(&read).into_owned()
}

/// Reads until `mark` was read.
pub async fn read_until(client: &mut DuplexStream, mark: &str) -> String {
    let mut read = Vec::new();
    let mut byte = [0];
    while !String::from_utf8_lossy(&read).ends_with(mark) {
        let count = client.read(&mut byte).await.unwrap();
        assert!(count > 0, "ended before {mark:?}: {:?}", String::from_utf8_lossy(&read));
        read.push(byte[0]);
    }
    String::from_utf8(read).unwrap()
}

/// Answers 200 with what it understood.
pub async fn echo_head(request: Request) -> Response {
    let head = &request.head;
    let mut text = format!(
        "{} {} {} {} {}",
        head.method,
        head.scheme.as_str(),
        head.authority,
        head.path,
        head.version.as_str()
    );
    for (name, value) in &head.headers {
        text.push_str(&format!("|{name}={}", String::from_utf8_lossy(value.as_bytes())));
    }
    Response::new(StatusCode::OK, Body::full(text))
}

/// Answers 200 with the request's body and trailers, or 400 with the error's reason.
pub async fn echo_body(mut request: Request) -> Response {
    let mut text = Vec::new();
    while let Some(frame) = request.body.frame().await {
        match frame {
            Ok(Frame::Data(bytes)) => text.extend_from_slice(&bytes),
            Ok(Frame::Trailers(trailers)) => {
                for (name, value) in &trailers {
                    text.extend_from_slice(format!("|{name}={}", value.to_str().unwrap()).as_bytes());
                }
            }
            Err(error) => {
                let status = StatusCode::from_u16(error.reason().status()).unwrap();
                return Response::new(status, Body::full(error.detail().to_owned()));
            }
        }
    }
    Response::new(StatusCode::OK, Body::full(text))
}

/// Answers 200 at once without looking at the body.
pub async fn ok(_request: Request) -> Response {
    Response::new(StatusCode::OK, Body::full("ok"))
}

/// A body of frames that are all ready.
pub struct Frames(pub std::collections::VecDeque<Result<Frame, Error>>);

impl Source for Frames {
    fn poll_frame(
        &mut self,
        _cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame, Error>>> {
        std::task::Poll::Ready(self.0.pop_front())
    }
}

pub fn frames(size: Size, frames: impl IntoIterator<Item = Result<Frame, Error>>) -> Body {
    Body::source(size, Box::new(Frames(frames.into_iter().collect())))
}

pub fn data(text: &'static str) -> Result<Frame, Error> {
    Ok(Frame::Data(Bytes::from_static(text.as_bytes())))
}

/// The body of a single response.
pub fn body_of(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}

/// How many responses, interim ones too, there are in `answer`.
pub fn responses(answer: &str) -> usize {
    answer.matches("HTTP/1.").count()
}
