//! A certificate authority of the test's own, and the identities it issues: SPIFFE, DNS, expired, foreign.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
};
use rcgen::{KeyUsagePurpose, SanType};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A root that signs identities of one trust domain.
pub struct Authority {
    trust_domain: String,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A leaf certificate with its key, in PEM.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The certificate, PEM.
    pub cert_pem: String,
    /// The private key, PEM.
    pub key_pem: String,
}

/// The kind of an identity's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// Elliptic, over P-256.
    P256,
    /// RSA of 2048 bits.
    Rsa,
}

/// When a certificate holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// For years around now.
    Current,
    /// It ended in the past.
    Expired,
}

impl Authority {
    /// A fresh root for a trust domain such as `mesh.example`.
    pub fn new(trust_domain: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names, so none is malformed");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name.push(DnType::CommonName, format!("{trust_domain} test root"));
        params.subject_alt_names = vec![uri(&format!("spiffe://{trust_domain}"))];
        let key = KeyPair::generate().expect("P-256 keys can be made");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("a root can sign itself");
        Self { trust_domain: trust_domain.to_owned(), issuer }
    }

    /// The root certificate, PEM.
    pub fn root_pem(&self) -> String {
        self.issuer.pem()
    }

    /// An identity with the URI SAN `spiffe://<trust domain>/<path>`.
    pub fn spiffe(&self, path: &str) -> Identity {
        self.issue(vec![uri(&format!("spiffe://{}/{path}", self.trust_domain))], Validity::Current)
    }

    /// An identity with DNS names.
    pub fn dns(&self, names: &[&str]) -> Identity {
        let to_san = |name: &&str| SanType::DnsName((*name).try_into().expect("test names are ASCII"));
        self.issue(names.iter().map(to_san).collect(), Validity::Current)
    }

    /// An identity with the names and the validity given.
    pub fn issue(&self, names: Vec<SanType>, validity: Validity) -> Identity {
        self.issue_with(Key::P256, names, validity)
    }

    /// An identity with a key of this kind, the names and the validity given.
    pub fn issue_with(&self, key: Key, names: Vec<SanType>, validity: Validity) -> Identity {
        let mut params = CertificateParams::new(Vec::new()).expect("no names, so none is malformed");
        params.subject_alt_names = names;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        if validity == Validity::Expired {
            params.not_before = rcgen::date_time_ymd(2020, 1, 1);
            params.not_after = rcgen::date_time_ymd(2021, 1, 1);
        }
        let algorithm = match key {
            Key::P256 => &rcgen::PKCS_ECDSA_P256_SHA256,
            Key::Rsa => &rcgen::PKCS_RSA_SHA256,
        };
        let key = KeyPair::generate_for(algorithm).expect("keys of both kinds can be made");
        let cert = params.signed_by(&key, &self.issuer).expect("the root can sign");
        Identity { cert_pem: cert.pem(), key_pem: key.serialize_pem() }
    }

    /// The root as a store that rustls verifies against.
    pub fn root_store(&self) -> rustls::RootCertStore {
        let mut store = rustls::RootCertStore::empty();
        store.add(self.issuer.der().clone()).expect("our own root parses");
        store
    }

    /// A client's TLS configuration that trusts this root, presents `identity`, and offers the ALPN names.
    pub fn client_config(&self, identity: Option<&Identity>, alpn: &[&str]) -> Arc<rustls::ClientConfig> {
        let builder = rustls::ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .expect("aws-lc-rs has the default versions")
            .with_root_certificates(self.root_store());
        let mut config = match identity {
            Some(identity) => builder
                .with_client_auth_cert(vec![identity.cert_der()], identity.key_der())
                .expect("certificate and key belong together"),
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Arc::new(config)
    }
}

impl Identity {
    /// The certificate, DER.
    pub fn cert_der(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(self.cert_pem.as_bytes()).expect("our own PEM parses")
    }

    /// The private key, DER.
    pub fn key_der(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::from_pem_slice(self.key_pem.as_bytes()).expect("our own PEM parses")
    }

    /// Writes `<name>.crt` and `<name>.key`; returns both paths.
    pub fn write_to(&self, dir: &Path, name: &str) -> (PathBuf, PathBuf) {
        let cert = crate::workspace::write(dir, &format!("{name}.crt"), &self.cert_pem);
        let key = crate::workspace::write(dir, &format!("{name}.key"), &self.key_pem);
        (cert, key)
    }
}

/// A URI name, such as a SPIFFE ID.
pub fn uri(text: &str) -> SanType {
    SanType::URI(text.try_into().expect("test names are ASCII"))
}

/// The one crypto backend.
pub fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}
