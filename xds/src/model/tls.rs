//! TLS on either side (`envoy.extensions.transport_sockets.tls.v3`).

use super::{CertificateChain, ConfigSource, DataSource, PrivateKey, SecretName, StringMatcher};

/// TLS for connections that a listener accepts (`DownstreamTlsContext`).
#[derive(Debug, Clone, PartialEq)]
pub struct DownstreamTls {
    /// Shared settings; `certificates` is never empty.
    pub common: CommonTls,
    /// Whether a client without a certificate is refused.
    pub require_client_certificate: bool,
    /// Whether session resumption by tickets is off.
    pub disable_stateless_session_resumption: bool,
    /// Whether session resumption by a server-side cache is off.
    pub disable_stateful_session_resumption: bool,
}

/// TLS for connections to endpoints (`UpstreamTlsContext`).
#[derive(Debug, Clone, PartialEq)]
pub struct UpstreamTls {
    /// Shared settings.
    pub common: CommonTls,
    /// The server name to ask for; empty sends none (unless `auto_host_sni`).
    pub sni: String,
    /// Whether the endpoint's hostname is the server name to ask for.
    pub auto_host_sni: bool,
    /// Whether the peer's certificate must be valid for the server name asked for.
    pub auto_sni_san_validation: bool,
}

/// What both sides share (`CommonTlsContext`).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CommonTls {
    /// Our certificates, each with its key.
    pub certificates: Vec<CertificateSource>,
    /// How the peer is judged; `None`: it is not.
    pub validation: Option<ValidationSource>,
    /// Protocols offered (client) or preferred (server), in order.
    pub alpn_protocols: Vec<String>,
    /// Lowest version; `None` is TLS 1.2.
    pub minimum_version: Option<TlsVersion>,
    /// Highest version; `None` is TLS 1.3.
    pub maximum_version: Option<TlsVersion>,
    /// Cipher suites for TLS 1.2 by OpenSSL name; empty: the library's choice.
    pub cipher_suites: Vec<String>,
    /// Key exchange groups by name; empty: the library's choice.
    pub ecdh_curves: Vec<String>,
}

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TlsVersion {
    /// RFC 5246.
    Tls12,
    /// RFC 8446.
    Tls13,
}

/// Where a certificate and its key come from.
#[derive(Debug, Clone, PartialEq)]
pub enum CertificateSource {
    /// In the resource.
    Inline {
        /// The chain.
        chain: CertificateChain,
        /// Its key.
        key: PrivateKey,
    },
    /// A secret by name; `source` is `None` for a static secret of the bootstrap (or the proxy's own SVID).
    Secret {
        /// Its name.
        name: SecretName,
        /// Where it is fetched.
        source: Option<ConfigSource>,
    },
}

/// Where the rules for judging a peer come from.
#[derive(Debug, Clone, PartialEq)]
pub enum ValidationSource {
    /// In the resource.
    Inline(ValidationContext),
    /// A secret.
    Secret {
        /// Its name.
        name: SecretName,
        /// Where it is fetched; `None`: a static secret.
        source: Option<ConfigSource>,
        /// Rules that hold besides the secret's (`combined_validation_context`).
        with: Option<Box<ValidationContext>>,
    },
}

/// How a peer's certificate is judged (`CertificateValidationContext`).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ValidationContext {
    /// PEM roots that may sign it, when no trust domains are given.
    pub trusted_ca: Option<DataSource>,
    /// PEM roots by SPIFFE trust domain (`SPIFFECertValidatorConfig`): a root only vouches for its own domain.
    pub trust_domains: Vec<(String, DataSource)>,
    /// At least one must match when there are any.
    pub subject_alt_names: Vec<SanMatcher>,
    /// SHA-256 of the DER certificate; at least one of these or of `spki` must match when there are any.
    pub certificate_hashes: Vec<[u8; 32]>,
    /// SHA-256 of the DER public key.
    pub spki_hashes: Vec<[u8; 32]>,
    /// PEM certificate revocation lists.
    pub crl: Option<DataSource>,
    /// Whether certificates past their end are still accepted.
    pub allow_expired_certificate: bool,
    /// Whether a peer that fails is accepted all the same (`ACCEPT_UNTRUSTED`).
    pub accept_untrusted: bool,
}

/// A test on one kind of subject alternative name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SanMatcher {
    /// Which names are tested.
    pub san_type: SanType,
    /// The test.
    pub matcher: StringMatcher,
}

/// Kinds of subject alternative names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SanType {
    /// Mail address.
    Email,
    /// DNS name.
    Dns,
    /// URI, as SPIFFE IDs are.
    Uri,
    /// IP address in text form.
    IpAddress,
    /// Any of them (the deprecated `match_subject_alt_names`).
    Any,
}
