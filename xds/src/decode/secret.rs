//! Secrets (`Secret`, `TlsCertificate`): a certificate never comes without its key.

use envoy_types::pb::envoy::extensions::transport_sockets::tls::v3 as pb;

use super::path::{Invalid, Path, absent};
use super::source;
use super::validation;
use crate::model::{CertificateChain, PrivateKey, Secret, SecretKind, SecretName};

/// A secret.
pub(super) fn secret(path: &Path<'_>, secret: &pb::Secret) -> Result<Secret, Invalid> {
    let pb::Secret { name, r#type } = secret;
    let kind = match r#type {
        Some(pb::secret::Type::TlsCertificate(certificate)) => {
            let (chain, key) = tls_certificate(&path.field("tls_certificate"), certificate)?;
            SecretKind::TlsCertificate { chain, key }
        }
        Some(pb::secret::Type::ValidationContext(context)) => {
            let context = validation::context(&path.field("validation_context"), context)?;
            SecretKind::ValidationContext(Box::new(context))
        }
        Some(pb::secret::Type::SessionTicketKeys(_)) => {
            return path.field("session_ticket_keys").unsupported();
        }
        Some(pb::secret::Type::GenericSecret(_)) => return path.field("generic_secret").unsupported(),
        None => return path.refuse("is empty; accepted: tls_certificate, validation_context"),
    };
    Ok(Secret { name: SecretName::new(path.field("name").non_empty(name)?), kind })
}

/// A certificate chain and its key.
pub(super) fn tls_certificate(
    path: &Path<'_>,
    certificate: &pb::TlsCertificate,
) -> Result<(CertificateChain, PrivateKey), Invalid> {
    let pb::TlsCertificate {
        certificate_chain,
        private_key,
        pkcs12,
        watched_directory,
        private_key_provider,
        password,
        ocsp_staple,
        signed_certificate_timestamp,
        tls_params,
    } = certificate;
    absent!(path; pkcs12, private_key_provider, password, ocsp_staple, signed_certificate_timestamp, tls_params);
    let watched = source::directory(&path.field("watched_directory"), watched_directory)?;
    let at = path.field("certificate_chain");
    let chain = source::filled(&at, at.required(certificate_chain)?, watched.as_deref())?;
    let at = path.field("private_key");
    let key = source::filled(&at, at.required(private_key)?, watched.as_deref())?;
    Ok((CertificateChain(chain), PrivateKey(key)))
}
