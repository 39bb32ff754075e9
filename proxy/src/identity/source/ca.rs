//! The CA of the control API as a source of SVIDs: joins once with a token, then renews with the SVID itself.
//!
//! The private key is made here and never leaves; it is kept with its SVID in a directory that only its owner
//! can read. An SVID is renewed at half its life; new connections use the new one, live ones go on.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;
use xds::model::{
    CertificateChain, CertificateSource, CommonTls, DataSource, PrivateKey, Secret, SecretKind, SecretName,
    UpstreamTls, ValidationContext, ValidationSource,
};

use crate::drain::{Draining, Phase};
use crate::identity::secrets::{BUNDLE_SECRET, SVID_SECRET, Secrets};
use crate::identity::svid::Validity;
use crate::identity::{AlpnFallback, ClientTls, check_secret, pem};

/// Longest answer of the CA, bytes.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// Longest exchange with the CA.
const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(10);

/// Waits between attempts after a failure: the first, and the longest.
const RETRY_FIRST: Duration = Duration::from_millis(500);
const RETRY_LONGEST: Duration = Duration::from_secs(30);

/// Where and how SVIDs are issued.
#[derive(Debug, Clone)]
pub struct CaSource {
    /// `https://host:port` of the control API.
    pub url: String,
    /// PEM roots to believe it by.
    pub trust_bundle: PathBuf,
    /// The file with the one-time token; needed until there is an SVID.
    pub join_token_file: Option<PathBuf>,
    /// Where the SVID, its key and the bundle are kept.
    pub directory: PathBuf,
}

/// What `POST /v1/sign` takes.
#[derive(Serialize)]
struct SignRequest<'a> {
    csr: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
}

/// What it answers.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SignAnswer {
    certificate_chain: String,
    trust_domain: String,
    bundle: String,
}

impl CaSource {
    /// Puts an SVID into `secrets`: the kept one while it is valid, else a new one by the join token.
    ///
    /// # Errors
    /// What is missing or was refused, with the remedy.
    pub async fn first(&self, secrets: &Secrets) -> Result<Validity, String> {
        if let Some(validity) = self.kept(secrets).filter(|validity| validity.until > SystemTime::now()) {
            return Ok(validity);
        }
        let path = self.join_token_file.as_ref().ok_or_else(|| {
            format!("no valid SVID in {} and no join token: pass --join-token-file", self.directory.display())
        })?;
        let token = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        self.obtain(Some(token.trim()), secrets).await
    }

    /// Renews at half life, until `draining` is stopped. `validity` is that of the SVID in use.
    pub async fn keep(self, secrets: Arc<Secrets>, mut validity: Option<Validity>, mut draining: Draining) {
        let mut failures = 0;
        loop {
            let wait = match (failures, validity) {
                (0, Some(validity)) => {
                    validity.half_life().duration_since(SystemTime::now()).unwrap_or(Duration::ZERO)
                }
                _ => retry_wait(failures, fastrand::f64()),
            };
            tokio::select! {
                () = draining.reached(Phase::Stopped) => return,
                () = tokio::time::sleep(wait) => {}
            }
            let renewed = match validity {
                Some(current) if current.until > SystemTime::now() => self.obtain(None, &secrets).await,
                _ => self.first(&secrets).await,
            };
            match renewed {
                Ok(new) => {
                    failures = 0;
                    validity = Some(new);
                    tracing::info!("SVID renewed");
                }
                Err(error) => {
                    failures += 1;
                    tracing::warn!(error, failures, "no SVID from the control API; trying again");
                }
            }
        }
    }

    /// The kept SVID, put into `secrets`.
    fn kept(&self, secrets: &Secrets) -> Option<Validity> {
        let read = |name: &str| fs::read_to_string(self.directory.join(name)).ok();
        let (chain, key, bundle) = (read("svid.pem")?, read("svid.key")?, read("bundle.pem")?);
        let trust_domain = read("trust_domain")?;
        self.publish(&chain, &key, trust_domain.trim(), &bundle, secrets)
            .map_err(|error| tracing::warn!(error, "the kept SVID cannot be used"))
            .ok()
    }

    async fn obtain(&self, token: Option<&str>, secrets: &Secrets) -> Result<Validity, String> {
        let key = rcgen::KeyPair::generate().map_err(|error| error.to_string())?;
        let mut params = rcgen::CertificateParams::default();
        // The CA decides who we are; a request that names nobody cannot ask for too much.
        params.distinguished_name = rcgen::DistinguishedName::new();
        let request = params
            .serialize_request(&key)
            .and_then(|request| request.pem())
            .map_err(|error| error.to_string())?;
        let body =
            serde_json::to_vec(&SignRequest { csr: &request, token }).map_err(|error| error.to_string())?;
        let exchange = self.exchange(body, token.is_none(), secrets);
        let answer = tokio::time::timeout(EXCHANGE_TIMEOUT, exchange)
            .await
            .map_err(|_| format!("{}: no answer within {EXCHANGE_TIMEOUT:?}", self.url))??;
        let key = key.serialize_pem();
        let SignAnswer { certificate_chain, trust_domain, bundle } = answer;
        let validity = self.publish(&certificate_chain, &key, &trust_domain, &bundle, secrets)?;
        self.keep_files(&certificate_chain, &key, &trust_domain, &bundle)?;
        Ok(validity)
    }

