//! TLS contexts (`DownstreamTlsContext`, `UpstreamTlsContext`, `CommonTlsContext`). What weakens or narrows a
//! handshake and is not supported refuses the resource.

use envoy_types::pb::envoy::extensions::transport_sockets::tls::v3 as pb;
use pb::common_tls_context::ValidationContextType;
use pb::downstream_tls_context::{OcspStaplePolicy, SessionTicketKeysType};
use pb::tls_parameters::TlsProtocol;

use super::path::{Invalid, Path, absent, off};
use super::scalar::switch;
use super::secret;
use super::source;
use super::validation;
use crate::model::{
    CertificateSource, CommonTls, ConfigSource, DownstreamTls, Named, SecretName, TlsVersion, UpstreamTls,
    ValidationSource,
};

/// The longest server name (RFC 1035 section 2.3.4).
const SNI_BYTES_MAX: usize = 255;

/// The longest ALPN protocol name (RFC 7301 section 3.1).
const ALPN_BYTES_MAX: usize = 255;

/// TLS for accepted connections.
pub(super) fn downstream(
    path: &Path<'_>,
    context: &pb::DownstreamTlsContext,
) -> Result<DownstreamTls, Invalid> {
    let pb::DownstreamTlsContext {
        common_tls_context,
        require_client_certificate,
        require_sni,
        disable_stateful_session_resumption,
        session_timeout,
        ocsp_staple_policy,
        full_scan_certs_on_sni_mismatch,
        prefer_client_ciphers,
        session_ticket_keys_type,
    } = context;
    off!(path; require_sni, full_scan_certs_on_sni_mismatch);
    absent!(path; session_timeout, prefer_client_ciphers);
    let at = path.field("ocsp_staple_policy");
    if at.known::<OcspStaplePolicy>(*ocsp_staple_policy)? != OcspStaplePolicy::LenientStapling {
        return at.refuse("only LENIENT_STAPLING is supported here");
    }
    let disable_stateless_session_resumption = match session_ticket_keys_type {
        None => false,
        Some(SessionTicketKeysType::DisableStatelessSessionResumption(disable)) => *disable,
        Some(SessionTicketKeysType::SessionTicketKeys(_)) => {
            return path.field("session_ticket_keys").unsupported();
        }
        Some(SessionTicketKeysType::SessionTicketKeysSdsSecretConfig(_)) => {
            return path.field("session_ticket_keys_sds_secret_config").unsupported();
        }
    };
    let at = path.field("common_tls_context");
    let common = common(&at, at.required(common_tls_context)?)?;
    if common.certificates.is_empty() {
        return at.refuse("has no certificate; set tls_certificates or tls_certificate_sds_secret_configs");
    }
    Ok(DownstreamTls {
        common,
        require_client_certificate: switch(require_client_certificate, false),
        disable_stateless_session_resumption,
        disable_stateful_session_resumption: *disable_stateful_session_resumption,
    })
}

/// TLS for connections to endpoints.
pub(super) fn upstream(path: &Path<'_>, context: &pb::UpstreamTlsContext) -> Result<UpstreamTls, Invalid> {
    let pb::UpstreamTlsContext {
        common_tls_context,
        sni,
        auto_host_sni,
        auto_sni_san_validation,
        allow_renegotiation,
        max_session_keys,
        enforce_rsa_key_usage,
    } = context;
    absent!(path; allow_renegotiation);
    off!(path; enforce_rsa_key_usage);
    // How many sessions are kept is the library's choice; zero would turn resumption off, which is not offered.
    path.field("max_session_keys").ranged(max_session_keys, 1..=u32::MAX)?;
    let at = path.field("sni");
    if sni.len() > SNI_BYTES_MAX {
        return at.refuse(format!("has {} bytes; at most {SNI_BYTES_MAX} are accepted", sni.len()));
    }
    let at = path.field("common_tls_context");
    // Envoy does without: an empty context encrypts and verifies nobody.
    let common = match common_tls_context {
        Some(context) => common(&at, context)?,
        None => CommonTls::default(),
    };
    if common.certificates.len() > 1 {
        return at.refuse("has more than one certificate; a client presents at most one");
    }
    if *auto_sni_san_validation && !judged(&common) {
        return path.field("auto_sni_san_validation").refuse("needs trusted_ca in a validation context");
    }
    Ok(UpstreamTls {
        common,
        sni: sni.clone(),
        auto_host_sni: *auto_host_sni,
        auto_sni_san_validation: *auto_sni_san_validation,
    })
}

