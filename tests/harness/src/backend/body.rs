//! The bodies that a backend answers with: whole, streamed, or broken off.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;

/// The body of any answer.
pub type Body = UnsyncBoxBody<Bytes, io::Error>;

const CHUNK_BYTES: u64 = 64 * 1024;

pub(super) fn full(bytes: Vec<u8>) -> Body {
    Full::new(Bytes::from(bytes)).map_err(|never: Infallible| match never {}).boxed_unsync()
}

#[derive(Clone, Copy)]
pub(super) enum Ending {
    Whole,
    Trailers,
    Broken,
}

/// A message of gRPC for each length, and trailers that say that all went well.
pub(super) fn messages(lengths: Vec<u32>) -> Body {
    let message = |length: u32| {
        let mut message = vec![0];
        message.extend_from_slice(&length.to_be_bytes());
        message.resize(message.len() + length as usize, b'm');
        Frame::data(Bytes::from(message))
    };
    let trailers = [("grpc-status", "0"), ("x-sum", "1")];
    let trailers =
        trailers.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
    let frames = lengths.into_iter().map(message).chain([Frame::trailers(trailers.into_iter().collect())]);
    StreamBody::new(futures_util::stream::iter(frames.map(Ok).collect::<Vec<_>>())).boxed_unsync()
}

/// `bytes` of the letter x in chunks, made as they are asked for.
pub(super) fn stream(bytes: u64, ending: Ending) -> Body {
    let chunks = futures_util::stream::unfold((bytes, false), move |(left, ended)| async move {
        if left > 0 {
            let now = left.min(CHUNK_BYTES);
            let data = Bytes::from_static(&[b'x'; CHUNK_BYTES as usize]).slice(..now as usize);
            return Some((Ok(Frame::data(data)), (left - now, false)));
        }
        if ended {
            return None;
        }
        match ending {
            Ending::Whole => None,
            Ending::Trailers => {
                let trailers = [(HeaderName::from_static("x-checksum"), HeaderValue::from_static("abc"))];
                Some((Ok(Frame::trailers(trailers.into_iter().collect())), (0, true)))
            }
            Ending::Broken => {
                // What was written so far must have left before the connection breaks.
                tokio::time::sleep(Duration::from_millis(50)).await;
                Some((Err(io::Error::other("broken as asked")), (0, true)))
            }
        }
    });
    StreamBody::new(chunks).boxed_unsync()
}
