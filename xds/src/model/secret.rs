//! Secrets (`envoy.extensions.transport_sockets.tls.v3.Secret`). Keys are never printed.

use std::fmt;

use super::{DataSource, SecretName, ValidationContext};

/// A secret.
#[derive(Debug, Clone, PartialEq)]
pub struct Secret {
    /// Its name.
    pub name: SecretName,
    /// What it holds.
    pub kind: SecretKind,
}

/// What a secret holds.
#[derive(Debug, Clone, PartialEq)]
pub enum SecretKind {
    /// A certificate with its key.
    TlsCertificate {
        /// PEM, leaf first.
        chain: CertificateChain,
        /// PEM.
        key: PrivateKey,
    },
    /// Rules for judging peers.
    ValidationContext(Box<ValidationContext>),
}

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
