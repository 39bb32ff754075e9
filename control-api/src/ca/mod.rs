//! The mesh's own certificate authority: SPIFFE X.509-SVIDs for gateways and the control API.
//!
//! A gateway joins with a one-time token bound to its site and renews with the SVID that it then
//! has. SVIDs are short-lived; revoking is not renewing.
//!
//! One rule: an identity is issued for what the caller proved, never for what it asks.

pub mod error;
pub mod spiffe;

pub mod key_file;

pub mod authority;
pub mod csr;
pub mod token;

use std::net::IpAddr;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PublicKeyData, SanType,
};

use self::authority::{Files, Signer};
use self::csr::Request;
use self::error::CaError;
use self::spiffe::SpiffeId;
use crate::limits;

/// An issued identity.
#[derive(Clone, Debug)]
pub struct Svid {
    /// Who it is for.
    pub id: SpiffeId,
    /// PEM: the leaf, then the issuing certificate.
    pub chain: String,
    /// When it begins to count.
    pub not_before: SystemTime,
    /// When it ends.
    pub not_after: SystemTime,
}

impl Svid {
    /// When its holder should get the next one: half way.
    pub fn renew_at(&self, issued_at: SystemTime) -> SystemTime {
        let left = self.not_after.duration_since(issued_at).unwrap_or_default();
        issued_at + left / 2
    }
}

/// The authority.
pub struct Authority {
    trust_domain: String,
    files: Files,
    root: Signer,
    issuing: Mutex<Signer>,
    svid_ttl: Duration,
}

impl Authority {
    /// Opens the authority in `directory`, or makes one. SVIDs it issues are valid for `svid_ttl`.
    pub fn open(
        directory: &Path,
        trust_domain: &str,
        svid_ttl: Duration,
        now: SystemTime,
    ) -> Result<Self, CaError> {
        let files = Files::new(directory, trust_domain)?;
        let root = files.root(now)?;
        let issuing = match files.issuing(&root)? {
            Some(signer) if !needs_renewal(&signer, now) => signer,
            _ => files.renew_issuing(&root, now)?,
        };
        Ok(Self { trust_domain: trust_domain.into(), files, root, issuing: Mutex::new(issuing), svid_ttl })
    }

    /// The mesh's trust domain.
    pub fn trust_domain(&self) -> &str {
        &self.trust_domain
    }

    /// The root certificate, PEM: what everyone in the mesh trusts.
    pub fn bundle(&self) -> &str {
        &self.root.pem
    }

    /// When the root certificate ends.
    pub fn root_not_after(&self) -> SystemTime {
        self.root.not_after
    }

    /// When the issuing certificate ends.
    pub fn issuing_not_after(&self) -> SystemTime {
        self.issuing.lock().unwrap_or_else(PoisonError::into_inner).not_after
    }

    /// Certifies the key of a gateway's request. Blocks on the disk when the issuing certificate
    /// is renewed.
    pub fn sign_gateway(&self, request: &Request, id: &SpiffeId, now: SystemTime) -> Result<Svid, CaError> {
        request.check_asks_for(id)?;
        self.issue(&request.public_key, id, &[], now)
    }

    /// A key and an SVID for the control API itself, which is also reached by names that are no
    /// SPIFFE IDs. Answers with the SVID and the key in PEM.
    pub fn issue_control(&self, names: &[String], now: SystemTime) -> Result<(Svid, String), CaError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut sans = Vec::new();
        for name in names {
            sans.push(match name.parse::<IpAddr>() {
                Ok(address) => SanType::IpAddress(address),
                Err(_) => SanType::DnsName(name.as_str().try_into()?),
            });
        }
        let svid = self.issue(&key, &SpiffeId::control(&self.trust_domain), &sans, now)?;
        Ok((svid, key.serialize_pem()))
    }

    fn issue(
        &self,
        key: &impl PublicKeyData,
        id: &SpiffeId,
        names: &[SanType],
        now: SystemTime,
    ) -> Result<Svid, CaError> {
        let mut issuing = self.issuing.lock().unwrap_or_else(PoisonError::into_inner);
        if needs_renewal(&issuing, now) {
            *issuing = self.files.renew_issuing(&self.root, now)?;
        }
        let now = whole_second(now);
        let (not_before, not_after) = (now - limits::CLOCK_SKEW, now + self.svid_ttl);
        let mut params = CertificateParams::default();
        let mut subject = DistinguishedName::new();
        subject.push(DnType::OrganizationName, "Tombolo");
        params.distinguished_name = subject;
        params.subject_alt_names = vec![SanType::URI(id.to_string().as_str().try_into()?)];
        params.subject_alt_names.extend_from_slice(names);
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        params.not_before = not_before.into();
        params.not_after = not_after.into();
        params.serial_number = Some(authority::serial());
        params.use_authority_key_identifier_extension = true;
        let leaf = params.signed_by(key, &issuing.issuer)?;
        let chain = format!("{}{}", leaf.pem(), issuing.pem);
        Ok(Svid { id: id.clone(), chain, not_before, not_after })
    }
}

/// An SVID must never outlive the certificate that signed it.
fn needs_renewal(signer: &Signer, now: SystemTime) -> bool {
    let left = signer.not_after.duration_since(now).unwrap_or_default();
    left < limits::ISSUING_TTL / 3
}

/// Certificates count whole seconds.
fn whole_second(at: SystemTime) -> SystemTime {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_secs(since.as_secs())
}

#[cfg(test)]
mod tests;
