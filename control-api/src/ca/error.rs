//! What can go wrong with identities.
//!
//! One rule: no message ever holds a key or a token.

use std::path::PathBuf;

/// Why an identity was not issued, or the authority not opened.
#[derive(Debug, thiserror::Error)]
pub enum CaError {
    /// A file of the authority cannot be read or written.
    #[error("cannot {action} {path:?}: {reason}")]
    File {
        /// What was attempted.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// A file of the authority does not hold what it should.
    #[error(
        "{path:?} {reason}; restore it from a backup, or move the directory away to begin with a new authority"
    )]
    Broken {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
    /// A key can be read by others.
    #[error("{path:?} has mode {mode:o}: others can read the authority's key; chmod 600 it")]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The signing request is not acceptable.
    #[error("the signing request is not acceptable: {0}")]
    Request(String),
    /// The crypto library refused.
    #[error("cannot make the certificate: {0}")]
    Crypto(#[from] rcgen::Error),
}
