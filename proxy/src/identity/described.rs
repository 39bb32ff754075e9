//! Secrets as they may be shown: names, serial numbers and ends, never a key.

use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};
use xds::model::{DataSource, SecretKind};

use super::pem;
use super::secrets::Secrets;
use super::svid::Validity;
use super::variables::Variables;

/// A secret's certificates.
#[derive(Debug)]
pub struct Described {
    /// The secret's name.
    pub name: String,
    /// `tls_certificate` or `trusted_ca`.
    pub kind: &'static str,
    /// The trust domain that these roots vouch for, when it is limited to one.
    pub trust_domain: Option<String>,
    /// Its certificates, leaf first.
    pub certificates: Vec<Certificate>,
    /// Why it cannot be shown.
    pub error: Option<String>,
}

/// One certificate.
#[derive(Debug)]
pub struct Certificate {
    /// Subject.
    pub subject: String,
    /// Serial number in hexadecimal.
    pub serial_number: String,
    /// DNS names and URIs.
    pub subject_alt_names: Vec<String>,
    /// How long it is valid.
    pub validity: Validity,
}

/// Every secret now.
#[must_use]
pub fn all(secrets: &Secrets) -> Vec<Described> {
    let variables = secrets.variables();
    let mut all = Vec::new();
    for (_, secret) in secrets.all() {
        let name = secret.name.to_string();
        match &secret.kind {
            SecretKind::TlsCertificate { chain, .. } => {
                all.push(described(name, "tls_certificate", None, &chain.0, variables));
            }
            SecretKind::ValidationContext(context) => {
                let roots = context.trusted_ca.iter();
                all.extend(roots.map(|roots| described(name.clone(), "trusted_ca", None, roots, variables)));
                all.extend(context.trust_domains.iter().map(|(domain, bundle)| {
                    described(name.clone(), "trusted_ca", Some(domain.clone()), bundle, variables)
                }));
            }
        }
    }
    all.sort_by(|a, b| (&a.name, &a.trust_domain).cmp(&(&b.name, &b.trust_domain)));
    all
}

fn described(
    name: String,
    kind: &'static str,
    trust_domain: Option<String>,
    source: &DataSource,
    variables: &Variables,
) -> Described {
    let read = pem::certificates(source, variables)
        .and_then(|certificates| certificates.iter().map(|der| certificate(der)).collect::<Result<_, _>>());
    let (certificates, error) = match read {
        Ok(certificates) => (certificates, None),
        Err(error) => (Vec::new(), Some(error)),
    };
    Described { name, kind, trust_domain, certificates, error }
}

fn certificate(der: &[u8]) -> Result<Certificate, String> {
    let (_, parsed) = X509Certificate::from_der(der).map_err(|error| error.to_string())?;
    let mut subject_alt_names = Vec::new();
    if let Ok(Some(extension)) = parsed.subject_alternative_name() {
        let names = extension.value.general_names.iter();
        subject_alt_names.extend(names.filter_map(|name| match name {
            GeneralName::DNSName(text) | GeneralName::URI(text) => Some((*text).to_owned()),
            _ => None,
        }));
    }
    Ok(Certificate {
        subject: parsed.subject().to_string(),
        serial_number: parsed.raw_serial_as_string(),
        subject_alt_names,
        validity: Validity::of(der)?,
    })
}
