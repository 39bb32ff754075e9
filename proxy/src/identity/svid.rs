//! SPIFFE IDs and X.509-SVIDs (SPIFFE-ID and X509-SVID standards).

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

/// A SPIFFE ID: `spiffe://trust-domain/path`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpiffeId {
    uri: String,
    domain_len: usize,
}

const SCHEME: &str = "spiffe://";

/// Longest SPIFFE ID in bytes (SPIFFE-ID §2.4).
const ID_BYTES_MAX: usize = 2048;

/// Longest trust domain name in bytes (SPIFFE-ID §2.4).
const DOMAIN_BYTES_MAX: usize = 255;

impl SpiffeId {
    /// Parses `uri` by the rules of SPIFFE-ID §2.
    ///
    /// # Errors
    /// Which rule it breaks.
    pub fn parse(uri: &str) -> Result<Self, String> {
        let refuse = |why: &str| Err(format!("{uri:?} is not a SPIFFE ID: {why}"));
        let Some(rest) = uri.strip_prefix(SCHEME) else { return refuse("it does not begin with spiffe://") };
        if uri.len() > ID_BYTES_MAX {
            return refuse("it is longer than 2048 bytes");
        }
        let (domain, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if !is_trust_domain(domain) {
            return refuse("its trust domain must be 1 to 255 of a-z 0-9 . - _");
        }
        let segment_ok = |segment: &str| {
            !matches!(segment, "" | "." | "..")
                && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte))
        };
        if !path.is_empty() && !path[1..].split('/').all(segment_ok) {
            return refuse("a path segment is empty, relative, or not of a-z A-Z 0-9 . - _");
        }
        Ok(Self { uri: uri.to_owned(), domain_len: domain.len() })
    }

    /// The trust domain's name.
    #[must_use]
    pub fn trust_domain(&self) -> &str {
        &self.uri[SCHEME.len()..SCHEME.len() + self.domain_len]
    }

    /// The whole URI.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.uri
    }
}

impl fmt::Display for SpiffeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.uri)
    }
}

/// Whether `name` may name a trust domain.
#[must_use]
pub fn is_trust_domain(name: &str) -> bool {
    (1..=DOMAIN_BYTES_MAX).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-_".contains(&b))
}

/// The one SPIFFE ID of a certificate: exactly one URI SAN, and it is a SPIFFE ID (X509-SVID §2).
///
/// # Errors
/// What the certificate has instead.
pub fn spiffe_id(certificate: &X509Certificate<'_>) -> Result<SpiffeId, String> {
    let uris = uri_sans(certificate);
    match uris.as_slice() {
        [uri] => SpiffeId::parse(uri),
        [] => Err("the certificate has no URI in its subject alternative names".to_owned()),
        many => Err(format!("the certificate has {} URIs in its subject alternative names", many.len())),
    }
}

fn uri_sans<'a>(certificate: &'a X509Certificate<'_>) -> Vec<&'a str> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else { return Vec::new() };
    let names = extension.value.general_names.iter();
    names
        .filter_map(|name| match name {
            GeneralName::URI(uri) => Some(*uri),
            _ => None,
        })
        .collect()
}

/// How long a certificate is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// Not before.
    pub from: SystemTime,
    /// Not after.
    pub until: SystemTime,
}

impl Validity {
    /// Of a DER certificate.
    ///
    /// # Errors
    /// When it is not a certificate.
    pub fn of(der: &[u8]) -> Result<Self, String> {
        let (_, certificate) = X509Certificate::from_der(der).map_err(|error| error.to_string())?;
        let at = |seconds: i64| UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
        let validity = certificate.validity();
        Ok(Self { from: at(validity.not_before.timestamp()), until: at(validity.not_after.timestamp()) })
    }

    /// The middle of its life: when to renew.
    #[must_use]
    pub fn half_life(&self) -> SystemTime {
        self.from + self.until.duration_since(self.from).unwrap_or_default() / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spiffe_id_knows_its_trust_domain() {
        let id = SpiffeId::parse("spiffe://prod.example/site/fra").unwrap();
        assert_eq!(id.trust_domain(), "prod.example");
        assert_eq!(SpiffeId::parse("spiffe://prod.example").unwrap().trust_domain(), "prod.example");
    }

    #[test]
    fn ids_that_break_a_rule_are_refused() {
        for bad in [
            "http://a/b",
            "spiffe://",
            "spiffe:///x",
            "spiffe://A/b",
            "spiffe://a//b",
            "spiffe://a/b/",
            "spiffe://a/../b",
            "spiffe://a:80/b",
            "spiffe://u@a/b",
            "spiffe://a/b?c",
            "spiffe://a/%41",
        ] {
            assert!(SpiffeId::parse(bad).is_err(), "{bad} was accepted");
        }
    }
}
