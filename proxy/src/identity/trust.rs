//! Judges a peer's certificate chain by a validation context.
//!
//! With trust domains, a root only vouches for SPIFFE IDs of its own domain (SPIFFE Federation §5.1); roots of
//! several domains are never merged.

use std::collections::BTreeMap;

use rustls::{CertificateError, OtherError};
use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use webpki::{
    CertRevocationList, EndEntityCert, KeyUsage, OwnedCertRevocationList, RevocationCheckDepth,
    RevocationOptionsBuilder, UnknownStatusPolicy,
};
use x509_parser::prelude::{FromDer, X509Certificate};
use xds::model::{SanMatcher, ValidationContext};

use super::variables::Variables;
use super::{names, pem, svid};

/// A compiled validation context (or several that must all hold).
#[derive(Debug)]
pub(super) struct Trust {
    roots: Roots,
    revocation_lists: Vec<CertRevocationList<'static>>,
    /// For each context with names: at least one must match.
    names: Vec<Vec<SanMatcher>>,
    certificate_hashes: Vec<[u8; 32]>,
    spki_hashes: Vec<[u8; 32]>,
    allow_expired: bool,
    accept_untrusted: bool,
}

#[derive(Debug)]
enum Roots {
    /// Nobody is asked to be signed.
    None,
    /// Any of these.
    Any(Vec<TrustAnchor<'static>>),
    /// By trust domain.
    ByDomain(BTreeMap<String, Vec<TrustAnchor<'static>>>),
}

/// Whether the peer acts as a client or a server; its extended key usage must allow it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Role {
    Client,
    Server,
}

/// A refusal that rustls carries to the log: which id came, which are accepted.
#[derive(Debug)]
struct Refused(String);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

fn refused(text: String) -> rustls::Error {
    let other = OtherError(std::sync::Arc::new(Refused(text)));
    rustls::Error::InvalidCertificate(CertificateError::Other(other))
}

impl Trust {
    /// Compiles `contexts`, all of which must hold; roots of the last that has any are used.
    pub(super) fn build(contexts: &[&ValidationContext], variables: &Variables) -> Result<Self, String> {
        let mut trust = Self {
            roots: Roots::None,
            revocation_lists: Vec::new(),
            names: Vec::new(),
            certificate_hashes: Vec::new(),
            spki_hashes: Vec::new(),
            allow_expired: false,
            accept_untrusted: false,
        };
        for context in contexts {
            trust.add(context, variables)?;
        }
        Ok(trust)
    }

    /// The same, with the field's name in the error.
    pub(super) fn of_context(contexts: &[&ValidationContext], variables: &Variables) -> Result<Self, String> {
        Self::build(contexts, variables).map_err(|reason| format!("validation_context: {reason}"))
    }

    fn add(&mut self, context: &ValidationContext, variables: &Variables) -> Result<(), String> {
        if !context.trust_domains.is_empty() {
            let mut domains = BTreeMap::new();
            for (domain, bundle) in &context.trust_domains {
                domains.insert(domain.clone(), anchors(&pem::certificates(bundle, variables)?)?);
            }
            self.roots = Roots::ByDomain(domains);
        } else if let Some(roots) = &context.trusted_ca {
            self.roots = Roots::Any(anchors(&pem::certificates(roots, variables)?)?);
        }
        if let Some(crl) = &context.crl {
            for list in pem::revocation_lists(crl, variables)? {
                let owned = OwnedCertRevocationList::from_der(&list)
                    .map_err(|error| format!("{}: {error}", pem::place(crl)))?;
                self.revocation_lists.push(owned.into());
            }
        }
        if !context.subject_alt_names.is_empty() {
            self.names.push(context.subject_alt_names.clone());
        }
        self.certificate_hashes.extend(&context.certificate_hashes);
        self.spki_hashes.extend(&context.spki_hashes);
        self.allow_expired |= context.allow_expired_certificate;
        self.accept_untrusted |= context.accept_untrusted;
        Ok(())
    }

