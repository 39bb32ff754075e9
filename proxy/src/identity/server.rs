//! TLS of a filter chain: the configuration for the next handshake, always current.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use webpki::EndEntityCert;
use xds::model::DownstreamTls;

use super::live::Live;
use super::params;
use super::secrets::Secrets;
use super::source::material::Material;
use super::trust::Trust;
use super::verify::Verifier;
use crate::error::{Error, Reason};

/// The TLS of one filter chain.
#[derive(Debug)]
pub struct ServerTls {
    model: DownstreamTls,
    secrets: Arc<Secrets>,
    live: Live<ServerConfig>,
}

impl ServerTls {
    /// TLS by `model` out of `secrets`.
    #[must_use]
    pub fn new(model: DownstreamTls, secrets: Arc<Secrets>) -> Self {
        Self { model, secrets, live: Live::new() }
    }

    /// The model it was made of.
    #[must_use]
    pub fn model(&self) -> &DownstreamTls {
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

    /// What to answer a ClientHello with now.
    ///
    /// # Errors
    /// [`Reason::Internal`] while a secret is missing or unusable and there never was a usable one.
    pub fn session(&self) -> Result<Arc<ServerConfig>, Error> {
        self.live
            .get(&self.model.common, &self.secrets, |material| self.build(material))
            .map_err(|reason| Error::new(Reason::Internal, reason))
    }

    fn build(&self, material: &Material) -> Result<ServerConfig, String> {
        let common = &self.model.common;
        if material.certificates.is_empty() {
            return Err("tls_certificates: a downstream TLS context needs one".to_owned());
        }
        let provider = params::provider(common);
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&params::versions(common)?)
            .map_err(|error| error.to_string())?;
        let contexts: Vec<_> = material.validation.iter().collect();
        let variables = self.secrets.variables();
        let trust = if contexts.is_empty() { None } else { Some(Trust::of_context(&contexts, variables)?) };
        let asks_for_certificate = trust.is_some() || self.model.require_client_certificate;
        let builder = if asks_for_certificate {
            builder.with_client_cert_verifier(Arc::new(Verifier {
                trust,
                match_server_name: false,
                mandatory: self.model.require_client_certificate,
                schemes: params::verified_schemes(common, &provider),
                provider,
            }))
        } else {
            builder.with_no_client_auth()
        };
        let keys = material.certificates.iter().map(|key| params::signing(common, key));
        let mut config = builder.with_cert_resolver(Arc::new(BySni(keys.collect())));
        if asks_for_certificate || self.model.disable_stateful_session_resumption {
            // A resumed session is not judged again, so that a peer could outlive its trust.
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
        } else if !self.model.disable_stateless_session_resumption {
            // Keys change every six hours. All workers have this one configuration, and so the same keys.
            config.ticketer =
                rustls::crypto::aws_lc_rs::Ticketer::new().map_err(|error| error.to_string())?;
        }
        config.alpn_protocols = common.alpn_protocols.iter().map(|name| name.clone().into_bytes()).collect();
        Ok(config)
    }
}

/// The first certificate that is valid for the server name asked for, else the first.
#[derive(Debug)]
struct BySni(Vec<Arc<CertifiedKey>>);

impl ResolvesServerCert for BySni {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let fits = |key: &&Arc<CertifiedKey>| {
            let name = hello.server_name().and_then(|name| rustls_pki_types::ServerName::try_from(name).ok());
            let certificate = key.cert.first().and_then(|leaf| EndEntityCert::try_from(leaf).ok());
            match (name, certificate) {
                (Some(name), Some(certificate)) => {
                    certificate.verify_is_valid_for_subject_name(&name).is_ok()
                }
                _ => false,
            }
        };
        let single = self.0.len() == 1;
        let chosen = if single { None } else { self.0.iter().find(fits) };
        chosen.or_else(|| self.0.first()).cloned()
    }
}
