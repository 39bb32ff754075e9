//! TLS contexts, judging of peers, and secrets.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use envoy_types::pb::envoy::config::core::v3::{TransportSocket, TypedExtensionConfig, transport_socket};
use envoy_types::pb::envoy::extensions::transport_sockets::tls::v3 as pb;
use pb::certificate_validation_context::TrustChainVerification;
use pb::common_tls_context::{CombinedCertificateValidationContext, ValidationContextType};
use pb::downstream_tls_context::SessionTicketKeysType;
use pb::spiffe_cert_validator_config::TrustDomain;
use pb::subject_alt_name_matcher::SanType as PbSanType;
use pb::tls_parameters::TlsProtocol;

use super::matcher;
use super::scalar;
use super::source;
use crate::model::{
    CertificateChain, CertificateSource, CommonTls, ConfigSource, DataSource, DownstreamTls, Named,
    PrivateKey, SanMatcher, SanType, Secret, SecretKind, SecretName, TlsVersion, UpstreamTls,
    ValidationContext, ValidationSource,
};

/// A transport socket around one of the contexts.
pub(super) fn socket<M: prost::Message + prost::Name>(context: &M) -> TransportSocket {
    TransportSocket {
        name: "envoy.transport_sockets.tls".to_owned(),
        config_type: Some(transport_socket::ConfigType::TypedConfig(scalar::any(context))),
    }
}

pub(super) fn downstream(tls: &DownstreamTls) -> pb::DownstreamTlsContext {
    let DownstreamTls {
        common,
        require_client_certificate,
        disable_stateless_session_resumption,
        disable_stateful_session_resumption,
    } = tls;
    pb::DownstreamTlsContext {
        common_tls_context: Some(self::common(common)),
        require_client_certificate: scalar::if_on(*require_client_certificate),
        disable_stateful_session_resumption: *disable_stateful_session_resumption,
        session_ticket_keys_type: disable_stateless_session_resumption
            .then_some(SessionTicketKeysType::DisableStatelessSessionResumption(true)),
        ..Default::default()
    }
}

pub(super) fn upstream(tls: &UpstreamTls) -> pb::UpstreamTlsContext {
    let UpstreamTls { common, sni, auto_host_sni, auto_sni_san_validation } = tls;
    pb::UpstreamTlsContext {
        common_tls_context: Some(self::common(common)),
        sni: sni.clone(),
        auto_host_sni: *auto_host_sni,
        auto_sni_san_validation: *auto_sni_san_validation,
        ..Default::default()
    }
}

fn common(common: &CommonTls) -> pb::CommonTlsContext {
    let CommonTls {
        certificates,
        validation,
        alpn_protocols,
        minimum_version,
        maximum_version,
        cipher_suites,
        ecdh_curves,
        signature_algorithms,
    } = common;
    let params = pb::TlsParameters {
        tls_minimum_protocol_version: version(*minimum_version).into(),
        tls_maximum_protocol_version: version(*maximum_version).into(),
        cipher_suites: names(cipher_suites),
        ecdh_curves: names(ecdh_curves),
        signature_algorithms: names(signature_algorithms),
        ..Default::default()
    };
    let mut context = pb::CommonTlsContext {
        tls_params: Some(params).filter(|params| *params != pb::TlsParameters::default()),
        alpn_protocols: alpn_protocols.clone(),
        validation_context_type: validation.as_ref().map(validation_source),
        ..Default::default()
    };
    for certificate in certificates {
        match certificate {
            CertificateSource::Inline { chain, key } => {
                context.tls_certificates.push(tls_certificate(chain, key));
            }
            CertificateSource::Secret { name, source } => {
                context.tls_certificate_sds_secret_configs.push(sds(name, source.as_ref()));
            }
        }
    }
    context
}

fn names<T: Named>(values: &[T]) -> Vec<String> {
    values.iter().map(|value| value.name().to_owned()).collect()
}

fn version(version: Option<TlsVersion>) -> TlsProtocol {
    match version {
        None => TlsProtocol::TlsAuto,
        Some(TlsVersion::Tls12) => TlsProtocol::TlSv12,
        Some(TlsVersion::Tls13) => TlsProtocol::TlSv13,
    }
}