/// Whether somebody has to vouch for the peer; a secret may bring the roots.
fn judged(common: &CommonTls) -> bool {
    match &common.validation {
        None => false,
        Some(ValidationSource::Inline(context)) => {
            context.trusted_ca.is_some() || !context.trust_domains.is_empty()
        }
        Some(ValidationSource::Secret { .. }) => true,
    }
}

fn common(path: &Path<'_>, context: &pb::CommonTlsContext) -> Result<CommonTls, Invalid> {
    let pb::CommonTlsContext {
        tls_params,
        tls_certificates,
        tls_certificate_sds_secret_configs,
        tls_certificate_provider_instance,
        custom_tls_certificate_selector,
        tls_certificate_certificate_provider,
        tls_certificate_certificate_provider_instance,
        alpn_protocols,
        custom_handshaker,
        key_log,
        validation_context_type,
    } = context;
    absent!(path; tls_certificate_provider_instance, custom_tls_certificate_selector,
        tls_certificate_certificate_provider, tls_certificate_certificate_provider_instance,
        custom_handshaker, key_log);
    if !tls_certificates.is_empty() && !tls_certificate_sds_secret_configs.is_empty() {
        return path
            .field("tls_certificate_sds_secret_configs")
            .refuse("and tls_certificates are both set; keep one");
    }
    let mut certificates = path.field("tls_certificates").each(tls_certificates, |at, certificate| {
        secret::tls_certificate(at, certificate).map(|(chain, key)| CertificateSource::Inline { chain, key })
    })?;
    certificates.extend(
        path.field("tls_certificate_sds_secret_configs")
            .each(tls_certificate_sds_secret_configs, |at, config| {
                sds(at, config).map(|(name, source)| CertificateSource::Secret { name, source })
            })?,
    );
    let alpn_protocols = path.field("alpn_protocols").each(alpn_protocols, |at, protocol| {
        if protocol.len() > ALPN_BYTES_MAX {
            return at.refuse(format!("has {} bytes; at most {ALPN_BYTES_MAX} are accepted", protocol.len()));
        }
        at.non_empty(protocol)
    })?;
    let validation = validation_context_type.as_ref().map(|context| validation_source(path, context));
    let common = CommonTls {
        certificates,
        validation: validation.transpose()?,
        alpn_protocols,
        ..CommonTls::default()
    };
    match tls_params {
        Some(params) => with_params(&path.field("tls_params"), params, common),
        None => Ok(common),
    }
}

fn with_params(path: &Path<'_>, params: &pb::TlsParameters, common: CommonTls) -> Result<CommonTls, Invalid> {
    let pb::TlsParameters {
        tls_minimum_protocol_version,
        tls_maximum_protocol_version,
        cipher_suites,
        ecdh_curves,
        signature_algorithms,
        compliance_policies,
    } = params;
    absent!(path; compliance_policies);
    let minimum_version =
        version(&path.field("tls_minimum_protocol_version"), *tls_minimum_protocol_version)?;
    let maximum_version =
        version(&path.field("tls_maximum_protocol_version"), *tls_maximum_protocol_version)?;
    if minimum_version == Some(TlsVersion::Tls13) && maximum_version == Some(TlsVersion::Tls12) {
        return path.refuse("has a tls_minimum_protocol_version above its tls_maximum_protocol_version");
    }
    Ok(CommonTls {
        minimum_version,
        maximum_version,
        cipher_suites: named(&path.field("cipher_suites"), cipher_suites)?,
        ecdh_curves: distinct(&path.field("ecdh_curves"), ecdh_curves)?,
        signature_algorithms: distinct(&path.field("signature_algorithms"), signature_algorithms)?,
        ..common
    })
}

