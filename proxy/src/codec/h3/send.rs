//! Our [`Body`] into an HTTP/3 stream's outgoing half.
//!
//! One rule: the body is polled only when all it gave before was taken, so that the peer's window and what waits for its
//! acknowledgement hold the body's source back.

use bytes::Bytes;
use h3::error::Code;
use h3::server::RequestStream;

use super::fault;
use super::transport::Outgoing;
use crate::body::{Body, Frame};
use crate::error::{Error, Reason};

/// Why a body was not sent whole.
#[derive(Debug)]
pub enum Unsent {
    /// The body itself failed; the stream was reset for it.
    Body(Error),
    /// The client stopped the stream, or the connection ended.
    Peer(Error),
}

/// Sends all of `body` and ends the stream. Dropping this future resets it.
///
/// # Errors
/// Which side kept the body from being sent whole.
pub async fn send(mut body: Body, stream: &mut RequestStream<Outgoing<Bytes>, Bytes>) -> Result<(), Unsent> {
    let gone = |why: h3::error::StreamError| Unsent::Peer(fault::error(&why));
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(Frame::Data(bytes)) if bytes.is_empty() => {}
            Ok(Frame::Data(bytes)) => stream.send_data(bytes).await.map_err(gone)?,
            Ok(Frame::Trailers(trailers)) => stream.send_trailers(trailers.into()).await.map_err(gone)?,
            Err(why) => {
                stream.stop_stream(reset_code(&why));
                return Err(Unsent::Body(why));
            }
        }
    }
    stream.finish().await.map_err(gone)
}

/// Only who broke the protocol is told so. Never H3_NO_ERROR, which could be taken for a message that is whole.
fn reset_code(why: &Error) -> Code {
    match why.reason() {
        Reason::DownstreamProtocol => Code::H3_MESSAGE_ERROR,
        Reason::DownstreamClosed => Code::H3_REQUEST_CANCELLED,
        Reason::UpstreamRefused | Reason::Draining => Code::H3_REQUEST_REJECTED,
        _ => Code::H3_INTERNAL_ERROR,
    }
}
