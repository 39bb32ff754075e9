//! TLS on either side (`envoy.extensions.transport_sockets.tls.v3`).

use super::tls_params::{CipherSuite, KeyExchange, SignatureAlgorithm};
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
    /// Cipher suites for TLS 1.2, the preferred first; empty: the library's choice.
    pub cipher_suites: Vec<CipherSuite>,
    /// Key exchange groups, the preferred first; empty: the library's choice.
    pub ecdh_curves: Vec<KeyExchange>,
    /// How either side may prove its certificate, the preferred first; empty: the library's choice.
    pub signature_algorithms: Vec<SignatureAlgorithm>,
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
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SanType {
    /// Mail address.
    Email,
    /// DNS name.
    Dns,
    /// URI, as SPIFFE IDs are.
    Uri,
    /// IP address in text form.
    IpAddress,
    /// A name of a type beyond these, told by its object identifier.
    OtherName(ObjectIdentifier),
    /// Any of them but other names (the deprecated `match_subject_alt_names`).
    Any,
}

/// An object identifier in dotted form, as `1.3.6.1.4.1.311.20.2.3`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectIdentifier(String);

impl ObjectIdentifier {
    /// Parses the dotted form: at least two numbers without leading zeros, the first at most 2, and the second
    /// below 40 where the first is not 2 (X.660).
    ///
    /// # Errors
    /// When `text` is none.
    pub fn parse(text: &str) -> Result<Self, String> {
        let arcs: Vec<&str> = text.split('.').collect();
        let is_number = |arc: &&str| {
            !arc.is_empty()
                && arc.bytes().all(|b| b.is_ascii_digit())
                && (arc.len() == 1 || !arc.starts_with('0'))
        };
        let is_root = match arcs.as_slice() {
            ["0" | "1", second, ..] => second.parse::<u8>().is_ok_and(|second| second < 40),
            ["2", _, ..] => true,
            _ => false,
        };
        if is_root && arcs.iter().all(is_number) {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!("{text:?} is not an object identifier; accepted: numbers and dots, as 1.3.6.1.5.2.2"))
        }
    }

    /// The dotted form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_identifier_is_numbers_and_dots_as_x660_has_them() {
        for good in ["1.3.6.1.4.1.311.20.2.3", "2.999.3", "1.2", "0.39"] {
            assert_eq!(ObjectIdentifier::parse(good).map(|oid| oid.0), Ok(good.to_owned()));
        }
        for bad in ["", "1", "3.1", "1.40", "01.2", "1.2.03", "1.2.", "1..2", "msUPN", "1.2.-3", "1.+2"] {
            assert!(ObjectIdentifier::parse(bad).is_err(), "{bad:?} was accepted");
        }
    }
}
