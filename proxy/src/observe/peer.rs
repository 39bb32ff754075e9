//! What a verified peer certificate says, for logs and `x-forwarded-client-cert`.

/// A verified peer certificate, read once at the handshake.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PeerCertificate {
    /// Subject in RFC 2253 form.
    pub subject: String,
    /// Issuer in RFC 2253 form.
    pub issuer: String,
    /// Serial number, lower-case hexadecimal.
    pub serial: String,
    /// SHA-256 of the DER form, lower-case hexadecimal.
    pub sha256: String,
    /// URI SANs (SPIFFE IDs among them).
    pub uri_sans: Vec<String>,
    /// DNS SANs.
    pub dns_sans: Vec<String>,
    /// The certificate in PEM.
    pub pem: String,
    /// The certificate and what it was sent with, in PEM, leaf first.
    pub chain_pem: String,
}
