//! Gathers what a TLS context needs out of the resource, the secrets and files, and tells when it is out of date.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use rustls::sign::CertifiedKey;
use xds::model::{
    CertificateChain, CertificateSource, CommonTls, ConfigSource, DataSource, PrivateKey, SecretKind,
    SecretName, ValidationContext, ValidationSource,
};

use crate::identity::pem;
use crate::identity::secrets::{Secrets, Space};

/// How often files are looked at again.
const FILE_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Certificates and rules, ready for use.
pub(in crate::identity) struct Material {
    pub(in crate::identity) certificates: Vec<Arc<CertifiedKey>>,
    /// All must hold.
    pub(in crate::identity) validation: Vec<ValidationContext>,
    pub(in crate::identity) stamps: Stamps,
}

/// What material was made of, so that a change is noticed.
#[derive(Debug, Clone)]
pub(in crate::identity) struct Stamps {
    changes: u64,
    secrets: Vec<(Space, SecretName, u64)>,
    files: Vec<(String, Option<(SystemTime, u64)>)>,
    checked: Arc<Checked>,
}

#[derive(Debug)]
struct Checked {
    started: Instant,
    millis: AtomicU64,
}

impl Stamps {
    /// Whether nothing changed since. Files are looked at once per second at most.
    pub(in crate::identity) fn fresh(&self, secrets: &Secrets) -> bool {
        if self.changes != secrets.changes() {
            return false;
        }
        if self.files.is_empty() {
            return true;
        }
        let now = u64::try_from(self.checked.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let last = self.checked.millis.load(Ordering::Relaxed);
        if now.saturating_sub(last) < FILE_CHECK_INTERVAL.as_millis() as u64 {
            return true;
        }
        self.checked.millis.store(now, Ordering::Relaxed);
        self.files.iter().all(|(path, stamp)| file_stamp(path) == *stamp)
    }

    /// Whether both are made of the same secrets and files.
    pub(in crate::identity) fn same_content(&self, other: &Self) -> bool {
        self.secrets == other.secrets && self.files == other.files
    }

    /// Whether a secret it was made of is gone: then old material must not live on.
    pub(in crate::identity) fn lost_a_secret(&self, secrets: &Secrets) -> bool {
        self.secrets.iter().any(|(space, name, _)| !secrets.contains(*space, name))
    }

    fn file(&mut self, source: &DataSource) {
        if let DataSource::File { path, .. } = source {
            self.files.push((path.clone(), file_stamp(path)));
        }
    }
}

fn file_stamp(path: &str) -> Option<(SystemTime, u64)> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

/// Why there is no material.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::identity) enum Lack {
    /// This secret has not come yet.
    Awaited(SecretName),
    /// The field, the secret or file in it, and what is wrong with it.
    Unusable(String),
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Awaited(name) => write!(f, "secret {name} is not here yet"),
            Self::Unusable(reason) => f.write_str(reason),
        }
    }
}

impl Lack {
    /// Notes an awaited secret, behind which more may be wrong; anything else ends the search at its place.
    fn noted(self, place: impl Fn() -> String, awaited: &mut Option<SecretName>) -> Result<(), Self> {
        match self {
            Self::Awaited(name) => {
                awaited.get_or_insert(name);
                Ok(())
            }
            Self::Unusable(reason) => Err(Self::Unusable(format!("{}: {reason}", place()))),
        }
    }
}

impl Material {
    /// What `common` needs now.
    ///
    /// # Errors
    /// What is unusable, or else the first secret that is awaited.
    pub(in crate::identity) fn of(common: &CommonTls, secrets: &Secrets) -> Result<Self, Lack> {
        let checked = Arc::new(Checked { started: Instant::now(), millis: AtomicU64::new(0) });
        let changes = secrets.changes();
        let stamps = Stamps { changes, secrets: Vec::new(), files: Vec::new(), checked };
        let mut material = Self { certificates: Vec::new(), validation: Vec::new(), stamps };
        let mut awaited = None;
        for (index, certificate) in common.certificates.iter().enumerate() {
            let place = || format!("tls_certificates[{index}]");
            material.certificate(certificate, secrets).or_else(|lack| lack.noted(place, &mut awaited))?;
        }
        if let Some(validation) = &common.validation {
            let place = || "validation_context".to_owned();
            material.validation(validation, secrets).or_else(|lack| lack.noted(place, &mut awaited))?;
        }
        awaited.map_or(Ok(material), |name| Err(Lack::Awaited(name)))
    }

    fn certificate(&mut self, source: &CertificateSource, secrets: &Secrets) -> Result<(), Lack> {
        match source {
            CertificateSource::Inline { chain, key } => self.key_pair(chain, key, secrets),
            CertificateSource::Secret { name, source } => {
                match self.secret(name, source.as_ref(), secrets)?.kind {
                    SecretKind::TlsCertificate { ref chain, ref key } => self.key_pair(chain, key, secrets),
                    SecretKind::ValidationContext(_) => {
                        let reason =
                            format!("secret {name} is a validation context, a certificate is needed");
                        Err(Lack::Unusable(reason))
                    }
                }
            }
        }
    }

    fn key_pair(
        &mut self,
        chain: &CertificateChain,
        key: &PrivateKey,
        secrets: &Secrets,
    ) -> Result<(), Lack> {
        self.stamps.file(&chain.0);
        self.stamps.file(&key.0);
        let certified = pem::certified_key(chain, key, secrets.variables()).map_err(Lack::Unusable)?;
        self.certificates.push(Arc::new(certified));
        Ok(())
    }

    fn validation(&mut self, source: &ValidationSource, secrets: &Secrets) -> Result<(), Lack> {
        match source {
            ValidationSource::Inline(context) => self.context(context),
            ValidationSource::Secret { name, source, with } => {
                if let Some(with) = with {
                    self.context(with);
                }
                match self.secret(name, source.as_ref(), secrets)?.kind {
                    SecretKind::ValidationContext(ref context) => self.context(context),
                    SecretKind::TlsCertificate { .. } => {
                        let reason =
                            format!("secret {name} is a certificate, a validation context is needed");
                        return Err(Lack::Unusable(reason));
                    }
                }
            }
        }
        Ok(())
    }

    fn context(&mut self, context: &ValidationContext) {
        let domains = context.trust_domains.iter().map(|(_, bundle)| bundle);
        for source in context.trusted_ca.iter().chain(&context.crl).chain(domains) {
            self.stamps.file(source);
        }
        self.validation.push(context.clone());
    }

    fn secret(
        &mut self,
        name: &SecretName,
        source: Option<&ConfigSource>,
        secrets: &Secrets,
    ) -> Result<Arc<xds::model::Secret>, Lack> {
        let space = if source.is_some() { Space::Fetched } else { Space::Static };
        let held = secrets.get(space, name).ok_or_else(|| match Secrets::may_come(space, name) {
            true => Lack::Awaited(name.clone()),
            false => Lack::Unusable(format!(
                "there is no static secret {name}: put it into static_resources.secrets, or say by sds_config where it \
                 comes from"
            )),
        })?;
        self.stamps.secrets.push((space, name.clone(), held.version));
        Ok(held.secret)
    }
}
