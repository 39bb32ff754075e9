//! TLS parameters: which versions, cipher suites and key exchange groups a context allows.

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::{SupportedProtocolVersion, version};
use xds::model::{CommonTls, TlsVersion};

/// The crypto provider narrowed to what `common` allows.
///
/// # Errors
/// Names the group or suite that is unknown, and those that are known.
pub(super) fn provider(common: &CommonTls) -> Result<Arc<CryptoProvider>, String> {
    let mut provider = aws_lc_rs::default_provider();
    if !common.ecdh_curves.is_empty() {
        provider.kx_groups = common.ecdh_curves.iter().map(|name| group(name)).collect::<Result<_, _>>()?;
    }
    if !common.cipher_suites.is_empty() {
        let tls12: Vec<_> = common.cipher_suites.iter().filter_map(|name| suite_name(name)).collect();
        provider.cipher_suites.retain(|suite| {
            suite.tls13().is_some() || tls12.iter().any(|name| format!("{:?}", suite.suite()) == **name)
        });
        if let Some(unknown) = common.cipher_suites.iter().find(|name| suite_name(name).is_none()) {
            return Err(format!("cipher_suites: {unknown} is not supported; known: {}", known_suites()));
        }
    }
    Ok(Arc::new(provider))
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

fn group(name: &str) -> Result<&'static dyn rustls::crypto::SupportedKxGroup, String> {
    match name {
        "X25519" => Ok(aws_lc_rs::kx_group::X25519),
        "P-256" | "prime256v1" | "secp256r1" => Ok(aws_lc_rs::kx_group::SECP256R1),
        "P-384" | "secp384r1" => Ok(aws_lc_rs::kx_group::SECP384R1),
        "X25519MLKEM768" => Ok(aws_lc_rs::kx_group::X25519MLKEM768),
        other => {
            Err(format!("ecdh_curves: {other} is not supported; known: X25519, P-256, P-384, X25519MLKEM768"))
        }
    }
}

/// OpenSSL's names for the TLS 1.2 suites that rustls has.
const SUITES: [(&str, &str); 6] = [
    ("ECDHE-ECDSA-AES128-GCM-SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
    ("ECDHE-ECDSA-AES256-GCM-SHA384", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"),
    ("ECDHE-ECDSA-CHACHA20-POLY1305", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"),
    ("ECDHE-RSA-AES128-GCM-SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
    ("ECDHE-RSA-AES256-GCM-SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
    ("ECDHE-RSA-CHACHA20-POLY1305", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"),
];

fn suite_name(openssl: &str) -> Option<&'static str> {
    SUITES.iter().find(|(name, _)| *name == openssl).map(|(_, iana)| *iana)
}

fn known_suites() -> String {
    SUITES.map(|(name, _)| name).join(", ")
}
