//! Secrets (`envoy.extensions.transport_sockets.tls.v3.Secret`).

use super::{CertificateChain, PrivateKey, SecretName, ValidationContext};

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
