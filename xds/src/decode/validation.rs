//! How a peer's certificate is judged (`CertificateValidationContext`, `SPIFFECertValidatorConfig`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use envoy_types::pb::envoy::config::core::v3::TypedExtensionConfig;
use envoy_types::pb::envoy::extensions::transport_sockets::tls::v3 as pb;
use pb::certificate_validation_context::TrustChainVerification;
use pb::spiffe_cert_validator_config::TrustDomain;
use pb::subject_alt_name_matcher::SanType as PbSanType;

use super::any;
use super::matcher;
use super::path::{Invalid, Path, absent, off};
use super::source;
use crate::model::{DataSource, ObjectIdentifier, SanMatcher, SanType, ValidationContext};

/// The rules of one context.
pub(super) fn context(
    path: &Path<'_>,
    context: &pb::CertificateValidationContext,
) -> Result<ValidationContext, Invalid> {
    let pb::CertificateValidationContext {
        trusted_ca,
        ca_certificate_provider_instance,
        system_root_certs,
        watched_directory,
        verify_certificate_spki,
        verify_certificate_hash,
        match_typed_subject_alt_names,
        match_subject_alt_names,
        require_signed_certificate_timestamp,
        crl,
        allow_expired_certificate,
        trust_chain_verification,
        custom_validator_config,
        only_verify_leaf_cert_crl,
        max_verify_depth,
        suppress_client_ca_list,
    } = context;
    absent!(path; ca_certificate_provider_instance, system_root_certs, only_verify_leaf_cert_crl,
        max_verify_depth, suppress_client_ca_list);
    off!(path; require_signed_certificate_timestamp);
    let watched = source::directory(&path.field("watched_directory"), watched_directory)?;
    let bytes = |at: &Path<'_>, source: &Option<_>| {
        source.as_ref().map(|source| source::filled(at, source, watched.as_deref())).transpose()
    };
    let trusted_ca = bytes(&path.field("trusted_ca"), trusted_ca)?;
    let at = path.field("custom_validator_config");
    let trust_domains = match custom_validator_config {
        Some(_) if trusted_ca.is_some() => {
            return at.refuse("and trusted_ca are both set; a trust domain brings its own roots");
        }
        Some(config) => spiffe(&at, config)?,
        None => Vec::new(),
    };
    if !match_typed_subject_alt_names.is_empty() && !match_subject_alt_names.is_empty() {
        return path
            .field("match_subject_alt_names")
            .refuse("and match_typed_subject_alt_names are both set; keep the latter");
    }
    let mut subject_alt_names =
        path.field("match_typed_subject_alt_names").each(match_typed_subject_alt_names, typed_san)?;
    subject_alt_names.extend(
        path.field("match_subject_alt_names").each(match_subject_alt_names, |at, text| {
            Ok(SanMatcher { san_type: SanType::Any, matcher: matcher::string(at, text)? })
        })?,
    );
    let chain = path.field("trust_chain_verification");
    Ok(ValidationContext {
        trusted_ca,
        trust_domains,
        subject_alt_names,
        certificate_hashes: path.field("verify_certificate_hash").each(verify_certificate_hash, hex_hash)?,
        spki_hashes: path.field("verify_certificate_spki").each(verify_certificate_spki, base64_hash)?,
        crl: bytes(&path.field("crl"), crl)?,
        allow_expired_certificate: *allow_expired_certificate,
        accept_untrusted: match chain.known(*trust_chain_verification)? {
            TrustChainVerification::VerifyTrustChain => false,
            TrustChainVerification::AcceptUntrusted => true,
        },
    })
}

/// Refuses a context that stands alone and tests names, or revocation, on certificates that nobody vouches for.
pub(super) fn with_roots(path: &Path<'_>, context: &ValidationContext) -> Result<(), Invalid> {
    if context.trusted_ca.is_some() || !context.trust_domains.is_empty() {
        return Ok(());
    }
    if !context.subject_alt_names.is_empty() {
        return path.refuse("tests subject alternative names without trusted_ca, so anybody could pass");
    }
    if context.allow_expired_certificate {
        return path
            .field("allow_expired_certificate")
            .refuse("needs trusted_ca; without it no certificate is judged");
    }
    if context.crl.is_some() {
        return path.field("crl").refuse("needs trusted_ca");
    }
    Ok(())
}

fn typed_san(path: &Path<'_>, san: &pb::SubjectAltNameMatcher) -> Result<SanMatcher, Invalid> {
    let pb::SubjectAltNameMatcher { san_type, matcher: text, oid } = san;
    // Envoy reads `oid` for other names only, and documents that it is ignored elsewhere.
    let at = path.field("san_type");
    let san_type = match at.known(*san_type)? {
        PbSanType::Email => SanType::Email,
        PbSanType::Dns => SanType::Dns,
        PbSanType::Uri => SanType::Uri,
        PbSanType::IpAddress => SanType::IpAddress,
        PbSanType::OtherName => {
            let oid = ObjectIdentifier::parse(oid);
            SanType::OtherName(oid.map_err(|reason| path.field("oid").invalid(reason))?)
        }
        PbSanType::Unspecified => {
            return at.refuse("is required; accepted: EMAIL, DNS, URI, IP_ADDRESS, OTHER_NAME");
        }
    };
    let at = path.field("matcher");
    Ok(SanMatcher { san_type, matcher: matcher::string(&at, at.required(text)?)? })
}

fn spiffe(path: &Path<'_>, config: &TypedExtensionConfig) -> Result<Vec<(String, DataSource)>, Invalid> {
    let TypedExtensionConfig { name, typed_config } = config;
    let path = path.field("typed_config");
    let config = path.required(typed_config)?;
    let Some(spiffe) = any::unpack_if::<pb::SpiffeCertValidatorConfig>(&path, config)? else {
        return any::unknown(&path, name, config, "SPIFFECertValidatorConfig");
    };
    let pb::SpiffeCertValidatorConfig { trust_domains, trust_bundles } = &spiffe;
    absent!(path; trust_bundles);
    let path = path.field("trust_domains");
    if trust_domains.is_empty() {
        return path.refuse("must not be empty");
    }
    path.unique("trust domain", trust_domains.iter().map(|domain| domain.name.as_str()))?;
    path.each(trust_domains, |at, domain| {
        let TrustDomain { name, trust_bundle, workload_trust_domain } = domain;
        absent!(at; workload_trust_domain);
        let bundle = at.field("trust_bundle");
        let roots = source::filled(&bundle, bundle.required(trust_bundle)?, None)?;
        Ok((at.field("name").non_empty(name)?, roots))
    })
}

/// A SHA-256 in hexadecimal, with or without colons.
fn hex_hash(path: &Path<'_>, text: &String) -> Result<[u8; 32], Invalid> {
    let digits: Vec<u32> =
        text.chars().filter(|char| *char != ':').map(|char| char.to_digit(16).unwrap_or(16)).collect();
    let bytes = digits.chunks_exact(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).ok());
    let hash =
        if digits.contains(&16) || digits.len() % 2 == 1 { None } else { bytes.collect::<Option<Vec<u8>>>() };
    hash.and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| path.invalid(format!("{text:?} is not a SHA-256 of 64 hexadecimal digits")))
}

/// A SHA-256 in Base64.
fn base64_hash(path: &Path<'_>, text: &String) -> Result<[u8; 32], Invalid> {
    let hash = STANDARD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
    hash.ok_or_else(|| path.invalid(format!("{text:?} is not a SHA-256 of 44 Base64 characters")))
}