/// As [`named`], where BoringSSL refuses a name that stands there twice.
fn distinct<T: Named>(path: &Path<'_>, names: &[String]) -> Result<Vec<T>, Invalid> {
    path.unique("name", names.iter().map(String::as_str))?;
    named(path, names)
}

/// Every value by its name.
fn named<T: Named>(path: &Path<'_>, names: &[String]) -> Result<Vec<T>, Invalid> {
    path.each(names, |at, name| {
        T::named(name).ok_or_else(|| {
            let known: Vec<_> = T::NAMES.iter().map(|(name, _)| *name).collect();
            at.invalid(format!("{name:?} is not supported here; accepted: {}", known.join(", ")))
        })
    })
}

fn version(path: &Path<'_>, version: i32) -> Result<Option<TlsVersion>, Invalid> {
    match path.known(version)? {
        TlsProtocol::TlsAuto => Ok(None),
        TlsProtocol::TlSv12 => Ok(Some(TlsVersion::Tls12)),
        TlsProtocol::TlSv13 => Ok(Some(TlsVersion::Tls13)),
        old @ (TlsProtocol::TlSv10 | TlsProtocol::TlSv11) => {
            path.refuse(format!("{} is not supported; accepted: TLSv1_2, TLSv1_3", old.as_str_name()))
        }
    }
}

fn validation_source(path: &Path<'_>, context: &ValidationContextType) -> Result<ValidationSource, Invalid> {
    match context {
        ValidationContextType::ValidationContext(context) => {
            let path = path.field("validation_context");
            let context = validation::context(&path, context)?;
            validation::with_roots(&path, &context)?;
            Ok(ValidationSource::Inline(context))
        }
        ValidationContextType::ValidationContextSdsSecretConfig(config) => {
            let (name, source) = sds(&path.field("validation_context_sds_secret_config"), config)?;
            Ok(ValidationSource::Secret { name, source, with: None })
        }
        ValidationContextType::CombinedValidationContext(combined) => {
            combined_source(&path.field("combined_validation_context"), combined)
        }
        ValidationContextType::ValidationContextCertificateProvider(_) => {
            path.field("validation_context_certificate_provider").unsupported()
        }
        ValidationContextType::ValidationContextCertificateProviderInstance(_) => {
            path.field("validation_context_certificate_provider_instance").unsupported()
        }
    }
}

fn combined_source(
    path: &Path<'_>,
    combined: &pb::common_tls_context::CombinedCertificateValidationContext,
) -> Result<ValidationSource, Invalid> {
    let pb::common_tls_context::CombinedCertificateValidationContext {
        default_validation_context,
        validation_context_sds_secret_config,
        validation_context_certificate_provider,
        validation_context_certificate_provider_instance,
    } = combined;
    absent!(path; validation_context_certificate_provider, validation_context_certificate_provider_instance);
    let at = path.field("default_validation_context");
    let with = validation::context(&at, at.required(default_validation_context)?)?;
    let at = path.field("validation_context_sds_secret_config");
    let (name, source) = sds(&at, at.required(validation_context_sds_secret_config)?)?;
    Ok(ValidationSource::Secret { name, source, with: Some(Box::new(with)) })
}

fn sds(path: &Path<'_>, config: &pb::SdsSecretConfig) -> Result<(SecretName, Option<ConfigSource>), Invalid> {
    let pb::SdsSecretConfig { name, sds_config } = config;
    let at = path.field("sds_config");
    let source = sds_config.as_ref().map(|source| source::config_source(&at, source)).transpose()?;
    Ok((SecretName::new(path.field("name").non_empty(name)?), source))
}
