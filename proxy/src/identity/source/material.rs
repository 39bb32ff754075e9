//! Gathers what a TLS context needs out of the resource, the secrets and files, and tells when it is out of date.

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

impl Material {
    /// What `common` needs now.
    ///
    /// # Errors
    /// Names the secret or file that is missing or unusable.
    pub(in crate::identity) fn of(common: &CommonTls, secrets: &Secrets) -> Result<Self, String> {
        let checked = Arc::new(Checked { started: Instant::now(), millis: AtomicU64::new(0) });
        let changes = secrets.changes();
        let stamps = Stamps { changes, secrets: Vec::new(), files: Vec::new(), checked };
        let mut material = Self { certificates: Vec::new(), validation: Vec::new(), stamps };
        for certificate in &common.certificates {
            material.certificate(certificate, secrets)?;
        }
        if let Some(validation) = &common.validation {
            material.validation(validation, secrets)?;
        }
        Ok(material)
    }

    fn certificate(&mut self, source: &CertificateSource, secrets: &Secrets) -> Result<(), String> {
        match source {
            CertificateSource::Inline { chain, key } => self.key_pair(chain, key, secrets),
            CertificateSource::Secret { name, source } => {
                match self.secret(name, source.as_ref(), secrets)?.kind {
                    SecretKind::TlsCertificate { ref chain, ref key } => self.key_pair(chain, key, secrets),
                    SecretKind::ValidationContext(_) => {
                        Err(format!("secret {name} is a validation context, a certificate is needed"))
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
    ) -> Result<(), String> {
        self.stamps.file(&chain.0);
        self.stamps.file(&key.0);
        let certified = pem::certified_key(chain, key, secrets.variables())?;
        self.certificates.push(Arc::new(certified));
        Ok(())
    }

    fn validation(&mut self, source: &ValidationSource, secrets: &Secrets) -> Result<(), String> {
        match source {
            ValidationSource::Inline(context) => self.context(context),
            ValidationSource::Secret { name, source, with } => {
                if let Some(with) = with {
                    self.context(with);
                }
                match self.secret(name, source.as_ref(), secrets)?.kind {
                    SecretKind::ValidationContext(ref context) => self.context(context),
                    SecretKind::TlsCertificate { .. } => {
                        return Err(format!(
                            "secret {name} is a certificate, a validation context is needed"
                        ));
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
    ) -> Result<Arc<xds::model::Secret>, String> {
        let space = if source.is_some() { Space::Fetched } else { Space::Static };
        let held = secrets.get(space, name).ok_or_else(|| format!("secret {name} is not here yet"))?;
        self.stamps.secrets.push((space, name.clone(), held.version));
        Ok(held.secret)
    }
}
