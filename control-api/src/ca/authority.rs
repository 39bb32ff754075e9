//! The authority's own certificates: a root that only signs the issuing one, which signs SVIDs.
//!
//! One rule: the root's key is used to renew the issuing certificate and for nothing else.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, SanType, SerialNumber,
};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::error::CaError;
use super::key_file;
use super::spiffe::SpiffeId;
use crate::limits;

/// A certificate that may sign others, with its key.
pub struct Signer {
    /// Signs.
    pub issuer: Issuer<'static, KeyPair>,
    /// The certificate.
    pub pem: String,
    /// When it ends.
    pub not_after: SystemTime,
}

/// The files of the authority.
pub struct Files {
    directory: PathBuf,
    trust_domain: String,
}

impl Files {
    /// The authority's files in `directory`, which is made if it does not exist.
    pub fn new(directory: &Path, trust_domain: &str) -> Result<Self, CaError> {
        key_file::make_private_directory(directory)?;
        Ok(Self { directory: directory.to_path_buf(), trust_domain: trust_domain.into() })
    }

    /// The root: the one that is there, or a new one.
    pub fn root(&self, now: SystemTime) -> Result<Signer, CaError> {
        let (key_path, pem_path) = (self.path("root.key"), self.path("root.pem"));
        match (key_path.exists(), pem_path.exists()) {
            (true, true) => {}
            (false, true) => {
                let reason = "is there without root.key".into();
                return Err(CaError::Broken { path: pem_path, reason });
            }
            // A key without its certificate is a first start that was cut off: the same key again.
            (has_key, false) => {
                if !has_key {
                    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
                    key_file::write_secret(&key_path, &key.serialize_pem())?;
                }
                let key = KeyPair::from_pem(&key_file::read_secret(&key_path)?)?;
                let params = self.params("Tombolo Root", 1, now, limits::ROOT_TTL)?;
                key_file::write_public(&pem_path, &params.self_signed(&key)?.pem())?;
            }
        }
        self.load("root")
    }

    /// The issuing certificate that is there, if it is of `root`.
    pub fn issuing(&self, root: &Signer) -> Result<Option<Signer>, CaError> {
        if !self.path("issuing.key").exists() || !self.path("issuing.pem").exists() {
            return Ok(None);
        }
        let signer = self.load("issuing")?;
        let (issuing, root) = (der(&signer.pem), der(&root.pem));
        let is_ours = X509Certificate::from_der(&issuing).is_ok_and(|(_, issuing)| {
            X509Certificate::from_der(&root)
                .is_ok_and(|(_, root)| issuing.verify_signature(Some(root.public_key())).is_ok())
        });
        Ok(is_ours.then_some(signer))
    }

    /// A new issuing certificate.
    pub fn renew_issuing(&self, root: &Signer, now: SystemTime) -> Result<Signer, CaError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let params = self.params("Tombolo Issuing", 0, now, limits::ISSUING_TTL)?;
        let certificate = params.signed_by(&key, &root.issuer)?;
        // A crash between the two leaves a pair that does not match: `load` refuses it by the key,
        // so the old key goes first and its absence means "make a new one".
        std::fs::remove_file(self.path("issuing.key")).ok();
        key_file::write_public(&self.path("issuing.pem"), &certificate.pem())?;
        key_file::write_secret(&self.path("issuing.key"), &key.serialize_pem())?;
        self.load("issuing")
    }

    fn load(&self, name: &str) -> Result<Signer, CaError> {
        let (key_path, pem_path) = (self.path(&format!("{name}.key")), self.path(&format!("{name}.pem")));
        let broken = |path: &Path, reason: String| CaError::Broken { path: path.to_path_buf(), reason };
        let key = KeyPair::from_pem(&key_file::read_secret(&key_path)?)
            .map_err(|e| broken(&key_path, format!("holds no private key: {e}")))?;
        let pem = key_file::read(&pem_path)?;
        let bytes = CertificateDer::from_pem_slice(pem.as_bytes())
            .map_err(|e| broken(&pem_path, format!("holds no certificate: {e}")))?;
        let (_, certificate) = X509Certificate::from_der(&bytes)
            .map_err(|e| broken(&pem_path, format!("holds no X.509 certificate: {e}")))?;
        if certificate.public_key().subject_public_key.data != key.public_key_raw() {
            return Err(broken(&pem_path, format!("is not the certificate of the key in {key_path:?}")));
        }
        let id = SpiffeId::of_certificate(&bytes).map_err(|e| broken(&pem_path, e))?;
        if id.trust_domain() != self.trust_domain {
            let reason =
                format!("is of trust domain {:?}, not of {:?}", id.trust_domain(), self.trust_domain);
            return Err(broken(&pem_path, reason));
        }
        let not_after = certificate.validity().not_after.to_datetime().into();
        let issuer = Issuer::from_ca_cert_pem(&pem, key)?;
        Ok(Signer { issuer, pem, not_after })
    }

    fn params(
        &self,
        name: &str,
        path_length: u8,
        now: SystemTime,
        ttl: std::time::Duration,
    ) -> Result<CertificateParams, CaError> {
        let mut params = CertificateParams::default();
        let mut subject = DistinguishedName::new();
        subject.push(DnType::OrganizationName, "Tombolo");
        subject.push(DnType::CommonName, name);
        params.distinguished_name = subject;
        params.subject_alt_names =
            vec![SanType::URI(format!("spiffe://{}", self.trust_domain).as_str().try_into()?)];
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(path_length));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.not_before = (now - limits::CLOCK_SKEW).into();
        params.not_after = (now + ttl).into();
        params.serial_number = Some(serial());
        params.use_authority_key_identifier_extension = path_length == 0;
        Ok(params)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }
}

/// A serial number nobody can foresee (CA/Browser baseline: at least 64 random bits), positive.
pub fn serial() -> SerialNumber {
    use aws_lc_rs::rand::{SecureRandom, SystemRandom};
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).expect("the system's random source does not fail once it is seeded");
    bytes[0] = bytes[0] & 0x7f | 0x40;
    SerialNumber::from_slice(&bytes)
}

fn der(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).expect("loaded certificates were parsed once")
}
