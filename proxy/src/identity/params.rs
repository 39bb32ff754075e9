//! TLS parameters: which versions, cipher suites, key exchange groups and signatures a context allows.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs::{cipher_suite, default_provider, kx_group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use rustls::sign::{CertifiedKey, Signer, SigningKey};
use rustls::{SignatureScheme, SupportedCipherSuite, SupportedProtocolVersion, version};
use rustls_pki_types::SubjectPublicKeyInfoDer;
use xds::model::{CipherSuite, CommonTls, KeyExchange, SignatureAlgorithm, TlsVersion};

/// The crypto provider narrowed to what `common` allows.
pub(super) fn provider(common: &CommonTls) -> Arc<CryptoProvider> {
    let mut provider = default_provider();
    if !common.ecdh_curves.is_empty() {
        provider.kx_groups = common.ecdh_curves.iter().map(|curve| group(*curve)).collect();
    }
    if !common.cipher_suites.is_empty() {
        provider.cipher_suites.retain(|suite| suite.tls13().is_some());
        provider.cipher_suites.extend(common.cipher_suites.iter().map(|name| suite(*name)));
    }
    Arc::new(provider)
}

/// The protocol versions `common` allows.
///
/// # Errors
/// When the lowest is above the highest.
pub(super) fn versions(common: &CommonTls) -> Result<Vec<&'static SupportedProtocolVersion>, String> {
    let low = common.minimum_version.unwrap_or(TlsVersion::Tls12);
    let high = common.maximum_version.unwrap_or(TlsVersion::Tls13);
    let all = [(TlsVersion::Tls12, &version::TLS12), (TlsVersion::Tls13, &version::TLS13)];
    let allowed: Vec<_> =
        all.into_iter().filter(|(version, _)| (low..=high).contains(version)).map(|(_, tls)| tls).collect();
    if allowed.is_empty() {
        Err("tls_params: the minimum is above the maximum".to_owned())
    } else {
        Ok(allowed)
    }
}

/// The signatures that a peer may prove its certificate with: those that `common` names, else all of `provider`.
pub(super) fn verified_schemes(common: &CommonTls, provider: &CryptoProvider) -> Vec<SignatureScheme> {
    if common.signature_algorithms.is_empty() {
        return provider.signature_verification_algorithms.supported_schemes();
    }
    schemes(common)
}

/// `key` that signs with nothing but what `common` allows.
pub(super) fn signing(common: &CommonTls, key: &Arc<CertifiedKey>) -> Arc<CertifiedKey> {
    if common.signature_algorithms.is_empty() {
        return Arc::clone(key);
    }
    let narrowed = Narrowed { key: Arc::clone(&key.key), allowed: schemes(common) };
    Arc::new(CertifiedKey { cert: key.cert.clone(), key: Arc::new(narrowed), ocsp: key.ocsp.clone() })
}

/// A key that does not sign in every way it could.
#[derive(Debug)]
struct Narrowed {
    key: Arc<dyn SigningKey>,
    /// The preferred first.
    allowed: Vec<SignatureScheme>,
}

impl SigningKey for Narrowed {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let mut both = self.allowed.iter().filter(|scheme| offered.contains(scheme));
        both.find_map(|scheme| self.key.choose_scheme(&[*scheme]))
    }

    fn public_key(&self) -> Option<SubjectPublicKeyInfoDer<'_>> {
        self.key.public_key()
    }

    fn algorithm(&self) -> rustls::SignatureAlgorithm {
        self.key.algorithm()
    }
}

fn schemes(common: &CommonTls) -> Vec<SignatureScheme> {
    common.signature_algorithms.iter().map(|algorithm| scheme(*algorithm)).collect()
}

fn scheme(algorithm: SignatureAlgorithm) -> SignatureScheme {
    match algorithm {
        SignatureAlgorithm::EcdsaSecp256r1Sha256 => SignatureScheme::ECDSA_NISTP256_SHA256,
        SignatureAlgorithm::EcdsaSecp384r1Sha384 => SignatureScheme::ECDSA_NISTP384_SHA384,
        SignatureAlgorithm::EcdsaSecp521r1Sha512 => SignatureScheme::ECDSA_NISTP521_SHA512,
        SignatureAlgorithm::RsaPssRsaeSha256 => SignatureScheme::RSA_PSS_SHA256,
        SignatureAlgorithm::RsaPssRsaeSha384 => SignatureScheme::RSA_PSS_SHA384,
        SignatureAlgorithm::RsaPssRsaeSha512 => SignatureScheme::RSA_PSS_SHA512,
        SignatureAlgorithm::RsaPkcs1Sha256 => SignatureScheme::RSA_PKCS1_SHA256,
        SignatureAlgorithm::RsaPkcs1Sha384 => SignatureScheme::RSA_PKCS1_SHA384,
        SignatureAlgorithm::RsaPkcs1Sha512 => SignatureScheme::RSA_PKCS1_SHA512,
        SignatureAlgorithm::Ed25519 => SignatureScheme::ED25519,
    }
}

fn group(curve: KeyExchange) -> &'static dyn SupportedKxGroup {
    match curve {
        KeyExchange::X25519 => kx_group::X25519,
        KeyExchange::P256 => kx_group::SECP256R1,
        KeyExchange::P384 => kx_group::SECP384R1,
        KeyExchange::X25519MlKem768 => kx_group::X25519MLKEM768,
    }
}

fn suite(name: CipherSuite) -> SupportedCipherSuite {
    match name {
        CipherSuite::EcdheEcdsaAes128GcmSha256 => cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        CipherSuite::EcdheEcdsaAes256GcmSha384 => cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        CipherSuite::EcdheEcdsaChacha20Poly1305 => {
            cipher_suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256
        }
        CipherSuite::EcdheRsaAes128GcmSha256 => cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        CipherSuite::EcdheRsaAes256GcmSha384 => cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        CipherSuite::EcdheRsaChacha20Poly1305 => cipher_suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    }
}
