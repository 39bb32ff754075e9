//! Certificate authorities in PEM: are they what they are said to be.
//!
//! One rule: a bundle holds only certificates that may sign others.

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::invalid::Invalid;
use crate::limits;

/// Checks that `pem` holds at least one certificate, all of them authorities.
pub fn check_authorities(field: &str, pem: &str) -> Result<(), Invalid> {
    let mut count = 0;
    for item in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let der = item.map_err(|e| Invalid::new(field, format!("is not PEM: {e}")))?;
        let (_, certificate) = X509Certificate::from_der(&der)
            .map_err(|e| Invalid::new(field, format!("certificate {} is not X.509: {e}", count + 1)))?;
        if !certificate.is_ca() {
            return Err(Invalid::new(
                field,
                format!(
                    "certificate {} ({}) is not a certificate authority",
                    count + 1,
                    certificate.subject()
                ),
            ));
        }
        count += 1;
    }
    if !(1..=limits::BUNDLE_CERTIFICATES_MAX).contains(&count) {
        return Err(Invalid::new(
            field,
            format!(
                "{count} certificates: accepted are 1 to {} PEM blocks of CERTIFICATE",
                limits::BUNDLE_CERTIFICATES_MAX
            ),
        ));
    }
    Ok(())
}