    fn publish(
        &self,
        chain: &str,
        key: &str,
        trust_domain: &str,
        bundle: &str,
        secrets: &Secrets,
    ) -> Result<Validity, String> {
        let inline = |text: &str| DataSource::Inline(text.as_bytes().to_vec());
        let chain = CertificateChain(inline(chain));
        let key = PrivateKey(inline(key));
        let certified = pem::certified_key(&chain, &key, secrets.variables())?;
        let leaf = certified.cert.first().ok_or("the CA sent no certificate")?;
        let validity = Validity::of(leaf)?;
        let trust_domains = vec![(trust_domain.to_owned(), inline(bundle))];
        let context = ValidationContext { trust_domains, ..ValidationContext::default() };
        let bundle = Secret {
            name: SecretName::from(BUNDLE_SECRET),
            kind: SecretKind::ValidationContext(Box::new(context)),
        };
        check_secret(&bundle, secrets)?;
        secrets.set_static(bundle);
        let kind = SecretKind::TlsCertificate { chain, key };
        secrets.set_static(Secret { name: SecretName::from(SVID_SECRET), kind });
        Ok(validity)
    }

    fn keep_files(&self, chain: &str, key: &str, trust_domain: &str, bundle: &str) -> Result<(), String> {
        let place = self.directory.display();
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.directory)
            .map_err(|error| format!("{place}: {error}"))?;
        let files =
            [("svid.key", key), ("svid.pem", chain), ("bundle.pem", bundle), ("trust_domain", trust_domain)];
        for (name, content) in files {
            replace(&self.directory.join(name), content)
                .map_err(|error| format!("{place}/{name}: {error}"))?;
        }
        Ok(())
    }

    async fn exchange(
        &self,
        body: Vec<u8>,
        with_svid: bool,
        secrets: &Secrets,
    ) -> Result<SignAnswer, String> {
        let authority = self.url.strip_prefix("https://").ok_or_else(|| {
            format!(
                "--identity-url {}: an https:// address is needed, SVIDs are not asked for in plain text",
                self.url
            )
        })?;
        let authority = authority.trim_end_matches('/');
        let tls = ClientTls::new(self.tls(with_svid), false, Arc::new(secrets.static_copy()));
        let session = tls.session().map_err(|error| error.to_string())?;
        let failed = |what: &str, error: &dyn std::fmt::Display| format!("{}: {what}: {error}", self.url);
        let tcp = TcpStream::connect(authority).await.map_err(|error| failed("cannot connect", &error))?;
        let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
        let name = ServerName::try_from(host.to_owned()).map_err(|error| failed("host", &error))?;
        let config = Arc::clone(session.config_for(AlpnFallback::Http1));
        let stream = tokio_rustls::TlsConnector::from(config)
            .connect(name, tcp)
            .await
            .map_err(|error| failed("TLS", &error))?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| failed("HTTP", &error))?;
        let request = Request::post("/v1/sign")
            .header("host", authority)
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| failed("request", &error))?;
        let answered = async {
            let response = sender.send_request(request).await.map_err(|error| failed("HTTP", &error))?;
            let status = response.status();
            let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
            let body = body.map_err(|error| failed("answer", &error))?.to_bytes();
            if !status.is_success() {
                return Err(failed("refused", &format!("{status}: {}", String::from_utf8_lossy(&body))));
            }
            serde_json::from_slice(&body).map_err(|error| failed("answer", &error))
        };
        tokio::select! {
            answer = answered => answer,
            Err(error) = connection => Err(failed("HTTP", &error)),
        }
    }

    /// How the CA is spoken to: believed by the bundle file, and shown our SVID once there is one.
    fn tls(&self, with_svid: bool) -> UpstreamTls {
        let file = DataSource::File {
            path: self.trust_bundle.to_string_lossy().into_owned(),
            watched_directory: None,
        };
        let validation = ValidationContext { trusted_ca: Some(file), ..ValidationContext::default() };
        let svid = CertificateSource::Secret { name: SecretName::from(SVID_SECRET), source: None };
        UpstreamTls {
            common: CommonTls {
                certificates: if with_svid { vec![svid] } else { Vec::new() },
                validation: Some(ValidationSource::Inline(validation)),
                ..CommonTls::default()
            },
            sni: String::new(),
            auto_host_sni: false,
            auto_sni_san_validation: false,
        }
    }
}

/// Writes `content` beside `path` and moves it there, so that no reader sees half of it.
fn replace(path: &Path, content: &str) -> std::io::Result<()> {
    let beside = path.with_extension("new");
    let mut file =
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    file.write_all(content.as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

fn retry_wait(failures: u32, random: f64) -> Duration {
    let ceiling = RETRY_FIRST.saturating_mul(1 << failures.min(10)).min(RETRY_LONGEST);
    ceiling.mul_f64(random.clamp(0.5, 1.0))
}