    /// Whether the peer that showed this chain is accepted in `role` at `now`.
    pub(super) fn judge(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        role: Role,
        now: UnixTime,
    ) -> Result<(), rustls::Error> {
        let malformed = |_| rustls::Error::InvalidCertificate(CertificateError::BadEncoding);
        let (_, parsed) = X509Certificate::from_der(leaf).map_err(|error| refused(error.to_string()))?;
        let chain = self.judge_chain(leaf, &parsed, intermediates, role, now, malformed);
        if !self.accept_untrusted {
            chain?;
        }
        self.judge_hashes(leaf, &parsed)?;
        self.names.iter().try_for_each(|accepted| names::judge(&parsed, accepted).map_err(refused))
    }

    fn judge_chain(
        &self,
        leaf: &CertificateDer<'_>,
        parsed: &X509Certificate<'_>,
        intermediates: &[CertificateDer<'_>],
        role: Role,
        now: UnixTime,
        malformed: impl Fn(webpki::Error) -> rustls::Error,
    ) -> Result<(), rustls::Error> {
        let anchors = match &self.roots {
            Roots::None => return Ok(()),
            Roots::Any(anchors) => anchors,
            Roots::ByDomain(domains) => {
                let id = svid::spiffe_id(parsed).map_err(refused)?;
                domains.get(id.trust_domain()).ok_or_else(|| {
                    let known: Vec<_> = domains.keys().map(String::as_str).collect();
                    refused(format!("{id} is of an unknown trust domain; known: {}", known.join(", ")))
                })?
            }
        };
        let end_entity = EndEntityCert::try_from(leaf).map_err(malformed)?;
        let usage = match role {
            Role::Client => KeyUsage::client_auth(),
            Role::Server => KeyUsage::server_auth(),
        };
        let lists: Vec<&CertRevocationList<'_>> = self.revocation_lists.iter().collect();
        let revocation = RevocationOptionsBuilder::new(&lists).ok().map(|builder| {
            builder
                .with_depth(RevocationCheckDepth::Chain)
                .with_status_policy(UnknownStatusPolicy::Allow)
                .build()
        });
        let at = if self.allow_expired { no_later_than_the_end(parsed, now) } else { now };
        end_entity
            .verify_for_usage(
                webpki::ALL_VERIFICATION_ALGS,
                anchors,
                intermediates,
                at,
                usage,
                revocation,
                None,
            )
            .map(drop)
            .map_err(chain_error)
    }

    fn judge_hashes(
        &self,
        leaf: &CertificateDer<'_>,
        parsed: &X509Certificate<'_>,
    ) -> Result<(), rustls::Error> {
        if self.certificate_hashes.is_empty() && self.spki_hashes.is_empty() {
            return Ok(());
        }
        let sha256 = |bytes: &[u8]| aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
        let (certificate, key) = (sha256(leaf), sha256(parsed.public_key().raw));
        let pinned = self.certificate_hashes.iter().any(|hash| hash == certificate.as_ref())
            || self.spki_hashes.iter().any(|hash| hash == key.as_ref());
        if pinned { Ok(()) } else { Err(refused("the certificate matches no pinned hash".to_owned())) }
    }
}

fn no_later_than_the_end(parsed: &X509Certificate<'_>, now: UnixTime) -> UnixTime {
    let end = u64::try_from(parsed.validity().not_after.timestamp()).unwrap_or(0);
    UnixTime::since_unix_epoch(std::time::Duration::from_secs(now.as_secs().min(end)))
}

fn anchors(certificates: &[CertificateDer<'_>]) -> Result<Vec<TrustAnchor<'static>>, String> {
    let anchor = |certificate| webpki::anchor_from_trusted_cert(certificate).map(|anchor| anchor.to_owned());
    let anchors: Result<_, _> = certificates.iter().map(anchor).collect();
    anchors.map_err(|error| format!("a root certificate cannot be used: {error}"))
}

fn chain_error(error: webpki::Error) -> rustls::Error {
    use webpki::Error as W;
    let reason = match error {
        W::CertExpired { .. } => CertificateError::Expired,
        W::CertNotValidYet { .. } => CertificateError::NotValidYet,
        W::CertRevoked => CertificateError::Revoked,
        W::UnknownIssuer => CertificateError::UnknownIssuer,
        W::InvalidSignatureForPublicKey => CertificateError::BadSignature,
        other => return refused(format!("the certificate chain is not valid: {other}")),
    };
    rustls::Error::InvalidCertificate(reason)
}