fn tls_certificate(chain: &CertificateChain, key: &PrivateKey) -> pb::TlsCertificate {
    let (CertificateChain(chain), PrivateKey(key)) = (chain, key);
    let ([certificate_chain, private_key], watched_directory) = source::watched([Some(chain), Some(key)]);
    pb::TlsCertificate { certificate_chain, private_key, watched_directory, ..Default::default() }
}

fn sds(name: &SecretName, source: Option<&ConfigSource>) -> pb::SdsSecretConfig {
    pb::SdsSecretConfig { name: name.to_string(), sds_config: source.map(source::config_source) }
}

fn validation_source(source: &ValidationSource) -> ValidationContextType {
    match source {
        ValidationSource::Inline(context) => ValidationContextType::ValidationContext(self::context(context)),
        ValidationSource::Secret { name, source, with: None } => {
            ValidationContextType::ValidationContextSdsSecretConfig(sds(name, source.as_ref()))
        }
        ValidationSource::Secret { name, source, with: Some(context) } => {
            ValidationContextType::CombinedValidationContext(CombinedCertificateValidationContext {
                default_validation_context: Some(self::context(context)),
                validation_context_sds_secret_config: Some(sds(name, source.as_ref())),
                ..Default::default()
            })
        }
    }
}

#[allow(deprecated, reason = "only the deprecated field tests every kind of name")]
fn context(context: &ValidationContext) -> pb::CertificateValidationContext {
    let ValidationContext {
        trusted_ca,
        trust_domains,
        subject_alt_names,
        certificate_hashes,
        spki_hashes,
        crl,
        allow_expired_certificate,
        accept_untrusted,
    } = context;
    let ([trusted_ca, crl], watched_directory) = source::watched([trusted_ca.as_ref(), crl.as_ref()]);
    let chain = if *accept_untrusted {
        TrustChainVerification::AcceptUntrusted
    } else {
        TrustChainVerification::VerifyTrustChain
    };
    let mut context = pb::CertificateValidationContext {
        trusted_ca,
        crl,
        watched_directory,
        custom_validator_config: spiffe(trust_domains),
        verify_certificate_hash: certificate_hashes.iter().map(hex).collect(),
        verify_certificate_spki: spki_hashes.iter().map(|hash| STANDARD.encode(hash)).collect(),
        allow_expired_certificate: *allow_expired_certificate,
        trust_chain_verification: chain.into(),
        ..Default::default()
    };
    for SanMatcher { san_type, matcher: text } in subject_alt_names {
        let matcher = matcher::string(text);
        let (san_type, oid) = match san_type {
            SanType::Email => (PbSanType::Email, ""),
            SanType::Dns => (PbSanType::Dns, ""),
            SanType::Uri => (PbSanType::Uri, ""),
            SanType::IpAddress => (PbSanType::IpAddress, ""),
            SanType::OtherName(oid) => (PbSanType::OtherName, oid.as_str()),
            SanType::Any => {
                context.match_subject_alt_names.push(matcher);
                continue;
            }
        };
        let (san_type, oid) = (san_type.into(), oid.to_owned());
        context.match_typed_subject_alt_names.push(pb::SubjectAltNameMatcher {
            san_type,
            matcher: Some(matcher),
            oid,
        });
    }
    context
}

fn spiffe(domains: &[(String, DataSource)]) -> Option<TypedExtensionConfig> {
    if domains.is_empty() {
        return None;
    }
    let trust_domains = domains.iter().map(|(name, bundle)| TrustDomain {
        name: name.clone(),
        trust_bundle: Some(source::data_source(bundle)),
        ..Default::default()
    });
    let config =
        pb::SpiffeCertValidatorConfig { trust_domains: trust_domains.collect(), ..Default::default() };
    Some(TypedExtensionConfig {
        name: "envoy.tls.cert_validator.spiffe".to_owned(),
        typed_config: Some(scalar::any(&config)),
    })
}

fn hex(hash: &[u8; 32]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn secret(secret: &Secret) -> pb::Secret {
    let Secret { name, kind } = secret;
    let kind = match kind {
        SecretKind::TlsCertificate { chain, key } => {
            pb::secret::Type::TlsCertificate(tls_certificate(chain, key))
        }
        SecretKind::ValidationContext(context) => pb::secret::Type::ValidationContext(self::context(context)),
    };
    pb::Secret { name: name.to_string(), r#type: Some(kind) }
}
