//! A certificate chain and its key, by where they stand. Keys are never printed.

use std::fmt;

use super::DataSource;

/// Where a PEM certificate chain stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CertificateChain(pub DataSource);

/// Where a PEM private key stands.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PrivateKey(pub DataSource);

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PrivateKey(redacted)")
    }
}
