//! What an error of the `h2` crate means for the request path, depending on who stands at the other end.

use h2::Reason as Code;

use crate::error::{Error, Reason};

/// Who stands at the other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// A client; the proxy is the server.
    Client,
    /// A backend; the proxy is the client.
    Server,
}

/// The request path's error for an error that `h2` reports about `peer`.
///
/// A remote GOAWAY reaches only streams above its last stream id (RFC 9113 §6.8), so towards a backend it
/// means that the request was not processed and may be sent again.
#[must_use]
pub fn error(peer: Peer, error: &h2::Error) -> Error {
    let reason = match peer {
        Peer::Client => client_fault(error),
        Peer::Server => server_fault(error),
    };
    Error::new(reason, format!("http/2: {error}"))
}

fn client_fault(error: &h2::Error) -> Reason {
    if error.is_io() || error.is_remote() {
        Reason::DownstreamClosed
    } else if error.is_library() {
        Reason::DownstreamProtocol
    } else {
        bare_fault(error, Reason::DownstreamClosed)
    }
}

fn server_fault(error: &h2::Error) -> Reason {
    if error.is_io() {
        Reason::UpstreamClosed
    } else if error.is_library() {
        Reason::UpstreamProtocol
    } else if error.is_remote() && (error.is_go_away() || error.reason() == Some(Code::REFUSED_STREAM)) {
        Reason::UpstreamRefused
    } else if error.is_remote() {
        Reason::UpstreamReset
    } else {
        bare_fault(error, Reason::UpstreamReset)
    }
}

/// An error without an initiator: a bare reset code, or a call that the stream's state does not allow, which
/// is a bug here.
fn bare_fault(error: &h2::Error, reset: Reason) -> Reason {
    match error.reason() {
        Some(Code::REFUSED_STREAM) if reset == Reason::UpstreamReset => Reason::UpstreamRefused,
        Some(_) => reset,
        None => Reason::Internal,
    }
}

/// The RST_STREAM code that tells `peer` why a message it was receiving ends unfinished.
///
/// Never NO_ERROR, which a receiver could take for a complete message.
#[must_use]
pub fn reset_code(peer: Peer, error: &Error) -> Code {
    match (peer, error.reason()) {
        // Only who broke the protocol is told so; the other end did nothing wrong.
        (Peer::Client, Reason::DownstreamProtocol) | (Peer::Server, Reason::UpstreamProtocol) => {
            Code::PROTOCOL_ERROR
        }
        (Peer::Client, Reason::UpstreamRefused | Reason::Draining) => Code::REFUSED_STREAM,
        (Peer::Client, _) => Code::INTERNAL_ERROR,
        (Peer::Server, _) => Code::CANCEL,
    }
}
