//! The client's side of mutual TLS: TLS 1.3, P-256, AES-256-GCM and nothing else, so that every contestant does
//! the same arithmetic; never a resumed session.

use std::path::Path;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs as crypto;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::TlsConnector;

use crate::contestant::certs::SERVER_NAME;

/// A connector that presents the client certificate of the folder; `alpn` is what it wants to speak.
pub fn connector(folder: &Path, alpn: &[u8], with_certificate: bool) -> Result<TlsConnector, String> {
    let provider = rustls::crypto::CryptoProvider {
        cipher_suites: vec![crypto::cipher_suite::TLS13_AES_256_GCM_SHA384],
        kx_groups: vec![crypto::kx_group::SECP256R1],
        ..crypto::default_provider()
    };
    let mut roots = rustls::RootCertStore::empty();
    for root in certificates(folder, "ca.pem")? {
        roots.add(root).map_err(|e| format!("ca.pem: {e}"))?;
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|e| e.to_string())?
        .with_root_certificates(roots);
    let mut config = if with_certificate {
        let path = folder.join("client.key");
        let key = PrivateKeyDer::from_pem_file(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let chain = certificates(folder, "client.crt")?;
        builder.with_client_auth_cert(chain, key).map_err(|e| format!("client.crt: {e}"))?
    } else {
        builder.with_no_client_auth()
    };
    config.alpn_protocols = vec![alpn.to_vec()];
    config.resumption = rustls::client::Resumption::disabled();
    Ok(TlsConnector::from(Arc::new(config)))
}

/// The name asked for.
pub fn server_name() -> ServerName<'static> {
    ServerName::try_from(SERVER_NAME).expect("the name is a host name")
}

fn certificates(folder: &Path, name: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let path = folder.join(name);
    let read = CertificateDer::pem_file_iter(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    read.collect::<Result<_, _>>().map_err(|e| format!("{}: {e}", path.display()))
}
