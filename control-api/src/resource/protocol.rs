//! The protocols of services.
//!
//! One rule: what follows from a protocol is asked here, not decided anew elsewhere.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a service's instances speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// HTTP/1.1.
    Http,
    /// HTTP/2, with prior knowledge when plain.
    Http2,
    /// gRPC over HTTP/2.
    Grpc,
    /// Bytes.
    Tcp,
}

impl Protocol {
    /// Whether requests of it can be routed by host and path.
    pub fn is_http(self) -> bool {
        !matches!(self, Self::Tcp)
    }

    /// Whether its connections carry HTTP/2.
    pub fn is_http2(self) -> bool {
        matches!(self, Self::Http2 | Self::Grpc)
    }
}
