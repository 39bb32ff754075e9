//! What can be wrong with a peer's bytes. The side that read them turns a fault into its own reason.

use http::StatusCode;

use crate::error::{Error, Reason};

/// Bytes that are refused, with what was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Not valid HTTP/1.1, or open to two readings.
    Malformed(&'static str),
    /// A transfer coding that is not served here (RFC 9112 §6.1).
    UnknownCoding,
    /// A head or trailer section over its limit.
    TooLarge(&'static str),
    /// A version that is not served: HTTP/1.0 where it is not accepted, HTTP/2 without its preface.
    Version(&'static str),
}

impl Fault {
    /// What was found, for the log.
    #[must_use]
    pub fn detail(self) -> &'static str {
        match self {
            Self::Malformed(detail) | Self::TooLarge(detail) | Self::Version(detail) => detail,
            Self::UnknownCoding => "transfer-encoding is not exactly chunked",
        }
    }

    /// The status that a client is answered with, as Envoy's codec answers.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::UnknownCoding => StatusCode::NOT_IMPLEMENTED,
            Self::TooLarge(_) => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::Version(_) => StatusCode::UPGRADE_REQUIRED,
        }
    }

    /// The fault as a client's.
    #[must_use]
    pub fn downstream(self) -> Error {
        let reason = match self {
            Self::Malformed(_) | Self::UnknownCoding => Reason::DownstreamProtocol,
            Self::TooLarge(_) => Reason::RequestHeadTooLarge,
            Self::Version(_) => Reason::VersionNotSupported,
        };
        Error::new(reason, self.detail())
    }

    /// The fault as an upstream's.
    #[must_use]
    pub fn upstream(self) -> Error {
        Error::new(Reason::UpstreamProtocol, self.detail())
    }
}
