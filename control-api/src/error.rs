//! Why the control API does not start.
//!
//! One rule: each says what, where, and what would help.

use std::net::SocketAddr;

use crate::ca::error::CaError;
use crate::resource::invalid::Invalid;
use crate::store::error::StoreError;

/// Why the control API does not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An option has a value that cannot be.
    #[error("option {0}")]
    Option(Invalid),
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The authority, or the admin token, cannot be opened.
    #[error(transparent)]
    Ca(#[from] CaError),
    /// An address cannot be bound.
    #[error("cannot listen on {address} for {purpose}: {reason}; {remedy}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What it is for.
        purpose: &'static str,
        /// What the system said.
        reason: String,
        /// What would help.
        remedy: String,
    },
    /// TLS cannot be set up.
    #[error("cannot set up TLS: {0}")]
    Tls(String),
}
