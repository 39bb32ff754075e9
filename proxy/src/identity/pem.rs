//! Reads PEM out of wherever a `DataSource` says, with errors that name the source and never the content.

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use xds::model::{CertificateChain, DataSource, PrivateKey};

use super::variables::Variables;

/// Certificates in one PEM source; more are refused.
const CERTIFICATES_MAX: usize = 1000;

/// Bytes of one source; more are refused.
const SOURCE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// The bytes of `source`.
///
/// # Errors
/// Names the file or variable and why it could not be read.
pub(super) fn read(source: &DataSource, variables: &Variables) -> Result<Vec<u8>, String> {
    match source {
        DataSource::Inline(bytes) => Ok(bytes.clone()),
        DataSource::Environment(name) => variables
            .get(name)
            .map(|value| value.as_bytes().to_vec())
            .ok_or_else(|| format!("environment variable {name}: environment variable not found")),
        DataSource::File { path, .. } => {
            let size = std::fs::metadata(path).map_err(|error| format!("{path}: {error}"))?.len();
            if size > SOURCE_BYTES_MAX {
                return Err(format!("{path}: {size} bytes, at most {SOURCE_BYTES_MAX} are accepted"));
            }
            std::fs::read(path).map_err(|error| format!("{path}: {error}"))
        }
    }
}

/// Where `source` stands, for error texts.
pub(super) fn place(source: &DataSource) -> String {
    match source {
        DataSource::Inline(_) => "inline".to_owned(),
        DataSource::Environment(name) => format!("environment variable {name}"),
        DataSource::File { path, .. } => path.clone(),
    }
}

/// All certificates of a PEM source, at least one.
pub(super) fn certificates(
    source: &DataSource,
    variables: &Variables,
) -> Result<Vec<CertificateDer<'static>>, String> {
    let bytes = read(source, variables)?;
    let certificates = CertificateDer::pem_slice_iter(&bytes)
        .take(CERTIFICATES_MAX + 1)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| format!("{}: not a PEM certificate: {error}", place(source)))?;
    match certificates.len() {
        0 => Err(format!("{}: no PEM certificate in it", place(source))),
        1..=CERTIFICATES_MAX => Ok(certificates),
        _ => Err(format!("{}: more than {CERTIFICATES_MAX} certificates", place(source))),
    }
}

/// The private key of a PEM source: PKCS#8, PKCS#1 or SEC1.
pub(super) fn private_key(key: &PrivateKey, variables: &Variables) -> Result<PrivateKeyDer<'static>, String> {
    let bytes = read(&key.0, variables)?;
    PrivateKeyDer::from_pem_slice(&bytes)
        .map_err(|_| format!("{}: no PEM private key (PKCS#8, PKCS#1 or SEC1) in it", place(&key.0)))
}

/// All revocation lists of a PEM source.
pub(super) fn revocation_lists(
    source: &DataSource,
    variables: &Variables,
) -> Result<Vec<CertificateRevocationListDer<'static>>, String> {
    let bytes = read(source, variables)?;
    CertificateRevocationListDer::pem_slice_iter(&bytes)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| format!("{}: not a PEM revocation list: {error}", place(source)))
}

/// A certificate chain with its key, checked to belong together.
pub(super) fn certified_key(
    chain: &CertificateChain,
    key: &PrivateKey,
    variables: &Variables,
) -> Result<rustls::sign::CertifiedKey, String> {
    let certificates = certificates(&chain.0, variables)?;
    let der = private_key(key, variables)?;
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let (chain, key) = (place(&chain.0), place(&key.0));
    rustls::sign::CertifiedKey::from_der(certificates, der, &provider).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => {
            format!("{chain}: the certificate does not match the private key ({key}): give the key that it was issued for")
        }
        other => format!("{chain}: the certificate and its private key ({key}) cannot be used: {other}"),
    })
}
