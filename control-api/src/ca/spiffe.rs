//! SPIFFE IDs: who somebody is, as their certificate says it.
//!
//! One rule: an ID is parsed by the SPIFFE rules or not at all; no prefix games on strings.

use std::fmt;

use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::limits;
use crate::resource::name;

/// A SPIFFE ID, for example `spiffe://tombolo.local/site/fra/gateway`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpiffeId {
    trust_domain: String,
    path: String,
}

impl SpiffeId {
    /// The ID of a site's gateway.
    pub fn gateway(trust_domain: &str, site: &str) -> Self {
        Self { trust_domain: trust_domain.into(), path: format!("/site/{site}/gateway") }
    }

    /// The ID of the control API.
    pub fn control(trust_domain: &str) -> Self {
        Self { trust_domain: trust_domain.into(), path: "/control".into() }
    }

    /// Reads an ID (SPIFFE ID, section 2); the reason is for whoever presented it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let refuse = |reason: &str| format!("{text:?} is not a SPIFFE ID: {reason}");
        if text.len() > limits::SPIFFE_ID_BYTES_MAX {
            return Err("a SPIFFE ID has at most 2048 bytes".into());
        }
        let rest = text.strip_prefix("spiffe://").ok_or_else(|| refuse("it begins with spiffe://"))?;
        let slash = rest.find('/').unwrap_or(rest.len());
        let (trust_domain, path) = rest.split_at(slash);
        name::check_trust_domain("", trust_domain).map_err(|e| refuse(&e.message))?;
        let segment_is_good = |segment: &str| {
            !matches!(segment, "" | "." | "..")
                && segment.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
        };
        if !path.is_empty() && !path[1..].split('/').all(segment_is_good) {
            return Err(refuse("its path has a segment that is empty, relative or not of [a-zA-Z0-9.-_]"));
        }
        Ok(Self { trust_domain: trust_domain.into(), path: path.into() })
    }

    /// The ID in a certificate: its only URI name (X.509-SVID, section 2).
    pub fn of_certificate(der: &[u8]) -> Result<Self, String> {
        let (_, certificate) =
            X509Certificate::from_der(der).map_err(|e| format!("the certificate is not X.509: {e}"))?;
        let names = certificate
            .subject_alternative_name()
            .map_err(|e| format!("the certificate's names cannot be read: {e}"))?;
        let mut uris = names.iter().flat_map(|n| &n.value.general_names).filter_map(|n| match n {
            GeneralName::URI(uri) => Some(*uri),
            _ => None,
        });
        match (uris.next(), uris.next()) {
            (Some(uri), None) => Self::parse(uri),
            (None, _) => Err("the certificate has no SPIFFE ID".into()),
            (Some(_), Some(_)) => Err("the certificate has more than one URI name".into()),
        }
    }

    /// The trust domain.
    pub fn trust_domain(&self) -> &str {
        &self.trust_domain
    }

    /// The site whose gateway this is, if it is one's.
    pub fn gateway_site(&self) -> Option<&str> {
        let site = self.path.strip_prefix("/site/")?.strip_suffix("/gateway")?;
        name::check_label("", site).ok().map(|()| site)
    }
}

impl fmt::Display for SpiffeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "spiffe://{}{}", self.trust_domain, self.path)
    }
}
