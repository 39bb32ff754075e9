//! TLS towards endpoints: one [`ClientTls`] for each transport of a cluster, its configuration always current.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustls::client::{ResolvesClientCert, Resumption};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, SignatureScheme};
use xds::model::UpstreamTls;

use super::live::Live;
use super::params;
use super::secrets::Secrets;
use super::source::material::Material;
use super::trust::Trust;
use super::verify::Verifier;
use crate::error::{Error, Reason};

/// Counts every client configuration of the process, so that no two share a number.
static GENERATIONS: AtomicU64 = AtomicU64::new(1);

/// The TLS of one transport of a cluster.
#[derive(Debug)]
pub struct ClientTls {
    model: UpstreamTls,
    match_server_name: bool,
    secrets: Arc<Secrets>,
    live: Live<ClientSession>,
}

/// What a connection opened now is made with.
#[derive(Debug)]
pub struct ClientSession {
    /// The configuration with the context's own ALPN protocols (none when it names none).
    pub config: Arc<ClientConfig>,
    /// Changes whenever our certificate or our trust does; connections of two generations are never mixed.
    pub generation: u64,
    fallback: [Arc<ClientConfig>; 3],
}

/// ALPN when the context names no protocols, as Envoy's codecs set it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlpnFallback {
    /// `http/1.1`.
    Http1,
    /// `h2`.
    Http2,
    /// `h2`, then `http/1.1`.
    Auto,
}

impl ClientSession {
    /// The configuration for a connection that speaks HTTP.
    #[must_use]
    pub fn config_for(&self, fallback: AlpnFallback) -> &Arc<ClientConfig> {
        &self.fallback[fallback as usize]
    }
}

impl ClientTls {
    /// TLS by `model` out of `secrets`. With `match_server_name`, an endpoint's certificate must also be valid
    /// for the name asked for (`auto_san_validation`).
    #[must_use]
    pub fn new(model: UpstreamTls, match_server_name: bool, secrets: Arc<Secrets>) -> Self {
        let match_server_name = match_server_name || model.auto_sni_san_validation;
        Self { model, match_server_name, secrets, live: Live::new() }
    }

    /// The model it was made of.
    #[must_use]
    pub fn model(&self) -> &UpstreamTls {
        &self.model
    }

    /// Looks at all that is here already: parameters, files, secrets that have come.
    ///
    /// # Errors
    /// The field within the TLS context and what is wrong with it.
    pub fn check(&self) -> Result<(), String> {
        let common = &self.model.common;
        params::versions(common)
            .and_then(|_| Live::check(common, &self.secrets, |material| self.build(material)))
            .map_err(|reason| format!("common_tls_context.{reason}"))
    }

    /// What to open a connection with now.
    ///
    /// # Errors
    /// [`Reason::UpstreamTls`] while a secret is missing or unusable and there never was a usable one.
    pub fn session(&self) -> Result<Arc<ClientSession>, Error> {
        self.live
            .get(&self.model.common, &self.secrets, |material| self.build(material))
            .map_err(|reason| Error::new(Reason::UpstreamTls, reason))
    }

    fn build(&self, material: &Material) -> Result<ClientSession, String> {
        let common = &self.model.common;
        let provider = params::provider(common);
        let contexts: Vec<_> = material.validation.iter().collect();
        let variables = self.secrets.variables();
        let trust = if contexts.is_empty() { None } else { Some(Trust::of_context(&contexts, variables)?) };
        let judges_peers = trust.is_some();
        let verifier = Verifier {
            trust,
            match_server_name: self.match_server_name,
            mandatory: false,
            schemes: params::verified_schemes(common, &provider),
            provider: Arc::clone(&provider),
        };
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&params::versions(common)?)
            .map_err(|error| error.to_string())?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier));
        let mut config = match material.certificates.first() {
            None => builder.with_no_client_auth(),
            Some(key) => builder.with_client_cert_resolver(Arc::new(Always(params::signing(common, key)))),
        };
        if judges_peers {
            // A resumed session is not judged again, so that a peer could outlive its trust.
            config.resumption = Resumption::disabled();
        }
        config.enable_sni = true;
        config.alpn_protocols = common.alpn_protocols.iter().map(|name| name.clone().into_bytes()).collect();
        let with = |protocols: &[&[u8]]| {
            let mut config = config.clone();
            if config.alpn_protocols.is_empty() {
                config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
            }
            Arc::new(config)
        };
        let fallback = [with(&[b"http/1.1"]), with(&[b"h2"]), with(&[b"h2", b"http/1.1"])];
        let generation = GENERATIONS.fetch_add(1, Ordering::Relaxed);
        Ok(ClientSession { config: Arc::new(config), generation, fallback })
    }
}

/// Shows the one certificate to every server that asks.
#[derive(Debug)]
struct Always(Arc<CertifiedKey>);

impl ResolvesClientCert for Always {
    fn resolve(&self, _root_hints: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.key.choose_scheme(schemes).map(|_| Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}
