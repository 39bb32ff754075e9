//! TLS of the listener for proxies: our SVID, renewed while we run, and their certificates.
//!
//! One rule: a client may come without a certificate, to join; what it may then do is next to
//! nothing, and every certificate that is presented must be of this mesh and in force.

use std::io::BufReader;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, ResolvesServerCert, ServerConfig, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::ca::Authority;
use crate::ca::spiffe::SpiffeId;
use crate::discovery::Peer;

/// Our own certificate, which changes while we run.
#[derive(Debug)]
pub struct OwnCertificate {
    key: RwLock<Arc<CertifiedKey>>,
}

impl ResolvesServerCert for OwnCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.key.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

impl OwnCertificate {
    /// A first certificate that is also valid for `names`; answers with when to renew it.
    pub fn issue(authority: &Authority, names: &[String]) -> Result<(Self, SystemTime), String> {
        let (key, renew_at) = issue(authority, names)?;
        Ok((Self { key: RwLock::new(key) }, renew_at))
    }

    /// Replaces the certificate; answers with when to renew it again.
    pub fn renew(&self, authority: &Authority, names: &[String]) -> Result<SystemTime, String> {
        let (key, renew_at) = issue(authority, names)?;
        *self.key.write().unwrap_or_else(PoisonError::into_inner) = key;
        Ok(renew_at)
    }
}

/// Renews the certificate at half of its life until the task is dropped.
pub async fn keep_renewed(
    own: Arc<OwnCertificate>,
    authority: Arc<Authority>,
    names: Vec<String>,
    mut renew_at: SystemTime,
) {
    const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(5);
    loop {
        tokio::time::sleep(renew_at.duration_since(SystemTime::now()).unwrap_or_default()).await;
        renew_at = own.renew(&authority, &names).unwrap_or_else(|error| {
            tracing::error!(error, "own certificate was not renewed");
            SystemTime::now() + PAUSE_AFTER_FAILURE
        });
    }
}

fn issue(authority: &Authority, names: &[String]) -> Result<(Arc<CertifiedKey>, SystemTime), String> {
    let now = SystemTime::now();
    let (svid, key) = authority.issue_control(names, now).map_err(|e| e.to_string())?;
    let chain = CertificateDer::pem_reader_iter(BufReader::new(svid.chain.as_bytes()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|e| e.to_string())?;
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|e| e.to_string())?;
    let key = provider().key_provider.load_private_key(key).map_err(|e| e.to_string())?;
    Ok((Arc::new(CertifiedKey::new(chain, key)), svid.renew_at(now)))
}

/// The TLS settings of the listener for proxies.
pub fn server_config(authority: &Authority, own: Arc<OwnCertificate>) -> Result<ServerConfig, String> {
    let mut roots = RootCertStore::empty();
    for root in CertificateDer::pem_slice_iter(authority.bundle().as_bytes()) {
        roots.add(root.map_err(|e| e.to_string())?).map_err(|e| e.to_string())?;
    }
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider())
        .allow_unauthenticated()
        .build()
        .map_err(|e| e.to_string())?;
    let mut config = ServerConfig::builder_with_provider(provider())
        // Envoy's clients stop at TLS 1.2 unless their bootstrap says more.
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|e| e.to_string())?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(own);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// Who presented `chain`. The chain has been verified; a leaf that is no SVID of this mesh is
/// nobody's.
pub fn peer(trust_domain: &str, chain: &[CertificateDer<'_>], address: SocketAddr) -> Result<Peer, String> {
    let leaf = chain.first().ok_or("no certificate")?;
    let id = SpiffeId::of_certificate(leaf)?;
    if id.trust_domain() != trust_domain {
        return Err(format!("{id} is not of trust domain {trust_domain}"));
    }
    let (_, certificate) = X509Certificate::from_der(leaf).map_err(|e| e.to_string())?;
    Ok(Peer { id, not_after: certificate.validity().not_after.to_datetime().into(), address })
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}
