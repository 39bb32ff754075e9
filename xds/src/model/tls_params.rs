//! What a handshake may be narrowed to (`TlsParameters`), by the names that BoringSSL gives it.
//!
//! One rule: only what can be done here is a value; a name beyond is refused where it is read.

/// A thing that configurations call by name.
pub trait Named: Copy + PartialEq + 'static {
    /// Each value with a name that is accepted; the first of several is how it is written.
    const NAMES: &'static [(&'static str, Self)];

    /// The value with this name.
    #[must_use]
    fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    /// How it is written.
    #[must_use]
    fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, value)| *value == self).map_or("", |(name, _)| name)
    }
}

/// How a side proves that a certificate's key is its own (RFC 8446 section 4.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say all; NAMES has them as they are configured")]
pub enum SignatureAlgorithm {
    EcdsaSecp256r1Sha256,
    EcdsaSecp384r1Sha384,
    EcdsaSecp521r1Sha512,
    RsaPssRsaeSha256,
    RsaPssRsaeSha384,
    RsaPssRsaeSha512,
    RsaPkcs1Sha256,
    RsaPkcs1Sha384,
    RsaPkcs1Sha512,
    Ed25519,
}

impl Named for SignatureAlgorithm {
    const NAMES: &'static [(&'static str, Self)] = &[
        ("ecdsa_secp256r1_sha256", Self::EcdsaSecp256r1Sha256),
        ("ecdsa_secp384r1_sha384", Self::EcdsaSecp384r1Sha384),
        ("ecdsa_secp521r1_sha512", Self::EcdsaSecp521r1Sha512),
        ("rsa_pss_rsae_sha256", Self::RsaPssRsaeSha256),
        ("rsa_pss_rsae_sha384", Self::RsaPssRsaeSha384),
        ("rsa_pss_rsae_sha512", Self::RsaPssRsaeSha512),
        ("rsa_pkcs1_sha256", Self::RsaPkcs1Sha256),
        ("rsa_pkcs1_sha384", Self::RsaPkcs1Sha384),
        ("rsa_pkcs1_sha512", Self::RsaPkcs1Sha512),
        ("ed25519", Self::Ed25519),
    ];
}

/// A cipher suite of TLS 1.2; those of TLS 1.3 are never narrowed, as in Envoy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say all; NAMES has them as they are configured")]
pub enum CipherSuite {
    EcdheEcdsaAes128GcmSha256,
    EcdheEcdsaAes256GcmSha384,
    EcdheEcdsaChacha20Poly1305,
    EcdheRsaAes128GcmSha256,
    EcdheRsaAes256GcmSha384,
    EcdheRsaChacha20Poly1305,
}

impl Named for CipherSuite {
    const NAMES: &'static [(&'static str, Self)] = &[
        ("ECDHE-ECDSA-AES128-GCM-SHA256", Self::EcdheEcdsaAes128GcmSha256),
        ("ECDHE-ECDSA-AES256-GCM-SHA384", Self::EcdheEcdsaAes256GcmSha384),
        ("ECDHE-ECDSA-CHACHA20-POLY1305", Self::EcdheEcdsaChacha20Poly1305),
        ("ECDHE-RSA-AES128-GCM-SHA256", Self::EcdheRsaAes128GcmSha256),
        ("ECDHE-RSA-AES256-GCM-SHA384", Self::EcdheRsaAes256GcmSha384),
        ("ECDHE-RSA-CHACHA20-POLY1305", Self::EcdheRsaChacha20Poly1305),
    ];
}

/// A group for the exchange of keys (`ecdh_curves`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say all; NAMES has them as they are configured")]
pub enum KeyExchange {
    X25519,
    P256,
    P384,
    X25519MlKem768,
}

impl Named for KeyExchange {
    const NAMES: &'static [(&'static str, Self)] = &[
        ("X25519", Self::X25519),
        ("x25519", Self::X25519),
        ("P-256", Self::P256),
        ("prime256v1", Self::P256),
        ("P-384", Self::P384),
        ("secp384r1", Self::P384),
        ("X25519MLKEM768", Self::X25519MlKem768),
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_value_is_named<T: Named + std::fmt::Debug>() {
        for (name, value) in T::NAMES {
            assert_eq!(T::named(name), Some(*value));
            assert_eq!(T::named(value.name()), Some(*value), "{value:?} is written {:?}", value.name());
        }
        assert_eq!(T::named("bogus"), None);
    }

    #[test]
    fn what_is_written_is_read_as_the_same() {
        every_value_is_named::<SignatureAlgorithm>();
        every_value_is_named::<CipherSuite>();
        every_value_is_named::<KeyExchange>();
        assert_eq!(KeyExchange::named("prime256v1").map(Named::name), Some("P-256"));
    }
}
