//! Models of TLS.

use super::choices::Choices;
use super::common;
use crate::model::{
    CertificateChain, CertificateSource, CommonTls, DownstreamTls, Named, ObjectIdentifier, PrivateKey,
    SanMatcher, SanType, SecretName, TlsVersion, UpstreamTls, ValidationContext, ValidationSource,
};

pub(super) fn certificate(from: &mut Choices<'_>) -> (CertificateChain, PrivateKey) {
    (CertificateChain(common::data_source(from)), PrivateKey(common::data_source(from)))
}

fn san(from: &mut Choices<'_>, types: &[SanType]) -> SanMatcher {
    SanMatcher { san_type: from.one_of(types), matcher: common::string_matcher(from) }
}

fn hash(from: &mut Choices<'_>) -> [u8; 32] {
    [from.between(0, 255).to_be_bytes()[3]; 32]
}

pub(super) fn validation(from: &mut Choices<'_>) -> ValidationContext {
    let roots = from.maybe(common::data_source);
    let trust_domains = match roots {
        None => from.list(2, |from| (from.name(), common::data_source(from))),
        Some(_) => Vec::new(),
    };
    let other = ObjectIdentifier::parse("1.3.6.1.4.1.311.20.2.3").expect("it is the user principal name");
    let types: &[SanType] = if from.flag() {
        &[SanType::Any]
    } else {
        &[SanType::Email, SanType::Dns, SanType::Uri, SanType::IpAddress, SanType::OtherName(other)]
    };
    let judged = roots.is_some() || !trust_domains.is_empty();
    ValidationContext {
        trusted_ca: roots,
        trust_domains,
        subject_alt_names: if judged { from.list(3, |from| san(from, types)) } else { Vec::new() },
        certificate_hashes: from.list(2, hash),
        spki_hashes: from.list(2, hash),
        crl: if judged { from.maybe(common::data_source) } else { None },
        allow_expired_certificate: judged && from.flag(),
        accept_untrusted: from.flag(),
    }
}

fn validation_source(from: &mut Choices<'_>) -> ValidationSource {
    if from.flag() {
        return ValidationSource::Inline(validation(from));
    }
    ValidationSource::Secret {
        name: SecretName::new(from.name()),
        source: from.maybe(common::config_source),
        with: from.maybe(|from| Box::new(validation(from))),
    }
}

/// Inline certificates or secrets, never both.
fn certificates(from: &mut Choices<'_>, max: usize) -> Vec<CertificateSource> {
    let inline = from.flag();
    from.some(max, |from| {
        if inline {
            let (chain, key) = certificate(from);
            CertificateSource::Inline { chain, key }
        } else {
            CertificateSource::Secret {
                name: SecretName::new(from.name()),
                source: from.maybe(common::config_source),
            }
        }
    })
}

/// Some values in any order, none twice.
fn distinct<T: Named>(from: &mut Choices<'_>) -> Vec<T> {
    let mut values: Vec<T> = Vec::new();
    for value in from.list(3, |from| from.one_of(T::NAMES).1) {
        if !values.contains(&value) {
            values.push(value);
        }
    }
    values
}

fn common_tls(from: &mut Choices<'_>, certificates: Vec<CertificateSource>) -> CommonTls {
    let (low, high) = from.one_of(&[
        (None, None),
        (Some(TlsVersion::Tls12), None),
        (Some(TlsVersion::Tls13), Some(TlsVersion::Tls13)),
        (None, Some(TlsVersion::Tls12)),
    ]);
    CommonTls {
        certificates,
        validation: from.maybe(validation_source),
        alpn_protocols: from.list(2, |from| from.one_of(&["h2", "http/1.1"]).to_owned()),
        minimum_version: low,
        maximum_version: high,
        cipher_suites: distinct(from),
        ecdh_curves: distinct(from),
        signature_algorithms: distinct(from),
    }
}

pub(super) fn downstream(from: &mut Choices<'_>) -> DownstreamTls {
    let certificates = certificates(from, 2);
    DownstreamTls {
        common: common_tls(from, certificates),
        require_client_certificate: from.flag(),
        disable_stateless_session_resumption: from.flag(),
        disable_stateful_session_resumption: from.flag(),
    }
}

pub(super) fn upstream(from: &mut Choices<'_>) -> UpstreamTls {
    let certificates = if from.flag() { certificates(from, 1) } else { Vec::new() };
    let common = common_tls(from, certificates);
    UpstreamTls {
        auto_sni_san_validation: matches!(common.validation, Some(ValidationSource::Secret { .. }))
            && from.flag(),
        common,
        sni: from.text(),
        auto_host_sni: from.flag(),
    }
}
